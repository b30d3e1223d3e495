//! One registry being formed: which records it takes, and how each is written.

use std::io;

use super::feed::{Extent, Item, Lane, Work};
use super::head::{Facts, Frame, Front, frame};
use super::pack::{Deflated, Packed, Part, deflate};
use super::persons::{self, Entry, PersonPlan, PersonTrouble, Persons, Seen};
use super::record::{self, Job, Plan, Trouble, Wanted};
use super::{FormError, Formed, Former, Numbers, Order, Piece};
use crate::cases::CasePlace;
use crate::finding::Check;
use crate::registry::archive::Limits;
use crate::registry::encoding::{Coding, Encoding};
use crate::registry::fault::Fault;
use crate::registry::format::{Format, Role};
use crate::registry::name::FileName;
use crate::registry::source::Source;

/// A registry that is being formed.
pub(super) struct Forming<'a> {
    /// Index of its order.
    pub(super) index: usize,
    former: &'a Former<'a>,
    order: &'a Order<'a>,
    plan: Plan,
    fronts: Vec<Front>,
    persons: Option<OfPersons<'a>>,
    cases: u64,
    records: u64,
    sum_kopecks: i64,
}

/// The person file of a registry being formed.
struct OfPersons<'a> {
    format: &'a Format,
    plan: PersonPlan,
    name: FileName,
    /// Encodings of the packages' person files.
    codings: Vec<Coding>,
    /// Entries that the cases need, in the order of origins and places.
    entries: Vec<Entry>,
}

/// The pieces that form one record of the registry, and its N_ZAP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    /// Index of the first piece.
    first: usize,
    pieces: Vec<Piece>,
    n_zap: u64,
}

impl<'a> Forming<'a> {
    /// Checks everything that can be refused before a record is read.
    pub(super) fn new(former: &'a Former<'a>, order: &'a Order<'a>, index: usize) -> Result<Self, FormError> {
        if order.pieces.iter().next().transpose()?.is_none() {
            return Err(FormError::Empty);
        }
        let name = &order.heading.name;
        let letters = || FormError::Letters { letters: name.letters.clone() };
        let plan = Plan::new(order.format, &former.marks).filter(|_| !name.is_persons && name.family == Some(order.format.family)).ok_or_else(letters)?;
        let fronts = Self::fronts(former, order)?;
        let mut this = Self { index, former, order, plan, fronts, persons: None, cases: 0, records: 0, sum_kopecks: 0 };
        this.check_order()?;
        let room = |role| order.format.role(role).and_then(|id| order.format.node(id).value_type()).map_or(18, |kind| kind.lengths().1.min(18));
        let fits = |count: u64, role| count < 10u64.pow(room(role) as u32);
        if !fits(this.records, Role::NZap) || !fits(this.cases, Role::IdCase) {
            return Err(FormError::TooMany { cases: this.cases });
        }
        if let Some(format) = order.persons {
            let own = name.persons(former.formats.prefixes()).ok_or_else(letters)?;
            let longest = order.format.role(Role::IdPac).and_then(|id| order.format.node(id).value_type()).map_or(0, |kind| kind.lengths().1);
            let plan = PersonPlan::new(format, &former.identity, longest).ok_or_else(letters)?;
            let (codings, entries) = (Self::codings(former, order)?, Self::entries(order)?);
            this.persons = Some(OfPersons { format, plan, name: own, codings, entries });
        }
        Ok(this)
    }

    /// The archive, still empty.
    pub(super) fn packed(&self) -> Packed {
        let names = [Some(&self.order.heading.name), self.persons.as_ref().map(|p| &p.name)];
        let parts = names.into_iter().flatten().map(|name| Part::new(format!("{name}.xml"))).collect();
        let formed = Formed { sum_kopecks: self.sum_kopecks, cases: self.cases, records: self.records, persons: 0, bytes: 0, sha256: String::new() };
        Packed { parts, formed }
    }

    /// The bytes before and after the records of the main file.
    pub(super) fn main_frame(&self) -> Result<Frame, FormError> {
        frame(self.order.format, &self.former.marks, &self.facts(&self.order.heading.name), self.fronts.first())
    }

    /// The same for the person file; `None` for families without one.
    pub(super) fn persons_frame(&self) -> Result<Option<Frame>, FormError> {
        self.persons.as_ref().map(|own| frame(own.format, &self.former.marks, &self.facts(&own.name), None)).transpose()
    }

