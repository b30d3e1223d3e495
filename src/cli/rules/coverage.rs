//! `puomp rules coverage`: shows how many rules are executed, and what the others wait for.

use std::collections::BTreeMap;

use clap::Args;
use serde::Serialize;

use crate::cli::flags::ListShape;
use crate::cli::out::{self, print};
use crate::cli::session::Session;
use crate::cli::ui::Ui;
use crate::cli::{Exit, Failure};
use crate::report::columns::fields;
use crate::rules::import::Edition;
use crate::rules::{Covered, Reasons, Standing, coverage, strays};
use crate::texts::Key;
use crate::texts::layout::columns;
use crate::values::Date;

const EDITIONS: &str = "flk/editions.csv";

/// Numbers of rules in a group by their state.
#[derive(Debug, Clone, Default, Serialize)]
struct Counts {
    total: usize,
    /// Rules that are executed, including those executed in part.
    executed: usize,
    partly: usize,
    no_book: usize,
    not_expressible: usize,
    no_format: usize,
    no_day: usize,
}

impl Counts {
    fn add(&mut self, standing: &Standing) {
        self.total += 1;
        self.partly += usize::from(matches!(standing, Standing::Partly(_)));
        *match standing {
            Standing::Executed | Standing::Partly(_) => &mut self.executed,
            Standing::NoBook(_) => &mut self.no_book,
            Standing::External(_) => &mut self.not_expressible,
            Standing::NoFormat => &mut self.no_format,
            Standing::NoDay => &mut self.no_day,
        } += 1;
    }

    fn cells(&self) -> [String; 6] {
        // The table on the screen has one column for what can never run.
        [self.total, self.executed, self.partly, self.no_book, self.not_expressible, self.no_format + self.no_day].map(|n| n.to_string())
    }
}

#[derive(Serialize)]
struct Group {
    /// Where the rules come from.
    source: String,
    /// `clinics`, or `funds` for rules about files exchanged between funds only.
    files: &'static str,
    #[serde(flatten)]
    counts: Counts,
}

#[derive(Serialize)]
struct Category {
    category: String,
    kind: String,
    #[serde(flatten)]
    counts: Counts,
}

#[derive(Serialize)]
struct Idle<'a> {
    id: &'a str,
    files: &'a [String],
    state: &'static str,
    books: Vec<&'a str>,
    reason: &'a str,
    #[serde(skip)]
    partly: bool,
}

#[derive(Serialize)]
struct Body<'a> {
    editions: &'a [Edition],
    groups: Vec<Group>,
    categories: Vec<Category>,
    /// Rules that are executed in part.
    partly: Vec<Idle<'a>>,
    not_executed: Vec<Idle<'a>>,
    /// Tables in the folder of rules that nothing reads.
    strays: Vec<Unread<'a>>,
}

#[derive(Serialize)]
struct Unread<'a> {
    table: &'a str,
    similar: &'a str,
}

/// Arguments of `puomp rules coverage`.
#[derive(Debug, Args)]
pub(super) struct CoverageArgs {
    /// Form of the answer.
    #[arg(long, value_enum, default_value_t)]
    format: ListShape,
}

