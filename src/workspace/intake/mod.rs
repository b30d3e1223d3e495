//! Loads packages: keeps their files unchanged, runs the control, stores their cases and matches them with the stored ones.

mod again;
mod as_payer;
mod batch;
mod contents;
mod known;
mod matching;
mod not_taken;
mod payer;
mod take;
mod tally;

use std::collections::HashMap;
use std::path::PathBuf;

use as_payer::Desk;
use contents::{Contents, Files, MemberFile};
pub use matching::Doubt;
pub use not_taken::{CaseElsewhere, NotTaken};
pub(super) use payer::Payers;

use super::objects::{Before, Kept};
use super::store::LoadedBefore;
use super::{FindingFilter, Operation, Problem, Registry, Tools, Workspace};
use crate::cases::{About, CaseKey};
use crate::finding::Check;
use crate::flk::{PackageReport, Verdict};
use crate::registry::package::{Member, Package};
use crate::registry::source::{DiskFile, Source};
use crate::timings::{self, Phase};

/// The result of loading a package.
#[derive(Debug)]
pub struct Loaded {
    /// What the control said; none for a package that was loaded before.
    pub report: Option<PackageReport>,
    /// What was done with the package and its cases.
    pub outcome: Outcome,
    /// The verdict of the control, of now or of when the package was loaded before.
    pub verdict: Verdict,
    /// Names of its files whose kept copies were damaged or gone and have been replaced by what was loaded now.
    pub repaired: Vec<String>,
    /// Code of the clinic of a package that was stored, now or before.
    pub mo: Option<String>,
    /// Its cases of which the user must say whether they are the same as others.
    pub questions: Vec<Asked>,
    /// All cases of the package, if [`Loading::complete`] asked for them and the package could be read.
    pub present: Option<Present>,
    /// The registry that it became, if [`Loading::as_payer`] asked for one.
    pub registry: Option<Registry>,
}

/// How packages are loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Loading {
    /// What to do with cases that may be the same as stored ones.
    pub doubt: Doubt,
    /// Whether the keys of all cases are wanted, to find those that a complete export no longer has.
    pub complete: bool,
    /// Whether each package becomes a registry that its clinic has sent: the workspace is its payer's.
    pub as_payer: bool,
}

/// A case of which the user must say whether it is the same as another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// Its id in the clinic.
    pub id: i64,
    /// Id of the other one; 0 when that is not known.
    pub other: i64,
    /// What makes it doubtful.
    pub about: About,
}

/// The cases of a package, whether they were new or known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Present {
    /// Code of the clinic.
    pub mo: String,
    /// Reporting month; empty for none.
    pub period: String,
    /// Letters of the main file's name.
    pub letters: String,
    /// Their keys.
    pub keys: Vec<CaseKey>,
}

/// What was done with a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The same bytes were loaded before, at this moment. The counts are of the open questions that were settled now.
    Already(String, CaseCounts),
    /// The package cannot be read to its end or has no main file: nothing was stored.
    Rejected,
    /// The package belongs to a family that registries are not formed from (exchange between funds): nothing was stored.
    Foreign,
    /// A file that is neither the main file of a package nor its person file, and was not read: nothing was stored.
    ThirdFile,
    /// The package was stored.
    Taken(CaseCounts),
}

/// Numbers of cases of a package by what was done with them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CaseCounts {
    /// Cases that were not known before.
    pub new: u64,
    /// Cases that replaced an earlier version.
    pub replaced: u64,
    /// Cases that were stored before with the same content; nothing changed.
    pub unchanged: u64,
    /// New versions of cases that a registry holds: they wait until the registry is formed again, returned or cancelled.
    pub waiting: u64,
    /// Cases that resemble others: the user must say whether they are the same.
    pub doubtful: u64,
    /// Cases among all of these that have findings of severity `error` and so cannot be formed.
    pub blocked: u64,
    /// Whether the package as a whole has a finding of severity `error`.
    pub package_blocked: bool,
    /// Cases that were not known before and that the export calls sent again (PR_NOV = 1).
    pub unknown_again: u64,
    /// Cases that are set aside.
    pub aside: u64,
    /// Cases that are dropped: unchanged ones that a user has dropped before, and second ones of a file that the user calls the same.
    pub dropped: u64,
}

/// Names of the files of a new package whose kept copies, which belong to other packages too, were damaged.
fn damaged(kept: &HashMap<PathBuf, Kept>) -> Vec<String> {
    let mut names: Vec<String> = kept.values().filter(|kept| kept.before == Before::Damaged).map(|kept| kept.name.clone()).collect();
    names.sort_unstable();
    names
}

/// Names of the files of a package that was loaded before whose kept copies were damaged or gone. It may have had other names then.
fn repaired(package: &Package, kept: &HashMap<PathBuf, Kept>, own: &LoadedBefore) -> Vec<String> {
    let mut names = Vec::new();
    for (member, name) in [(&package.main, &own.main_name), (&package.persons, &own.persons_name)] {
        let now = member.as_ref().and_then(|member| kept.get(member.source.container()));
        if now.is_some_and(|now| now.before != Before::Same) && !names.contains(name) {
            names.push(name.clone());
        }
    }
    names
}

impl Workspace {
    /// Loads a package. `filter` removes from the report the findings that the user's settings exclude.
    ///
    /// # Errors
    /// The workspace or a temporary file cannot be written, or the user stopped the work; nothing of the package is stored then.
    pub fn load(
        &mut self,
        operation: &Operation<'_>,
        package: &Package,
        tools: Tools<'_>,
        loading: Loading,
        filter: FindingFilter<'_>,
    ) -> Result<Loaded, Problem> {
        // Cases are compared with all that is known of the stored ones.
        self.read_again(operation, tools)?;
        let loaded = self.sweeping(operation, |this| this.load_kept(operation, package, tools, loading, filter, HashMap::new()))?;
        if matches!(loaded.outcome, Outcome::Rejected | Outcome::Foreign | Outcome::ThirdFile) {
            self.sweep(operation.watch)?;
        }
        Ok(loaded)
    }

