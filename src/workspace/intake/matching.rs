//! Decides which cases of a package are new versions of cases that the store already holds.

use std::collections::{HashMap, HashSet};

use serde_json::json;

use super::{Asked, CaseCounts};
use crate::cases::{About, CaseKey, CaseKeys, CaseState, Traits};
use crate::workspace::note::{JournalNote, record};
use crate::workspace::store::{Clinic, KnownCase};
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
    Unchanged(i64, CaseState),
    /// A new version of a stored case that stands in no registry.
    Replaces(i64),
    /// A new version of a case that is set aside, and so is this one.
    ReplacesAside(i64),
    /// A new version of a stored case that a registry holds.
    Waits(i64),
    /// Perhaps a new version of that case; 0: of another case of the package.
    Doubtful(i64, About),
}

/// Stored cases that have the identity or the resemblance of a case of the package.
#[derive(Debug, Default)]
pub(super) struct Known {
    by_identity: HashMap<CaseKey, Vec<KnownCase>>,
    by_resemblance: HashMap<i64, Vec<KnownCase>>,
}

/// A case of the package to be judged.
#[derive(Debug, Clone, Copy)]
pub(super) struct Candidate<'c> {
    pub(super) traits: Traits<'c>,
    pub(super) resemblance: i64,
    pub(super) content: i64,
    /// Reporting month of its package; empty for none.
    pub(super) period: &'c str,
    /// Whether its findings, or those of its package, keep it out of registries.
    pub(super) is_blocked: bool,
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
                known.by_identity.entry(case.identity()).or_default().push(case);
            }
        }
        let unmet = keys.iter().filter(|k| !known.by_identity.contains_key(&k.identity) && k.resemblance != k.identity.0);
        for case in clinic.cases().by_resemblance(unmet.map(|k| k.resemblance).collect())? {
            known.by_resemblance.entry(case.resemblance).or_default().push(case);
        }
        Ok(known)
    }

    /// Gives a verdict on every case of a package, and the ids of the versions that these cases replace besides: those that wait for a registry, and
    /// those about which a question is open.
    pub(super) fn judge(&self, cases: &[Candidate<'_>], doubt: Doubt) -> (Vec<Verdict>, Vec<i64>) {
        let mut judging = Judging {
            known: self,
            own: HashMap::with_capacity(cases.len()),
            used: HashSet::new(),
            resembled: HashSet::new(),
            met: HashSet::new(),
            superseded: Vec::new(),
        };
        for case in cases {
            judging.own.entry(case.traits.identity).or_default().push(case);
        }
        // Stored cases that have not changed are taken first: of two cases with one key each is compared with what is left.
        let unchanged: Vec<Option<Verdict>> = cases.iter().map(|case| judging.unchanged(case)).collect();
        let verdicts = cases.iter().zip(unchanged).map(|(case, verdict)| verdict.unwrap_or_else(|| judging.verdict(case, doubt))).collect();
        (verdicts, judging.superseded)
    }
}

/// The work of [`Known::judge`].
struct Judging<'k, 'c> {
    known: &'k Known,
    /// The cases of the package by their keys.
    own: HashMap<CaseKey, Vec<&'k Candidate<'c>>>,
    /// Ids of the stored cases that a case of the package has been found to be.
    used: HashSet<i64>,
    /// Ids of the stored cases that a case of the package under another key resembles.
    resembled: HashSet<i64>,
    /// Keys of which a case of the package has its verdict.
    met: HashSet<CaseKey>,
    superseded: Vec<i64>,
}

