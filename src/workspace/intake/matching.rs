//! Decides which cases of a package are new versions of cases that the store already holds.

use serde_json::json;

use super::known::{Candidate, Known, Own};
use super::{Asked, CaseCounts};
use crate::cases::{About, CaseState};
use crate::workspace::note::{JournalNote, record};
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

impl Verdict {
    /// Whether the case is stored: it is not there yet as it is.
    pub(super) fn adds_row(self) -> bool {
        !matches!(self, Self::Unchanged(..))
    }
}

/// Gives a verdict on every case of a package, and the ids of the versions that these cases replace besides: those that wait for a registry, and
/// those about which a question is open.
pub(super) fn judge(known: &Known, own: &Own<'_>, doubt: Doubt) -> (Vec<Verdict>, Vec<i64>) {
    let mut judging =
        Judging { known, own, used: vec![false; known.len()], resembled: vec![false; known.len()], met: vec![false; own.len()], superseded: Vec::new() };
    // Stored cases that have not changed are taken first: of two cases with one key each is compared with what is left.
    let mut verdicts: Vec<Option<Verdict>> = (0..own.len()).map(|at| judging.unchanged(at)).collect();
    for (at, verdict) in verdicts.iter_mut().enumerate() {
        verdict.get_or_insert_with(|| judging.verdict(at, doubt));
    }
    // The same memory: an optional verdict takes no more than one.
    (verdicts.into_iter().map(|verdict| verdict.unwrap_or(Verdict::New)).collect(), judging.superseded)
}

/// The work of [`judge`]. Stored cases are named by their indexes.
struct Judging<'k, 'c> {
    known: &'k Known,
    own: &'k Own<'c>,
    /// Whether a case of the package has been found to be this stored case.
    used: Vec<bool>,
    /// Whether a case of the package under another key resembles this stored case.
    resembled: Vec<bool>,
    /// Whether a case of this group has its verdict.
    met: Vec<bool>,
    superseded: Vec<i64>,
}

impl Judging<'_, '_> {
    /// The stored cases with the key of a group that no case of the package has been found to be.
    fn left(&self, group: u32) -> impl Iterator<Item = u32> {
        self.known.with_key(group).filter(|old| !self.used[*old as usize])
    }

    /// Whether a stored version is one that does not count yet.
    fn is_pending(&self, old: u32) -> bool {
        matches!(self.known.state(old), CaseState::Waiting | CaseState::Question)
    }

    /// What speaks against a case being a version of a stored one that has its key.
    fn against(&self, case: &Candidate<'_>, old: u32) -> Option<About> {
        case.traits.against(&self.known.traits(self.known.case(old), case.traits.identity))
    }

    /// Whether nothing but its content differs from a stored version that has its key.
    fn is_alike(&self, case: &Candidate<'_>, old: u32) -> bool {
        self.against(case, old).is_none()
    }

    /// Whether other cases of the package have this key.
    fn has_twins(&self, group: u32) -> bool {
        self.own.of_group(group).nth(1).is_some()
    }

    fn unchanged(&mut self, at: usize) -> Option<Verdict> {
        let (case, group, known) = (self.own.case(at), self.own.group(at), self.known);
        let mut same = self.left(group).filter(|old| known.case(*old).content == case.content);
        // A twin that was dropped is meant only when no other one is.
        let first = same.next()?;
        let is_dropped = |old: &u32| known.state(*old) == CaseState::Dropped;
        let old = if is_dropped(&first) { same.find(|old| !is_dropped(old)).unwrap_or(first) } else { first };
        drop(same);
        if !self.is_as_it_was(&case, old) {
            return None;
        }
        self.used[old as usize] = true;
        self.met[group as usize] = true;
        if !self.is_pending(old) {
            // The export has gone back to what stands: a later version is no longer meant.
            self.supersede(&case, group);
        }
        Some(Verdict::Unchanged(known.case(old).id, known.state(old)))
    }

    /// Versions that wait or are in question, and that this case takes the place of.
    fn supersede(&mut self, case: &Candidate<'_>, group: u32) {
        // Another case of the package with this key may be one of them.
        if self.has_twins(group) {
            return;
        }
        for old in self.known.with_key(group) {
            if !self.used[old as usize] && self.is_pending(old) && self.is_alike(case, old) {
                self.used[old as usize] = true;
                self.superseded.push(self.known.case(old).id);
            }
        }
    }

