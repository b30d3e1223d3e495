//! Getting current editions of books from the sites that publish them, or from a folder of files that somebody got there.
//!
//! A site's list says which editions are current; what is newer than the book at hand is fetched, checked against what was promised and by
//! the importer's own checks, and only then takes the place of the old edition. A book that fails leaves its old edition and does not
//! hinder the others. Nothing is printed: what happens is told to a [`Watch`], what came of each book is the result.

mod download;
mod fetch;
mod http;
mod list;
mod site;

use std::cmp::Ordering;
use std::collections::BTreeMap;
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
use super::import::{Importer, Refusal, Taken, Wish, source, version_order};
use crate::registry::archive::is_zip;
use crate::texts::{Coded, ErrorClass, Key, Keyed, Slot, Text, display};
use crate::values::Date;
use download::Downloads;
use list::NoList;

/// Parts of packets lie in this folder beside the books.
const PARTS: &str = ".parts";

/// Is told what happens during an update.
pub trait Watch {
    /// A book's turn has come: its id, its number, how many there are.
    fn book(&self, id: &str, number: usize, of: usize);
    /// A file begins to come: bytes that are there already, bytes of the whole if known.
    fn size(&self, from: u64, total: Option<u64>);
    /// Bytes have come.
    fn bytes(&self, count: u64);
    /// The site is asked again after a pause.
    fn again(&self, trouble: &Trouble, pause: Duration);
}

/// A book at hand beside the edition that is offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// There was none.
    Absent,
    /// A newer edition is offered.
    Newer,
    /// It cannot be said which is newer: it is fetched, and the importer decides.
    Unclear,
    /// The edition at hand is the current one.
    Current,
    /// What is at hand is newer than what is offered.
    Older,
}

impl Standing {
    /// A stable name.
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

/// Why a book was not brought up to date. The old edition is as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The list or the packet did not come.
    Trouble(Trouble),
    /// What came is no list of editions.
    List,
    /// A page for people came in place of the packet.
    Page,
    /// What came is neither an archive with one XML nor an XML.
    NotAPacket,
    /// Another edition came than the list promised.
    OtherEdition {
        /// What the list says.
        promised: String,
        /// What the packet says.
        found: String,
    },
    /// The importer does not take it.
    Refused(Refusal),
    /// Whoever takes rule books does not take it.
    Rules(Keyed),
    /// The site does not have this book.
    NotListed,
}

impl Fault {
    /// A stable name, as the machine format has it.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Refused(refusal) => refusal.code(),
            Self::Rules(refusal) => refusal.key.as_str(),
            _ => fetch::code(self.key()),
        }
    }

    /// Whether it is this machine that cannot, and not the site.
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

/// What came of a book.
#[derive(Debug)]
pub enum Outcome {
    /// A new edition is in its place.
    Taken(Box<Taken>),
    /// A new edition of a rule book is in its place.
    TakenRules(Box<TakenRules>),
    /// Nothing had to be done, or nothing was to be done.
    Left,
    /// It failed.
    Failed(Fault),
}

/// One book of an update.
#[derive(Debug)]
pub struct Step {
    /// Id of the book.
    pub book: String,
    /// What was at hand before.
    pub at_hand: Option<Description>,
    /// What the site or the folder has; none if that is not known.
    pub offer: Option<Offer>,
    /// The one beside the other; none if that is not known.
    pub standing: Option<Standing>,
    /// What came of it.
    pub outcome: Outcome,
}

/// A rule book that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakenRules {
    /// The book as it is now.
    pub book: Description,
    /// The edition that was used before.
    pub replaced: Option<Description>,
    /// What changed by it: how many rules are new, changed, ended, not to be expressed.
    pub changes: Text,
}

/// Takes rule books. They are more than tables of codes: whoever can read them orders the update.
pub trait RuleBooks {
    /// Ids of those that are fetched without being named.
    fn unasked(&self) -> Vec<String>;

    /// The edition at hand.
    ///
    /// # Errors
    /// The tables of rules have an error.
    fn at_hand(&self, id: &str) -> Result<Option<Description>, Fault>;

    /// What a packet says of itself.
    ///
    /// # Errors
    /// It is no rule book, or a damaged one.
    fn look(&self, packet: &[u8]) -> Result<Description, Fault>;

    /// Puts a packet's rules in the place of those at hand: all of them or none, and never an older edition's.
    ///
    /// # Errors
    /// It is not taken, or cannot be written.
    fn take(&self, packet: &[u8], source: &str) -> Result<TakenRules, Fault>;
}

/// Which books, and whether anything is to change.
#[derive(Debug, Clone, Default)]
pub struct Order {
    /// Ids of books; empty means all that the table of books knows, and the rule books that are fetched unasked.
    pub books: Vec<String>,
    /// Only look.
    pub dry_run: bool,
}

/// Where an update takes its books from.
#[derive(Clone, Copy)]
pub enum From<'a> {
    /// Sites, asked by this client.
    Site(&'a Site, &'a dyn Fetch),
    /// A folder, an archive or a file.
    Folder(&'a Path),
}

