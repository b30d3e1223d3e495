//! `puomp nsi update`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use serde::Serialize;

use super::asked::asked;
use super::words;
use crate::cli::flags::ListShape;
use crate::cli::out::{self, print};
use crate::cli::say::say;
use crate::cli::session::Session;
use crate::cli::ui::{Transfer, Ui};
use crate::cli::{Exit, Failure, settings};
use crate::nsi::Importer;
use crate::nsi::update::{Addresses, Fault, Fetch, From, Http, Offer, Order, Outcome, RuleBooks, Site, Standing, Step, Trouble, Watch, Ways, update};
use crate::report::columns::fields;
use crate::rules::import::Updates;
use crate::sys::read_input;
use crate::texts::{Key, Lang, Texts};

/// Arguments of `puomp nsi update`.
#[derive(Debug, Args)]
pub(super) struct UpdateArgs {
    /// Ids of books.
    #[arg(value_name = "BOOK")]
    ids: Vec<String>,
    /// All books that are known, and not only those that the rules of today ask.
    #[arg(long, conflicts_with = "ids")]
    all: bool,
    /// Only show what would be fetched.
    #[arg(long)]
    dry_run: bool,
    /// Files that somebody got from the site.
    #[arg(long, value_name = "DIR")]
    from: Option<PathBuf>,
    /// Address of the fund's site.
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Address of the ministry's site.
    #[arg(long, value_name = "URL")]
    ministry_url: Option<String>,
    /// Address of a proxy.
    #[arg(long, value_name = "URL")]
    proxy: Option<String>,
    /// Certificates to trust besides the system's.
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Form of the answer.
    #[arg(long, value_enum, default_value_t)]
    format: ListShape,
}

impl UpdateArgs {
    pub(super) fn run(&self, session: &Session<'_>) -> Result<Exit, Failure> {
        let Session { settings, files, ui, .. } = *session;
        let folder = &super::target(session)?;
        let importer = Importer::new(files, folder, session.today())?;
        // Rule books are stored in the folder of imported rules.
        let rules_folder = settings.rules_folder();
        let federal = files.federal();
        let updates = rules_folder.as_deref().map(|rules| Updates::new(&federal, rules, Some(folder), session.today()));
        let rules = updates.as_ref().map(|u| u as &dyn RuleBooks);
        let asked = if self.all || !self.ids.is_empty() { None } else { Some(asked(session, Some(folder))?.into_keys().collect()) };
        let order = Order { books: self.ids.clone(), asked, dry_run: self.dry_run };
        let watch = Teller { bar: ui.transfer(), ui };
        let steps = match &self.from {
            Some(path) if !path.exists() => {
                return Err(Failure::Read(path.clone(), std::io::Error::from(std::io::ErrorKind::NotFound)));
            }
            Some(path) => update(&importer, rules, From::Folder(path), &order, &watch),
            None => {
                let mut site = Site::load(files)?;
                let said = |name, typed: &Option<String>| settings.of_update(name, typed.as_deref());
                let addresses = Addresses { url: said(settings::NSI_URL, &self.url), ministry: said(settings::MINISTRY_URL, &self.ministry_url) };
                site.redirect(&addresses).map_err(Failure::of)?;
                let http = self.http(&site, session)?;
                update(&importer, rules, From::Site(&site, &http as &dyn Fetch), &order, &watch)
            }
        };
        watch.bar.done();
        let steps = steps.map_err(Failure::of)?;
        self.report(&steps, folder, session)?;
        Ok(self.exit(&steps))
    }

    fn http(&self, site: &Site, session: &Session<'_>) -> Result<Http, Failure> {
        let settings = session.settings;
        let ca = settings.certificates(self.ca.as_deref());
        let read = |path: &PathBuf| read_input(path).map(|pem| (path.clone(), pem)).map_err(|error| Failure::Read(path.clone(), error));
        let ways = Ways { proxy: settings.of_update(settings::PROXY, self.proxy.as_deref()), certificates: ca.as_ref().map(read).transpose()? };
        Http::new(site, &ways).map_err(Failure::of)
    }

    /// Whether a fault is a failure. A book missing on the site is none unless the user asked for it.
    fn fails(&self, fault: &Fault) -> bool {
        !(self.ids.is_empty() && *fault == Fault::NotListed)
    }

