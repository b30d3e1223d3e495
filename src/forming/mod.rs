//! Forms a registry's package, a main file and its person file in one archive, from cases that stand in packages.
//!
//! Pure: packages in, bytes out. Who chose the cases, where the numbers are kept and what becomes of the archive is the caller's business.
//!
//! The head of the first package is taken over element by element, but for what a registry has of its own (names, dates, numbers, sums) and
//! what an earlier answer put in. Records are copied byte for byte, but for their running numbers, ID_PAC where two persons would share one,
//! and again what an answer put in. What that is stands in `rules/forms/forming.csv`. Packages are read once (person files twice), forward
//! and in pieces, whatever their size; the same order gives the same bytes, whatever the number of threads.

mod encode;
mod error;
mod feed;
mod head;
mod pack;
mod persons;
mod record;
mod table;

use std::io::{self, Write};
use std::ops::Range;

pub use error::FormError;
use feed::{Extent, Feed, Item, Work};
use head::{Facts, Front, frame};
use pack::Part;
use persons::{PersonPlan, PersonTrouble, Persons};
use record::{Copied, Job, Plan, Trouble, Wanted};
use table::Marks;

use crate::finding::{Catalog, Check};
use crate::registry::archive::Limits;
use crate::registry::encoding::Encoding;
use crate::registry::fault::Fault;
use crate::registry::format::{Format, Formats, Role};
use crate::registry::month::Month;
use crate::registry::name::FileName;
use crate::registry::probe::Prober;
use crate::registry::source::Source;
use crate::tables::{RuleFiles, TableError};

/// A package that cases are taken from.
#[derive(Debug, Clone)]
pub struct Origin {
    /// Its main file.
    pub main: Source,
    /// Its person file.
    pub persons: Option<Source>,
}

/// One case: where it stands in its package. Ranges are byte ranges of the unpacked files as the user has them, a byte order mark included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Index of its package among the origins.
    pub origin: usize,
    /// The whole `<ZAP>…</ZAP>`.
    pub record: Range<u64>,
    /// The `<Z_SL>…</Z_SL>` (2.1: `<SLUCH>…</SLUCH>`) in it.
    pub case: Range<u64>,
    /// The whole `<PERS>…</PERS>` of its person.
    pub person: Option<Range<u64>>,
    /// What the case costs; it is compared with what stands there.
    pub sum_kopecks: i64,
}

/// What a registry has of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heading {
    /// Name of the main file; the archive and the person file are named after it.
    pub name: FileName,
    /// CODE.
    pub code: u64,
    /// NSCHET.
    pub number: String,
    /// DSCHET, and DATA of both files: `2024-02-03`.
    pub date: String,
    /// PLAT; none: the element is left out.
    pub payer: Option<String>,
    /// YEAR and MONTH.
    pub period: Month,
}

/// What is to be formed.
#[derive(Debug, Clone, Copy)]
pub struct Order<'a> {
    /// Family and edition of the main file.
    pub format: &'a Format,
    /// Edition of the person file; none for families without one.
    pub persons: Option<&'a Format>,
    /// What stands in the heads.
    pub heading: &'a Heading,
    /// The packages; the first one lends its head.
    pub origins: &'a [Origin],
    /// The cases, in the order of origins and places. They are written in this order.
    pub pieces: &'a [Piece],
}

/// The numbers of a case in its registry and in its package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Numbers {
    /// Index of its piece.
    pub piece: usize,
    /// N_ZAP in the registry.
    pub n_zap: u64,
    /// IDCASE in the registry.
    pub idcase: u64,
    /// N_ZAP in the package.
    pub old_n_zap: String,
    /// IDCASE in the package.
    pub old_idcase: String,
    /// ID_PAC in the registry, where it is another one than in the package.
    pub id_pac: Option<String>,
}

/// What was formed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Formed {
    /// Sum of the cases.
    pub sum_kopecks: i64,
    /// Cases.
    pub cases: u64,
    /// Records.
    pub records: u64,
    /// Persons.
    pub persons: u64,
    /// Unpacked size of both files.
    pub bytes: u64,
    /// SHA-256 of the archive.
    pub sha256: String,
}

