//! `puomp rules list`.

use clap::Args;

use crate::api::rules::{About, Decision, Inferred, Rules};
use crate::cli::flags::ListShape;
use crate::cli::formats::family_of;
use crate::cli::out::{self, print};
use crate::cli::session::Session;
use crate::cli::ui::Ui;
use crate::cli::{Exit, Failure};
use crate::registry::format::Formats;
use crate::report::columns::fields;
use crate::rules::import::TableRow;
use crate::rules::rows;
use crate::texts::{ErrorClass, Key, Lang};
use crate::values::Date;

/// Arguments of `puomp rules list`.
#[derive(Debug, Args)]
pub(super) struct ListArgs {
    /// Show rules whose ids begin like this.
    #[arg(long, value_name = "ID")]
    id: Vec<String>,
    /// Show rules for the family with this letter.
    #[arg(long, value_name = "LETTER")]
    family: Option<String>,
    /// In force on a day.
    #[arg(long, value_name = "DATE")]
    on: Option<String>,
    /// Only those that are inferred, whole or in a date, and why.
    #[arg(long)]
    inferred: bool,
    /// Form of the answer.
    #[arg(long, value_enum, default_value_t)]
    format: ListShape,
}

const REASONS: &str = "flk/inferred.csv";
const DECISIONS: &str = "flk/decisions.csv";

impl ListArgs {
    pub(super) fn run(&self, session: &Session<'_>) -> Result<Exit, Failure> {
        let Session { files, ui, .. } = *session;
        let on = match &self.on {
            None => None,
            Some(text) => Some(Date::parse(text).ok_or_else(|| Failure::said(ErrorClass::Usage, Key::RulesBadDay, &[("value", text)]))?.to_string()),
        };
        let formats = Formats::load(files)?;
        let family = self.family.as_ref().map(|given| family_of(&formats, given)).transpose()?.map(|family| family.to_string());
        let mut rules = rows(files)?;
        rules.iter_mut().for_each(|rule| rule.files = formats.families_of_book(&rule.files));
        rules.retain(|r| self.wants(r, family.as_deref(), on.as_deref()));
        let mut inferred: Vec<Inferred> = files.rows(REASONS)?.into_iter().map(|(_, r)| r).collect();
        inferred.retain(|reason| rules.iter().any(|rule| rule.inferred == reason.id));
        let mut decisions: Vec<Decision> = if self.inferred { files.rows(DECISIONS)?.into_iter().map(|(_, d)| d).collect() } else { Vec::new() };
        decisions.retain(|d| self.speaks_of(d));
        let found = !rules.is_empty();
        match self.format {
            ListShape::Human => print(&self.human(&rules, &inferred, &decisions, ui))?,
            ListShape::Json => out::json(&Rules { rules, inferred, decisions })?,
            ListShape::Csv => out::csv(session, &rules, cell)?,
        }
        Ok(if found { Exit::Done } else { Exit::Nothing })
    }

    fn wants(&self, rule: &TableRow, family: Option<&str>, on: Option<&str>) -> bool {
        (self.id.is_empty() || self.id.iter().any(|id| rule.id.starts_with(id.as_str())))
            && family.is_none_or(|f| rule.files.split(' ').any(|own| own == f))
            && on.is_none_or(|day| rule.from.as_str() <= day && (rule.until.is_empty() || day <= rule.until.as_str()))
            && (!self.inferred || !rule.inferred.is_empty())
    }

    fn speaks_of(&self, decision: &Decision) -> bool {
        let asked = |id: &str| self.id.is_empty() || self.id.iter().any(|begin| id.starts_with(begin.as_str()));
        asked(&decision.id)
    }

    fn human(&self, rules: &[TableRow], reasons: &[Inferred], decisions: &[Decision], ui: &Ui<'_>) -> String {
        let lang = ui.lang;
        let mut out = String::new();
        for rule in rules {
            let term = match (rule.from.as_str(), rule.until.as_str()) {
                ("", "") => "–".to_owned(),
                (from, "") => format!("{from} …"),
                (from, until) => format!("{from} … {until}"),
            };
            let mark = if rule.inferred.is_empty() { "" } else { "*" };
            let severity = match rule.severity.as_str() {
                "warning" => Key::SeverityWarning,
                "info" => Key::SeverityInfo,
                _ => Key::SeverityError,
            };
            let severity = ui.texts.get(severity, lang);
            let text = if lang == Lang::Ru { &rule.ru } else { &rule.en };
            out.push_str(&format!("{}  {:<13}  {term}{mark}  {severity}\n    {text}\n", rule.id, rule.files));
            if self.inferred
                && let Some(reason) = reasons.iter().find(|r| r.id == rule.inferred)
            {
                let why = if lang == Lang::Ru { &reason.ru } else { &reason.en };
                let confidence = ui.texts.get(reason.confidence.key(), lang);
                let slots = [("reason", why.as_str()), ("confidence", confidence), ("source", &rule.source)];
                out.push_str(&format!("    * {}\n", ui.texts.fill(Key::RulesWhy, lang, &slots)));
            }
        }
        // What became a row is listed above.
        let mut without = decisions.iter().filter(|d| d.now.is_empty() || d.about == About::Differs).peekable();
        if without.peek().is_some() {
            out.push_str(&format!("\n{}\n", ui.texts.get(Key::RulesDecided, lang)));
        }
        for decision in without {
            let term = if decision.until.is_empty() { String::new() } else { format!("  {}  … {}", decision.files, decision.until) };
            out.push_str(&format!("{}{term}\n    {}\n", decision.id, if lang == Lang::Ru { &decision.ru } else { &decision.en }));
        }
        if !self.inferred && rules.iter().any(|r| !r.inferred.is_empty()) {
            out.push_str(ui.texts.get(Key::RulesInferred, lang));
            out.push('\n');
        }
        let ids: std::collections::BTreeSet<&str> = rules.iter().map(|r| r.id.as_str()).collect();
        out.push_str(&ui.texts.fill(Key::RulesTotal, lang, &[("count", &ui.texts.number(lang, ids.len() as u64))]));
        out.push('\n');
        out
    }
}

fields!(
    /// The columns of a rule.
    OfRule,
    "rules",
    "rules",
    Id,
    Files,
    Element,
    When,
    Require,
    Kind,
    From,
    Until,
    Inferred,
    Severity,
    Twin,
    NoteRu,
    NoteEn,
    Ru,
    En,
    AdviceRu,
    AdviceEn,
    Source
);

fn cell(column: OfRule, r: &TableRow) -> String {
    match column {
        OfRule::Id => &r.id,
        OfRule::Files => &r.files,
        OfRule::Element => &r.element,
        OfRule::When => &r.when,
        OfRule::Require => &r.require,
        OfRule::Kind => &r.kind,
        OfRule::From => &r.from,
        OfRule::Until => &r.until,
        OfRule::Inferred => &r.inferred,
        OfRule::Severity => &r.severity,
        OfRule::Twin => &r.twin,
        OfRule::NoteRu => &r.note_ru,
        OfRule::NoteEn => &r.note_en,
        OfRule::Ru => &r.ru,
        OfRule::En => &r.en,
        OfRule::AdviceRu => &r.advice_ru,
        OfRule::AdviceEn => &r.advice_en,
        OfRule::Source => &r.source,
    }
    .clone()
}