    fn verdict(&mut self, at: usize, doubt: Doubt) -> Verdict {
        let (case, group, known) = (self.own.case(at), self.own.group(at), self.known);
        let is_first = !std::mem::replace(&mut self.met[group as usize], true);
        let (pending, standing): (Vec<u32>, Vec<u32>) = self.left(group).partition(|old| self.is_pending(*old));
        let alike: Vec<u32> = standing.iter().copied().filter(|old| self.is_alike(&case, *old)).collect();
        // What was paid or dropped is meant only when nothing else is.
        let open: Vec<u32> = alike.iter().copied().filter(|old| !matches!(known.state(*old), CaseState::Paid | CaseState::Dropped)).collect();
        let one = match (standing.as_slice(), alike.as_slice(), open.as_slice()) {
            ([one], ..) | (_, [one], _) | (.., [one]) => Some(*one),
            _ => None,
        };
        let judged = match (one, alike.first().or(standing.first())) {
            (Some(old), _) => {
                let against = self.against(&case, old);
                // Another case of the package may still be the stored one.
                if against.is_none() {
                    self.used[old as usize] = true;
                }
                match (against, doubt) {
                    (Some(_), Doubt::Different) => Verdict::New,
                    (Some(about), Doubt::Ask) => Verdict::Doubtful(known.case(old).id, about),
                    _ => self.version_of(old, doubt),
                }
            }
            (None, Some(first)) => Verdict::Doubtful(known.case(*first).id, About::Several),
            (None, None) => match pending.iter().rev().find(|old| self.is_alike(&case, **old)).map(|old| (known.state(*old), known.replaces(known.case(*old))))
            {
                // The stored case that it waits for, or may be the same as, has another key or is another case of the package.
                Some((CaseState::Waiting, replaces)) => Verdict::Waits(replaces),
                Some((_, replaces)) => Verdict::Doubtful(replaces, if replaces == 0 { About::Twice } else { About::OtherKey }),
                None if !pending.is_empty() => Verdict::Doubtful(known.case(pending[0]).id, About::Several),
                None if !is_first => return Verdict::Doubtful(0, About::Twice),
                None => self.by_resemblance(&case, doubt),
            },
        };
        match pending.iter().rev().find(|old| self.is_alike(&case, **old) && !self.used[**old as usize]) {
            // Of two cases with this key each takes the place of one version.
            Some(last) if self.has_twins(group) => {
                self.used[*last as usize] = true;
                self.superseded.push(known.case(*last).id);
            }
            _ => self.supersede(&case, group),
        }
        judged
    }

    /// The same case may be stored under an identity that the clinic no longer exports.
    fn by_resemblance(&mut self, case: &Candidate<'_>, doubt: Doubt) -> Verdict {
        let known = self.known;
        // Whether the package has a stored case under its key; another case may have that key now.
        let is_there = |old: u32| known.case(old).group().is_some_and(|group| self.own.of_group(group).any(|case| self.is_alike(&case, old)));
        let is_left = |old: &u32| !self.used[*old as usize] && !self.resembled[*old as usize] && !is_there(*old);
        let Some(old) = known.with_resemblance(case.resemblance).find(is_left) else {
            return Verdict::New;
        };
        self.resembled[old as usize] = true;
        match doubt {
            Doubt::Different => Verdict::New,
            Doubt::Same if known.state(old) != CaseState::Waiting => self.version_of(old, doubt),
            Doubt::Same | Doubt::Ask => Verdict::Doubtful(known.case(old).id, About::OtherKey),
        }
    }

    /// Whether a case with the content of a stored version leaves that as it is: a sound file takes what it has not changed out of a file that is kept
    /// back, or that is of another month. What is in a registry already does not move.
    fn is_as_it_was(&self, case: &Candidate<'_>, old: u32) -> bool {
        let kind = self.known.kind(self.known.case(old));
        let is_settled = matches!(kind.state, CaseState::Held | CaseState::Paid | CaseState::Dropped);
        is_settled || case.is_blocked || !(kind.is_blocked || case.period != kind.period)
    }

