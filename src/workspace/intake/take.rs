//! Stores a package that was read: its cases with what they are to the stored ones, its findings, its counts and its entry of the journal.

use std::collections::BTreeMap;
use std::io;

use serde_json::json;

use super::as_payer::{Desk, Sent};
use super::contents::{Contents, Files, finding_rows};
use super::known::{Candidate, Known, Own};
use super::matching::{Verdict as Match, judge};
use super::{CaseCounts, Loading, Outcome, Payers, number};
use crate::cases::{Case, CaseState};
use crate::flk::PackageReport;
use crate::registry::format::Role;
use crate::values::Date;
use crate::workspace::note::{JournalNote, record};
use crate::workspace::store::{Clinic, NewCase, Run, StockKey, Total};
use crate::workspace::{Operation, Problem, Registry, Tools, Workspace};

/// Number of rows of findings that are held at once.
const FINDINGS: usize = 4_096;

impl Workspace {
    /// Stores the package, its cases and its findings in one transaction. Returns what was done, the id of the package, and the registry that it became.
    #[expect(clippy::too_many_arguments, reason = "what was read of the package, and how it is loaded")]
    pub(super) fn take(
        &mut self,
        operation: &Operation<'_>,
        mo: &str,
        contents: &Contents<'_>,
        report: &PackageReport,
        files: Files,
        tools: Tools<'_>,
        loading: Loading,
    ) -> Result<(Outcome, i64, Option<Registry>), Problem> {
        let family = contents.format.family;
        let letter = family.to_string();
        let fund = Payers::fund(mo);
        let period = report.period.map_or_else(String::new, |period| period.to_string());
        let candidate = |at: usize| -> Candidate<'_> { contents.candidate(at, &letter, &period) };
        let desk = loading.as_payer.then(|| Desk::open(&self.tables.workflow, operation)).transpose()?;
        let tables = &self.tables;
        self.locks.change(&mut self.store, operation, mo, |clinic| {
            // Another program may have loaded the same file while this one controlled it.
            if let Some(before) = clinic.packages().of_content((&files.main.object, &files.main.entry), (&files.persons.object, &files.persons.entry))? {
                return Ok((Outcome::Already(before.loaded_at, CaseCounts::default()), before.id, None));
            }
            let judged = |clinic: &mut Clinic<'_>| {
                let own = Own::new(contents.rows.len(), &candidate);
                Ok::<_, Problem>(judge(&Known::look_up(clinic, &own)?, &own, loading.doubt))
            };
            let (mut verdicts, mut replaced) = judged(clinic)?;
            let mut stored = Vec::new();
            if let Some(desk) = &desk {
                if desk.give_up_returned(clinic, operation, contents, &verdicts)? {
                    (verdicts, replaced) = judged(clinic)?;
                }
                stored = desk.check(clinic, contents, &verdicts)?;
            }
            let package = clinic.counters().take(Run::Packages, 1)?;
            let first = clinic.counters().take(Run::Cases, verdicts.iter().filter(|verdict| verdict.adds_row()).count())?;
            operation.check()?;
            replaced.extend(verdicts.iter().filter_map(|verdict| match verdict {
                Match::Replaces(old) | Match::ReplacesAside(old) => Some(*old),
                _ => None,
            }));
            clinic.cases().replace(&replaced)?;
            drop(replaced);
            let mut taken = Taken { counts: CaseCounts { package_blocked: contents.blocked, ..CaseCounts::default() }, ..Taken::default() };
            let mut next = first;
            for batch in contents.cases.batches() {
                let batch = batch?;
                let cases = batch.cases()?;
                let (mut rows, mut stock) = (Vec::with_capacity(cases.len()), BTreeMap::<StockKey<'_>, Total>::new());
                for (at, case) in (batch.first..).zip(&cases) {
                    let known = &contents.rows[at];
                    let kind = tables.kinds.of(family, case.value(Role::Conditions)).map_or("", |kind| &kind.id);
                    let payer = tables.payers.of(Contents::insurance(case, report), &fund);
                    taken.kind.add(kind);
                    taken.payer.add(payer);
                    taken.counts.blocked += u64::from(known.errors > 0);
                    let Some((state, replaces)) = taken.count(verdicts[at]) else { continue };
                    taken.counts.unknown_again += u64::from(verdicts[at] == Match::New && is_again(case));
                    let (id, sum) = (next, case.sum());
                    next += 1;
                    stock.entry(StockKey { kind, payer, state, blocked: known.errors > 0 }).or_default().add(sum);
                    rows.push(NewCase {
                        id,
                        package,
                        state,
                        was: if state == CaseState::Aside { CaseState::Free.as_str() } else { "" },
                        replaces,
                        kind,
                        payer,
                        subdivision: case.value(Role::Subdivision),
                        n_zap: number(case.value(Role::NZap)),
                        idcase: number(case.value(Role::IdCase)),
                        sl_id: case.value(Role::SlId),
                        id_pac: case.value(Role::IdPac),
                        date_from: Date::of_iso(case.value(Role::CaseFrom).as_bytes()),
                        date_to: Date::of_iso(case.value(Role::CaseTo).as_bytes()),
                        sum,
                        pr_nov: is_again(case),
                        errors: known.errors.into(),
                        identity: known.identity.0,
                        identity_rest: known.identity.1,
                        resemblance: known.resemblance,
                        content: known.content,
                        place: contents.place(at, case),
                        history: case.value(Role::History),
                        doctor: case.value(Role::Doctor),
                        unit: case.value(Role::Unit),
                        profile: case.value(Role::Profile),
                        conditions: case.value(Role::Conditions),
                        person: known.person,
                    });
                }
                clinic.cases().insert(rows, operation.watch)?;
                taken.add_stock(stock);
            }
            let mut ids = Ids { verdicts: &verdicts, at: 0, next: first };
            let mut rows = finding_rows(&contents.tallies, package, |case| ids.of(case), tools.catalog);
            loop {
                let batch = rows.by_ref().take(FINDINGS).collect::<io::Result<Vec<_>>>()?;
                if batch.is_empty() {
                    break;
                }
                clinic.findings().insert(batch, operation.watch)?;
            }
            let counts = taken.counts;
            let id = package;
            let package = contents.package_row(operation, package, report, files);
            clinic.packages().insert(&package)?;
            clinic.stock().add(package.id, &taken.stock())?;
            let details = json!({
                "sha256": package.main_object, "period": report.period.map(|p| p.to_string()), "mo": mo, "cases": package.cases, "sum": package.sum,
                "new": counts.new, "replaced": counts.replaced, "unchanged": counts.unchanged, "waiting": counts.waiting, "doubtful": counts.doubtful,
                "blocked": counts.blocked, "verdict": package.verdict,
            });
            // Last, because other clinics wait while this one takes a block.
            if !clinic.counters().has_registries(1)? {
                clinic.counters().take_registries()?;
            }
            let registry = match &desk {
                Some(desk) => {
                    let mut ids = Ids { verdicts: &verdicts, at: 0, next: first };
                    let ids: Vec<i64> = (0..).zip(&stored).map(|(case, stored)| ids.of(case).unwrap_or(*stored)).collect();
                    let (kind, payer) = (taken.kind.value(), taken.payer.value());
                    let sent = Sent { contents, package: &package, kind, payer, ids: &ids, stored: &stored, details };
                    Some(desk.enter(clinic, operation, sent)?)
                }
                None => {
                    record(clinic, operation, JournalNote { action: "load", subject: &contents.file_name, details, ..JournalNote::default() })?;
                    None
                }
            };
            Ok((Outcome::Taken(counts), id, registry))
        })
    }
}

