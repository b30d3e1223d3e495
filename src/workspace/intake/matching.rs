//! Decides which cases of a package are new versions of cases that the store already holds.

use std::collections::{HashMap, HashSet};

use serde_json::json;

use super::CaseCounts;
use crate::cases::{CaseKey, CaseKeys, CaseState};
use crate::workspace::note::{JournalNote, record};
use crate::workspace::store::{Clinic, KnownCase, LoadedBefore};
use crate::workspace::{Operation, Problem, Workspace};

/// What to do with a case that resembles a stored case but has another identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Doubt {
    /// Set the case aside until the user answers.
    #[default]
    Ask,
    /// Treat it as a new version of the stored case.
    Same,
    /// Treat it as another case.
    Different,
}

/// How a case relates to the stored cases, with the id of the stored one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    New,
    Unchanged,
    /// A new version of a stored case that stands in no registry.
    Replaces(i64),
    /// A new version of a stored case that a registry holds.
    Waits(i64),
    /// Perhaps a new version of that case; 0: of another case of the package.
    Doubtful(i64),
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Old {
    id: i64,
    state: CaseState,
    content: i64,
    identity: CaseKey,
}

impl Old {
    fn of(case: &KnownCase) -> Self {
        Self { id: case.id, state: case.state, content: case.content, identity: case.identity() }
    }
}

/// Stored cases that have the identity or the resemblance of a case of the package.
#[derive(Debug, Default)]
pub(super) struct Known {
    by_identity: HashMap<CaseKey, Vec<Old>>,
    by_resemblance: HashMap<i64, Vec<Old>>,
}

impl Known {
    /// Looks up the keys of a package among all stored cases of its clinic.
    pub(super) fn look_up(clinic: &mut Clinic<'_>, keys: &[CaseKeys]) -> Result<Self, Problem> {
        // For a clinic's first package there is nothing to look up.
        if !clinic.packages().has_any()? {
            return Ok(Self::default());
        }
        let mut known = Self::default();
        let wanted: HashSet<CaseKey> = keys.iter().map(|k| k.identity).collect();
        for case in clinic.cases().by_identity(keys.iter().map(|k| k.identity.0).collect())? {
            // The query compares only the first half of an identity, so it may return other cases.
            if wanted.contains(&case.identity()) {
                known.by_identity.entry(case.identity()).or_default().push(Old::of(&case));
            }
        }
        let unmet = keys.iter().filter(|k| !known.by_identity.contains_key(&k.identity) && k.resemblance != k.identity.0);
        for case in clinic.cases().by_resemblance(unmet.map(|k| k.resemblance).collect())? {
            known.by_resemblance.entry(case.resemblance).or_default().push(Old::of(&case));
        }
        Ok(known)
    }

    /// Gives a verdict on every case of a package, and the ids of the waiting versions that these cases replace.
    pub(super) fn judge(&self, keys: &[CaseKeys], content: impl Fn(usize) -> i64, doubt: Doubt) -> (Vec<Verdict>, Vec<i64>) {
        let own: HashSet<CaseKey> = keys.iter().map(|k| k.identity).collect();
        let mut met: HashSet<CaseKey> = HashSet::with_capacity(keys.len());
        let mut taken = HashSet::new();
        let mut superseded = Vec::new();
        let mut judge = |at: usize, keys: &CaseKeys, is_second: bool| {
            if is_second {
                return Verdict::Doubtful(0);
            }
            let olds = self.by_identity.get(&keys.identity).map_or(&[][..], Vec::as_slice);
            if olds.iter().any(|old| old.content == content(at)) {
                return Verdict::Unchanged;
            }
            let waiting = olds.iter().filter(|old| old.state == CaseState::Waiting);
            let standing: Vec<&Old> = olds.iter().filter(|old| old.state != CaseState::Waiting).collect();
            match standing.as_slice() {
                [] => {
                    // The same case may be stored under an identity that the clinic no longer exports.
                    let like = self.by_resemblance.get(&keys.resemblance).map_or(&[][..], Vec::as_slice);
                    match like.iter().find(|old| !own.contains(&old.identity) && !taken.contains(&old.id)) {
                        None => Verdict::New,
                        Some(old) => {
                            taken.insert(old.id);
                            match doubt {
                                Doubt::Different => Verdict::New,
                                Doubt::Same if old.state != CaseState::Waiting => version_of(old),
                                Doubt::Same | Doubt::Ask => Verdict::Doubtful(old.id),
                            }
                        }
                    }
                }
                [old] => {
                    superseded.extend(waiting.map(|old| old.id));
                    version_of(old)
                }
                [old, ..] => Verdict::Doubtful(old.id),
            }
        };
        let verdicts = keys.iter().enumerate().map(|(at, keys)| judge(at, keys, !met.insert(keys.identity))).collect();
        (verdicts, superseded)
    }
}

