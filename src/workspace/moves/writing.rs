//! Writes the packages of registries and controls them.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender};

use super::group::{Group, Packages};
use super::numbers::AllNumbers;
use super::resubmission::Again;
use crate::finding::Finding;
use crate::flk::{PackageReport, Verdict};
use crate::forming::{FormError, Former, Heading, Order, Origin, Packed, Piece, Pieces};
use crate::registry::format::{Family, Format, PERSONS};
use crate::registry::name::{FileName, Party, PartyKind};
use crate::registry::package::{Input, discover};
use crate::registry::source::{DiskFile, Source};
use crate::texts::Severity;
use crate::timings::{self, Phase};
use crate::values::Date;
use crate::workspace::damage::Damaged;
use crate::workspace::intake::Payers;
use crate::workspace::objects::Objects;
use crate::workspace::store::PackageRow;
use crate::workspace::{FindingFilter, Operation, Problem, Tools};

/// How many registries are written in one batch; each keeps some of its bytes in memory meanwhile.
pub(super) const AT_ONCE: usize = 16;

/// A registry that is to be written.
pub(super) struct RegistryDraft<'g> {
    pub(super) group: &'g Group,
    pub(super) id: i64,
    pub(super) number: String,
    pub(super) date: Date,
}

impl RegistryDraft<'_> {
    fn unknown(&self, what: &str) -> Problem {
        Problem::NotClean(self.number.clone(), what.to_owned())
    }

    /// What is to be written.
    ///
    /// # Errors
    /// The tables no longer have the edition of the cases.
    pub(super) fn order<'o>(&self, parts: &'o Parts, pieces: &'o PiecesOf<'_>, tools: Tools<'o>) -> Result<Order<'o>, Problem> {
        let key = &self.group.key;
        let format = tools.formats.get(self.family(), &key.edition).ok_or_else(|| self.unknown(&key.edition))?;
        let persons: Option<&Format> = tools.formats.get(PERSONS, &key.persons_edition).map(|f| &**f);
        Ok(Order { format, persons, heading: &parts.heading, origins: &parts.origins, pieces })
    }

    fn family(&self) -> Family {
        Family(self.group.key.family.chars().next().unwrap_or(' '))
    }

    /// The name of its file without the packet number, and the name of the run from which that number is taken.
    pub(super) fn name(&self) -> Result<(FileName, String), Problem> {
        let key = &self.group.key;
        let mut receiver = Party::of(&key.receiver).ok_or_else(|| self.unknown(&key.receiver))?;
        if receiver.kind == PartyKind::Insurer && !key.payer.is_empty() {
            receiver.code.clone_from(&key.payer);
        }
        let sender = Party { kind: PartyKind::Clinic, code: key.mo.clone() };
        let run = format!("packet/{sender}/{receiver}/{}/{}", key.letters, self.group.period);
        let name = FileName {
            letters: key.letters.clone(),
            family: Some(self.family()),
            is_persons: false,
            sender,
            receiver,
            year: self.group.period.year,
            month: self.group.period.month,
            number: String::new(),
        };
        Ok((name, run))
    }

    pub(super) fn heading(&self, name: FileName) -> Heading {
        Heading {
            name,
            code: self.id as u64,
            number: self.number.clone(),
            date: self.date.to_string(),
            // An account for a fund names no payer: the element holds the code of an insurer, and demands that of each patient (003F.00.0120, 006F.00.0220).
            payer: Some(self.group.key.payer.clone()).filter(|p| !p.is_empty() && !Payers::is_fund(p, self.group.mo())),
            period: self.group.period,
        }
    }

    /// The packages that its cases come from.
    pub(super) fn origins(&self, packages: &Packages, objects: &Objects) -> Result<Vec<Origin>, Problem> {
        let origin = |package: &i64| {
            let package = packages.get(&(self.group.mo().to_owned(), *package)).ok_or_else(|| self.unknown("package"))?;
            Ok(origin(objects, &package.row)?)
        };
        self.group.chosen.packages().iter().map(origin).collect()
    }
}