    /// `kept`: those of its files that are kept already.
    fn load_kept(
        &mut self,
        operation: &Operation<'_>,
        package: &Package,
        tools: Tools<'_>,
        loading: Loading,
        filter: FindingFilter<'_>,
        mut kept: HashMap<PathBuf, Kept>,
    ) -> Result<Loaded, Problem> {
        operation.check()?;
        if loading.as_payer {
            Desk::open(&self.tables.workflow, operation)?;
        }
        let nothing = |report: Option<PackageReport>, outcome, repaired| {
            let verdict = report.as_ref().map_or(Verdict::Rejected, |report| report.verdict);
            Loaded { report, outcome, verdict, repaired, mo: None, questions: Vec::new(), present: None, registry: None }
        };
        let Some(main) = &package.main else {
            let report = tools.checker.package(package, tools.config, operation.watch).map_err(Problem::Stream)?;
            let is_third = package.persons.is_none() && package.faults.iter().all(|fault| fault.check == Check::ThirdFile);
            return Ok(nothing(Some(report), if is_third { Outcome::ThirdFile } else { Outcome::Rejected }, Vec::new()));
        };
        let store = timings::span(operation.watch.timings(), Phase::Store);
        let mut files = Files::default();
        // The control reads the copies that are kept.
        let mut moved = package.clone();
        moved.main = Some(self.keep(operation, main, &mut kept, &mut files.main)?);
        if let Some(persons) = &package.persons {
            moved.persons = Some(self.keep(operation, persons, &mut kept, &mut files.persons)?);
        }
        let known = self.loaded_before(operation, &files, loading.doubt)?.map(|(outcome, questions, own)| {
            let repaired = repaired(package, &kept, &own);
            Loaded { verdict: own.verdict(), mo: Some(own.mo), questions, ..nothing(None, outcome, repaired) }
        });
        let known = match known {
            // Of a complete export all cases are wanted, also of files that were loaded before.
            Some(known) if !loading.complete => return Ok(known),
            known => known,
        };
        let repaired = damaged(&kept);
        drop(store);
        let (mut report, cases, persons) = tools.checker.package_with_cases(&moved, tools.config, operation.watch).map_err(Problem::Stream)?;
        filter(&mut report).map_err(Problem::Stream)?;
        if report.verdict == Verdict::Rejected {
            return Ok(nothing(Some(report), Outcome::Rejected, repaired));
        }
        let mo = report.account.code_mo.clone().unwrap_or_default();
        let Some(contents) = Contents::read(&moved, (&report, cases, persons), &mo, &self.tables.identity, tools)? else {
            return Ok(nothing(Some(report), Outcome::Foreign, repaired));
        };
        let present = loading.complete.then(|| Present {
            mo: mo.clone(),
            period: report.period.map_or_else(String::new, |period| period.to_string()),
            letters: contents.name.as_ref().map_or_else(String::new, |name| name.letters.clone()),
            keys: contents.rows.iter().map(|row| row.identity).collect(),
        });
        if let Some(known) = known {
            return Ok(Loaded { present, ..known });
        }
        let (outcome, id, registry) = self.take(operation, &mo, &contents, &report, files, tools, loading)?;
        let has_questions = matches!(outcome, Outcome::Taken(CaseCounts { doubtful: 1.., .. }));
        let questions = if has_questions { self.questions_of(&mo, id)? } else { Vec::new() };
        Ok(Loaded { verdict: report.verdict, report: Some(report), outcome, repaired, mo: Some(mo), questions, present, registry })
    }

    /// Copies the file or archive that holds a member, each one once. Returns the member in the copy and fills in `file`.
    fn keep(&self, operation: &Operation<'_>, member: &Member, done: &mut HashMap<PathBuf, Kept>, file: &mut MemberFile) -> Result<Member, Problem> {
        let container = member.source.container();
        let kept = match done.get(container) {
            Some(kept) => kept.clone(),
            None => {
                let kept = self.objects.keep(container, operation.watch).map_err(|e| Problem::of_file(container, e))?;
                done.entry(container.to_owned()).or_insert(kept).clone()
            }
        };
        let path = self.objects.local(&kept.sha256, &kept.name)?;
        let (source, entry, index) = match &member.source {
            Source::File(_) => (Source::File(DiskFile::kept(path, &*kept.name)), String::new(), 0),
            Source::Entry { index, name, .. } => (Source::Entry { archive: path, index: *index, name: name.clone() }, name.clone(), *index as i64),
        };
        *file = MemberFile { object: kept.sha256, entry, index, name: kept.name };
        Ok(Member { source, ..member.clone() })
    }

    /// Looks for a package of the same bytes, and settles its open questions as `doubt` says.
    fn loaded_before(&mut self, operation: &Operation<'_>, files: &Files, doubt: Doubt) -> Result<Option<(Outcome, Vec<Asked>, LoadedBefore)>, Problem> {
        let Files { main, persons } = files;
        let before = self.store.package_of_content((&main.object, &main.entry), (&persons.object, &persons.entry))?;
        let Some(before) = before else { return Ok(None) };
        let counts = self.settle_questions(operation, &before.mo, before.id, &main.name, doubt)?;
        let questions = self.questions_of(&before.mo, before.id)?;
        Ok(Some((Outcome::Already(before.loaded_at.clone(), counts), questions, before)))
    }
}

fn number(text: &str) -> i64 {
    text.parse().unwrap_or(0)
}