/// Whether the export says that the case was sent before.
fn is_again(case: &Case<'_>) -> bool {
    case.value(Role::PrNov) == "1"
}

/// The ids of the new cases of a package, which follow one another in the order of the cases.
struct Ids<'v> {
    verdicts: &'v [Match],
    /// Index of the next case to be looked at, and the id that it gets if it is new.
    at: usize,
    next: i64,
}

impl Ids<'_> {
    /// The id of a case; `None` for one that is stored already. The cases come in their order.
    fn of(&mut self, case: u32) -> Option<i64> {
        let case = case as usize;
        self.next += self.verdicts[self.at..case].iter().filter(|verdict| verdict.adds_row()).count() as i64;
        self.at = case;
        self.verdicts[case].adds_row().then_some(self.next)
    }
}

/// What is counted of the cases of a package while they are stored.
#[derive(Default)]
struct Taken {
    counts: CaseCounts,
    /// Counts by kind of care, payer, state and whether findings keep the cases out of registries.
    stock: BTreeMap<(String, String, CaseState, bool), Total>,
    kind: Shared,
    payer: Shared,
}

/// A value of all cases.
#[derive(Default)]
struct Shared {
    first: Option<String>,
    is_differing: bool,
}

impl Shared {
    fn add(&mut self, value: &str) {
        match &self.first {
            Some(first) => self.is_differing |= first != value,
            None => self.first = Some(value.to_owned()),
        }
    }

    /// The value that all share; empty if they differ.
    fn value(&self) -> &str {
        self.first.as_deref().filter(|_| !self.is_differing).unwrap_or_default()
    }
}

impl Taken {
    /// Adds the counts of a batch.
    fn add_stock(&mut self, stock: BTreeMap<StockKey<'_>, Total>) {
        for (StockKey { kind, payer, state, blocked }, Total { cases, sum }) in stock {
            let total = self.stock.entry((kind.to_owned(), payer.to_owned(), state, blocked)).or_default();
            *total = Total { cases: total.cases + cases, sum: total.sum + sum };
        }
    }

    fn stock(&self) -> BTreeMap<StockKey<'_>, Total> {
        self.stock.iter().map(|((kind, payer, state, blocked), total)| (StockKey { kind, payer, state: *state, blocked: *blocked }, *total)).collect()
    }

    /// Counts a case. Returns its state and the id of the version that it replaces or waits for (0: none); `None` for an unchanged case.
    fn count(&mut self, verdict: Match) -> Option<(CaseState, i64)> {
        let counts = &mut self.counts;
        let (count, state, replaces) = match verdict {
            Match::Unchanged(_, state) => {
                counts.unchanged += 1;
                counts.aside += u64::from(state == CaseState::Aside);
                counts.dropped += u64::from(state == CaseState::Dropped);
                return None;
            }
            Match::New => (&mut counts.new, CaseState::Free, 0),
            Match::Replaces(old) => (&mut counts.replaced, CaseState::Free, old),
            Match::ReplacesAside(old) => (&mut counts.replaced, CaseState::Aside, old),
            Match::Waits(old) => (&mut counts.waiting, CaseState::Waiting, old),
            Match::Doubtful(old, _) => (&mut counts.doubtful, CaseState::Question, old),
        };
        *count += 1;
        counts.aside += u64::from(state == CaseState::Aside);
        Some((state, replaces))
    }
}
