//! Updates books from the sites that publish them, or from a folder of files.
//!
//! The list of a site says which editions are current. An edition that is newer than the one in use is downloaded, compared with the list,
//! checked by the importer, and only then replaces the old one. A book that fails keeps its old edition and does not stop the others. Nothing is
//! printed: a [`Watch`] is told of the progress, and the result has one [`Step`] for each book.

mod download;
mod fetch;
mod http;
mod list;
mod site;

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

pub use fetch::{Answer, Fetch, Request, Trouble};
pub use http::{Http, NoWay, Ways};
pub use list::Offer;
pub use site::{Addresses, BadAddress, Site};

use super::NoBook;
use super::book::Description;
use super::catalog::{BookInfo, Stock};
use super::import::{ImportOptions, Importer, Refusal, Taken, source, version_order};
use crate::registry::archive::is_zip;
use crate::texts::{Coded, ErrorClass, Key, Keyed, Slot, Text, display};
use crate::values::Date;
use download::Downloads;
use list::NoList;

/// The folder of partial downloads, beside the books.
const PARTS: &str = ".parts";

/// Follows an update.
pub trait Watch {
    /// Called when a book begins: its id, its number from 1, and the number of books.
    fn book(&self, id: &str, number: usize, of: usize);
    /// Called when a download begins: bytes that are already present, and bytes of the whole file if known.
    fn size(&self, from: u64, total: Option<u64>);
    /// Called when bytes have been received.
    fn bytes(&self, count: u64);
    /// Called when a request will be repeated after a pause.
    fn again(&self, trouble: &Trouble, pause: Duration);
}

/// How the edition in use compares with the offered one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// No edition is in use.
    Absent,
    /// A newer edition is offered.
    Newer,
    /// The order of the editions is unknown: the offered one is downloaded, and the importer decides.
    Unclear,
    /// The edition in use is the current one.
    Current,
    /// The edition in use is newer than the offered one.
    Older,
}

impl Standing {
    /// The stable code in machine formats.
    pub fn code(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Newer => "newer",
            Self::Unclear => "unclear",
            Self::Current => "current",
            Self::Older => "older",
        }
    }

    fn wants(self) -> bool {
        matches!(self, Self::Absent | Self::Newer | Self::Unclear)
    }
}

/// Why a book was not updated. The old edition is unchanged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The list or the packet could not be downloaded.
    Trouble(Trouble),
    /// The answer is not a list of editions.
    List,
    /// The answer is an HTML page and not a packet.
    Page,
    /// The download is neither an archive with one XML file nor an XML file.
    NotAPacket,
    /// The packet has another edition than the list.
    OtherEdition {
        /// The edition in the list.
        promised: String,
        /// The edition in the packet.
        found: String,
    },
    /// The importer refused the book.
    Refused(Refusal),
    /// The importer of rule books refused the book.
    Rules(Keyed),
    /// The site's list does not contain this book.
    NotListed,
}

impl Fault {
    /// The stable code in machine formats.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Refused(refusal) => refusal.code(),
            Self::Rules(refusal) => refusal.key.as_str(),
            _ => fetch::code(self.key()),
        }
    }

    /// Whether the cause is this machine and not the site.
    pub fn is_ours(&self) -> bool {
        matches!(self, Self::Refused(Refusal::NotWritten(_) | Refusal::Table(_)) | Self::Trouble(Trouble::NotKept(_)))
    }
}

impl Coded for Fault {
    fn key(&self) -> Key {
        match self {
            Self::Trouble(trouble) => trouble.key(),
            Self::List => Key::NsiUpdateList,
            Self::Page => Key::NsiUpdatePage,
            Self::NotAPacket => Key::NsiUpdateNotAPacket,
            Self::OtherEdition { .. } => Key::NsiUpdateOtherEdition,
            Self::Refused(_) => Key::NsiUpdateRefused,
            Self::Rules(_) => Key::NsiUpdateRefusedRules,
            Self::NotListed => Key::NsiUpdateNotListed,
        }
    }

    fn slots(&self) -> Vec<(&'static str, Slot<'_>)> {
        match self {
            Self::Trouble(trouble) => trouble.slots(),
            Self::List | Self::Page | Self::NotAPacket | Self::NotListed => Vec::new(),
            Self::OtherEdition { promised, found } => vec![("promised", Slot::text(promised)), ("found", Slot::text(found))],
            Self::Refused(refusal) => vec![("reason", Slot::Nested(refusal))],
            Self::Rules(refusal) => vec![("reason", Slot::Nested(refusal))],
        }
    }