/// Forms registries by the tables.
#[derive(Debug)]
pub struct Former<'t> {
    formats: &'t Formats,
    prober: Prober<'t>,
    marks: Marks,
    /// Elements of persons that the rule of the same person compares.
    identity: Vec<Role>,
}

impl<'t> Former<'t> {
    /// Reads `rules/forms/forming.csv`; `catalog` says what makes two entries of a person file the same person.
    ///
    /// # Errors
    /// A row of that table names what no format has.
    pub fn load(files: &RuleFiles, formats: &'t Formats, catalog: &Catalog) -> Result<Self, TableError> {
        let same_person = catalog.rule(catalog.of(Check::SamePerson));
        let identity = same_person.element.iter().map(|word| word.parse().map_err(|e: String| TableError::new("structure.csv", 0, e)));
        Ok(Self { formats, prober: Prober::new(formats), marks: Marks::load(files, formats)?, identity: identity.collect::<Result<_, _>>()? })
    }

    /// What the head of a package says that must be the same in all packages of one registry, by the paths of the elements: cases of
    /// packages that differ here are to be formed apart.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn binding(&self, main: &Source, format: &Format) -> Result<Vec<(String, String)>, FormError> {
        Ok(Front::read(main, &self.prober, format)?.binding(format, &self.marks).into_iter().collect())
    }

    /// Whether a registry gets the element at a path of its own, so that a fault in the package's does not reach it.
    pub fn writes_anew(&self, path: &str) -> bool {
        self.marks.is_anew(path)
    }

    /// Name of the archive's file: that of the main file.
    pub fn archive_name(heading: &Heading) -> String {
        format!("{}.zip", heading.name)
    }

    /// Writes the archive of a registry. `each` hears of every case in the order of the pieces, before anything has come to `out`; an error
    /// of it ends the forming.
    ///
    /// # Errors
    /// See [`FormError`]. What came to `out` then is of no use.
    pub fn write(&self, order: &Order<'_>, out: impl Write, mut each: impl FnMut(Numbers) -> io::Result<()>) -> Result<Formed, FormError> {
        if order.pieces.is_empty() {
            return Err(FormError::Empty);
        }
        let name = &order.heading.name;
        let letters = || FormError::Letters { letters: name.letters.clone() };
        let plan = Plan::new(order.format, &self.marks).filter(|_| !name.is_persons && name.family == Some(order.format.family)).ok_or_else(letters)?;
        let job = Forming { former: self, order, plan, fronts: self.fronts(order)? };
        let (cases, records) = job.check_order()?;
        let sum_kopecks = order.pieces.iter().map(|p| p.sum_kopecks).fold(0, i64::saturating_add);
        let room = |role| order.format.role(role).and_then(|id| order.format.node(id).value_type()).map_or(18, |kind| kind.lengths().1.min(18));
        let fits = |count: u64, role| count < 10u64.pow(room(role) as u32);
        if !fits(records, Role::NZap) || !fits(cases, Role::IdCase) {
            return Err(FormError::TooMany { cases });
        }

        let mut parts = vec![Part::new(format!("{name}.xml"))];
        let mut people = None;
        if let Some(format) = order.persons {
            let own = name.persons(self.formats.prefixes()).ok_or_else(letters)?;
            let longest = order.format.role(Role::IdPac).and_then(|id| order.format.node(id).value_type()).map_or(0, |kind| kind.lengths().1);
            let plan = PersonPlan::new(format, &self.identity, longest).ok_or_else(letters)?;
            let mut part = Part::new(format!("{own}.xml"));
            let facts = Facts { heading: order.heading, name: &own, cases, sum_kopecks };
            people = Some(job.persons(format, &plan, &facts, &mut part)?);
            parts.push(part);
        }
        let persons = people.as_ref().map_or(0, Persons::count);

        let facts = Facts { heading: order.heading, name, cases, sum_kopecks };
        job.main(&facts, people.as_ref(), &mut parts[0], &mut each)?;
        let bytes = parts.iter().map(Part::size).sum();
        if bytes > Limits::default().total {
            return Err(FormError::TooMany { cases });
        }
        let sha256 = pack::write(&mut parts, out)?;
        Ok(Formed { sum_kopecks, cases, records, persons, bytes, sha256 })
    }

    /// Heads of all packages; they fit together.
    fn fronts(&self, order: &Order<'_>) -> Result<Vec<Front>, FormError> {
        let mut fronts: Vec<Front> = Vec::with_capacity(order.origins.len());
        let mut bound = None;
        for origin in order.origins {
            let front = Front::read(&origin.main, &self.prober, order.format)?;
            let file = || origin.main.file_name();
            if front.version != order.format.edition.version {
                return Err(FormError::Edition { file: file(), found: front.version, expected: order.format.edition.version.clone() });
            }
            let own = front.binding(order.format, &self.marks);
            let first = bound.get_or_insert_with(|| own.clone());
            if let Some((path, _)) = own.symmetric_difference(first).next() {
                let value =
                    |set: &std::collections::BTreeSet<(String, String)>| set.iter().find(|(p, _)| p == path).map_or_else(String::new, |(_, v)| v.clone());
                return Err(FormError::Binding {
                    file: file(),
                    first: order.origins[0].main.file_name().into(),
                    element: path.rsplit('/').next().unwrap_or(path).into(),
                    found: value(&own),
                    expected: value(first),
                });
            }
            fronts.push(front);
        }
        Ok(fronts)
    }
}