/// Brings books up to date; `rules` takes the rule books among them.
///
/// # Errors
/// A book was ordered that cannot be; nothing was done then.
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
        return Ok(importer.catalog().iter().filter(|b| b.stock != Stock::Rules || unasked.iter().any(|id| *b.id == *id)).cloned().collect());
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
    /// The fund's list, fetched when the first of its books has its turn.
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
        // The folder of parts goes when it is empty.
        let _ = part.parent().map(std::fs::remove_dir);
        // The name of the file that a browser would have kept; for the ministry's books the edition stands in it alone.
        let stem = info.oid.as_ref().map_or_else(|| info.id.to_string(), |oid| format!("{oid}_{}", offer.version));
        let (name, content) = content(&stem, &bytes)?;
        if let Some(rules) = rules {
            let found = rules.look(&content)?;
            is_right(info, &found)?;
            promised(&offer, &found)?;
            return rules.take(&content, &name).map(|taken| Outcome::TakenRules(Box::new(taken)));
        }
        let wish = Wish { book: Some(info.id.to_string()), force: false, checked: Some(self.importer.today()) };
        let prepared = self.importer.prepare(&name, &stem, &content, &wish).map_err(Fault::Refused)?;
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

/// The one file of the packet that came: its name and bytes. It is an XML and no page for people.
fn content(stem: &str, bytes: &[u8]) -> Result<(String, Vec<u8>), Fault> {
    let (name, content);
    if is_zip(bytes) {
        let mut found = source::entries(stem, bytes).map_err(Fault::Refused)?;
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

/// A packet of rules is the book that was asked for.
fn is_right(info: &BookInfo, found: &Description) -> Result<(), Fault> {
    if *found.id == *info.id { Ok(()) } else { Err(Fault::Refused(Refusal::OtherBook { asked: info.id.to_string(), found: found.id.clone() })) }
}

/// The packet holds what the list promised.
fn promised(offer: &Offer, found: &Description) -> Result<(), Fault> {
    // Without a number on either side the date must do: the site says when the book was last touched, which is not before its packet's date.
    let numbered = !offer.edition.is_empty() && !found.edition.is_empty();
    let dated = found.dated_by_rows || offer.date.is_none() || found.date <= offer.date;
    if if numbered { same_edition(&found.edition, &offer.edition) } else { dated } {
        return Ok(());
    }
    let say = |edition: &str, date: Option<Date>| date.map_or_else(|| edition.to_owned(), |d| format!("{edition} {d}").trim().to_owned());
    Err(Fault::OtherEdition { promised: say(&offer.edition, offer.date), found: say(&found.edition, found.date) })
}

/// `3`, `3.0` and `3.0.0` are one edition.
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

/// A book at hand beside an offer. The same edition is the same whenever the site says that it was touched; else the later date is newer.
fn stands(at_hand: Option<&Description>, offer: &Offer) -> Standing {
    let Some(book) = at_hand else { return Standing::Absent };
    if !offer.edition.is_empty() && same_edition(&book.edition, &offer.edition) {
        return Standing::Current;
    }
    let by_number = || match version_order(&offer.edition, &book.edition) {
        // Editions of the binary's own tables are numbered by us.
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

/// A file of a folder: what it offers, where it is, and its name there.
type Found = (Offer, PathBuf, String);

/// An update from files.
struct Folder<'a> {
    importer: &'a Importer,
    rules: Option<&'a dyn RuleBooks>,
    order: &'a Order,
}

impl Folder<'_> {
    /// The best file of each book in a folder; files that are no books at all are steps of their own.
    fn steps(&self, path: &Path, books: &[Arc<BookInfo>], watch: &dyn Watch) -> Vec<Step> {
        let mut best: BTreeMap<String, Found> = BTreeMap::new();
        let mut failed = Vec::new();
        let files = source::files(path);
        let all = files.len();
        for (at, file) in files.into_iter().enumerate() {
            watch.book(&file.file_name().unwrap_or_default().to_string_lossy(), at + 1, all);
            for (name, source) in source::read(&file) {
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

    /// What a file is; none for a rule book that nobody is there to take.
    fn look(&self, file: &source::Source) -> Result<Option<Description>, Fault> {
        // Read as if nothing were at hand: what is there now must not hide what the file is.
        let wish = Wish { force: true, ..Wish::default() };
        match self.importer.prepare(&file.name, &file.stem, &file.bytes, &wish) {
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
            let source = source::read(file).into_iter().find(|(n, _)| n == name).ok_or(Fault::NotListed)?.1.map_err(Fault::Refused)?;
            if let Some(rules) = rules {
                return rules.take(&source.bytes, &source.name).map(|taken| Outcome::TakenRules(Box::new(taken)));
            }
            let taken = self.importer.take_bytes(&source.name, &source.stem, &source.bytes, &Wish::default());
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
