//! Gathers what is known of a rule from the tables, the formats and the books.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize, Serializer};

use crate::api::rules::{About, Confidence, Decision, Inferred};
use crate::finding::{Menders, Mends};
use crate::nsi::Books;
use crate::registry::format::{Format, Formats, PERSONS};
use crate::rules::import::TableRow;
use crate::rules::{Conventions, Fragments, RULE_TABLES, Reasons, RuleRow, Sources, Standing, Survey, Words, ast, fragments, load, rows};
use crate::tables::{RuleFiles, TableError};
use crate::texts::{Lang, Text, fill};
use crate::values::Date;

/// The largest number of a book's codes that are listed.
const FEW: usize = 20;
/// The text in place of a slot of a message.
const SOME: &str = "…";

#[derive(Debug, Clone, Deserialize)]
struct Structural {
    id: String,
    severity: String,
    ru: String,
    en: String,
    advice_ru: String,
    advice_en: String,
    federal: String,
    #[serde(default)]
    mends: String,
}

/// A text in both languages.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Both {
    pub(super) ru: String,
    pub(super) en: String,
}

impl Both {
    pub(super) fn get(&self, lang: Lang) -> &str {
        match lang {
            Lang::Ru => &self.ru,
            Lang::En => &self.en,
        }
    }

    /// A message of the tables with `…` in place of its slots.
    fn message(ru: &str, en: &str) -> Self {
        let fill = |text: &str| fill(text, |_| Some(SOME));
        Self { ru: fill(ru), en: fill(en) }
    }

    fn if_any(ru: &str, en: &str) -> Option<Self> {
        (!ru.is_empty() || !en.is_empty()).then(|| Self::message(ru, en))
    }
}

/// Everything that is known of a rule.
#[derive(Debug, Serialize)]
pub(super) struct Explained {
    pub(super) id: String,
    /// Facts of a structural rule; `None` for a federal one, whose versions hold them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) structure: Option<Structure>,
    pub(super) versions: Vec<Federal>,
    /// Why other programs read it otherwise, and whose reading is taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) elsewhere: Option<Both>,
}

/// Facts of a structural rule.
#[derive(Debug, Serialize)]
pub(super) struct Structure {
    pub(super) severity: String,
    pub(super) text: Both,
    pub(super) advice: Both,
    /// Ids of federal rules with the same meaning.
    pub(super) federal: Vec<String>,
    /// Who can mend it.
    #[serde(serialize_with = "word")]
    pub(super) mends: Mends,
    /// A piece of a file, or names of files, that pass.
    pub(super) passing: Option<String>,
    /// The same that fail.
    pub(super) failing: Option<String>,
}

/// An example that is written by hand.
#[derive(Debug, Clone, Deserialize)]
pub(in crate::cli) struct Example {
    id: String,
    passing: String,
    failing: String,
}

/// The reasons why rules or their dates were inferred, by their ids.
///
/// # Errors
/// The table cannot be read.
pub(in crate::cli) fn inferred(files: &RuleFiles) -> Result<BTreeMap<String, Inferred>, TableError> {
    Ok(files.rows::<Inferred>("flk/inferred.csv")?.into_iter().map(|(_, r)| (r.id.clone(), r)).collect())
}

/// The examples by the ids of their rules.
///
/// # Errors
/// The table cannot be read.
pub(in crate::cli) fn examples(files: &RuleFiles) -> Result<BTreeMap<String, Example>, TableError> {
    Ok(files.rows::<Example>("examples.csv")?.into_iter().map(|(_, e)| (e.id.clone(), e)).collect())
}

fn word<S: Serializer>(mends: &Mends, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(mends.as_str())
}

/// One row of a federal rule.
#[derive(Debug, Serialize)]
pub(super) struct Federal {
    pub(super) files: String,
    pub(super) severity: String,
    pub(super) text: Both,
    pub(super) element: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) title: Option<Both>,
    /// Editions that hold the element while the rule is in force: `H 3.1–5.1`.
    pub(super) editions: Vec<String>,
    pub(super) from: Option<String>,
    pub(super) until: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) inferred: Option<Both>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) confidence: Option<Confidence>,
    /// What holds when the row has ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) after: Option<After>,
    pub(super) when: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) when_words: Option<Both>,
    pub(super) require: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) require_words: Option<Both>,
    pub(super) books: Vec<Lookup>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) note: Option<Both>,
    pub(super) kind: String,
    /// `executed`, `partly`, `no-book`, `not-expressible` or `no-format`.
    pub(super) state: &'static str,
    /// For a rule that is executed in part: what is checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) partly: Option<Both>,
    pub(super) waits_for: Vec<String>,
    /// For a rule that is not executed: why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<Both>,
    /// Whether condition and requirement are the published texts, because an import could not read them.
    pub(super) unread: bool,
    pub(super) twin: String,
    pub(super) source: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) passing: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) failing: Option<String>,
    pub(super) advice: Both,
    /// Who can mend it.
    #[serde(serialize_with = "word")]
    pub(super) mends: Mends,
}

