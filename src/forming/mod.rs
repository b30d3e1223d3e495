//! Forms a registry's package, a main file and its person file in one archive, from cases of packages.
//!
//! This module is pure: packages in, bytes out. The caller chooses the cases, keeps the numbers and stores the archive.
//!
//! The head of the first package is copied element by element, except the registry's own values (names, dates, numbers, sums) and the elements of an
//! earlier answer. Records are copied byte for byte, except their running numbers, PR_NOV, ID_PAC where two persons would share one, and again the elements
//! of an earlier answer. `rules/forms/forming.csv` lists these elements. Packages are read once (person files twice) for all registries that take
//! cases from them, forward and in pieces, whatever their size. The same order gives the same bytes, whatever the number of threads and the other
//! orders.

mod blame;
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
    /// Main file of the package.
    pub main: Source,
    /// Person file of the package, if it has one.
    pub persons: Option<Source>,
}

/// One case to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Index of the case's package in [`Order::origins`].
    pub origin: usize,
    /// Place of the case in that package.
    pub place: CasePlace,
    /// Sum of the case in kopecks; it is compared with the sum in the file.
    pub sum_kopecks: i64,
    /// PR_NOV, whether the case was sent before and refused; `None` leaves that of the package. Cases of one record that differ here go into records of
    /// their own.
    pub pr_nov: Option<bool>,
}

/// The registry's own values in the heads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heading {
    /// Name of the main file; the archive and the person file are named after it.
    pub name: FileName,
    /// Code of the account (CODE).
    pub code: u64,
    /// Number of the account (NSCHET).
    pub number: String,
    /// Date of the account (DSCHET) and of both files (DATA), `2024-02-03`.
    pub date: String,
    /// Code of the payer (PLAT); `None` leaves the element out.
    pub payer: Option<String>,
    /// Reporting month (YEAR and MONTH).
    pub period: Month,
}

/// The cases of an order, in the order of origins and places. They are written in this order.
pub trait Pieces: Sync {
    /// All cases. They are asked for several times, so that nobody needs to hold a million of them; an item is an error when they cannot be read.
    fn iter(&self) -> Box<dyn Iterator<Item = io::Result<Piece>> + Send + '_>;
}

impl Pieces for &[Piece] {
    fn iter(&self) -> Box<dyn Iterator<Item = io::Result<Piece>> + Send + '_> {
        Box::new((**self).iter().cloned().map(Ok))
    }
}

/// The order to form one registry.
#[derive(Clone, Copy)]
pub struct Order<'a> {
    /// Family and edition of the main file.
    pub format: &'a Format,
    /// Edition of the person file; `None` for families without one.
    pub persons: Option<&'a Format>,
    /// The registry's own values in the heads.
    pub heading: &'a Heading,
    /// The packages; the head of the first one is copied.
    pub origins: &'a [Origin],
    /// The cases.
    pub pieces: &'a dyn Pieces,
}

/// The numbers of a case in its registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Numbers {
    /// Index of the case among [`Order::pieces`].
    pub piece: usize,
    /// N_ZAP in the registry.
    pub n_zap: u64,
    /// IDCASE in the registry.
    pub idcase: u64,
    /// ID_PAC in the registry; `None` if it is the same as in the package.
    pub id_pac: Option<String>,
}

/// Summary of a formed registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Formed {
    /// Sum of the cases in kopecks.
    pub sum_kopecks: i64,
    /// Number of cases.
    pub cases: u64,
    /// Number of records.
    pub records: u64,
    /// Number of persons.
    pub persons: u64,
    /// Unpacked size of both files in bytes.
    pub bytes: u64,
    /// SHA-256 of the archive, in hex.
    pub sha256: String,
}

/// Forms registries by the tables.
#[derive(Debug)]
pub struct Former<'t> {
    formats: &'t Formats,
    prober: Prober<'t>,
    marks: Marks,
    /// Elements of persons that the rule about the same person compares.
    identity: Vec<Role>,
}

impl<'t> Former<'t> {
    /// Reads `rules/forms/forming.csv`; `catalog` says what makes two entries of a person file the same person.
    ///
    /// # Errors
    /// A row of a table is invalid, e.g. names an element that no format has.
    pub fn load(files: &RuleFiles, formats: &'t Formats, catalog: &Catalog) -> Result<Self, TableError> {
        let same_person = catalog.rule(catalog.of(Check::SamePerson));
        let identity = same_person.element.iter().map(|word| word.parse().map_err(|e: String| TableError::new("structure.csv", 0, e)));
        Ok(Self { formats, prober: Prober::new(formats), marks: Marks::load(files, formats)?, identity: identity.collect::<Result<_, _>>()? })
    }

    /// The elements in the head of a package that must be the same in all packages of one registry, as pairs of path and value. Cases of packages
    /// that differ here go into separate registries.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn binding(&self, main: &Source, format: &Format) -> Result<Vec<(String, String)>, FormError> {
        Ok(Front::read(main, &self.prober, format)?.binding(format, &self.marks).into_iter().collect())
    }

    /// Whether a registry writes its own value at a path, so that an error in the package's value does not matter.
    pub fn writes_anew(&self, path: &str) -> bool {
        self.marks.is_anew(path)
    }

    /// File name of the archive: the name of the main file with `.zip`.
    pub fn archive_name(heading: &Heading) -> String {
        format!("{}.zip", heading.name)
    }

    /// Forms several registries; for each order returns its archive or an error. `each` receives the numbers of every case with the index of its
    /// order, for each order in the order of its pieces; an error from it ends that order. If the watch stops the work, the error is
    /// [`FormError::Write`] with [`Stopped`].
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

/// Reads the person files twice: to tell the persons apart, and to write them.
fn persons(jobs: &[Forming<'_>], packed: &mut [Result<Packed, FormError>], watch: &dyn Watch) -> Vec<Persons> {
    let mut people: Vec<Persons> = jobs.iter().map(|job| Persons::with_room(job.persons_needed())).collect();
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

/// Does something for an archive that is still being packed; returns whether it still is.
fn attempt(packed: &mut Result<Packed, FormError>, work: impl FnOnce(&mut Packed) -> Result<(), FormError>) -> bool {
    if let Ok(own) = packed
        && let Err(error) = work(own)
    {
        *packed = Err(error);
    }
    packed.is_ok()
}

/// Does something for every archive that is still being packed; lanes are indexes of jobs.
fn go_on(jobs: &[Forming<'_>], packed: &mut [Result<Packed, FormError>], work: impl Fn(usize, &Forming<'_>, &mut Packed) -> Result<(), FormError>) {
    for (lane, job) in jobs.iter().enumerate() {
        attempt(&mut packed[job.index], |packed| work(lane, job, packed));
    }
}