/// One forming.
struct Forming<'a> {
    former: &'a Former<'a>,
    order: &'a Order<'a>,
    plan: Plan,
    fronts: Vec<Front>,
}

/// Pieces that make one record of the registry, and its number.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Record {
    pieces: Range<usize>,
    n_zap: u64,
}

impl Forming<'_> {
    /// Counts cases and records; the pieces stand in order.
    fn check_order(&self) -> Result<(u64, u64), FormError> {
        let pieces = self.order.pieces;
        let inside = |p: &Piece| p.origin < self.order.origins.len() && p.record.start < p.case.start && p.case.start < p.case.end && p.case.end < p.record.end;
        let follows = |a: &Piece, b: &Piece| {
            a.origin < b.origin || a.origin == b.origin && if a.record == b.record { a.case.end <= b.case.start } else { a.record.end <= b.record.start }
        };
        if let Some(piece) = (0..pieces.len()).find(|&i| !inside(&pieces[i]) || i > 0 && !follows(&pieces[i - 1], &pieces[i])) {
            return Err(FormError::Order { piece });
        }
        let records = self.records().last().map_or(0, |r| r.payload.n_zap);
        Ok((pieces.len() as u64, records))
    }

    /// The records to be written.
    fn records(&self) -> impl Iterator<Item = Extent<Record>> + Send + '_ {
        let pieces = self.order.pieces;
        let (mut next, mut n_zap) = (0, 0);
        std::iter::from_fn(move || {
            let first = pieces.get(next)?;
            let start = next;
            next += 1;
            while self.plan.many_cases && pieces.get(next).is_some_and(|p| (p.origin, &p.record) == (first.origin, &first.record)) {
                next += 1;
            }
            n_zap += 1;
            Some(Extent { origin: first.origin, start: first.record.start, end: first.record.end, payload: Record { pieces: start..next, n_zap } })
        })
    }

    fn main(&self, facts: &Facts<'_>, people: Option<&Persons>, part: &mut Part, each: &mut impl FnMut(Numbers) -> io::Result<()>) -> Result<(), FormError> {
        let frame = frame(self.order.format, &self.former.marks, facts, self.fronts.first())?;
        part.add_bytes(&frame.head)?;
        let sources = self.order.origins.iter().map(|o| Some(&o.main)).collect();
        let feed = Feed::new(sources, self.records());
        let copy = |work: &Work<Record>, out: &mut Vec<u8>| {
            let mut numbers = Vec::with_capacity(work.items.len());
            for item in &work.items {
                self.record(work, item, people, out, &mut numbers)?;
                out.extend_from_slice(b"\r\n");
            }
            Ok(numbers)
        };
        pack::fill(part, feed, copy, |numbers| Ok(numbers.into_iter().try_for_each(&mut *each)?))?;
        part.add_bytes(&frame.tail)?;
        Ok(part.finish()?)
    }

    fn record(
        &self,
        work: &Work<Record>,
        item: &Item<Record>,
        people: Option<&Persons>,
        out: &mut Vec<u8>,
        numbers: &mut Vec<Numbers>,
    ) -> Result<(), FormError> {
        let (bytes, origin, base) = work.record(item);
        let file = || self.order.origins[origin].main.file_name();
        let pieces = &self.order.pieces[item.payload.pieces.clone()];
        let wanted: Vec<Wanted> = pieces
            .iter()
            .zip(item.payload.pieces.start as u64 + 1..)
            .map(|(p, idcase)| {
                let range = (p.case.start - base) as usize..(p.case.end - base) as usize;
                Wanted { range, sum_kopecks: p.sum_kopecks, idcase }
            })
            .collect();
        let mut ids = None;
        if let Some(people) = people {
            for piece in pieces {
                let person = piece.person.as_ref().and_then(|p| people.at(origin, p.start));
                let own = person.map(|index| people.ids(index)).ok_or_else(|| FormError::NoPerson { file: file(), offset: base })?;
                if *ids.get_or_insert(own) != own {
                    return Err(FormError::PersonDiffers { file: file(), offset: base });
                }
            }
        }
        let encoding = self.fronts[origin].encoding;
        let id_pac = ids.filter(|(old, new)| old != new).map(|(_, new)| new);
        let job = Job { bytes, encoding, cases: &wanted, n_zap: item.payload.n_zap, id_pac };
        let copied = record::copy(&self.plan, &job, out).map_err(|trouble| {
            let expected = wanted.iter().zip(pieces).map(|(w, p)| (w.range.start, p.sum_kopecks)).collect();
            let place = Place { source: &self.order.origins[origin].main, bytes, base, encoding, root: self.plan.root(), expected };
            place.error(trouble, || record::number(&self.plan, bytes, encoding))
        })?;
        let Copied { n_zap, id_pac: written_id, idcases } = copied;
        if ids.is_some_and(|(old, _)| old != written_id) {
            return Err(FormError::PersonDiffers { file: file(), offset: base });
        }
        for ((piece, wanted), old_idcase) in item.payload.pieces.clone().zip(&wanted).zip(idcases) {
            let id_pac = id_pac.map(|id| String::from_utf8_lossy(id).into_owned());
            numbers.push(Numbers { piece, n_zap: job.n_zap, idcase: wanted.idcase, old_n_zap: n_zap.clone(), old_idcase, id_pac });
        }
        Ok(())
    }

    fn persons(&self, format: &Format, plan: &PersonPlan, facts: &Facts<'_>, part: &mut Part) -> Result<Persons, FormError> {
        let origins = self.order.origins;
        let mut encodings = Vec::with_capacity(origins.len());
        for source in origins.iter().map(|o| o.persons.as_ref()) {
            let look = |source: &Source| {
                let head = source.open().map_err(Fault::from).and_then(|stream| self.former.prober.look(stream));
                head.map(|h| h.encoding).map_err(|fault| FormError::Origin { file: source.file_name(), fault })
            };
            encodings.push(source.map_or(Ok(Encoding::Windows1251), look)?);
        }
        let mut places = Vec::with_capacity(self.order.pieces.len());
        for piece in self.order.pieces {
            let source = origins[piece.origin].persons.as_ref();
            let Some(person) = piece.person.as_ref().filter(|_| source.is_some()) else {
                return Err(FormError::NoPerson { file: origins[piece.origin].main.file_name(), offset: piece.record.start });
            };
            places.push((piece.origin as u32, person.start, person.end));
        }
        places.sort_unstable();
        places.dedup();
        let sources = || origins.iter().map(|o| o.persons.as_ref()).collect::<Vec<_>>();
        let extent = |(payload, origin, start, end)| Extent { origin, start, end, payload };
        let place = |work: &Work<usize>, item: &Item<usize>, trouble: PersonTrouble| {
            let (bytes, origin, base) = work.record(item);
            let Some(source) = &origins[origin].persons else { return FormError::Empty };
            let encoding = encodings[origin];
            match trouble {
                PersonTrouble::Element { at, name } => FormError::Element {
                    file: source.file_name(),
                    offset: base + at as u64,
                    element: name,
                    format: format!("{} {}", format.family, format.edition.id),
                },
                PersonTrouble::Record(trouble) => {
                    let place = Place { source, bytes, base, encoding, root: plan.root(), expected: Vec::new() };
                    place.error(trouble, || persons::look(plan, bytes, encoding).map_or_else(|_| String::new(), |s| encoding.decode(&s.id_pac).into_owned()))
                }
            }
        };

        let mut people = Persons::default();
        let all = places.into_iter().map(|(origin, start, end)| Extent { origin: origin as usize, start, end, payload: 0 });
        pack::each(
            &mut Feed::new(sources(), all),
            |work| {
                let look = |item: &Item<usize>| {
                    let (bytes, origin, base) = work.record(item);
                    let mut seen = persons::look(plan, bytes, encodings[origin]).map_err(|trouble| place(work, item, trouble))?;
                    seen.place = (origin as u32, base, bytes.len() as u32);
                    Ok(seen)
                };
                work.items.iter().map(look).collect::<Result<Vec<_>, _>>()
            },
            |seen| {
                let refused = seen.iter().find(|seen| !people.meet(plan, seen)).map(|seen| seen.place);
                refused.map_or(Ok(()), |(origin, offset, _)| {
                    let file = origins[origin as usize].persons.as_ref().map_or_else(String::new, Source::file_name);
                    Err(FormError::IdPac { file, offset })
                })
            },
        )?;
        people.close();

        let frame = frame(format, &self.former.marks, facts, None)?;
        part.add_bytes(&frame.head)?;
        let feed = Feed::new(sources(), people.written().map(extent));
        let copy = |work: &Work<usize>, out: &mut Vec<u8>| {
            for item in &work.items {
                let (bytes, origin, _) = work.record(item);
                let (_, id) = people.ids(item.payload);
                persons::copy(plan, bytes, encodings[origin], id, out).map_err(|trouble| place(work, item, trouble))?;
                out.extend_from_slice(b"\r\n");
            }
            Ok(())
        };
        pack::fill(part, feed, copy, Ok)?;
        part.add_bytes(&frame.tail)?;
        part.finish()?;
        Ok(people)
    }
}