/// What holds instead of a row that has ended.
#[derive(Debug, Serialize)]
pub(super) struct After {
    /// Ids of rules and checks.
    pub(super) rules: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<Both>,
}

/// A book that a rule looks codes up in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Lookup {
    pub(super) book: String,
    pub(super) ru: String,
    pub(super) en: String,
    pub(super) field: String,
    /// The element whose date selects the valid codes.
    pub(super) on: String,
    /// Whether the book is missing.
    pub(super) absent: bool,
    /// Number of different codes that are valid on the day.
    pub(super) valid: usize,
    /// The valid codes, if there are few.
    pub(super) values: Vec<String>,
}

/// All tables from which rules are explained.
pub(super) struct Book {
    formats: Formats,
    pub(super) books: Books,
    conventions: Conventions,
    words: Words,
    rows: Vec<(RuleRow, TableRow)>,
    structure: Vec<Structural>,
    /// Why rules and dates are inferred.
    inferred: BTreeMap<String, Inferred>,
    decisions: Vec<Decision>,
    /// Why rules are not executed.
    reasons: Reasons,
    menders: Menders,
    /// Examples that no formula gives, by the id of the rule.
    examples: BTreeMap<String, Example>,
    on: Date,
}

impl Book {
    /// Reads the tables. Codes of books are those valid on the day `on`.
    pub(super) fn load(files: &RuleFiles, folder: Option<&Path>, on: Date) -> Result<Self, TableError> {
        let formats = Formats::load(files)?;
        Ok(Self {
            words: Words::load(files, &formats)?,
            books: Books::load(files, folder)?,
            conventions: Conventions::load(files)?,
            rows: load(files, RULE_TABLES)?.into_iter().zip(rows(files)?).collect(),
            structure: files.rows("structure.csv")?.into_iter().map(|(_, r)| r).collect(),
            inferred: inferred(files)?,
            decisions: files.rows("flk/decisions.csv")?.into_iter().map(|(_, d)| d).collect(),
            reasons: Reasons::load(files)?,
            menders: Menders::load(files)?,
            examples: examples(files)?,
            formats,
            on,
        })
    }

    /// Ids of all rules. A federal rule's id is repeated for each of its rows.
    pub(super) fn ids(&self) -> impl Iterator<Item = &str> {
        self.rows.iter().map(|(r, _)| r.id.as_str()).chain(self.structure.iter().map(|s| s.id.as_str()))
    }

    /// The message of a rule, in one line.
    pub(super) fn summary(&self, id: &str) -> Text {
        let federal = self.rows.iter().find(|(r, _)| r.id == id).map(|(r, _)| Both::message(&r.text.ru, &r.text.en));
        let structural = || self.structure.iter().find(|s| s.id == id).map(|s| Both::message(&s.ru, &s.en));
        let both = federal.or_else(structural).unwrap_or(Both { ru: String::new(), en: String::new() });
        Text { ru: both.ru, en: both.en }
    }

    /// Everything that is known of an id; `None` if there is no such rule.
    pub(super) fn explain(&self, id: &str) -> Result<Option<Explained>, TableError> {
        let structural = |s: &Structural| {
            Ok(Structure {
                mends: self.menders.of(&s.mends, &s.id, "").map_err(|message| TableError::new("structure.csv", 0, message))?,
                passing: self.examples.get(&s.id).map(|e| e.passing.clone()),
                failing: self.examples.get(&s.id).map(|e| e.failing.clone()),
                severity: s.severity.clone(),
                text: Both::message(&s.ru, &s.en),
                advice: Both::message(&s.advice_ru, &s.advice_en),
                federal: s.federal.split_whitespace().map(str::to_owned).collect(),
            })
        };
        let structure = self.structure.iter().find(|s| s.id == id).map(structural).transpose()?;
        let mut versions = Vec::new();
        for (row, texts) in self.rows.iter().filter(|(r, _)| r.id == id) {
            versions.push(self.version(row, texts)?);
        }
        versions.sort_by(|a, b| (&a.from, &a.files).cmp(&(&b.from, &b.files)));
        let differs = self.decisions.iter().find(|d| d.id == id && d.about == About::Differs);
        let elsewhere = differs.and_then(|d| Both::if_any(&d.ru, &d.en));
        Ok((structure.is_some() || !versions.is_empty()).then(|| Explained { id: id.to_owned(), structure, versions, elsewhere }))
    }

