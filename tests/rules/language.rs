//! The page for analysts (`rules/flk/README.md`) says the truth: each of its examples is parsed, compiled and evaluated.
//!
//! An example is a fenced block `rule`: lines `element:`, `when:`, `require:`, then what comes of it. `holds:` and `breaks:` carry the
//! inner XML of one ZAP (of several with `¦` between them), `mistake:` a part of the message, `waits:` what the rule waits for.

use std::collections::BTreeSet;

use puomp::nsi::Books;
use puomp::registry::encoding::Encoding;
use puomp::registry::format::{Family, Format, Formats, NodeId, PERSONS, Role};
use puomp::registry::record::Record;
use puomp::registry::scan::{ScanLimits, Scanner, Token};
use puomp::rules::functions::FUNCTIONS;
use puomp::rules::{Captured, Conventions, Facts, NameParts, Noted, Person, RuleRow, RuleSet, Side, Sources, State, parse};
use puomp::tables::RuleFiles;
use puomp::texts::{Severity, Text};
use puomp::values::{Date, Month};

const PAGE: &str = include_str!("../../rules/flk/README.md");
/// Examples and outcomes on the page when this was written: none may be lost.
const EXAMPLES: usize = 63;
const OUTCOMES: usize = 102;

/// The file around every example, as the page tells it.
const HEAD: [(&str, &str); 5] = [("PLAT", "14002"), ("YEAR", "2021"), ("MONTH", "2"), ("DSCHET", "2021-03-05"), ("CODE_MO", "140001")];
const PERSON: [(&str, &str); 3] = [("DR", "2001-03-10"), ("W", "1"), ("ID_PAC", "1")];

#[derive(Debug, Default)]
struct Example {
    line: usize,
    element: String,
    when: String,
    require: String,
    outcomes: Vec<(String, String)>,
}

fn examples() -> Vec<Example> {
    let mut all = Vec::new();
    let mut open: Option<Example> = None;
    for (number, line) in PAGE.lines().enumerate() {
        match (&mut open, line) {
            (None, "```rule") => open = Some(Example { line: number + 1, ..Example::default() }),
            (Some(_), "```") => all.extend(open.take()),
            (Some(example), line) => {
                let (key, value) = line.split_once(": ").unwrap_or_else(|| panic!("line {}: «{line}»: key and value are due", number + 1));
                match key {
                    "element" => example.element = format!("ZL_LIST/ZAP/{value}"),
                    "when" => example.when = value.to_owned(),
                    "require" => example.require = value.to_owned(),
                    "holds" | "breaks" | "mistake" | "waits" => example.outcomes.push((key.to_owned(), value.to_owned())),
                    other => panic!("line {}: no key «{other}»", number + 1),
                }
            }
            (None, _) => {}
        }
    }
    assert!(open.is_none(), "a block is not closed");
    all
}

struct Patient<'r>(&'r [Captured], &'r Format);

impl Person for Patient<'_> {
    fn value(&self, index: usize, nth: usize) -> Option<&[u8]> {
        let name = &*self.1.node(self.0.get(index)?.element).name;
        PERSON.iter().find(|(known, _)| *known == name && nth == 0).map(|(_, value)| value.as_bytes())
    }
}

struct Bench {
    formats: Formats,
    books: Books,
    conventions: Conventions,
}

impl Bench {
    fn new() -> Self {
        let files = RuleFiles::embedded();
        let (formats, books) = (Formats::load(&files).expect("sound"), Books::load(&files, None).expect("sound"));
        Self { formats, books, conventions: Conventions::load(&files).expect("sound") }
    }

    fn main(&self) -> &Format {
        self.formats.get(Family('C'), "3.1").expect("known")
    }

    fn persons(&self) -> &Format {
        self.formats.get(PERSONS, "3.2").expect("known")
    }

    fn compile(&self, example: &Example) -> Result<RuleSet, String> {
        let expr = |text: &str| if text.is_empty() { Ok(None) } else { parse(text).map(Some).map_err(|e| e.to_string()) };
        let none = Text { ru: String::new(), en: String::new() };
        let row = RuleRow {
            mends: puomp::finding::Mends::Clinic,
            unread: None,
            id: "T".into(),
            files: vec!['C'],
            element: example.element.clone(),
            when: expr(&example.when)?,
            require: expr(&example.require)?,
            kind: "core".into(),
            from: None,
            until: None,
            inferred: String::new(),
            severity: Severity::Error,
            note: none.clone(),
            text: none.clone(),
            advice: none,
            place: ("flk/README.md".into(), (example.line as u64).into()),
        };
        let sources =
            Sources { format: self.main(), persons: Some(self.persons()), formats: &self.formats, books: &self.books, conventions: &self.conventions };
        RuleSet::compile(&[row], &[('C', Side::Own)], None, sources).map_err(|e| e.to_string())
    }