impl<'k> Judging<'k, '_> {
    /// The stored cases with the key of a case that no case of the package has been found to be.
    fn left(&self, case: &Candidate<'_>) -> Vec<&'k KnownCase> {
        let known = self.known;
        known.by_identity.get(&case.traits.identity).into_iter().flatten().filter(|old| !self.used.contains(&old.id)).collect()
    }

    fn unchanged(&mut self, case: &Candidate<'_>) -> Option<Verdict> {
        let same: Vec<&KnownCase> = self.left(case).into_iter().filter(|old| old.content == case.content).collect();
        // A twin that was dropped is meant only when no other one is.
        let old = same.iter().copied().find(|old| old.state != CaseState::Dropped).or(same.first().copied()).filter(|old| is_as_it_was(case, old))?;
        self.used.insert(old.id);
        self.met.insert(case.traits.identity);
        if !is_pending(old) {
            // The export has gone back to what stands: a later version is no longer meant.
            self.supersede(case);
        }
        Some(Verdict::Unchanged(old.id, old.state))
    }

    /// Versions that wait or are in question, and that this case takes the place of.
    fn supersede(&mut self, case: &Candidate<'_>) {
        // Another case of the package with this key may be one of them.
        if self.own.get(&case.traits.identity).is_some_and(|own| own.len() > 1) {
            return;
        }
        let pending: Vec<i64> = self.left(case).into_iter().filter(|old| is_pending(old) && is_alike(case, old)).map(|old| old.id).collect();
        self.used.extend(&pending);
        self.superseded.extend(pending);
    }

    fn verdict(&mut self, case: &Candidate<'_>, doubt: Doubt) -> Verdict {
        let is_first = self.met.insert(case.traits.identity);
        let left = self.left(case);
        let (pending, standing): (Vec<&KnownCase>, Vec<&KnownCase>) = left.into_iter().partition(|old| is_pending(old));
        let alike: Vec<&KnownCase> = standing.iter().copied().filter(|old| is_alike(case, old)).collect();
        // What was paid or dropped is meant only when nothing else is.
        let open: Vec<&KnownCase> = alike.iter().copied().filter(|old| !matches!(old.state, CaseState::Paid | CaseState::Dropped)).collect();
        let one = match (standing.as_slice(), alike.as_slice(), open.as_slice()) {
            ([one], ..) | (_, [one], _) | (.., [one]) => Some(*one),
            _ => None,
        };
        let judged = match (one, alike.first().or(standing.first())) {
            (Some(old), _) => {
                // Another case of the package may still be the stored one.
                if is_alike(case, old) {
                    self.used.insert(old.id);
                }
                asked(case, old, doubt)
            }
            (None, Some(first)) => Verdict::Doubtful(first.id, About::Several),
            (None, None) => match pending.iter().rev().find(|old| is_alike(case, old)) {
                // The stored case that it waits for, or may be the same as, has another key or is another case of the package.
                Some(last) if last.state == CaseState::Waiting => Verdict::Waits(last.replaces),
                Some(last) => Verdict::Doubtful(last.replaces, if last.replaces == 0 { About::Twice } else { About::OtherKey }),
                None if !pending.is_empty() => Verdict::Doubtful(pending[0].id, About::Several),
                None if !is_first => return Verdict::Doubtful(0, About::Twice),
                None => self.by_resemblance(case, doubt),
            },
        };
        match pending.iter().rev().find(|old| is_alike(case, old) && !self.used.contains(&old.id)) {
            // Of two cases with this key each takes the place of one version.
            Some(last) if self.own.get(&case.traits.identity).is_some_and(|own| own.len() > 1) => {
                self.used.insert(last.id);
                self.superseded.push(last.id);
            }
            _ => self.supersede(case),
        }
        judged
    }

    /// The same case may be stored under an identity that the clinic no longer exports.
    fn by_resemblance(&mut self, case: &Candidate<'_>, doubt: Doubt) -> Verdict {
        let known = self.known;
        // Whether the package has a stored case under its key; another case may have that key now.
        let is_there = |old: &KnownCase| self.own.get(&old.identity()).is_some_and(|own| own.iter().any(|case| is_alike(case, old)));
        let like = known.by_resemblance.get(&case.resemblance).into_iter().flatten();
        let Some(old) = like.into_iter().find(|old| !is_there(old) && !self.used.contains(&old.id) && !self.resembled.contains(&old.id)) else {
            return Verdict::New;
        };
        self.resembled.insert(old.id);
        match doubt {
            Doubt::Different => Verdict::New,
            Doubt::Same if old.state != CaseState::Waiting => version_of(old, doubt),
            Doubt::Same | Doubt::Ask => Verdict::Doubtful(old.id, About::OtherKey),
        }
    }
}