    fn version(&self, row: &RuleRow, texts: &TableRow) -> Result<Federal, TableError> {
        let standing = self.survey().standing(row)?;
        let words = |expr: &ast::Expr| Both { ru: self.words.condition(expr, &row.element, Lang::Ru), en: self.words.condition(expr, &row.element, Lang::En) };
        let example = self.example(row);
        let day = |date: Option<Date>| date.map(|d| d.to_string());
        let published = |side: usize| row.unread.as_ref().map(|texts| texts[side].clone());
        let reason = self.reasons.of_standing(&standing, row).map(|t| Both { ru: t.ru, en: t.en });
        Ok(Federal {
            files: self.formats.families_of_book(&texts.files),
            severity: texts.severity.clone(),
            text: Both::message(&row.text.ru, &row.text.en),
            element: row.element.clone(),
            title: self.words.title(&row.element).map(|t| Both { ru: t.ru.clone(), en: t.en.clone() }),
            editions: self.editions(row),
            from: day(row.from),
            until: day(row.until),
            inferred: self.inferred.get(&row.inferred).map(|t| Both { ru: t.ru.clone(), en: t.en.clone() }),
            confidence: self.inferred.get(&row.inferred).map(|t| t.confidence),
            after: self.after(texts),
            when: published(0).or_else(|| row.when.as_ref().map(ToString::to_string)).unwrap_or_default(),
            when_words: row.when.as_ref().map(words),
            require: published(1).or_else(|| row.require.as_ref().map(ToString::to_string)).unwrap_or_default(),
            require_words: row.require.as_ref().map(words),
            books: self.lookups(row),
            // The note of an unread row is the reason why it does not run.
            note: if row.unread.is_some() { None } else { Both::if_any(&row.note.ru, &row.note.en) },
            kind: row.kind.clone(),
            state: standing.as_str(),
            partly: if let Standing::Partly(what) = &standing { Both::if_any(&what.what.ru, &what.what.en) } else { None },
            waits_for: match standing {
                Standing::NoBook(books) => books,
                Standing::Partly(what) => vec![what.book.to_string()],
                _ => Vec::new(),
            },
            reason,
            unread: row.unread.is_some(),
            twin: texts.twin.clone(),
            source: texts.source.clone(),
            passing: example.as_ref().map(|e| e.passing.clone()).or_else(|| self.examples.get(&row.id).map(|e| e.passing.clone())),
            failing: example.map(|e| e.failing).or_else(|| self.examples.get(&row.id).map(|e| e.failing.clone())),
            advice: Both::message(&row.advice.ru, &row.advice.en),
            mends: row.mends,
        })
    }

    fn after(&self, row: &TableRow) -> Option<After> {
        let ends = |d: &&Decision| d.about == About::Ended && (&d.id, &d.files, &d.until) == (&row.id, &row.files, &row.until);
        let decision = self.decisions.iter().find(ends)?;
        Some(After { rules: decision.now.split_whitespace().map(str::to_owned).collect(), reason: Both::if_any(&decision.ru, &decision.en) })
    }