    fn facts<'f>(&'f self, name: &'f FileName) -> Facts<'f> {
        Facts { heading: self.order.heading, name, cases: self.cases, sum_kopecks: self.sum_kopecks }
    }

    /// Completes the summary after everything has been written, and refuses an archive that is too large.
    pub(super) fn close(&self, packed: &mut Packed, people: &Persons) -> Result<(), FormError> {
        packed.formed.persons = people.count();
        packed.formed.bytes = packed.parts.iter().map(Part::size).sum();
        if packed.formed.bytes > Limits::default().total { Err(FormError::TooMany { cases: self.cases }) } else { Ok(()) }
    }

    /// Reads the heads of all packages and checks that they fit together.
    fn fronts(former: &Former<'_>, order: &Order<'_>) -> Result<Vec<Front>, FormError> {
        let mut fronts: Vec<Front> = Vec::with_capacity(order.origins.len());
        let mut bound = None;
        for origin in order.origins {
            let front = Front::read(&origin.main, &former.prober, order.format)?;
            let file = || origin.main.file_name();
            if front.version != order.format.edition.version {
                return Err(FormError::Edition { file: file(), found: front.version, expected: order.format.edition.version.clone() });
            }
            let own = front.binding(order.format, &former.marks);
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

    fn codings(former: &Former<'_>, order: &Order<'_>) -> Result<Vec<Coding>, FormError> {
        let look = |source: &Source| {
            let head = source.open().map_err(Fault::from).and_then(|stream| former.prober.look(stream));
            head.map(|h| h.coding).map_err(|fault| FormError::Origin { file: source.file_name(), fault })
        };
        order.origins.iter().map(|o| o.persons.as_ref().map_or(Ok(Coding::Windows1251), look)).collect()
    }

    /// Number of entries of person files that its cases need.
    pub(super) fn persons_needed(&self) -> usize {
        self.persons.as_ref().map_or(0, |own| own.entries.len())
    }

    fn entries(order: &Order<'_>) -> Result<Vec<Entry>, FormError> {
        let entry = |piece: io::Result<Piece>| {
            let piece = piece?;
            let person = piece.place.person.as_ref().filter(|_| order.origins[piece.origin].persons.is_some());
            let lacking = || FormError::NoPerson { file: order.origins[piece.origin].main.file_name(), offset: piece.place.record.start };
            person.map(|place| Entry::new(piece.origin, place)).ok_or_else(lacking)
        };
        let mut entries: Vec<Entry> = Vec::new();
        for piece in order.pieces.iter() {
            let entry = entry(piece)?;
            // Cases of one record follow each other and have one person.
            if entries.last() != Some(&entry) {
                entries.push(entry);
            }
        }
        entries.sort_unstable();
        entries.dedup();
        entries.shrink_to_fit();
        Ok(entries)
    }

    /// Checks the order of the pieces; counts cases and records, and adds up the sums.
    fn check_order(&mut self) -> Result<(), FormError> {
        let origins = self.order.origins.len();
        let inside = |p: &Piece| {
            let CasePlace { record, case, .. } = &p.place;
            p.origin < origins && record.start < case.start && case.start < case.end && case.end < record.end
        };
        let follows = |a: &Piece, b: &Piece| {
            let (one, next) = (&a.place, &b.place);
            let behind = if one.record == next.record { one.case.end <= next.case.start } else { one.record.end <= next.record.start };
            a.origin < b.origin || a.origin == b.origin && behind
        };
        let mut before: Option<Piece> = None;
        for (at, piece) in self.order.pieces.iter().enumerate() {
            let piece = piece?;
            if !inside(&piece) || before.as_ref().is_some_and(|before| !follows(before, &piece)) {
                return Err(FormError::Order { piece: at });
            }
            self.cases += 1;
            self.records += u64::from(before.is_none_or(|before| !self.plan.many_cases || !is_of_record(&before, &piece)));
            self.sum_kopecks = self.sum_kopecks.saturating_add(piece.sum_kopecks);
            before = Some(piece);
        }
        Ok(())
    }

    /// The records to write.
    fn extents(&self) -> impl Iterator<Item = io::Result<Extent<Record>>> + Send + '_ {
        let mut all = self.order.pieces.iter().peekable();
        let (mut next, mut n_zap) = (0, 0);
        std::iter::from_fn(move || {
            let mut pieces = match all.next()? {
                Ok(first) => vec![first],
                Err(error) => return Some(Err(error)),
            };
            while self.plan.many_cases
                && let Some(Ok(piece)) = all.next_if(|piece| piece.as_ref().is_ok_and(|piece| is_of_record(&pieces[0], piece)))
            {
                pieces.push(piece);
            }
            let first = next;
            next += pieces.len();
            n_zap += 1;
            let (origin, place) = (pieces[0].origin, pieces[0].place.record.clone());
            Some(Ok(Extent { origin, start: place.start, end: place.end, payload: Record { first, pieces, n_zap } }))
        })
    }

    /// The records to copy.
    pub(super) fn records(&self, lane: usize) -> Option<Lane<'_, Record>> {
        Some(Lane::new(lane, self.order.origins.iter().zip(&self.fronts).map(|(o, front)| Some((&o.main, front.coding))).collect(), self.extents()))
    }

