//! Whatever stands in a record, no rule panics, and the same record gives the same hits twice.

use puomp::nsi::Books;
use puomp::registry::encoding::Encoding;
use puomp::registry::format::{Content, Format, Formats, NodeId, PERSONS, Role};
use puomp::registry::record::Record;
use puomp::rules::{Conventions, Facts, Hit, Person, RULE_TABLES, RuleSet, Side, Sources, load};
use puomp::tables::RuleFiles;
use puomp::values::Date;

/// Values that tables, masks, dates and sums meet in the field, and worse.
const VALUES: &[&[u8]] = &[
    b"",
    b"0",
    b"1",
    b"2",
    b"3",
    b"9",
    b"32",
    b"97",
    b"999",
    b"1.0",
    b"3.1",
    b"0.00",
    b"1349,00",
    b"-5",
    b"99999999999999999999999999999999999",
    b"1e9",
    b"2021-02-28",
    b"2021-02-30",
    b"0000-00-00",
    b"9999-12-31",
    b"20210228",
    b"C50.1",
    b"C50",
    b"D70",
    b"U07.1",
    b"I10",
    b"\xC4\xC24",
    b"\xFF",
    b"\x98",
    b" ",
    b"a b",
    b"sh0001",
    b"gemop24",
    b"\xED\xE5\xF2",
    b"STT5",
    b"A16.07.002.001",
    b"1010321",
    b"14002",
    b"140001",
];

struct Noise(u64);

impl Noise {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }

    fn value(&mut self) -> &'static [u8] {
        VALUES[self.below(VALUES.len())]
    }
}

struct Somebody(Vec<Vec<&'static [u8]>>);

impl Person for Somebody {
    fn value(&self, index: usize, nth: usize) -> Option<&[u8]> {
        self.0.get(index)?.get(nth).copied()
    }
}

/// A block with random children, repeated ones and forbidden repetitions too.
fn grow(record: &mut Record, format: &Format, node: NodeId, parent: Option<usize>, noise: &mut Noise, depth: usize) {
    let block = record.open(format, node, parent, noise.below(1 << 20) as u64);
    for child in &format.node(node).children {
        let times = [0, 1, 1, 1, 2, 3][noise.below(6)];
        for _ in 0..times {
            match format.node(*child).content {
                Content::Block if depth < 8 => grow(record, format, *child, Some(block), noise, depth + 1),
                Content::Block => {}
                Content::Value(_) => record.value(block, format.node(*child).position, noise.value(), noise.below(1 << 20) as u64),
            }
        }
    }
}

#[test]
fn random_records_against_all_rules() {
    let files = RuleFiles::embedded();
    let rows = load(&files, RULE_TABLES).unwrap_or_else(|e| panic!("{e}"));
    let formats = Formats::load(&files).unwrap_or_else(|e| panic!("{e}"));
    let books = Books::load(&files, None).unwrap_or_else(|e| panic!("{e}"));
    let conventions = Conventions::load(&files).unwrap_or_else(|e| panic!("{e}"));
    let persons = formats.get(PERSONS, "3.2").expect("known");
    let mut noise = Noise(0x9E37_79B9_7F4A_7C15);
    let (mut records, mut hits) = (0u32, 0u64);
    for format in formats.all() {
        let has_persons = formats.has_persons(format.family) && format.family != PERSONS;
        let sources = Sources { format, persons: has_persons.then_some(&**persons), formats: &formats, books: &books, conventions: &conventions };
        let own = formats.book_letter(format.family);
        let passes: &[_] =
            if has_persons { &[(own, Side::Own), (own, Side::PersonsFromRecords), ('L', Side::PersonsFromRecords)] } else { &[(own, Side::Own)] };
        // All rows, whatever their days.
        let set = RuleSet::compile(&rows, passes, None, sources).unwrap_or_else(|e| panic!("{e}"));
        let record_node = format.role(Role::Record).expect("known");
        for round in 0..60 {
            let mut record = Record::default();
            record.clear(0);
            grow(&mut record, format, record_node, None, &mut noise, 0);
            let facts = Facts {
                head: set.head_elements().iter().map(|_| (noise.below(3) > 0).then(|| noise.value().to_vec())).collect(),
                family: own,
                encoding: if round % 2 == 0 { Encoding::Windows1251 } else { Encoding::Utf8 },
                today: Date::parse("2021-04-01"),
                account_date: (round % 5 > 0).then(|| Date::parse("2021-03-01")).flatten(),
                ..Facts::default()
            };
            let somebody = Somebody(set.person_elements().iter().map(|_| (0..noise.below(3)).map(|_| noise.value()).collect()).collect());
            let person = (round % 3 > 0).then_some(&somebody as &dyn Person);
            let run = || {
                let (mut found, mut work) = (Vec::<Hit>::new(), set.work());
                set.record(&record, &facts, person, true, &mut work, &mut |hit| found.push(hit));
                set.head(&facts, &work.gathered, true, &mut |hit| found.push(hit));
                found
            };
            let found = run();
            assert_eq!(found, run(), "{} {}", format.family, format.edition.id);
            records += 1;
            hits += found.len() as u64;
        }
    }
    assert!(records >= 60 * 30 && hits > 100_000, "{records} records, {hits} hits: the rules were asked");
}