    fn class(&self) -> ErrorClass {
        if self.is_ours() { ErrorClass::Usage } else { ErrorClass::Remote }
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        display(self, f)
    }
}

impl std::error::Error for Fault {}

/// The result for one book.
#[derive(Debug)]
pub enum Outcome {
    /// A new edition was imported.
    Taken(Box<Taken>),
    /// A new edition of a rule book was imported.
    TakenRules(Box<TakenRules>),
    /// Nothing was changed: no update was needed, or it was a dry run.
    Left,
    /// The update failed.
    Failed(Fault),
}

/// One book of an update and its result.
#[derive(Debug)]
pub struct Step {
    /// Id of the book.
    pub book: String,
    /// The edition in use before.
    pub at_hand: Option<Description>,
    /// The offered edition; `None` when unknown.
    pub offer: Option<Offer>,
    /// How the two editions compare; `None` when unknown.
    pub standing: Option<Standing>,
    /// The result.
    pub outcome: Outcome,
}

/// An imported rule book.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakenRules {
    /// The imported edition.
    pub book: Description,
    /// The edition in use before; `None` when there was none.
    pub replaced: Option<Description>,
    /// The changes: how many rules are new, changed, ended, or cannot be expressed.
    pub changes: Text,
}

/// Imports rule books. They are more than tables of codes, so the caller of the update provides this.
pub trait RuleBooks {
    /// Ids of the rule books that are updated when no books are named.
    fn unasked(&self) -> Vec<String>;

    /// The edition in use; `None` when there is none.
    ///
    /// # Errors
    /// The tables of rules have an error.
    fn at_hand(&self, id: &str) -> Result<Option<Description>, Fault>;

    /// The book and edition of a packet.
    ///
    /// # Errors
    /// The packet is not a rule book, or it is damaged.
    fn look(&self, packet: &[u8]) -> Result<Description, Fault>;

    /// Replaces the present rules by those of a packet: all of them or none, and never by an older edition.
    ///
    /// # Errors
    /// The packet is refused, or the rules cannot be written.
    fn take(&self, packet: &[u8], source: &str) -> Result<TakenRules, Fault>;
}

/// Which books to update, and whether to change anything.
#[derive(Debug, Clone, Default)]
pub struct Order {
    /// Ids of the books. Empty means those of `asked`, and of the rule books those of [`RuleBooks::unasked`].
    pub books: Vec<String>,
    /// The books that are wanted when none is named; `None` means all books of the table.
    pub asked: Option<BTreeSet<String>>,
    /// Whether to compare the editions only and change nothing.
    pub dry_run: bool,
}

/// Where an update gets its books.
#[derive(Clone, Copy)]
pub enum From<'a> {
    /// From sites, through this client.
    Site(&'a Site, &'a dyn Fetch),
    /// From a folder, an archive or a file.
    Folder(&'a Path),
}

/// Updates books; `rules` imports the rule books among them.
///
/// # Errors
/// An ordered book is unknown or cannot be updated. Nothing was changed.
pub fn update(importer: &Importer, rules: Option<&dyn RuleBooks>, from: From<'_>, order: &Order, watch: &dyn Watch) -> Result<Vec<Step>, NoBook> {
    let books = ordered(importer, rules, order)?;
    Ok(match from {
        From::Site(site, fetch) => {
            let downloads = Downloads::new(fetch, &site.transfer, watch);
            let mut run = Run { importer, rules, site, downloads, order, fund: None };
            let all = books.len();
            let steps = books.iter().enumerate().map(|(at, info)| {
                watch.book(&info.id, at + 1, all);
                run.step(info)
            });
            steps.collect()
        }
        From::Folder(path) => Folder { importer, rules, order }.steps(path, &books, watch),
    })
}

fn ordered(importer: &Importer, rules: Option<&dyn RuleBooks>, order: &Order) -> Result<Vec<Arc<BookInfo>>, NoBook> {
    if order.books.is_empty() {
        let unasked = rules.map_or_else(Vec::new, RuleBooks::unasked);
        let is_wanted = |b: &&Arc<BookInfo>| match b.stock {
            Stock::Rules => unasked.iter().any(|id| *b.id == *id),
            Stock::Embedded | Stock::Import => order.asked.as_ref().is_none_or(|asked| asked.contains(&*b.id)),
        };
        return Ok(importer.catalog().iter().filter(is_wanted).cloned().collect());
    }
    let mut books: Vec<Arc<BookInfo>> = Vec::new();
    for id in &order.books {
        let info = importer.catalog().get(id).ok_or_else(|| NoBook::Unknown(id.clone()))?;
        if info.stock == Stock::Rules && rules.is_none() {
            return Err(NoBook::Rules(info.id.to_string()));
        }
        if books.iter().all(|b| b.id != info.id) {
            books.push(Arc::clone(info));
        }
    }
    Ok(books)
}