    /// The entries of person files to read; `None` without a person file.
    pub(super) fn persons(&self, lane: usize) -> Option<Lane<'_, usize>> {
        let extents = self.persons.as_ref()?.entries.iter().map(|entry| Ok(entry.extent(0)));
        Some(Lane::new(lane, self.person_files(), extents))
    }

    /// The entries of person files to copy; `None` without a person file.
    pub(super) fn written<'p>(&'p self, lane: usize, people: &'p Persons) -> Option<Lane<'p, usize>> {
        let entries = &self.persons.as_ref()?.entries;
        let extents = people.written().filter_map(|at| Some(Ok(entries.get(at)?.extent(at))));
        Some(Lane::new(lane, self.person_files(), extents))
    }

    fn person_files(&self) -> Vec<Option<(&Source, Coding)>> {
        let codings = self.persons.iter().flat_map(|own| own.codings.iter().copied());
        self.order.origins.iter().zip(codings).map(|(o, coding)| o.persons.as_ref().map(|source| (source, coding))).collect()
    }

    /// Reads entries of person files.
    pub(super) fn look(&self, work: &Work<usize>) -> Result<Vec<Seen>, FormError> {
        let look = |item: &Item<usize>| {
            let (own, (bytes, origin, base)) = (self.own()?, work.record(item));
            let mut seen = persons::look(&own.plan, bytes, own.codings[origin].read_as()).map_err(|trouble| self.person_error(own, work, item, trouble))?;
            seen.place = (origin, base);
            Ok(seen)
        };
        work.items.iter().map(look).collect()
    }

    /// Takes in entries, in their order.
    pub(super) fn meet(&self, people: &mut Persons, seen: &[Seen]) -> Result<(), FormError> {
        let own = self.own()?;
        match seen.iter().find(|seen| !people.meet(&own.plan, seen)).map(|seen| seen.place) {
            None => Ok(()),
            Some((origin, offset)) => {
                let file = self.order.origins[origin].persons.as_ref().map_or_else(String::new, Source::file_name);
                Err(FormError::IdPac { file, offset })
            }
        }
    }

    /// Copies entries of person files.
    pub(super) fn copy_persons(&self, work: &Work<usize>, people: &Persons) -> Result<Deflated, FormError> {
        let own = self.own()?;
        let mut out = Vec::with_capacity(work.bytes() + (64 << 10));
        for item in &work.items {
            let (bytes, origin, _) = work.record(item);
            let ids = people.ids(item.payload);
            persons::copy(&own.plan, bytes, own.codings[origin].read_as(), ids, &mut out).map_err(|trouble| self.person_error(own, work, item, trouble))?;
            out.extend_from_slice(b"\r\n");
        }
        Ok(deflate(&out)?)
    }

    fn own(&self) -> Result<&OfPersons<'a>, FormError> {
        self.persons.as_ref().ok_or(FormError::Empty)
    }

    fn person_error(&self, own: &OfPersons<'_>, work: &Work<usize>, item: &Item<usize>, trouble: PersonTrouble) -> FormError {
        let (bytes, origin, base) = work.record(item);
        let Some(source) = &self.order.origins[origin].persons else { return FormError::Empty };
        let encoding = own.codings[origin].read_as();
        match trouble {
            PersonTrouble::Element { at, name } => FormError::Element {
                file: source.file_name(),
                offset: base + at as u64,
                element: name,
                format: format!("{} {}", own.format.family, own.format.edition.id),
            },
            PersonTrouble::Record(trouble) => {
                let place = Place { source, bytes, base, encoding, root: own.plan.root(), expected: Vec::new() };
                place.error(trouble, || persons::look(&own.plan, bytes, encoding).map_or_else(|_| String::new(), |s| encoding.decode(&s.id_pac).into_owned()))
            }
        }
    }

    /// Copies records; returns the numbers of their cases.
    pub(super) fn copy(&self, work: &Work<Record>, people: &Persons) -> Result<(Vec<Numbers>, Deflated), FormError> {
        let mut out = Vec::with_capacity(work.bytes() + (64 << 10));
        let mut numbers = Vec::with_capacity(work.items.len());
        for item in &work.items {
            self.copy_record(work, item, people, &mut out, &mut numbers)?;
            out.extend_from_slice(b"\r\n");
        }
        Ok((numbers, deflate(&out)?))
    }

    fn copy_record(&self, work: &Work<Record>, item: &Item<Record>, people: &Persons, out: &mut Vec<u8>, numbers: &mut Vec<Numbers>) -> Result<(), FormError> {
        let (bytes, origin, base) = work.record(item);
        let source = &self.order.origins[origin].main;
        let Record { first, pieces, n_zap } = &item.payload;
        let wanted: Vec<Wanted> = pieces
            .iter()
            .zip(*first as u64 + 1..)
            .map(|(p, idcase)| {
                let range = (p.place.case.start - base) as usize..(p.place.case.end - base) as usize;
                Wanted { range, sum_kopecks: p.sum_kopecks, idcase }
            })
            .collect();
        let mut id_pac = None;
        if let Some(own) = &self.persons {
            for piece in pieces {
                let person = piece.place.person.as_ref().and_then(|place| persons::find(&own.entries, origin, place.start));
                let own = person.map(|index| people.ids(index)).ok_or_else(|| FormError::NoPerson { file: source.file_name(), offset: base })?;
                if *id_pac.get_or_insert(own) != own {
                    return Err(FormError::PersonDiffers { file: source.file_name(), offset: base });
                }
            }
        }
        let encoding = self.fronts[origin].coding.read_as();
        let pr_nov = pieces.first().and_then(|piece| piece.pr_nov);
        let job = Job { bytes, encoding, cases: &wanted, n_zap: *n_zap, pr_nov, id_pac };
        record::copy(&self.plan, &job, out).map_err(|trouble| {
            let expected = wanted.iter().zip(pieces).map(|(w, p)| (w.range.start, p.sum_kopecks)).collect();
            let place = Place { source, bytes, base, encoding, root: self.plan.root(), expected };
            place.error(trouble, || record::number(&self.plan, bytes, encoding))
        })?;
        let renamed = id_pac.filter(|(old, new)| old != new).map(|(_, new)| String::from_utf8_lossy(new).into_owned());
        for (piece, wanted) in (*first..).zip(&wanted) {
            numbers.push(Numbers { piece, n_zap: job.n_zap, idcase: wanted.idcase, id_pac: renamed.clone() });
        }
        Ok(())
    }
}

/// Whether a piece belongs to the record of another.
fn is_of_record(one: &Piece, other: &Piece) -> bool {
    (one.origin, &one.place.record, one.pr_nov) == (other.origin, &other.place.record, other.pr_nov)
}

/// The place of a record, for messages.
struct Place<'a> {
    source: &'a Source,
    bytes: &'a [u8],
    base: u64,
    encoding: Encoding,
    root: &'a [u8],
    /// Offsets of cases in the record, and their stated sums in kopecks.
    expected: Vec<(usize, i64)>,
}

impl Place<'_> {
    /// The error for a trouble; `record` gives the number of the record in the file.
    fn error(self, trouble: Trouble, record: impl FnOnce() -> String) -> FormError {
        let file = self.source.file_name();
        let offset = |at: usize| self.base + at as u64;
        match trouble {
            Trouble::Changed(at) => FormError::Changed { file, offset: offset(at) },
            Trouble::Person => FormError::PersonDiffers { file, offset: self.base },
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
