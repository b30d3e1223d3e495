//! `puomp explain`: what a rule checks, on which element, since when, in words and in the language of the tables, and what to do.

mod facts;
mod human;

use std::collections::BTreeSet;

use clap::Args;
use serde::Serialize;

use super::flags::Shape;
use super::out::{self, print};
use super::session::Session;
use super::ui::Ui;
use super::{Exit, Failure, nsi};
use crate::rules::functions::nearest;
use crate::texts::{ErrorClass, Key};
use facts::{Book, Explained};
pub(super) use facts::{examples, inferred};

/// How many similar ids are suggested for an unknown one.
const NEAREST: usize = 5;

/// Arguments of `puomp explain`.
#[derive(Debug, Args)]
pub(super) struct ExplainArgs {
    /// Ids of rules, or beginnings of them.
    #[arg(required = true, value_name = "ID")]
    ids: Vec<String>,
    /// Form of the answer.
    #[arg(long, value_enum, default_value_t)]
    format: Shape,
}

/// The rule or the rules that a typed id means.
enum Asked {
    Rule(Box<Explained>),
    /// The beginning of several ids.
    Several {
        prefix: String,
        ids: Vec<(String, crate::texts::Text)>,
    },
}

#[derive(Serialize)]
struct Body<'a> {
    rules: Vec<&'a Explained>,
    candidates: Vec<Candidate<'a>>,
}

#[derive(Serialize)]
struct Candidate<'a> {
    id: &'a str,
    ru: &'a str,
    en: &'a str,
}

impl ExplainArgs {
    pub(super) fn run(&self, session: &Session<'_>) -> Result<Exit, Failure> {
        let ui = session.ui;
        let asked = self.answers(session)?;
        match self.format {
            Shape::Human => print(&asked.iter().map(|a| a.human(ui)).collect::<Vec<_>>().join("\n"))?,
            Shape::Json => {
                let mut body = Body { rules: Vec::new(), candidates: Vec::new() };
                for answer in &asked {
                    match answer {
                        Asked::Rule(rule) => body.rules.push(rule),
                        Asked::Several { ids, .. } => body.candidates.extend(ids.iter().map(|(id, text)| Candidate { id, ru: &text.ru, en: &text.en })),
                    }
                }
                out::json(&body)?;
            }
        }
        Ok(Exit::Done)
    }

    fn answers(&self, session: &Session<'_>) -> Result<Vec<Asked>, Failure> {
        let Session { files, ui, .. } = *session;
        let folder = session.settings.books().map(|books| books.value);
        let book = Book::load(files, folder.as_deref(), session.today())?;
        nsi::complain(&book.books, ui)?;
        self.ids.iter().map(|id| answer(&book, id)).collect()
    }
}

fn answer(book: &Book, typed: &str) -> Result<Asked, Failure> {
    let id = typed.trim().to_uppercase();
    if let Some(rule) = book.explain(&id)? {
        return Ok(Asked::Rule(Box::new(rule)));
    }
    let all: BTreeSet<&str> = book.ids().collect();
    let begun: Vec<&str> = all.iter().copied().filter(|known| !id.is_empty() && known.starts_with(&id)).collect();
    match begun.as_slice() {
        [] => {
            // Prefer ids of the same category.
            let category = id.split('.').next().unwrap_or(&id);
            let same = all.iter().copied().filter(|known| known.split('.').next() == Some(category));
            let near = match nearest(&id, same, NEAREST) {
                none if none.is_empty() => nearest(&id, all.iter().copied(), NEAREST),
                some => some,
            };
            let near = near.join(", ");
            let key = if near.is_empty() { Key::ExplainUnknown } else { Key::ExplainUnknownNear };
            Err(Failure::said(ErrorClass::Usage, key, &[("id", typed), ("ids", &near)]))
        }
        [one] => match book.explain(one)? {
            Some(rule) => Ok(Asked::Rule(Box::new(rule))),
            None => Err(Failure::said(ErrorClass::Usage, Key::ExplainUnknown, &[("id", typed)])),
        },
        several => Ok(Asked::Several { prefix: id, ids: several.iter().map(|known| ((*known).to_owned(), book.summary(known))).collect() }),
    }
}

impl Asked {
    fn human(&self, ui: &Ui<'_>) -> String {
        match self {
            Self::Rule(rule) => human::rule(rule, ui.texts, ui.lang),
            Self::Several { prefix, ids } => {
                let count = ui.texts.number(ui.lang, ids.len() as u64);
                let mut out = ui.texts.fill(Key::ExplainSeveral, ui.lang, &[("prefix", prefix), ("count", &count)]) + "\n";
                for (id, text) in ids {
                    out.push_str(&format!("  {id}  {}\n", text.get(ui.lang)));
                }
                out
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::RuleFiles;
    use crate::texts::{Lang, Texts};
    use crate::values::Date;

    fn book() -> Book {
        // The day is fixed because the codes valid today change.
        Book::load(&RuleFiles::embedded(), None, Date::new(2026, 3, 1).expect("a day")).expect("sound tables")
    }

    #[test]
    fn rules_of_every_kind_in_both_languages() {
        let (book, texts) = (book(), Texts::load(&RuleFiles::embedded()).expect("sound"));
        for id in
            ["006F.00.0310", "001F.00.0270", "003F.00.2170", "004F.00.0010", "005F.00.0010", "001F.00.0031", "002F.00.0260", "006F.00.1220", "R012", "S001"]
        {
            let rule = book.explain(id).expect("sound").unwrap_or_else(|| panic!("{id}"));
            for (lang, name) in [(Lang::Ru, "ru"), (Lang::En, "en")] {
                insta::assert_snapshot!(format!("{id}_{name}"), human::rule(&rule, &texts, lang));
            }
        }
    }

    #[test]
    fn every_rule_is_told_whole() {
        let (book, texts) = (book(), Texts::load(&RuleFiles::embedded()).expect("sound"));
        let ids: BTreeSet<&str> = book.ids().collect();
        assert!(ids.iter().filter(|id| id.contains('.')).count() >= 883, "{}", ids.len());
        let mut bare = Vec::new();
        for id in ids {
            let rule = book.explain(id).expect("sound").unwrap_or_else(|| panic!("{id}"));
            let of_structure = rule.structure.iter().map(|s| (&s.passing, &s.failing));
            let mut examples = rule.versions.iter().map(|v| (&v.passing, &v.failing)).chain(of_structure);
            if !examples.all(|(passing, failing)| passing.is_some() && failing.is_some() && passing != failing) {
                bare.push(id);
            }
            for lang in [Lang::Ru, Lang::En] {
                let text = human::rule(&rule, &texts, lang);
                // Sets of the rule language stand in braces too; a slot is one lower-case word in braces.
                let slot = |part: &str| part.split_once('}').is_some_and(|(word, _)| word.chars().all(|c| c.is_ascii_lowercase() || c == '_'));
                assert!(!text.split('{').skip(1).any(slot), "{id}: {text}");
                assert!(text.lines().all(|l| l.is_empty() || !l.trim_end().is_empty()), "{id}: {text}");
                let facts = text.lines().filter(|l| l.starts_with("  ") && !l.starts_with("   "));
                for line in facts {
                    assert!(line.trim().contains("  "), "{id}: «{line}» says nothing\n{text}");
                }
            }
        }
        // Of this one nothing but its number is known.
        assert_eq!(bare, ["001F.00.0625"], "rules without a passing and a failing example");
    }
}
