//! Makes packages and cases, forms registries from them and checks the result.

use std::fs;
use std::io::Read;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use puomp::cases::CasePlace;
use puomp::finding::{Catalog, Finding};
use puomp::flk::{Checker, Config, PackageReport, Rulebook, Verdict};
use puomp::forming::{FormError, Formed, Former, Heading, Numbers, Order, Origin, Piece};
use puomp::generate::{Generator, Options, Packing};
use puomp::registry::archive::Limits;
use puomp::registry::encoding::{Encoding, to_windows_1251};
use puomp::registry::format::{Family, Format, Formats, PERSONS, Role};
use puomp::registry::name::FileName;
use puomp::registry::package::{Input, discover};
use puomp::registry::probe::probe;
use puomp::registry::scan::{ScanLimits, Scanner, Token};
use puomp::registry::source::{DiskFile, Source};
use puomp::registry::writer::Layout;
use puomp::tables::RuleFiles;
use puomp::texts::Severity;
use puomp::values::{Date, Month, kopecks};
use puomp::watch::Unwatched;

pub(crate) struct Desk {
    pub(crate) files: RuleFiles,
    pub(crate) formats: Formats,
    pub(crate) catalog: Catalog,
    book: Rulebook,
}

pub(crate) static DESK: LazyLock<Desk> = LazyLock::new(|| {
    let files = RuleFiles::embedded();
    let mut catalog = Catalog::load(&files).expect("sound");
    let formats = Formats::load(&files).expect("sound");
    // Tests give a registry the same case twice, which common sense warns of.
    let book = Rulebook::load(&files, None, &mut catalog, |id| !id.starts_with('L')).expect("sound");
    Desk { files, formats, catalog, book }
});

static CHECKER: LazyLock<Checker<'static>> = LazyLock::new(|| Checker::new(&DESK.catalog, &DESK.formats).expect("sound").with_rules(&DESK.book));

pub(crate) static FORMER: LazyLock<Former<'static>> = LazyLock::new(|| Former::load(&DESK.files, &DESK.formats, &DESK.catalog).expect("sound"));

/// A family, its edition, and a month of that edition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kind(pub(crate) char, pub(crate) &'static str, pub(crate) &'static str);

impl Kind {
    pub(crate) fn month(self) -> Month {
        self.2.parse().expect("a month")
    }

    pub(crate) fn format(self) -> &'static Format {
        DESK.formats.get(Family(self.0), self.1).expect("an edition")
    }

    pub(crate) fn persons(self) -> &'static Format {
        DESK.formats.choose(PERSONS, None, Some(self.month())).expect("an edition").0
    }
}

/// Options for generating a package.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Way {
    pub(crate) cases: u64,
    pub(crate) seed: u64,
    pub(crate) packet: u32,
    pub(crate) packing: Packing,
    pub(crate) encoding: Encoding,
    pub(crate) layout: Layout,
}

impl Way {
    pub(crate) fn new(cases: u64, seed: u64, packet: u32) -> Self {
        Self { cases, seed, packet, packing: Packing::Zip, encoding: Encoding::Windows1251, layout: Layout::Lines }
    }
}

/// A generated package in a folder of its own below a folder.
pub(crate) fn package(folder: &Path, kind: Kind, way: Way) -> PathBuf {
    let folder = folder.join(format!("{}-{}-{}-{}", kind.0, kind.1, way.seed, way.packet));
    let options = Options {
        edition: Some(kind.1.to_owned()),
        packet: way.packet,
        encoding: way.encoding,
        layout: way.layout,
        ..Options::new(Family(kind.0), kind.month(), way.cases, way.seed)
    };
    let generator = Generator::new(&DESK.files, &DESK.formats, &options).expect("generates");
    generator.write_into(&folder, way.packing).expect("written");
    folder
}

/// A package of two plain files, both edited as texts of windows-1251.
pub(crate) fn edited(folder: &Path, kind: Kind, way: Way, main: impl Fn(&str) -> String, persons: impl Fn(&str) -> String) -> Origin {
    let origin = origin(&package(folder, kind, Way { packing: Packing::Plain, ..way }));
    edit(&origin.main, main);
    edit(origin.persons.as_ref().expect("persons"), persons);
    origin
}

/// Edits a plain file.
pub(crate) fn edit(source: &Source, edit: impl Fn(&str) -> String) {
    let text = edit(&Encoding::Windows1251.decode(&bytes(source)));
    let Source::File(DiskFile { path, .. }) = source else { panic!("a plain file") };
    fs::write(path, to_windows_1251(&text).expect("a text of windows-1251")).expect("written");
}