    fn survey(&self) -> Survey<'_> {
        Survey { formats: &self.formats, books: &self.books, conventions: &self.conventions }
    }

    /// The formats that have the element of a row while the rule is in force.
    fn formats_of<'b>(&'b self, row: &'b RuleRow) -> impl Iterator<Item = &'b Format> {
        let month = |d: Date| (d.parts().0, d.parts().1);
        let in_time = move |f: &Format| {
            let late = f.edition.from.zip(row.until).is_some_and(|(m, d)| (m.year, m.month) > month(d));
            let early = f.edition.until.zip(row.from).is_some_and(|(m, d)| (m.year, m.month) < month(d));
            !late && !early
        };
        let letter = |f: &Format| self.formats.book_letter(f.family);
        self.formats.all().map(|f| &**f).filter(move |f| row.files.contains(&letter(f)) && f.find(&row.element).is_some() && in_time(f))
    }

    fn editions(&self, row: &RuleRow) -> Vec<String> {
        let mut by_family: Vec<(String, Vec<&str>)> = Vec::new();
        for format in self.formats_of(row) {
            let family = format.family.to_string();
            match by_family.last_mut() {
                Some((last, editions)) if *last == family => editions.push(&format.edition.id),
                _ => by_family.push((family, vec![&format.edition.id])),
            }
        }
        let named = |(family, editions): (String, Vec<&str>)| match editions.as_slice() {
            [first, .., last] => format!("{family} {first} – {last}"),
            [one] => format!("{family} {one}"),
            [] => family,
        };
        by_family.into_iter().map(named).collect()
    }

    /// Examples for a row: a passing and a failing piece of XML. `None` if none can be made.
    fn example(&self, row: &RuleRow) -> Option<Fragments> {
        let persons = self.formats.editions(PERSONS).last();
        self.formats_of(row).find_map(|format| {
            let persons = if format.family == PERSONS { None } else { persons.map(|p| &**p) };
            let sources = Sources { format, persons, formats: &self.formats, books: &self.books, conventions: &self.conventions };
            fragments(row, self.formats.book_letter(format.family), sources)
        })
    }

    fn lookups(&self, row: &RuleRow) -> Vec<Lookup> {
        let mut found: Vec<Lookup> = Vec::new();
        for expr in row.when.iter().chain(&row.require) {
            calls(expr, &mut |call| {
                let at = match call.name.as_str() {
                    "BOOK" | "BOOKROW" | "BOOK1" => 0,
                    "INBOOK" => 1,
                    _ => return,
                };
                if let Some(lookup) = call.args.get(at).and_then(|arg| self.lookup(call, arg))
                    && !found.contains(&lookup)
                {
                    found.push(lookup);
                }
            });
        }
        found
    }

    fn lookup(&self, call: &ast::Call, arg: &ast::Arg) -> Option<Lookup> {
        let ast::Arg::Term(term) = arg else { return None };
        let whole = term.to_string();
        let (id, field) = whole.split_once('.').unwrap_or((&whole, ""));
        let info = self.books.catalog().get(id);
        let date = match (call.name.as_str(), call.args.last()) {
            ("BOOK", Some(ast::Arg::Term(ast::Term::Ref(name)))) if call.args.len() == 2 => Some(name.name.clone()),
            _ => None,
        };
        let mut lookup = Lookup {
            book: id.to_owned(),
            ru: info.map_or_else(String::new, |i| i.ru.to_string()),
            en: info.map_or_else(String::new, |i| i.en.to_string()),
            field: if field.is_empty() { info.map_or_else(String::new, |i| i.key.to_string()) } else { field.to_owned() },
            on: date.or_else(|| info.map(|i| i.on.element().to_owned())).unwrap_or_default(),
            absent: true,
            valid: 0,
            values: Vec::new(),
        };
        if let Some(book) = self.books.get(id) {
            lookup.absent = false;
            let field = book.field(&lookup.field).unwrap_or(book.key());
            let mut values: Vec<&str> = book.rows().filter(|r| book.valid(*r, self.on)).map(|r| book.value(r, field)).filter(|v| !v.is_empty()).collect();
            values.sort_by_key(|v| (v.parse::<u64>().unwrap_or(u64::MAX), *v));
            values.dedup();
            lookup.valid = values.len();
            if values.len() <= FEW {
                lookup.values = values.into_iter().map(str::to_owned).collect();
            }
        }
        Some(lookup)
    }
}

/// Calls `each` with every function call in a condition.
fn calls(expr: &ast::Expr, each: &mut impl FnMut(&ast::Call)) {
    use ast::Expr;
    match expr {
        Expr::And(parts) | Expr::Or(parts) => parts.iter().for_each(|p| calls(p, each)),
        Expr::Not(inner) => calls(inner, each),
        Expr::Compare(_, left, right) => {
            term_calls(left, each);
            term_calls(right, each);
        }
        Expr::In { term, .. } | Expr::Like(term, _) => term_calls(term, each),
        Expr::Quantified { condition, .. } => calls(condition, each),
        Expr::Call(call) => call_calls(call, each),
        Expr::Present(_) | Expr::Absent(_) => {}
    }
}

fn term_calls(term: &ast::Term, each: &mut impl FnMut(&ast::Call)) {
    match term {
        ast::Term::Call(call) => call_calls(call, each),
        ast::Term::Arithmetic(_, left, right) => {
            term_calls(left, each);
            term_calls(right, each);
        }
        _ => {}
    }
}

fn call_calls(call: &ast::Call, each: &mut impl FnMut(&ast::Call)) {
    each(call);
    for arg in &call.args {
        match arg {
            ast::Arg::Term(term) | ast::Arg::Field(_, term) => term_calls(term, each),
            ast::Arg::Where(_, condition) => calls(condition, each),
        }
    }
}
