//! Forms a registry's package, a main file and its person file in one archive, from cases that stand in packages.
//!
//! Pure: packages in, bytes out. Who chose the cases, where the numbers are kept and what becomes of the archive is the caller's business.
//!
//! The head of the first package is taken over element by element, but for what a registry has of its own (names, dates, numbers, sums) and
//! what an earlier answer put in. Records are copied byte for byte, but for their running numbers, ID_PAC where two persons would share one,
//! and again what an answer put in. What that is stands in `rules/forms/forming.csv`. Packages are read once (person files twice) for all
//! registries that take cases of them, forward and in pieces, whatever their size; the same order gives the same bytes, whatever the number
//! of threads and whatever is formed beside it.

mod encode;
mod error;
mod feed;
mod head;
mod one;
mod pack;
mod persons;
mod record;
mod table;

use std::io;

pub use error::FormError;
use feed::{Feed, Lane, Work};
use head::Front;
use one::{Forming, Record};
pub use pack::Packed;
use persons::Persons;
use table::Marks;

use crate::cases::CasePlace;
use crate::finding::{Catalog, Check};
use crate::registry::format::{Format, Formats, Role};
use crate::registry::name::FileName;
use crate::registry::probe::Prober;
use crate::registry::source::Source;
use crate::tables::{RuleFiles, TableError};
use crate::values::Month;
use crate::watch::{Stopped, Watch};

/// A package that cases are taken from.
#[derive(Debug, Clone)]
pub struct Origin {
    /// Its main file.
    pub main: Source,
    /// Its person file.
    pub persons: Option<Source>,
}

/// One case to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Index of its package among the origins.
    pub origin: usize,
    /// Where it stands in that package.
    pub place: CasePlace,
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

/// The numbers of a case in its registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Numbers {
    /// Index of its piece.
    pub piece: usize,
    /// N_ZAP in the registry.
    pub n_zap: u64,
    /// IDCASE in the registry.
    pub idcase: u64,
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

    /// Packs the archives of several registries; of each its archive, or why there is none. `each` hears of every case with the index of
    /// its order, for each order in the order of its pieces; an error of it ends the forming of that order. When the watch wants the work to
    /// end, no archive is made: [`FormError::Write`] with [`Stopped`].
    pub fn pack(&self, orders: &[Order<'_>], watch: &dyn Watch, mut each: impl FnMut(usize, Numbers) -> io::Result<()>) -> Vec<Result<Packed, FormError>> {
        let (mut jobs, mut packed) = (Vec::new(), Vec::new());
        for (index, order) in orders.iter().enumerate() {
            packed.push(Forming::new(self, order, index).map(|job| {
                let own = job.packed();
                jobs.push(job);
                own
            }));
        }
        let people = persons(&jobs, &mut packed, watch);
        go_on(&jobs, &mut packed, |_, job, packed| Ok(packed.parts[0].add_bytes(&job.main_frame()?.head)?));
        let copy = |work: &Work<Record>| jobs[work.lane].copy(work, &people[work.lane]);
        pack::each(watch.timings(), &mut Feed::new(lanes(&jobs, &packed, Forming::records)), copy, |lane, done| {
            let index = jobs[lane].index;
            attempt(&mut packed[index], |packed| {
                Stopped::check(watch)?;
                let (numbers, piece) = done?;
                packed.parts[0].add(&piece)?;
                Ok(numbers.into_iter().try_for_each(|numbers| each(index, numbers))?)
            })
        });
        go_on(&jobs, &mut packed, |lane, job, packed| {
            packed.parts[0].end(&job.main_frame()?.tail)?;
            job.close(packed, &people[lane])
        });
        packed
    }
}

/// Reads the person files twice: who is there, and what is written of them.
fn persons(jobs: &[Forming<'_>], packed: &mut [Result<Packed, FormError>], watch: &dyn Watch) -> Vec<Persons> {
    let mut people: Vec<Persons> = jobs.iter().map(|_| Persons::default()).collect();
    pack::each(
        watch.timings(),
        &mut Feed::new(lanes(jobs, packed, Forming::persons)),
        |work| jobs[work.lane].look(work),
        |lane, seen| {
            attempt(&mut packed[jobs[lane].index], |_| {
                Stopped::check(watch)?;
                jobs[lane].meet(&mut people[lane], &seen?)
            })
        },
    );
    people.iter_mut().for_each(Persons::close);
    go_on(jobs, packed, |_, job, packed| job.persons_frame()?.map_or(Ok(()), |frame| Ok(packed.parts[1].add_bytes(&frame.head)?)));
    let copy = |work: &Work<usize>| jobs[work.lane].copy_persons(work, &people[work.lane]);
    let written = lanes(jobs, packed, |job, lane| job.written(lane, &people[lane]));
    pack::each(watch.timings(), &mut Feed::new(written), copy, |lane, piece| {
        attempt(&mut packed[jobs[lane].index], |packed| {
            Stopped::check(watch)?;
            Ok(packed.parts[1].add(&piece?)?)
        })
    });
    go_on(jobs, packed, |_, job, packed| job.persons_frame()?.map_or(Ok(()), |frame| Ok(packed.parts[1].end(&frame.tail)?)));
    people
}

/// Lanes of the archives that are still being packed.
fn lanes<'j, P>(
    jobs: &'j [Forming<'j>],
    packed: &[Result<Packed, FormError>],
    lane: impl Fn(&'j Forming<'j>, usize) -> Option<Lane<'j, P>>,
) -> Vec<Lane<'j, P>> {
    jobs.iter().enumerate().filter(|(_, job)| packed[job.index].is_ok()).filter_map(|(at, job)| lane(job, at)).collect()
}

/// Does something for an archive that is still being packed; whether it still is.
fn attempt(packed: &mut Result<Packed, FormError>, work: impl FnOnce(&mut Packed) -> Result<(), FormError>) -> bool {
    if let Ok(own) = packed
        && let Err(error) = work(own)
    {
        *packed = Err(error);
    }
    packed.is_ok()
}

/// Does something for every archive that is still being packed; lanes are places among the jobs.
fn go_on(jobs: &[Forming<'_>], packed: &mut [Result<Packed, FormError>], work: impl Fn(usize, &Forming<'_>, &mut Packed) -> Result<(), FormError>) {
    for (lane, job) in jobs.iter().enumerate() {
        attempt(&mut packed[job.index], |packed| work(lane, job, packed));
    }
}