    fn exit(&self, steps: &[Step]) -> Exit {
        let faults = || {
            steps.iter().filter_map(|s| match &s.outcome {
                Outcome::Failed(fault) if self.fails(fault) => Some(fault),
                _ => None,
            })
        };
        if steps.is_empty() {
            Exit::Nothing
        } else if faults().any(Fault::is_ours) {
            Exit::Usage
        } else if faults().next().is_none() {
            Exit::Done
        } else if self.from.is_some() {
            Exit::Findings
        } else {
            Exit::Remote
        }
    }

    fn report(&self, steps: &[Step], folder: &Path, session: &Session<'_>) -> Result<(), Failure> {
        match self.format {
            ListShape::Human => print(&self.human(steps, folder, session.ui)),
            ListShape::Json => {
                let books = steps.iter().map(|step| UpdatedRow::new(step, session.ui.texts)).collect();
                out::json(&Body { folder: folder.display().to_string(), dry_run: self.dry_run, books })
            }
            ListShape::Csv => out::csv(session, &steps.iter().map(|step| UpdatedRow::new(step, session.ui.texts)).collect::<Vec<_>>(), cell),
        }
    }

    fn human(&self, steps: &[Step], folder: &Path, ui: &Ui<'_>) -> String {
        let (texts, lang) = (ui.texts, ui.lang);
        let mut out = String::new();
        let (mut taken, mut left, mut failed, mut wanted) = (0, 0, 0, 0);
        let mut unlisted = Vec::new();
        for step in steps {
            let line = match &step.outcome {
                Outcome::Taken(book) => {
                    taken += 1;
                    Some(words::taken(book, texts, lang)).filter(|_| !ui.quiet)
                }
                Outcome::TakenRules(book) => {
                    taken += 1;
                    let line = words::taken_rules(book, texts, lang);
                    Some(texts.fill(Key::NsiUpdateRules, lang, &[("line", &line), ("changes", book.changes.get(lang))])).filter(|_| !ui.quiet)
                }
                Outcome::Left => {
                    left += 1;
                    wanted += u64::from(step.standing.is_some_and(|s| !matches!(s, Standing::Current | Standing::Older)));
                    Some(stands(step, texts, lang)).filter(|_| !ui.quiet && (self.dry_run || !self.ids.is_empty() || step.standing == Some(Standing::Older)))
                }
                Outcome::Failed(fault) if self.fails(fault) => {
                    failed += 1;
                    let slots = [("book", step.book.as_str()), ("reason", &texts.error(fault, lang))];
                    Some(texts.fill(Key::NsiUpdateFailed, lang, &slots))
                }
                Outcome::Failed(_) => {
                    unlisted.push(step.book.as_str());
                    None
                }
            };
            if let Some(line) = line {
                out.push_str(&line);
                out.push('\n');
            }
        }
        if ui.quiet {
            return out;
        }
        if !unlisted.is_empty() {
            out.push_str(&texts.fill(Key::NsiUpdateUnlisted, lang, &[("books", &unlisted.join(" "))]));
            out.push('\n');
        }
        let number = |n: u64| texts.number(lang, n);
        let folder = folder.display().to_string();
        let total = if self.dry_run {
            texts.fill(Key::NsiUpdateWould, lang, &[("wanted", &number(wanted)), ("left", &number(left - wanted)), ("failed", &number(failed))])
        } else {
            let slots = [("taken", number(taken)), ("left", number(left)), ("failed", number(failed)), ("folder", folder)];
            texts.fill(Key::NsiUpdateTotal, lang, &slots.each_ref().map(|(n, v)| (*n, v.as_str())))
        };
        out.push_str(&total);
        out.push('\n');
        out
    }
}

/// The line about an edition: «V002: имеется 3.0 от 2018-03-30, на сайте 5.0 от 2026-01-30: новее».
fn stands(step: &Step, texts: &Texts, lang: Lang) -> String {
    let none = || texts.get(Key::NsiUpdateNone, lang).to_owned();
    let here = step.at_hand.as_ref().map_or_else(none, |book| words::edition(book, texts, lang));
    let there = step.offer.as_ref().map_or_else(none, |offer| offered(offer, texts, lang));
    let key = match step.standing {
        Some(Standing::Current) => Key::NsiUpdateCurrent,
        Some(Standing::Older) => Key::NsiUpdateOlder,
        Some(Standing::Newer) => Key::NsiUpdateNewer,
        Some(Standing::Absent) => Key::NsiUpdateAbsent,
        Some(Standing::Unclear) | None => Key::NsiUpdateUnclear,
    };
    texts.fill(Key::NsiUpdateLine, lang, &[("book", &step.book), ("here", &here), ("there", &there), ("standing", texts.get(key, lang))])
}