struct Run<'a> {
    importer: &'a Importer,
    rules: Option<&'a dyn RuleBooks>,
    site: &'a Site,
    downloads: Downloads<'a>,
    order: &'a Order,
    /// The fund's list; downloaded when its first book begins.
    fund: Option<Result<BTreeMap<String, Offer>, Fault>>,
}

impl Run<'_> {
    fn step(&mut self, info: &Arc<BookInfo>) -> Step {
        let mut step = Step { book: info.id.to_string(), at_hand: None, offer: None, standing: None, outcome: Outcome::Left };
        match self.try_step(info, &mut step) {
            Ok(outcome) => step.outcome = outcome,
            Err(fault) => step.outcome = Outcome::Failed(fault),
        }
        step
    }

    fn try_step(&mut self, info: &Arc<BookInfo>, step: &mut Step) -> Result<Outcome, Fault> {
        let rules = self.rules.filter(|_| info.stock == Stock::Rules);
        step.at_hand = match rules {
            Some(rules) => rules.at_hand(&info.id)?,
            None => self.importer.at_hand(info).map_err(Fault::Refused)?,
        };
        let offer = self.offer(info)?;
        let standing = stands(step.at_hand.as_ref(), &offer);
        (step.offer, step.standing) = (Some(offer.clone()), Some(standing));
        if self.order.dry_run {
            return Ok(Outcome::Left);
        }
        if !standing.wants() {
            if standing == Standing::Current && rules.is_none() {
                self.importer.confirm(info, self.importer.today()).map_err(Fault::Refused)?;
            }
            return Ok(Outcome::Left);
        }
        let url = match &info.oid {
            Some(oid) => self.site.ministry.packet(oid, &offer.id, &offer.version),
            None => self.site.fund.packet("", &offer.id, &offer.version),
        };
        let part = self.importer.folder().join(PARTS).join(format!("{}.part", info.id));
        let bytes = self.downloads.packet(&url, &part).map_err(Fault::Trouble)?;
        // Deletes the folder of partial downloads if it is empty.
        let _ = part.parent().map(std::fs::remove_dir);
        // The file name that a browser would save; for the ministry's books only this name contains the edition.
        let stem = info.oid.as_ref().map_or_else(|| info.id.to_string(), |oid| format!("{oid}_{}", offer.version));
        let (name, content) = content(&stem, &bytes)?;
        if let Some(rules) = rules {
            let found = rules.look(&content)?;
            is_right(info, &found)?;
            promised(&offer, &found)?;
            return rules.take(&content, &name).map(|taken| Outcome::TakenRules(Box::new(taken)));
        }
        let options = ImportOptions { book: Some(info.id.to_string()), force: false, checked: Some(self.importer.today()) };
        let prepared = self.importer.prepare(&name, &stem, &content, &options).map_err(Fault::Refused)?;
        promised(&offer, prepared.book())?;
        prepared.store().map(|taken| Outcome::Taken(Box::new(taken))).map_err(Fault::Refused)
    }

    fn offer(&mut self, info: &BookInfo) -> Result<Offer, Fault> {
        if let Some(oid) = &info.oid {
            let bytes = self.downloads.list(&self.site.ministry.list(oid)).map_err(Fault::Trouble)?;
            return list::of_editions(&bytes, &self.site.ministry.fields).map_err(|NoList| Fault::List);
        }
        let books = self.fund.get_or_insert_with(|| {
            let bytes = self.downloads.list(&self.site.fund.list("")).map_err(Fault::Trouble)?;
            list::of_books(&bytes, &self.site.fund.fields).map_err(|NoList| Fault::List)
        });
        match books {
            Ok(books) => books.get(&*info.id).cloned().ok_or(Fault::NotListed),
            Err(fault) => Err(fault.clone()),
        }
    }
}