/// The cases of a registry for forming.
pub(super) struct PiecesOf<'p> {
    group: &'p Group,
    again: &'p Again,
}

impl Pieces for PiecesOf<'_> {
    fn iter(&self) -> Box<dyn Iterator<Item = io::Result<Piece>> + Send + '_> {
        let packages = self.group.chosen.packages();
        let mut origin = 0;
        Box::new(self.group.chosen.iter().map(move |chosen| {
            let chosen = chosen?;
            if packages.get(origin) != Some(&chosen.package) {
                origin += 1;
            }
            Ok(Piece { origin, place: chosen.place, sum_kopecks: chosen.sum, pr_nov: self.again.due(chosen.id) })
        }))
    }
}

/// What is to be written into the files of a registry: the heading, the source packages, and what PR_NOV of the cases depends on.
pub(super) struct Parts {
    pub(super) heading: Heading,
    /// The run from which the packet number of its name is taken.
    pub(super) run: String,
    /// The next number of that run.
    pub(super) next: i64,
    /// The number of the name: the next one, or a later one if the next is taken.
    pub(super) packet: i64,
    pub(super) origins: Vec<Origin>,
    pub(super) again: Arc<Again>,
    /// Number of cases whose PR_NOV is not that of the export.
    pub(super) differing: u64,
}

impl Parts {
    /// The cases of a draft.
    pub(super) fn pieces<'p>(&'p self, draft: &RegistryDraft<'p>) -> PiecesOf<'p> {
        PiecesOf { group: draft.group, again: &self.again }
    }
}

/// A package that was written, with the reports of our own control.
pub(super) struct Made {
    pub(super) object: String,
    pub(super) file_name: String,
    pub(super) persons: u64,
    pub(super) numbers: AllNumbers,
    /// The run from which the packet number of its name was taken.
    pub(super) run: String,
    /// The next number of that run, and the number of the name.
    pub(super) next: i64,
    pub(super) packet: i64,
    /// Number of cases whose PR_NOV is not that of the export.
    pub(super) differing: u64,
    reports: Vec<PackageReport>,
}

/// Why a registry cannot be formed.
pub(super) struct Failure {
    pub(super) problem: Problem,
    /// Indexes of the cases because of which it cannot be; empty when it is not because of single cases.
    pub(super) pieces: Vec<usize>,
}

impl<P: Into<Problem>> From<P> for Failure {
    fn from(problem: P) -> Self {
        Self { problem: problem.into(), pieces: Vec::new() }
    }
}

impl Made {
    /// Returns the package if it passed the control, else [`Problem::NotClean`] with the cases that did not pass.
    pub(super) fn passed(mut self, tools: Tools<'_>, filter: FindingFilter<'_>) -> Result<Self, Failure> {
        for report in &mut std::mem::take(&mut self.reports) {
            filter(report).map_err(Problem::Stream)?;
            if report.verdict < Verdict::Errors {
                continue;
            }
            let mut first = None;
            // `None`: one of the errors is not about a case.
            let mut pieces = Some(Vec::new());
            for finding in report.findings.iter().map_err(Problem::Stream)? {
                let finding = finding.map_err(Problem::Stream)?;
                let rule = tools.catalog.rule(finding.rule);
                if rule.severity == Severity::Error && finding.follows_from.is_none() {
                    first.get_or_insert_with(|| rule.id.clone());
                    match (self.piece(&finding), &mut pieces) {
                        (Some(piece), Some(pieces)) => pieces.push(piece),
                        _ => pieces = None,
                    }
                }
            }
            let problem = Problem::NotClean(self.file_name, first.unwrap_or_default());
            return Err(Failure { problem, pieces: pieces.unwrap_or_default() });
        }
        Ok(self)
    }

    /// Index of the case that a finding about the written main file names.
    fn piece(&self, finding: &Finding) -> Option<usize> {
        self.numbers.find(finding.keys.n_zap.as_deref()?.parse().ok()?, finding.keys.idcase.as_deref()?.parse().ok()?)
    }
}