/// Whether a case with the content of a stored version leaves that as it is: a sound file takes what it has not changed out of a file that is kept back, or
/// that is of another month. What is in a registry already does not move.
fn is_as_it_was(case: &Candidate<'_>, old: &KnownCase) -> bool {
    let is_settled = matches!(old.state, CaseState::Held | CaseState::Paid | CaseState::Dropped);
    is_settled || case.is_blocked || !(old.is_blocked || case.period != old.period)
}

/// Whether a stored version is one that does not count yet.
fn is_pending(old: &KnownCase) -> bool {
    matches!(old.state, CaseState::Waiting | CaseState::Question)
}

/// Whether nothing but its content differs from a stored version.
fn is_alike(case: &Candidate<'_>, old: &KnownCase) -> bool {
    case.traits.against(&old.traits()).is_none()
}

/// The verdict on a case with the key of a stored one that stands.
fn asked(case: &Candidate<'_>, old: &KnownCase, doubt: Doubt) -> Verdict {
    match (case.traits.against(&old.traits()), doubt) {
        (Some(_), Doubt::Different) => Verdict::New,
        (Some(about), Doubt::Ask) => Verdict::Doubtful(old.id, about),
        _ => version_of(old, doubt),
    }
}

/// The verdict on a new version of a stored case.
fn version_of(old: &KnownCase, doubt: Doubt) -> Verdict {
    match (old.state, doubt) {
        (CaseState::Held, _) => Verdict::Waits(old.id),
        // A new export does not change a case that has been paid: the user has to decide.
        (CaseState::Paid, _) => Verdict::Doubtful(old.id, About::Paid),
        (CaseState::Dropped, Doubt::Ask) => Verdict::Doubtful(old.id, About::Dropped),
        (CaseState::Dropped, Doubt::Different) => Verdict::New,
        (CaseState::Aside, _) => Verdict::ReplacesAside(old.id),
        _ => Verdict::Replaces(old.id),
    }
}

impl Workspace {
    /// The questions that a package leaves open.
    pub(super) fn questions_of(&mut self, mo: &str, package: i64) -> Result<Vec<Asked>, Problem> {
        let open = self.store.of(mo).cases().open_questions(package)?;
        Ok(open.into_iter().map(|question| Asked { id: question.id, other: question.other, about: question.about }).collect())
    }