/// The only file of a downloaded packet: its name and bytes. It must be XML and not an HTML page.
fn content(stem: &str, bytes: &[u8]) -> Result<(String, Vec<u8>), Fault> {
    let (name, content);
    if is_zip(bytes) {
        let mut found = source::entries(stem, bytes, &mut |_, _, _| false).map_err(Fault::Refused)?;
        let one = found.pop().filter(|_| found.is_empty()).ok_or(Fault::NotAPacket)?.1.map_err(Fault::Refused)?;
        (name, content) = (one.name, one.bytes);
    } else {
        (name, content) = (format!("{stem}.xml"), bytes.to_vec());
    }
    let text = source::decode(&content).map_err(Fault::Refused)?;
    let head: String = text.trim_start_matches('\u{FEFF}').trim_start().chars().take(512).collect::<String>().to_ascii_lowercase();
    if head.contains("<!doctype html") || head.contains("<html") {
        return Err(Fault::Page);
    }
    if !head.starts_with('<') {
        return Err(Fault::NotAPacket);
    }
    Ok((name, content))
}

/// Checks that a packet of rules is the book that was asked for.
fn is_right(info: &BookInfo, found: &Description) -> Result<(), Fault> {
    if *found.id == *info.id { Ok(()) } else { Err(Fault::Refused(Refusal::OtherBook { asked: info.id.to_string(), found: found.id.clone() })) }
}

/// Checks that the packet has the edition that the list named.
fn promised(offer: &Offer, found: &Description) -> Result<(), Fault> {
    // Without a number on either side the dates are compared. The site states when the book was last changed, which is not before the date of its
    // packet.
    let numbered = !offer.edition.is_empty() && !found.edition.is_empty();
    let dated = found.dated_by_rows || offer.date.is_none() || found.date <= offer.date;
    if if numbered { same_edition(&found.edition, &offer.edition) } else { dated } {
        return Ok(());
    }
    let say = |edition: &str, date: Option<Date>| date.map_or_else(|| edition.to_owned(), |d| format!("{edition} {d}").trim().to_owned());
    Err(Fault::OtherEdition { promised: say(&offer.edition, offer.date), found: say(&found.edition, found.date) })
}

/// Whether two numbers mean the same edition: `3`, `3.0` and `3.0.0` do.
fn same_edition(a: &str, b: &str) -> bool {
    let parts = |text: &str| {
        let mut parts = text.trim().split('.').map(|p| p.parse::<u32>().ok()).collect::<Option<Vec<_>>>()?;
        while parts.last() == Some(&0) {
            parts.pop();
        }
        Some(parts)
    };
    a.trim() == b.trim() || parts(a).is_some_and(|a| Some(a) == parts(b))
}

/// Compares the edition in use with an offer. Equal edition numbers mean the same edition, whatever date the site states; otherwise the later
/// date is newer.
fn stands(at_hand: Option<&Description>, offer: &Offer) -> Standing {
    let Some(book) = at_hand else { return Standing::Absent };
    if !offer.edition.is_empty() && same_edition(&book.edition, &offer.edition) {
        return Standing::Current;
    }
    let by_number = || match version_order(&offer.edition, &book.edition) {
        // The edition numbers of embedded tables are our own.
        _ if !book.imported => Standing::Unclear,
        Some(Ordering::Greater) => Standing::Newer,
        Some(Ordering::Less) => Standing::Older,
        _ => Standing::Unclear,
    };
    match (offer.date, book.date) {
        (Some(offered), Some(here)) => match offered.cmp(&here) {
            Ordering::Greater => Standing::Newer,
            Ordering::Less => Standing::Older,
            Ordering::Equal if offer.edition.is_empty() => Standing::Current,
            Ordering::Equal => by_number(),
        },
        _ => by_number(),
    }
}

/// A file of a folder: the edition in it, its path, and its name for messages.
type Found = (Offer, PathBuf, String);

/// An update from files.
struct Folder<'a> {
    importer: &'a Importer,
    rules: Option<&'a dyn RuleBooks>,
    order: &'a Order,
}