    fn record(&self, inner: &str, base: u64) -> Record {
        let (format, xml) = (self.main(), format!("<ZAP>{inner}</ZAP>"));
        let mut record = Record::default();
        let mut scanner = Scanner::new(xml.as_bytes(), Encoding::Utf8, ScanLimits::default(), vec![b"ZL_LIST".to_vec()]);
        let mut stack: Vec<(usize, NodeId)> = Vec::new();
        let child = |block: NodeId, name: &[u8]| {
            let found = format.node(block).children.iter().copied().find(|c| format.node(*c).name.as_bytes() == name);
            found.unwrap_or_else(|| panic!("{} has no {}: {inner}", format.node(block).name, String::from_utf8_lossy(name)))
        };
        loop {
            match scanner.next_token().unwrap_or_else(|e| panic!("{inner}: {e:?}")) {
                Token::Leaf { at, name, text, .. } => {
                    let (block, node) = *stack.last().expect("in a block");
                    let node = child(node, name.bytes);
                    record.value(block, format.node(node).position, &text, base + at as u64);
                }
                Token::Open { at, name, .. } => {
                    let outer = stack.last().copied();
                    let node = outer.map_or_else(|| format.role(Role::Record).expect("known"), |(_, n)| child(n, name.bytes));
                    stack.push((record.open(format, node, outer.map(|o| o.0), base + at as u64), node));
                }
                Token::Close { .. } => {
                    stack.pop();
                }
                Token::Text { .. } => {}
                Token::End => return record,
            }
        }
    }

    fn breaks(&self, set: &RuleSet, inner: &str) -> bool {
        let known = |id: &NodeId| {
            let name = &*self.main().node(*id).name;
            HEAD.iter().find(|(n, _)| *n == name).map(|(_, value)| value.as_bytes().to_vec())
        };
        let part = |text: &str| Some(text.to_owned());
        let facts = Facts {
            head: set.head_elements().iter().map(known).collect(),
            period: Month::new(2021, 2),
            name: NameParts { pi: part("M"), ni: part("140001"), pp: part("S"), np: part("14002"), yy: part("21"), mm: part("02") },
            family: 'C',
            encoding: Encoding::Utf8,
            today: Date::new(2021, 3, 6),
            account_date: Date::new(2021, 3, 5),
            ..Facts::default()
        };
        let mut hits = 0;
        let person = Patient(set.person_elements(), self.persons());
        let mut work = set.work();
        for (number, inner) in inner.split(" ¦ ").enumerate() {
            let record = self.record(inner, number as u64 * 10_000);
            set.record(&record, &facts, Some(&person), true, &mut work, &mut |_| hits += 1);
        }
        let twice = |noted: &Noted| noted.keys.iter().map(|(key, _)| key).collect::<BTreeSet<_>>().len() < noted.keys.len();
        hits > 0 || work.noted.iter().any(|noted| twice(noted) || !noted.sizes.odd().is_empty())
    }
}

#[test]
fn every_example_of_the_page_comes_out_as_it_says() {
    let (bench, examples) = (Bench::new(), examples());
    let (mut outcomes, mut wrong) = (0, Vec::new());
    for example in &examples {
        assert!(!example.outcomes.is_empty(), "line {}: no outcome", example.line);
        let compiled = bench.compile(example);
        for (kind, expected) in &example.outcomes {
            outcomes += 1;
            let said = match (kind.as_str(), &compiled) {
                ("mistake", Err(message)) if message.contains(expected.as_str()) => continue,
                ("holds" | "breaks" | "waits", Ok(set)) => {
                    let states: Vec<&State> = set.states().iter().map(|s| &s.state).collect();
                    match (kind.as_str(), states.as_slice()) {
                        ("waits", [State::NoBook(what) | State::External(what)]) if what == expected => continue,
                        ("holds", [State::Executed]) if !bench.breaks(set, expected) => continue,
                        ("breaks", [State::Executed]) if bench.breaks(set, expected) => continue,
                        _ => format!("{states:?}"),
                    }
                }
                (_, Ok(_)) => "it compiles".to_owned(),
                (_, Err(message)) => message.clone(),
            };
            wrong.push(format!("line {}: {} | {}: not «{kind}: {expected}»: {said}", example.line, example.when, example.require));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(examples.len() >= EXAMPLES && outcomes >= OUTCOMES, "{} examples, {outcomes} outcomes", examples.len());
}

#[test]
fn every_function_has_an_example() {
    let text: String = examples().iter().map(|e| format!("{} {} ", e.when, e.require)).collect();
    let missing: BTreeSet<&str> = FUNCTIONS.iter().copied().filter(|f| !text.contains(&format!("{f}("))).collect();
    assert!(missing.is_empty(), "no example for {missing:?}");
}