/// The verdict on a new version of a stored case.
fn version_of(old: &Old) -> Verdict {
    match old.state {
        CaseState::Held => Verdict::Waits(old.id),
        // A new export does not change a case that has been paid: the user has to decide.
        CaseState::Paid => Verdict::Doubtful(old.id),
        _ => Verdict::Replaces(old.id),
    }
}

impl Workspace {
    /// Settles the questions that a package loaded earlier left open. `Doubt::Ask` leaves them open.
    pub(super) fn settle_questions(&mut self, operation: &Operation<'_>, package: &LoadedBefore, name: &str, doubt: Doubt) -> Result<CaseCounts, Problem> {
        let open = self.store.of(&package.mo).cases().open_questions(package.id)?;
        if doubt == Doubt::Ask || open.is_empty() {
            return Ok(CaseCounts { doubtful: open.len() as u64, ..CaseCounts::default() });
        }
        self.change(operation, &package.mo, |clinic| {
            let open = clinic.cases().open_questions(package.id)?;
            let mut counts = CaseCounts { doubtful: open.len() as u64, ..CaseCounts::default() };
            let mut touched = vec![package.id];
            for question in &open {
                use CaseState::{Free, Held, Question, Refused, Waiting};
                let (state, replaces) = match (doubt, question.of_other) {
                    (Doubt::Different, _) => (Free, 0),
                    (_, Some((Held, _))) => (Waiting, question.other),
                    (_, Some((Free | Refused | Question, _))) => (Free, question.other),
                    // The other case is paid or in the same package: the two cannot be versions of one case.
                    _ => continue,
                };
                counts.doubtful -= 1;
                match (state, question.of_other) {
                    (Waiting, _) => counts.waiting += 1,
                    (_, Some((_, of_package))) if replaces != 0 => {
                        counts.replaced += 1;
                        clinic.cases().mark_replaced(&[replaces])?;
                        touched.push(of_package);
                    }
                    _ => counts.new += 1,
                }
                clinic.cases().settle(question, state, replaces)?;
            }
            clinic.stock().recount(&touched)?;
            let details = json!({ "new": counts.new, "replaced": counts.replaced, "waiting": counts.waiting, "doubtful": counts.doubtful });
            record(clinic, operation, JournalNote { action: "settle", subject: name, details, ..JournalNote::default() })?;
            Ok(counts)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(identity: i64, resemblance: i64) -> CaseKeys {
        CaseKeys { identity: CaseKey(identity, 1), resemblance }
    }

    fn old(id: i64, state: CaseState, content: i64, identity: i64) -> Old {
        Old { id, state, content, identity: CaseKey(identity, 1) }
    }

    #[test]
    fn versions_by_the_state_of_the_old_one() {
        let mut known = Known::default();
        for (n, state) in (0..).zip([CaseState::Free, CaseState::Held, CaseState::Refused, CaseState::Question, CaseState::Paid]) {
            known.by_identity.insert(CaseKey(n, 1), vec![old(n + 1, state, 7, n)]);
        }
        known.by_identity.insert(CaseKey(5, 1), vec![old(6, CaseState::Held, 7, 5), old(9, CaseState::Waiting, 8, 5)]);
        let all: Vec<CaseKeys> = (0..6).map(|n| keys(n, 0)).collect();
        let (verdicts, superseded) = known.judge(&all, |_| 1, Doubt::Ask);
        use Verdict::{Doubtful, Replaces, Unchanged, Waits};
        assert_eq!(verdicts, [Replaces(1), Waits(2), Replaces(3), Replaces(4), Doubtful(5), Waits(6)]);
        assert_eq!(superseded, [9]);
        assert_eq!(known.judge(&all, |_| 7, Doubt::Ask).0, [Unchanged; 6]);
    }

    #[test]
    fn what_resembles_is_a_question_once() {
        let (new, newer, still, gone) = (1, 2, 3, 4);
        let mut known = Known::default();
        known.by_resemblance.insert(70, vec![old(1, CaseState::Free, 7, gone), old(2, CaseState::Free, 7, still)]);
        let all = [keys(new, 70), keys(newer, 70), keys(still, 70), keys(still, 70)];
        known.by_identity.insert(CaseKey(still, 1), vec![old(2, CaseState::Free, 1, still)]);
        let judge = |doubt| known.judge(&all, |_| 1, doubt).0;
        use Verdict::{Doubtful, New, Replaces, Unchanged};
        assert_eq!(judge(Doubt::Ask), [Doubtful(1), New, Unchanged, Doubtful(0)]);
        assert_eq!(judge(Doubt::Same), [Replaces(1), New, Unchanged, Doubtful(0)]);
        assert_eq!(judge(Doubt::Different), [New, New, Unchanged, Doubtful(0)]);
    }
}