    /// The verdict on a new version of a stored case.
    fn version_of(&self, old: u32, doubt: Doubt) -> Verdict {
        let id = self.known.case(old).id;
        match (self.known.state(old), doubt) {
            (CaseState::Held, _) => Verdict::Waits(id),
            // A new export does not change a case that has been paid: the user has to decide.
            (CaseState::Paid, _) => Verdict::Doubtful(id, About::Paid),
            (CaseState::Dropped, Doubt::Ask) => Verdict::Doubtful(id, About::Dropped),
            (CaseState::Dropped, Doubt::Different) => Verdict::New,
            (CaseState::Aside, _) => Verdict::ReplacesAside(id),
            _ => Verdict::Replaces(id),
        }
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
    use std::collections::BTreeMap;

    use super::*;
    use crate::cases::{CaseKey, PersonMark, Traits};
    use crate::workspace::store::KnownCase;

    /// Stored cases by identity and by resemblance.
    #[derive(Default)]
    struct Cases {
        by_identity: BTreeMap<CaseKey, Vec<KnownCase<'static>>>,
        by_resemblance: BTreeMap<i64, Vec<KnownCase<'static>>>,
    }

    impl Cases {
        fn judge(&self, cases: &[Candidate<'_>], doubt: Doubt) -> (Vec<Verdict>, Vec<i64>) {
            let case = |at: usize| cases[at];
            let own = Own::new(cases.len(), &case);
            let mut known = Known::default();
            self.by_identity.values().flatten().for_each(|case| known.add(&own, case.clone()));
            known.settle(&own);
            for (resemblance, cases) in &self.by_resemblance {
                cases.iter().for_each(|case| known.add_alike(&own, KnownCase { resemblance: *resemblance, ..case.clone() }));
            }
            known.settle_alike();
            judge(&known, &own, doubt)
        }
    }

    fn candidate(identity: i64, resemblance: i64) -> Candidate<'static> {
        let traits = Traits { identity: CaseKey(identity, 1), person: PersonMark::from(5 << 16 | 5), family: "H", date_to: 20_260_331 };
        Candidate { traits, resemblance, content: 1, period: "2026-03", is_blocked: false }
    }

    fn old(id: i64, state: CaseState, content: i64, identity: i64) -> KnownCase<'static> {
        let Candidate { traits, resemblance, period, is_blocked, .. } = candidate(identity, 0);
        let Traits { identity, person, family, date_to } = traits;
        KnownCase { id, state, replaces: 0, content, identity, resemblance, family, period, is_blocked, date_to, person }
    }

    #[test]
    fn versions_by_the_state_of_the_old_one() {
        use CaseState::{Aside, Dropped, Free, Held, Paid, Refused};
        use Verdict::{Doubtful, Replaces, ReplacesAside, Unchanged, Waits};
        let mut known = Cases::default();
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
        let mut known = Cases::default();
        let open = |id, replaces, identity| KnownCase { replaces, ..old(id, Question, 7, identity) };
        known.by_identity.insert(CaseKey(0, 1), vec![open(8, 3, 0)]);
        known.by_identity.insert(CaseKey(1, 1), vec![old(2, Paid, 6, 1), open(9, 2, 1)]);
        let (verdicts, superseded) = known.judge(&[candidate(0, 0), candidate(1, 0)], Doubt::Ask);
        assert_eq!(verdicts, [Verdict::Doubtful(3, About::OtherKey), Verdict::Doubtful(2, About::Paid)]);
        assert_eq!(superseded, [8, 9], "the new version takes the place of the one about which was asked");
    }

    #[test]
    fn another_person_family_or_month_under_the_same_key_is_a_question() {
        let mut known = Cases::default();
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
        let mut known = Cases::default();
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
        let mut known = Cases::default();
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
        let mut known = Cases::default();
        known.by_identity.insert(CaseKey(0, 1), vec![old(1, Held, 5, 0), old(2, Waiting, 6, 0)]);
        let with = |content| Candidate { content, ..candidate(0, 0) };
        assert_eq!(known.judge(&[with(5)], Doubt::Ask), (vec![Verdict::Unchanged(1, Held)], vec![2]));
        assert_eq!(known.judge(&[with(6)], Doubt::Ask), (vec![Verdict::Unchanged(2, Waiting)], vec![]));
    }

    #[test]
    fn what_a_mended_file_holds_unchanged_leaves_the_broken_one() {
        use CaseState::{Free, Held};
        let mut known = Cases::default();
        let broken = KnownCase { is_blocked: true, ..old(1, Free, 1, 0) };
        let of_other_month = KnownCase { period: "2026-02", ..old(2, Free, 1, 1) };
        let held = KnownCase { period: "2026-02", ..old(3, Held, 1, 2) };
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
        let mut known = Cases::default();
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
        let mut known = Cases::default();
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