/// The text without a change.
pub(crate) fn same(text: &str) -> String {
    text.to_owned()
}

/// The texts of all elements with this name, in their order.
pub(crate) fn values<'t>(text: &'t str, element: &str) -> Vec<&'t str> {
    let (start, end) = (format!("<{element}>"), format!("</{element}>"));
    text.split(start.as_str()).skip(1).map(|rest| rest.split(end.as_str()).next().expect("an end tag")).collect()
}

/// The one package under a path.
pub(crate) fn origin(path: &Path) -> Origin {
    let mut packages = discover(&[Input::named(path)], &DESK.formats, &Limits::default());
    assert_eq!(packages.len(), 1, "one package");
    let package = packages.remove(0);
    Origin { main: package.main.expect("a main file").source, persons: package.persons.map(|m| m.source) }
}

pub(crate) fn bytes(source: &Source) -> Vec<u8> {
    let mut bytes = Vec::new();
    source.open().expect("opens").read_to_end(&mut bytes).expect("reads");
    bytes
}

/// Name, byte range and text of every element with one of these names, in the order of their ends.
fn elements(source: &Source, names: &[&str]) -> Vec<(String, Range<u64>, String)> {
    let bytes = bytes(source);
    let encoding = probe(source, &DESK.formats).expect("a head").encoding();
    let (text, base) = bytes.strip_prefix(b"\xEF\xBB\xBF").map_or((&bytes[..], 0), |text| (text, 3));
    let mut scanner = Scanner::new(text, encoding, ScanLimits::default(), Vec::new());
    let (mut open, mut found) = (Vec::new(), Vec::new());
    loop {
        match scanner.next_token().expect("sound") {
            Token::Open { at, name, .. } => open.push((name.to_text(encoding), at as u64)),
            Token::Close { .. } => {
                let (name, at) = open.pop().expect("open");
                if names.contains(&name.as_str()) {
                    found.push((name, base + at..base + scanner.offset() as u64, String::new()));
                }
            }
            Token::Leaf { at, name, text, .. } => {
                let name = name.to_text(encoding);
                if names.contains(&name.as_str()) {
                    found.push((name, base + at as u64..base + scanner.offset() as u64, encoding.decode(&text).into_owned()));
                }
            }
            Token::Text { .. } => {}
            Token::End => return found,
        }
    }
}

/// Every case of a package.
pub(crate) fn cases(index: usize, origin: &Origin, kind: Kind) -> Vec<Piece> {
    let format = kind.format();
    let name = |role| &*format.node(format.role(role).expect("a role")).name;
    let persons = origin.persons.as_ref().map(|source| {
        let mut id = String::new();
        let mut of = std::collections::HashMap::new();
        for (name, range, text) in elements(source, &["PERS", "ID_PAC"]) {
            if name == "PERS" {
                of.insert(std::mem::take(&mut id), range);
            } else {
                id = text;
            }
        }
        of
    });
    let (record, case, sum, id_pac) = (name(Role::Record), name(Role::Case), name(Role::CaseSum), name(Role::IdPac));
    let (mut pieces, mut of_record, mut cost, mut id) = (Vec::new(), Vec::new(), 0, String::new());
    for (name, range, text) in elements(&origin.main, &[record, case, sum, id_pac]) {
        if name == sum {
            cost = kopecks(text.as_bytes()).expect("a sum");
        } else if name == id_pac {
            id = text;
        } else if name == case {
            // In a case part there is a coefficient that is also named Z_SL.
            if text.is_empty() {
                of_record.push((range, cost));
            }
        } else {
            let person = persons.as_ref().and_then(|p| p.get(&id).cloned());
            pieces.extend(of_record.drain(..).map(|(case, sum_kopecks)| Piece {
                origin: index,
                place: CasePlace { record: range.clone(), case, person: person.clone() },
                sum_kopecks,
                pr_nov: None,
            }));
        }
    }
    pieces
}

/// The default heading of a registry: the name of the first origin with another packet number.
pub(crate) fn heading(origins: &[Origin], kind: Kind) -> Heading {
    let mut name = FileName::parse(DESK.formats.prefixes(), &origins[0].main.stem()).expect("a name");
    name.number = "901".to_owned();
    let (month, next) = (kind.month(), kind.month().next());
    assert!(next > month);
    let date = format!("{next}-05");
    Heading { payer: Some(name.receiver.code.clone()), name, code: 9001, number: "Р-901/1".to_owned(), date, period: month }
}