impl Folder<'_> {
    /// Updates each book from its best file in the folder. Files that cannot be recognised become steps of their own.
    fn steps(&self, path: &Path, books: &[Arc<BookInfo>], watch: &dyn Watch) -> Vec<Step> {
        let mut best: BTreeMap<String, Found> = BTreeMap::new();
        let mut failed = Vec::new();
        let files = source::files(path);
        let all = files.len();
        for (at, file) in files.into_iter().enumerate() {
            watch.book(&file.file_name().unwrap_or_default().to_string_lossy(), at + 1, all);
            for (name, source) in source::read(&file, &mut |_, _, _| false) {
                match source.map_err(Fault::Refused).and_then(|s| self.look(&s)) {
                    Ok(Some(found)) => {
                        let offer = Offer { edition: found.edition.clone(), date: found.date, ..Offer::default() };
                        let better = best.get(&found.id).is_none_or(|(known, ..)| offer.date > known.date);
                        if better {
                            best.insert(found.id, (offer, file.clone(), name));
                        }
                    }
                    Ok(None) => {}
                    Err(fault) if self.order.books.is_empty() => {
                        failed.push(Step { book: name, at_hand: None, offer: None, standing: None, outcome: Outcome::Failed(fault) });
                    }
                    Err(_) => {}
                }
            }
        }
        let named = !self.order.books.is_empty();
        let steps = books.iter().filter(|info| named || best.contains_key(&*info.id)).map(|info| self.step(info, best.get(&*info.id)));
        steps.chain(failed).collect()
    }

    /// The book and edition in a file; `None` for a rule book when no importer of rule books is given.
    fn look(&self, file: &source::Source) -> Result<Option<Description>, Fault> {
        // Forced, so that the edition in use cannot prevent the file from being recognised.
        let options = ImportOptions { force: true, ..ImportOptions::default() };
        match self.importer.prepare(&file.name, &file.stem, &file.bytes, &options) {
            Ok(prepared) => Ok(Some(prepared.book().clone())),
            Err(Refusal::Rules { .. }) => self.rules.map(|rules| rules.look(&file.bytes)).transpose(),
            Err(refusal) => Err(Fault::Refused(refusal)),
        }
    }

    fn step(&self, info: &Arc<BookInfo>, best: Option<&Found>) -> Step {
        let mut step = Step { book: info.id.to_string(), at_hand: None, offer: None, standing: None, outcome: Outcome::Left };
        let rules = self.rules.filter(|_| info.stock == Stock::Rules);
        let outcome = (|| {
            step.at_hand = match rules {
                Some(rules) => rules.at_hand(&info.id)?,
                None => self.importer.at_hand(info).map_err(Fault::Refused)?,
            };
            let (offer, file, name) = best.ok_or(Fault::NotListed)?;
            let standing = stands(step.at_hand.as_ref(), offer);
            (step.offer, step.standing) = (Some(offer.clone()), Some(standing));
            if self.order.dry_run || !standing.wants() {
                return Ok(Outcome::Left);
            }
            let source = source::read(file, &mut |_, _, _| false).into_iter().find(|(n, _)| n == name).ok_or(Fault::NotListed)?.1.map_err(Fault::Refused)?;
            if let Some(rules) = rules {
                return rules.take(&source.bytes, &source.name).map(|taken| Outcome::TakenRules(Box::new(taken)));
            }
            let taken = self.importer.take_bytes(&source.name, &source.stem, &source.bytes, &ImportOptions::default());
            taken.map(|t| Outcome::Taken(Box::new(t))).map_err(Fault::Refused)
        })();
        step.outcome = outcome.unwrap_or_else(Outcome::Failed);
        step
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn book(edition: &str, date: Option<&str>, imported: bool) -> Description {
        let date = date.and_then(Date::parse);
        let rows = 1;
        Description { id: "V002".into(), edition: edition.into(), date, dated_by_rows: false, complete_until: None, rows, imported, source: String::new() }
    }

    fn offer(edition: &str, date: Option<&str>) -> Offer {
        Offer { edition: edition.into(), date: date.and_then(Date::parse), ..Offer::default() }
    }

    #[test]
    fn editions_are_compared_by_number_then_by_date() {
        let old = Some("2020-01-01");
        let new = Some("2026-01-01");
        for (hand, offered, standing) in [
            (book("3.0", old, true), offer("3", new), Standing::Current),
            (book("3.0", old, true), offer("4", new), Standing::Newer),
            (book("5", new, true), offer("4", old), Standing::Older),
            (book("5.9", None, true), offer("5.10", None), Standing::Newer),
            (book("5.10", new, true), offer("5.9", new), Standing::Older),
            (book("2013", old, false), offer("1.2", None), Standing::Unclear),
            (book("", new, true), offer("", new), Standing::Current),
        ] {
            assert_eq!(stands(Some(&hand), &offered), standing, "{hand} {offered:?}");
        }
        assert_eq!(stands(None, &offer("1", None)), Standing::Absent);
    }
}