    /// Settles the questions that a package loaded earlier left open. `Doubt::Ask` leaves them open.
    pub(super) fn settle_questions(&mut self, operation: &Operation<'_>, mo: &str, package: i64, name: &str, doubt: Doubt) -> Result<CaseCounts, Problem> {
        let open = self.store.of(mo).cases().open_questions(package)?;
        if doubt == Doubt::Ask || open.is_empty() {
            return Ok(CaseCounts { doubtful: open.len() as u64, ..CaseCounts::default() });
        }
        self.change(operation, mo, |clinic| {
            let open = clinic.cases().open_questions(package)?;
            let mut counts = CaseCounts { doubtful: open.len() as u64, ..CaseCounts::default() };
            let mut touched = vec![package];
            for question in &open {
                use CaseState::{Aside, Dropped, Free, Held, Question, Refused, Waiting};
                let (state, replaces) = match (doubt, question.of_other) {
                    (Doubt::Different, _) => (Free, 0),
                    (_, Some((Held, _))) => (Waiting, question.other),
                    (_, Some((Free | Refused | Question | Dropped, _))) => (Free, question.other),
                    (_, Some((Aside, _))) => (Aside, question.other),
                    // Twice in one package: it is not billed a second time.
                    (_, None) => (Dropped, 0),
                    // The other case is paid: the two cannot be versions of one case.
                    _ => continue,
                };
                counts.doubtful -= 1;
                match (state, question.of_other) {
                    (Waiting, _) => counts.waiting += 1,
                    (Dropped, _) => counts.dropped += 1,
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
    use crate::cases::PersonMark;

    fn candidate(identity: i64, resemblance: i64) -> Candidate<'static> {
        let traits = Traits { identity: CaseKey(identity, 1), person: PersonMark::from(5 << 16 | 5), family: "H", date_to: 20_260_331 };
        Candidate { traits, resemblance, content: 1, period: "2026-03", is_blocked: false }
    }

    fn old(id: i64, state: CaseState, content: i64, identity: i64) -> KnownCase {
        let Candidate { traits, resemblance, period, is_blocked, .. } = candidate(identity, 0);
        let Traits { identity: CaseKey(identity, identity_rest), person, family, date_to } = traits;
        let (family, period) = (family.to_owned(), period.to_owned());
        KnownCase { id, state, replaces: 0, content, identity, identity_rest, resemblance, family, period, is_blocked, date_to, person }
    }

    #[test]
    fn versions_by_the_state_of_the_old_one() {
        use CaseState::{Aside, Dropped, Free, Held, Paid, Refused};
        use Verdict::{Doubtful, Replaces, ReplacesAside, Unchanged, Waits};
        let mut known = Known::default();
        for (n, state) in (0..).zip([Free, Held, Refused, Paid, Aside, Dropped]) {
            known.by_identity.insert(CaseKey(n, 1), vec![old(n + 1, state, 7, n)]);
        }
        known.by_identity.insert(CaseKey(6, 1), vec![old(7, Held, 7, 6), old(9, CaseState::Waiting, 8, 6)]);
        let all: Vec<Candidate<'_>> = (0..7).map(|n| candidate(n, 0)).collect();
        let (verdicts, superseded) = known.judge(&all, Doubt::Ask);
        let due = [Replaces(1), Waits(2), Replaces(3), Doubtful(4, About::Paid), ReplacesAside(5), Doubtful(6, About::Dropped), Waits(7)];
        assert_eq!(verdicts, due);
        assert_eq!(superseded, [9]);
        assert_eq!(known.judge(&all, Doubt::Same).0[5], Replaces(6));
        assert_eq!(known.judge(&all, Doubt::Different).0[5], Verdict::New);
        let same: Vec<_> = all.iter().map(|case| Candidate { content: 7, ..*case }).collect();
        assert_eq!(known.judge(&same, Doubt::Ask).0[..3], [Unchanged(1, Free), Unchanged(2, Held), Unchanged(3, Refused)]);
    }

    #[test]
    fn an_open_question_stays_one_until_it_is_answered() {
        use CaseState::{Paid, Question};
        let mut known = Known::default();
        let open = |id, replaces, identity| KnownCase { replaces, ..old(id, Question, 7, identity) };
        known.by_identity.insert(CaseKey(0, 1), vec![open(8, 3, 0)]);
        known.by_identity.insert(CaseKey(1, 1), vec![old(2, Paid, 6, 1), open(9, 2, 1)]);
        let (verdicts, superseded) = known.judge(&[candidate(0, 0), candidate(1, 0)], Doubt::Ask);
        assert_eq!(verdicts, [Verdict::Doubtful(3, About::OtherKey), Verdict::Doubtful(2, About::Paid)]);
        assert_eq!(superseded, [8, 9], "the new version takes the place of the one about which was asked");
    }

    #[test]
    fn another_person_family_or_month_under_the_same_key_is_a_question() {
        let mut known = Known::default();
        known.by_identity.insert(CaseKey(0, 1), vec![old(1, CaseState::Free, 7, 0)]);
        let case = candidate(0, 0);
        let others = [
            (Traits { person: PersonMark::from(6 << 16 | 6), ..case.traits }, About::Person),
            (Traits { family: "C", ..case.traits }, About::Family),
            (Traits { date_to: 20_260_401, ..case.traits }, About::Month),
        ];
        for (traits, about) in others {
            let judge = |doubt| known.judge(&[Candidate { traits, ..case }], doubt).0;
            assert_eq!(judge(Doubt::Ask), [Verdict::Doubtful(1, about)]);
            assert_eq!(judge(Doubt::Same), [Verdict::Replaces(1)]);
            assert_eq!(judge(Doubt::Different), [Verdict::New]);
        }
        // Once they were said to be different, each new version goes to its own.
        let other = KnownCase { person: PersonMark::from(6 << 16 | 6), ..old(2, CaseState::Held, 8, 0) };
        known.by_identity.insert(CaseKey(0, 1), vec![old(1, CaseState::Free, 7, 0), other]);
        assert_eq!(known.judge(&[case], Doubt::Ask).0, [Verdict::Replaces(1)]);
        let of_other = Candidate { traits: Traits { person: PersonMark::from(6 << 16 | 7), ..case.traits }, ..case };
        assert_eq!(known.judge(&[of_other], Doubt::Ask).0, [Verdict::Waits(2)]);
    }

    #[test]
    fn a_case_whose_key_another_one_has_now_is_still_asked_about() {
        let mut known = Known::default();
        let stored = old(1, CaseState::Held, 7, 0);
        known.by_identity.insert(CaseKey(0, 1), vec![stored.clone()]);
        known.by_resemblance.insert(70, vec![stored]);
        // The export gave the key of the stored case to another person, and a new key to the case itself.
        let of_other = Candidate { traits: Traits { person: PersonMark::from(6 << 16 | 6), ..candidate(0, 71).traits }, ..candidate(0, 71) };
        for all in [[candidate(5, 70), of_other], [of_other, candidate(5, 70)]] {
            let verdicts = known.judge(&all, Doubt::Ask).0;
            assert!(verdicts.contains(&Verdict::Doubtful(1, About::OtherKey)) && verdicts.contains(&Verdict::Doubtful(1, About::Person)), "{verdicts:?}");
        }
    }

    #[test]
    fn twins_of_one_file_are_each_compared_with_their_own() {
        use CaseState::{Free, Question};
        let mut known = Known::default();
        // Of two cases with one key one stands and the other was answered to be another case; a third version of either replaces just that.
        known.by_identity.insert(CaseKey(0, 1), vec![old(1, Free, 5, 0), old(2, Free, 6, 0)]);
        let with = |content| Candidate { content, ..candidate(0, 0) };
        assert_eq!(known.judge(&[with(5), with(6)], Doubt::Ask).0, [Verdict::Unchanged(1, Free), Verdict::Unchanged(2, Free)]);
        assert_eq!(known.judge(&[with(6), with(9)], Doubt::Ask).0, [Verdict::Unchanged(2, Free), Verdict::Replaces(1)]);
        // An open question about the second one stays one.
        known.by_identity.insert(CaseKey(0, 1), vec![old(1, Free, 5, 0), old(2, Question, 6, 0)]);
        assert_eq!(known.judge(&[with(5), with(6)], Doubt::Ask), (vec![Verdict::Unchanged(1, Free), Verdict::Unchanged(2, Question)], vec![]));
        assert_eq!(known.judge(&[with(5), with(9)], Doubt::Ask), (vec![Verdict::Unchanged(1, Free), Verdict::Doubtful(0, About::Twice)], vec![2]));
    }

    #[test]
    fn an_export_that_goes_back_to_what_stands_ends_the_version_that_waits() {
        use CaseState::{Held, Waiting};
        let mut known = Known::default();
        known.by_identity.insert(CaseKey(0, 1), vec![old(1, Held, 5, 0), old(2, Waiting, 6, 0)]);
        let with = |content| Candidate { content, ..candidate(0, 0) };
        assert_eq!(known.judge(&[with(5)], Doubt::Ask), (vec![Verdict::Unchanged(1, Held)], vec![2]));
        assert_eq!(known.judge(&[with(6)], Doubt::Ask), (vec![Verdict::Unchanged(2, Waiting)], vec![]));
    }

    #[test]
    fn what_a_mended_file_holds_unchanged_leaves_the_broken_one() {
        use CaseState::{Free, Held};
        let mut known = Known::default();
        let broken = KnownCase { is_blocked: true, ..old(1, Free, 1, 0) };
        let of_other_month = KnownCase { period: "2026-02".to_owned(), ..old(2, Free, 1, 1) };
        let held = KnownCase { period: "2026-02".to_owned(), ..old(3, Held, 1, 2) };
        for (key, old) in (0..).zip([broken, of_other_month, held]) {
            known.by_identity.insert(CaseKey(key, 1), vec![old]);
        }
        let all: Vec<Candidate<'_>> = (0..3).map(|key| candidate(key, 0)).collect();
        assert_eq!(known.judge(&all, Doubt::Ask).0, [Verdict::Replaces(1), Verdict::Replaces(2), Verdict::Unchanged(3, Held)]);
        // A file that is kept back itself takes nothing out of another one.
        let kept_back: Vec<_> = all.iter().map(|case| Candidate { is_blocked: true, ..*case }).collect();
        assert_eq!(known.judge(&kept_back, Doubt::Ask).0, [Verdict::Unchanged(1, Free), Verdict::Unchanged(2, Free), Verdict::Unchanged(3, Held)]);
        // Of a case and its twin that was dropped the case is meant.
        let twins = vec![old(1, CaseState::Dropped, 1, 0), KnownCase { is_blocked: true, ..old(2, Free, 1, 0) }];
        known.by_identity.insert(CaseKey(0, 1), twins);
        assert_eq!(known.judge(&all[..1], Doubt::Ask).0, [Verdict::Replaces(2)]);
    }

    #[test]
    fn a_correction_is_of_the_case_that_is_not_paid() {
        use CaseState::{Dropped, Free, Paid};
        let mut known = Known::default();
        for other in [Paid, Dropped] {
            known.by_identity.insert(CaseKey(0, 1), vec![old(1, other, 5, 0), old(2, Free, 6, 0)]);
            assert_eq!(known.judge(&[candidate(0, 0)], Doubt::Ask).0, [Verdict::Replaces(2)]);
        }
        known.by_identity.insert(CaseKey(0, 1), vec![old(1, Paid, 5, 0), old(2, Dropped, 6, 0)]);
        assert_eq!(known.judge(&[candidate(0, 0)], Doubt::Ask).0, [Verdict::Doubtful(1, About::Several)]);
    }

    #[test]
    fn what_resembles_is_a_question_once() {
        let (new, newer, still, gone) = (1, 2, 3, 4);
        let mut known = Known::default();
        known.by_resemblance.insert(70, vec![old(1, CaseState::Free, 7, gone), old(2, CaseState::Free, 7, still)]);
        let all = [candidate(new, 70), candidate(newer, 70), candidate(still, 70), candidate(still, 70)];
        known.by_identity.insert(CaseKey(still, 1), vec![old(2, CaseState::Free, 1, still)]);
        let judge = |doubt| known.judge(&all, doubt).0;
        use Verdict::{Doubtful, New, Replaces, Unchanged};
        let (unchanged, twice) = (Unchanged(2, CaseState::Free), Doubtful(0, About::Twice));
        assert_eq!(judge(Doubt::Ask), [Doubtful(1, About::OtherKey), New, unchanged, twice]);
        assert_eq!(judge(Doubt::Same), [Replaces(1), New, unchanged, twice]);
        assert_eq!(judge(Doubt::Different), [New, New, unchanged, twice]);
    }
}