/// A formed registry.
pub(crate) struct Registry {
    pub(crate) formed: Formed,
    pub(crate) numbers: Vec<Numbers>,
    pub(crate) bytes: Vec<u8>,
    folder: tempfile::TempDir,
    path: PathBuf,
}

/// Packs one registry and writes its archive.
pub(crate) fn write(order: &Order<'_>, out: impl std::io::Write, mut each: impl FnMut(Numbers) -> std::io::Result<()>) -> Result<Formed, FormError> {
    FORMER.pack(std::slice::from_ref(order), &Unwatched, |_, numbers| each(numbers)).remove(0)?.write(out)
}

/// Forms a registry from cases with the default heading.
pub(crate) fn form(kind: Kind, origins: &[Origin], pieces: &[Piece]) -> Result<Registry, FormError> {
    form_as(kind, &heading(origins, kind), origins, pieces)
}

pub(crate) fn form_as(kind: Kind, heading: &Heading, origins: &[Origin], pieces: &[Piece]) -> Result<Registry, FormError> {
    let order = Order { format: kind.format(), persons: Some(kind.persons()), heading, origins, pieces: &pieces };
    let (mut numbers, mut bytes) = (Vec::new(), Vec::new());
    let formed = write(&order, &mut bytes, |n| {
        numbers.push(n);
        Ok(())
    })?;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(Former::archive_name(heading));
    fs::write(&path, &bytes).expect("written");
    Ok(Registry { formed, numbers, bytes, folder, path })
}

impl Registry {
    /// Texts of the main file and the person file.
    pub(crate) fn texts(&self) -> (String, String) {
        let origin = origin(&self.path);
        let text = |source: &Source| Encoding::Windows1251.decode(&bytes(source)).into_owned();
        (text(&origin.main), text(origin.persons.as_ref().expect("persons")))
    }

    pub(crate) fn findings(&self) -> Vec<String> {
        findings(self.folder.path())
    }

    /// Fails unless the registry holds what was asked for and our own control finds no errors in it.
    pub(crate) fn must_be_clean(&self, pieces: &[Piece]) {
        assert_eq!(self.findings(), Vec::<String>::new());
        let report = report(self.folder.path());
        assert_eq!(report.verdict, Verdict::Clean);
        let sum: i64 = pieces.iter().map(|p| p.sum_kopecks).sum();
        assert_eq!((report.cases, report.sum_kopecks), (pieces.len() as u64, Some(sum)));
        assert_eq!((self.formed.cases, self.formed.sum_kopecks, self.formed.records), (pieces.len() as u64, sum, report.records));
        assert_eq!(self.numbers.iter().map(|n| (n.piece, n.idcase)).collect::<Vec<_>>(), (0..pieces.len()).map(|i| (i, i as u64 + 1)).collect::<Vec<_>>());
    }
}

/// The fixed day of all these tests: the rules in force must not change with the calendar.
fn today() -> Date {
    Date::new(2026, 6, 1).expect("a day")
}

fn report(path: &Path) -> PackageReport {
    let mut all = Vec::new();
    let mut each = |report| {
        all.push(report);
        Ok(())
    };
    CHECKER.validate(&[Input::named(path)], &Config::on(today()), &Unwatched, &mut each).expect("reads");
    assert_eq!(all.len(), 1, "one package");
    all.remove(0)
}

/// Findings of the one package under a path, with all rules on.
pub(crate) fn findings(path: &Path) -> Vec<String> {
    let report = report(path);
    // A package older than the rule book says so; that is no fault.
    let is_fault = |f: &Finding| DESK.catalog.rule(f.rule).severity > Severity::Info;
    let all = report.findings.iter().expect("reads").map(|f| f.expect("reads")).filter(is_fault);
    all.map(|f| format!("{} {:?} {} {:?}", DESK.catalog.rule(f.rule).id, f.file, f.path, f.value)).collect()
}

/// A field of `/proc/self/status` in KiB; 0 where there is none.
pub(crate) fn memory(field: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix(field)?.strip_prefix(':'));
    line.and_then(|l| l.trim().split(' ').next()?.parse().ok()).unwrap_or(0)
}

/// Resets the peak of memory, so that it is measured from here on.
pub(crate) fn forget_peak() {
    // Elsewhere than on Linux there is no such file, and memory is not measured.
    let _ = fs::write("/proc/self/clear_refs", "5");
}