impl CoverageArgs {
    pub(super) fn run(&self, session: &Session<'_>) -> Result<Exit, Failure> {
        let Session { settings, files, ui, .. } = *session;
        let books = settings.books().map(|books| books.value);
        let rules = coverage(files, books.as_deref())?;
        let (strays, reasons) = (strays(files)?, Reasons::load(files)?);
        let editions: Vec<Edition> = files.rows(EDITIONS)?.into_iter().map(|(_, e)| e).collect();
        let mut groups: BTreeMap<(&str, &'static str), Counts> = BTreeMap::new();
        let mut categories: BTreeMap<(&str, &str), Counts> = BTreeMap::new();
        for rule in &rules {
            groups.entry((&rule.source, if rule.is_of_clinics() { "clinics" } else { "funds" })).or_default().add(&rule.standing);
            categories.entry((rule.category(), &rule.kind)).or_default().add(&rule.standing);
        }
        match self.format {
            ListShape::Human => {
                let mut text = human(&rules, &editions, &groups, &categories, ui);
                for stray in &strays {
                    text.push_str(&ui.texts.fill(Key::RulesNotExecuted, ui.lang, &[("reason", reasons.of_stray(stray).get(ui.lang)), ("ids", &stray.name)]));
                    text.push('\n');
                }
                print(&text)?;
            }
            ListShape::Json => {
                let group = |((source, files), counts): (&(&str, &'static str), &Counts)| Group { source: (*source).to_owned(), files, counts: counts.clone() };
                let category = |((category, kind), counts): (&(&str, &str), &Counts)| Category {
                    category: (*category).to_owned(),
                    kind: (*kind).to_owned(),
                    counts: counts.clone(),
                };
                let groups = groups.iter().map(group).collect();
                let categories = categories.iter().map(category).collect();
                let (partly, not_executed) = rules.iter().filter_map(idle).partition(|i| i.partly);
                let strays = strays.iter().map(|stray| Unread { table: &stray.name, similar: &stray.similar }).collect();
                out::json(&Body { editions: &editions, groups, categories, partly, not_executed, strays })?;
            }
            ListShape::Csv => out::csv(session, &rules, cell)?,
        }
        Ok(Exit::Done)
    }
}

fields!(
    /// The columns of a rule and its state.
    OfCoverage,
    "rules",
    "coverage",
    Id,
    Files,
    Kind,
    Source,
    State,
    Books,
    Reason
);

fn cell(column: OfCoverage, r: &Covered) -> String {
    match column {
        OfCoverage::Id => r.id.clone(),
        OfCoverage::Files => r.files.join(" "),
        OfCoverage::Kind => r.kind.clone(),
        OfCoverage::Source => r.source.clone(),
        OfCoverage::State => r.standing.as_str().to_owned(),
        OfCoverage::Books => idle(r).map_or_else(String::new, |i| i.books.join(" ")),
        OfCoverage::Reason => idle(r).map_or_else(String::new, |i| i.reason.to_owned()),
    }
}

fn idle(rule: &Covered) -> Option<Idle<'_>> {
    let words = rule.reason.as_ref().map_or("", |reason| &reason.ru);
    let (books, reason): (Vec<&str>, &str) = match &rule.standing {
        Standing::Executed => return None,
        Standing::Partly(what) => (vec![&what.book], &what.what.ru),
        Standing::NoBook(books) => (books.iter().map(String::as_str).collect(), words),
        Standing::External(_) | Standing::NoFormat | Standing::NoDay => (Vec::new(), words),
    };
    let partly = matches!(rule.standing, Standing::Partly(_));
    Some(Idle { id: &rule.id, files: &rule.files, state: rule.standing.as_str(), books, reason, partly })
}

fn human(
    rules: &[Covered],
    editions: &[Edition],
    groups: &BTreeMap<(&str, &'static str), Counts>,
    categories: &BTreeMap<(&str, &str), Counts>,
    ui: &Ui<'_>,
) -> String {
    let (texts, lang) = (ui.texts, ui.lang);
    let mut out = String::new();
    for e in editions {
        out.push_str(&texts.fill(
            Key::RulesEdition,
            lang,
            &[
                ("book", &e.book),
                ("edition", e.number(texts, lang)),
                ("date", &Date::parse(&e.date).map_or_else(|| e.date.clone(), |day| texts.day(lang, day))),
            ],
        ));
        out.push('\n');
    }
    let head = |key| texts.get(key, lang).split('|').map(str::to_owned).collect::<Vec<_>>();
    let mut table = vec![head(Key::RulesCoverageGroups)];
    for ((source, files), counts) in groups {
        let whose = texts.get(if *files == "clinics" { Key::RulesOfClinics } else { Key::RulesOfFunds }, lang);
        table.push([(*source).to_owned(), whose.to_owned()].into_iter().chain(counts.cells()).collect());
    }
    out.push_str(&columns(&table));
    out.push('\n');
    let mut table = vec![head(Key::RulesCoverageCategories)];
    for ((category, kind), counts) in categories {
        let kind = Key::of_kind(kind).map_or(*kind, |key| texts.get(key, lang));
        table.push([(*category).to_owned(), kind.to_owned()].into_iter().chain(counts.cells()).collect());
    }
    out.push_str(&columns(&table));
    // The number of rules that wait for each book, the largest first.
    let mut waiting: BTreeMap<&str, usize> = BTreeMap::new();
    for books in rules.iter().filter_map(|r| if let Standing::NoBook(books) = &r.standing { Some(books) } else { None }) {
        books.iter().for_each(|b| *waiting.entry(b).or_default() += 1);
    }
    let mut waiting: Vec<_> = waiting.into_iter().collect();
    waiting.sort_by_key(|(book, count)| (std::cmp::Reverse(*count), *book));
    if !waiting.is_empty() {
        let list: Vec<String> = waiting.iter().map(|(book, count)| format!("{book} ({count})")).collect();
        out.push('\n');
        out.push_str(&texts.fill(Key::RulesWaiting, lang, &[("books", &list.join(", "))]));
        out.push('\n');
    }
    let mut partly: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for rule in rules {
        if let Standing::Partly(what) = &rule.standing {
            partly.entry(what.what.get(lang)).or_default().push(&rule.id);
        }
    }
    for (what, ids) in partly {
        out.push_str(&texts.fill(Key::RulesPartly, lang, &[("what", what), ("ids", &ids.join(" "))]));
        out.push('\n');
    }
    let mut idle: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for rule in rules.iter().filter(|r| matches!(r.standing, Standing::External(_) | Standing::NoFormat | Standing::NoDay)) {
        idle.entry(rule.reason.as_ref().map_or("", |reason| reason.get(lang))).or_default().push(&rule.id);
    }
    for (reason, ids) in idle {
        out.push_str(&texts.fill(Key::RulesNotExecuted, lang, &[("reason", reason), ("ids", &ids.join(" "))]));
        out.push('\n');
    }
    out
}