/// Writes the packages of registries, keeps and controls them, and sends each result in their order until the receiver is gone.
pub(super) fn write(
    operation: &Operation<'_>,
    objects: &Objects,
    drafts: &[RegistryDraft<'_>],
    parts: Vec<Parts>,
    tools: Tools<'_>,
    sender: Sender<Result<Made, Failure>>,
) {
    let mut numbers: Vec<AllNumbers> = parts.iter().map(|_| AllNumbers::default()).collect();
    let pieces: Vec<PiecesOf<'_>> = drafts.iter().zip(&parts).map(|(draft, part)| part.pieces(draft)).collect();
    let orders = drafts.iter().zip(&parts).zip(&pieces).map(|((draft, part), pieces)| draft.order(part, pieces, tools)).collect::<Result<Vec<_>, _>>();
    let packed = orders.map(|orders| {
        tools.former.pack(&orders, operation.watch, |order, own| {
            numbers[order].push(own.n_zap, own.idcase, own.id_pac.as_deref());
            Ok(())
        })
    });
    drop(pieces);
    let packed = match packed {
        Ok(packed) => packed,
        Err(problem) => {
            let _ = sender.send(Err(problem.into()));
            return;
        }
    };
    for (((packed, numbers), part), draft) in packed.into_iter().zip(numbers).zip(parts).zip(drafts) {
        let made = match packed {
            Ok(packed) => keep(operation, objects, packed, numbers, part, tools).map_err(Failure::from),
            Err(error) => {
                let own = part.pieces(draft);
                let pieces = draft.order(&part, &own, tools).map_or_else(|_| Vec::new(), |order| error.pieces(&order));
                Err(Failure { problem: error.into(), pieces })
            }
        };
        // The receiver is gone after a failure: the remaining packages are not needed.
        if sender.send(made).is_err() {
            return;
        }
    }
}

/// The kept files of a package.
fn origin(objects: &Objects, row: &PackageRow) -> Result<Origin, Damaged> {
    let source = |object: &str, entry: &str, index: i64, name: &str| {
        let path = objects.local(object, name)?;
        Ok(if entry.is_empty() {
            Source::File(DiskFile::kept(path, name))
        } else {
            Source::Entry { archive: path, index: index as usize, name: entry.to_owned() }
        })
    };
    let main = source(&row.main_object, &row.main_entry, row.main_index, &row.main_name)?;
    let has_persons = !row.persons_object.is_empty();
    let persons = has_persons.then(|| source(&row.persons_object, &row.persons_entry, row.persons_index, &row.persons_name)).transpose()?;
    Ok(Origin { main, persons })
}

/// Waits for the result of the next registry.
pub(super) fn hear(written: &Receiver<Result<Made, Failure>>) -> Result<Made, Failure> {
    written.recv().unwrap_or_else(|_| Err(Problem::Form(Box::new(FormError::Empty)).into()))
}

/// Keeps a written package and runs our own control on it.
fn keep(operation: &Operation<'_>, objects: &Objects, packed: Packed, numbers: AllNumbers, part: Parts, tools: Tools<'_>) -> Result<Made, Problem> {
    let archive = Former::archive_name(&part.heading);
    let forming = timings::span(operation.watch.timings(), Phase::Forming);
    let (kept, formed) = objects.keep_written(&archive, |file| {
        let formed = packed.write(file)?;
        Ok::<_, Problem>((formed.sha256.clone(), formed))
    })?;
    drop(forming);
    let packages = discover(&[Input::kept(DiskFile::kept(objects.local(&kept.sha256, &archive)?, &*archive))], tools.formats, &tools.config.archives);
    let reports = packages.iter().map(|package| tools.checker.package(package, tools.config, operation.watch).map_err(Problem::Stream));
    let reports = reports.collect::<Result<_, _>>()?;
    Ok(Made {
        object: kept.sha256,
        file_name: part.heading.name.to_string(),
        persons: formed.persons,
        numbers,
        run: part.run,
        next: part.next,
        packet: part.packet,
        differing: part.differing,
        reports,
    })
}
