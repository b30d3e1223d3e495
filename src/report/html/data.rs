//! The rows of the page as compact columns, and the dictionaries that they refer to.

use std::collections::HashMap;

use serde::Serialize;

use crate::finding::{Fact, Finding, RuleIx};
use crate::report::tidy;

/// Most rows of the page: browsers refuse elements that are much higher.
pub(super) const MOST: u64 = 500_000;
/// Rows that are written at once.
const PART: usize = 4096;

/// Different texts, each with its number; the empty text is number 0.
#[derive(Debug)]
pub(super) struct Dictionary {
    numbers: HashMap<Box<str>, u32>,
    pub(super) texts: Vec<String>,
}

impl Default for Dictionary {
    fn default() -> Self {
        Self { numbers: HashMap::from([(Box::from(""), 0)]), texts: vec![String::new()] }
    }
}

impl Dictionary {
    pub(super) fn number(&mut self, text: &str) -> u32 {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let number = self.texts.len() as u32;
        self.texts.push(tidy(text).into_owned());
        self.numbers.insert(text.into(), number);
        number
    }
}

/// What all findings of one rule at one element of one file have in common.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub(super) struct Kind(u32, u32, String, String);

/// A text as it is written, or 0 for none.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Written {
    None(u8),
    Text(String),
    /// The difference from the number before.
    Step(i64),
}

impl Written {
    fn text(text: Option<&str>) -> Self {
        text.map_or(Self::None(0), |text| Self::Text(tidy(text).into_owned()))
    }
}

/// Rows that are not yet written, column by column; the names are those that `page.js` reads.
#[derive(Debug, Default, Serialize)]
struct Part {
    /// Number of the kind.
    k: Vec<u32>,
    /// `1` where a row begins another case than the row before, else `0`.
    c: String,
    /// Line, as the difference from the row before.
    l: Vec<i64>,
    /// Column, as the difference from the row before.
    o: Vec<i64>,
    /// The value.
    v: Vec<Written>,
    /// What was found instead.
    f: Vec<Written>,
    /// N_ZAP of each case.
    z: Vec<Written>,
    /// IDCASE of each case; 0 if it is the same as N_ZAP.
    i: Vec<Written>,
    /// Card of each case.
    h: Vec<String>,
    /// Doctor, unit, profile, first and last day of each case: numbers in the dictionaries.
    d: Vec<u32>,
    u: Vec<u32>,
    p: Vec<u32>,
    b: Vec<u32>,
    e: Vec<u32>,
}

/// A case as the rows refer to it.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Case {
    record: String,
    id: String,
    card: String,
    numbers: [u32; 5],
}

/// The rows of the page.
#[derive(Debug, Default)]
pub(super) struct Rows {
    part: Part,
    case: Option<Case>,
    /// N_ZAP of the last case whose N_ZAP is a number.
    record: i64,
    line: i64,
    column: i64,
    kind_numbers: HashMap<Kind, u32>,
    pub(super) kinds: Vec<Kind>,
    rule_numbers: HashMap<RuleIx, u32>,
    pub(super) rules: Vec<RuleIx>,
    pub(super) files: Dictionary,
    pub(super) doctors: Dictionary,
    pub(super) units: Dictionary,
    pub(super) profiles: Dictionary,
    pub(super) days: Dictionary,
    /// Rows so far.
    pub(super) count: u64,
    /// The highest line.
    pub(super) lines: u32,
}

impl Rows {
    /// The number of a rule in the page.
    pub(super) fn rule(&mut self, rule: RuleIx) -> u32 {
        let Self { rules, rule_numbers, .. } = self;
        *rule_numbers.entry(rule).or_insert_with(|| {
            rules.push(rule);
            rules.len() as u32 - 1
        })
    }

    /// Adds a finding as it is shown, with the label of its doctor; `day` writes a day for people. Gives a part of the page when one is full.
    pub(super) fn add(&mut self, finding: &Finding, file: &str, doctor: &str, unit: &str, day: impl Fn(&str) -> String) -> Option<String> {
        let keys = &finding.keys;
        let text = |own: &Option<Box<str>>| own.as_deref().map_or_else(String::new, |text| tidy(text).into_owned());
        let fact = |fact| finding.fact(fact).unwrap_or_default();
        let numbers = [
            self.doctors.number(doctor),
            self.units.number(unit),
            self.profiles.number(fact(Fact::Profile)),
            self.days.number(&day(fact(Fact::From))),
            self.days.number(&day(fact(Fact::To))),
        ];
        // A person is found by the record, or by the person's id where no record names the person.
        let record = if keys.n_zap.is_some() { text(&keys.n_zap) } else { text(&keys.id_pac) };
        let case = Case { record, id: text(&keys.idcase), card: tidy(fact(Fact::Card)).into_owned(), numbers };
        let is_new = self.case.as_ref() != Some(&case);
        if is_new {
            self.case(&case);
            self.case = Some(case);
        }
        let kind = Kind(self.rule(finding.rule), self.files.number(file), tidy(&finding.path).into_owned(), text(&finding.expected));
        let kind = *self.kind_numbers.entry(kind).or_insert_with_key(|kind| {
            self.kinds.push(kind.clone());
            self.kinds.len() as u32 - 1
        });
        let (line, column) = (i64::from(finding.place.line), i64::from(finding.place.column));
        let part = &mut self.part;
        part.k.push(kind);
        part.c.push(if is_new { '1' } else { '0' });
        part.l.push(line - self.line);
        part.o.push(column - self.column);
        part.v.push(Written::text(finding.value.as_deref()));
        part.f.push(Written::text(finding.found.as_deref()));
        (self.line, self.column) = (line, column);
        self.lines = self.lines.max(finding.place.line);
        self.count += 1;
        if part.k.len() == PART { self.part() } else { None }
    }

    fn case(&mut self, case: &Case) {
        let is_number = (1..=15).contains(&case.record.len()) && case.record.bytes().all(|b| b.is_ascii_digit()) && !case.record.starts_with('0');
        let record = match case.record.parse::<i64>() {
            Ok(number) if is_number => Written::Step(number - std::mem::replace(&mut self.record, number)),
            _ => Written::Text(case.record.clone()),
        };
        let part = &mut self.part;
        part.z.push(record);
        part.i.push(if case.id == case.record { Written::None(0) } else { Written::Text(case.id.clone()) });
        part.h.push(case.card.clone());
        let [doctor, unit, profile, from, to] = case.numbers;
        part.d.push(doctor);
        part.u.push(unit);
        part.p.push(profile);
        part.b.push(from);
        part.e.push(to);
    }

    /// The rows that are not yet written, as an element of the page; `None` if there are none.
    pub(super) fn part(&mut self) -> Option<String> {
        let part = std::mem::take(&mut self.part);
        (!part.k.is_empty()).then(|| element("class=\"rows\"", &part))
    }
}

/// JSON in an element of the page. A `<` in a text cannot end the element.
pub(super) fn element(attribute: &str, content: &impl Serialize) -> String {
    // Maps with keys of other types than texts, the only thing that serde_json refuses, are not written here.
    let json = serde_json::to_string(content).unwrap_or_default().replace('<', "\\u003c");
    format!("<script type=\"application/json\" {attribute}>{json}</script>\n")
}