/// Where a record stands, for messages.
struct Place<'a> {
    source: &'a Source,
    bytes: &'a [u8],
    base: u64,
    encoding: Encoding,
    root: &'a [u8],
    /// Offsets of cases in the record, and what they are said to cost.
    expected: Vec<(usize, i64)>,
}

impl Place<'_> {
    /// The error of a trouble; `record` gives the number of the record as it stands there.
    fn error(self, trouble: Trouble, record: impl FnOnce() -> String) -> FormError {
        let file = self.source.file_name();
        let offset = |at: usize| self.base + at as u64;
        match trouble {
            Trouble::Changed(at) => FormError::Changed { file, offset: offset(at) },
            Trouble::Sum { at, found } => {
                let expected = self.expected.iter().find(|(case, _)| *case == at).map_or(0, |(_, sum)| *sum);
                FormError::Sum { file, offset: offset(at), expected, found }
            }
            Trouble::Character { at, character: None } => {
                FormError::Origin { file, fault: Fault::new(Check::EncodingByte).at(offset(at)).found(format!("{:02X}", self.bytes[at])) }
            }
            Trouble::Character { at, character: Some(c) } => {
                let element = record::element_at(self.bytes, self.encoding, self.root, at);
                FormError::Character { file, record: record(), element, offset: offset(at), code: format!("U+{:04X}", u32::from(c)) }
            }
        }
    }
}