fn offered(offer: &Offer, texts: &Texts, lang: Lang) -> String {
    let number = if offer.edition.is_empty() { texts.get(Key::NsiUnnumbered, lang) } else { &offer.edition };
    offer.date.map_or_else(|| number.to_owned(), |date| texts.fill(Key::NsiEdition, lang, &[("edition", number), ("date", &date.to_string())]))
}

/// Shows the progress on the terminal.
struct Teller<'a> {
    bar: Transfer,
    ui: &'a Ui<'a>,
}

impl Watch for Teller<'_> {
    fn book(&self, id: &str, number: usize, of: usize) {
        self.bar.turn(&format!("{id} {number}/{of}"));
    }

    fn size(&self, from: u64, total: Option<u64>) {
        self.bar.size(from, total);
    }

    fn bytes(&self, count: u64) {
        self.bar.bytes(count);
    }

    fn again(&self, trouble: &Trouble, pause: Duration) {
        if self.ui.quiet {
            return;
        }
        let (texts, lang) = (self.ui.texts, self.ui.lang);
        let reason = texts.error(trouble, lang);
        let text = texts.fill(Key::NsiUpdateAgain, lang, &[("reason", &reason), ("seconds", &texts.number(lang, pause.as_secs()))]);
        self.bar.aside(|| say(&text));
    }
}

#[derive(Serialize)]
struct UpdatedRow {
    book: String,
    /// `taken`, `left` or `failed`.
    outcome: &'static str,
    standing: Option<&'static str>,
    edition: String,
    date: Option<String>,
    site_edition: String,
    site_date: Option<String>,
    /// Rows of the book that was taken.
    rows: Option<usize>,
    fault: Option<&'static str>,
    details: String,
}

impl UpdatedRow {
    fn new(step: &Step, texts: &Texts) -> Self {
        let (outcome, rows, fault) = match &step.outcome {
            Outcome::Taken(taken) => ("taken", Some(taken.book.rows), None),
            Outcome::TakenRules(taken) => ("taken", Some(taken.book.rows), None),
            Outcome::Left => ("left", None, None),
            Outcome::Failed(fault) => ("failed", None, Some(fault)),
        };
        let details = match fault {
            Some(Fault::Trouble(trouble)) => trouble.detail(),
            Some(Fault::Refused(refusal)) => refusal.details(),
            Some(Fault::Rules(refusal)) => texts.error(refusal, Lang::Ru),
            Some(Fault::OtherEdition { promised, found }) => format!("promised={promised} found={found}"),
            _ => String::new(),
        };
        Self {
            book: step.book.clone(),
            outcome,
            standing: step.standing.map(Standing::code),
            edition: step.at_hand.as_ref().map(|b| b.edition.clone()).unwrap_or_default(),
            date: step.at_hand.as_ref().and_then(|b| b.date).map(|d| d.to_string()),
            site_edition: step.offer.as_ref().map(|o| o.edition.clone()).unwrap_or_default(),
            site_date: step.offer.as_ref().and_then(|o| o.date).map(|d| d.to_string()),
            rows,
            fault: fault.map(Fault::code),
            details,
        }
    }
}

fields!(
    /// The columns of a book to be updated.
    OfUpdate,
    "nsi",
    "updates",
    Book,
    Outcome,
    Standing,
    Edition,
    Date,
    SiteEdition,
    SiteDate,
    Rows,
    Fault,
    Details
);

fn cell(column: OfUpdate, r: &UpdatedRow) -> String {
    let text = |o: Option<&str>| o.unwrap_or_default().to_owned();
    match column {
        OfUpdate::Book => r.book.clone(),
        OfUpdate::Outcome => r.outcome.to_owned(),
        OfUpdate::Standing => text(r.standing),
        OfUpdate::Edition => r.edition.clone(),
        OfUpdate::Date => text(r.date.as_deref()),
        OfUpdate::SiteEdition => r.site_edition.clone(),
        OfUpdate::SiteDate => text(r.site_date.as_deref()),
        OfUpdate::Rows => r.rows.map(|n| n.to_string()).unwrap_or_default(),
        OfUpdate::Fault => text(r.fault),
        OfUpdate::Details => r.details.clone(),
    }
}

#[derive(Serialize)]
struct Body {
    folder: String,
    dry_run: bool,
    books: Vec<UpdatedRow>,
}
