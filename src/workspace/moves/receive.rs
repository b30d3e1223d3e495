//! Receives answers of payers.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::json;

use super::members::{Members, Taken, write_sanctions};
use crate::registry::format::Formats;
use crate::registry::name::FileName;
use crate::registry::source::DiskFile;
use crate::watch::Stopped;
use crate::workspace::answers::{self, Answer, AnswerCase, AnswerError, CaseSums, Decision, Document, Elements, Meaning, Part, Verdict};
use crate::workspace::note::JournalNote;
use crate::workspace::store::{Member, NewAnswer, Registry, Total};
use crate::workspace::workflow::{Cases, Move};
use crate::workspace::{Operation, Problem, Workspace};

/// The result of receiving an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// The registry after the move.
    pub registry: Registry,
    /// When the same bytes were received before; nothing was changed now.
    pub already: Option<String>,
    /// The payer's decision; `None` for an answer that was received before.
    pub decision: Option<Decision>,
    /// Number of cases that this answer refused whole.
    pub refused: u64,
    /// Sum that this answer took off, kopecks.
    pub taken_off: i64,
    /// Cases of which the sum of several sanctions was taken off, and not the largest as Q016 demands.
    pub added_up: Vec<CaseSums>,
}

impl Members {
    /// Indexes of the cases that an entry of an answer names, and the number by which they were found; empty when the registry has no such case.
    fn find(&self, case: &AnswerCase) -> (Vec<usize>, Named) {
        let all = |found: Option<&Vec<usize>>| found.cloned().unwrap_or_default();
        let of_zap = |at: &usize| case.n_zap.is_none_or(|n_zap| self.all[*at].n_zap == n_zap);
        let of_pac = |at: &usize| case.id_pac.is_empty() || self.all[*at].id_pac == case.id_pac;
        if let Some(idcase) = case.idcase {
            // A protocol may name any SL_ID of a case, of which only the smallest is known: it must not be that of another case.
            let is_protocol = case.verdict.is_none() && case.sum.is_none();
            let of_sl = |at: &usize| match self.by_sl.get(&case.sl_id) {
                Some(found) => found.contains(at),
                None => is_protocol || case.sl_id.is_empty() || self.all[*at].sl_id.is_empty(),
            };
            let found = self.by_idcase.get(&idcase).copied().filter(|at| of_sl(at) && of_zap(at) && of_pac(at));
            return (found.into_iter().collect(), Named::IdCase);
        }
        if let Some(found) = self.by_sl.get(&case.sl_id) {
            return (found.iter().copied().filter(of_zap).filter(of_pac).collect(), Named::SlId);
        }
        match case.n_zap {
            Some(n_zap) => (all(self.by_zap.get(&n_zap)).into_iter().filter(of_pac).collect(), Named::NZap),
            None => (all(self.by_pac.get(&case.id_pac)), Named::IdPac),
        }
    }
}

/// The number by which an answer names a case.
#[derive(Debug, Clone, Copy)]
enum Named {
    IdCase,
    SlId,
    NZap,
    IdPac,
}

impl Named {
    fn meaning(self) -> Meaning {
        match self {
            Self::IdCase => Meaning::IdCase,
            Self::SlId => Meaning::SlId,
            Self::NZap => Meaning::NZap,
            Self::IdPac => Meaning::IdPac,
        }
    }
}

/// An answer applied to the cases of the registry.
#[derive(Default)]
struct Settled {
    entries: Vec<Taken>,
    /// Ids of the cases that this answer refuses whole.
    refused: BTreeSet<i64>,
    /// Kopecks taken off, by case id.
    off: BTreeMap<i64, i64>,
    /// Whether every case of the answer is in the registry and no case occurs twice.
    fits: bool,
    /// Cases of which the sum of several sanctions is taken off.
    added_up: Vec<CaseSums>,
    /// Cases and kopecks that are accepted.
    accepted: Total,
}

impl Workspace {
    /// Receives an answer: keeps the file, makes the move that it asks for, and stores the sanctions of its cases.
    ///
    /// # Errors
    /// The file is not an answer ([`Problem::Answer`]) or names no registry of the workspace ([`Problem::NoRegistry`]); the workflow does not
    /// allow the move; the answer contradicts the registry or itself.
    pub fn receive(&mut self, operation: &Operation<'_>, path: &Path, formats: &Formats) -> Result<Received, Problem> {
        self.sweeping(operation, |this| this.trying(|this| this.receive_once(operation, path, formats)))
    }

    fn receive_once(&mut self, operation: &Operation<'_>, path: &Path, formats: &Formats) -> Result<Received, Problem> {
        let name = path.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
        let unread = |error| if Stopped::is(&error) { Problem::Stream(error) } else { Problem::Unread(path.to_owned(), error) };
        let kept = self.objects.keep(path, operation.watch).map_err(unread)?;
        if let Some(before) = self.store.answer_of(&kept.sha256)? {
            let registry = self.registry_of(&before.mo, before.registry)?;
            return Ok(Received { registry, already: Some(before.received_at), decision: None, refused: 0, taken_off: 0, added_up: Vec::new() });
        }
        let file = DiskFile::kept(self.objects.local(&kept.sha256, &name)?, &*name);
        let refused = |error| Problem::Answer(name.clone(), Box::new(error));
        let parts = answers::read(&file, &self.tables.answers).map_err(refused)?;
        operation.check()?;
        let (answered, answer) = self.joined(parts, formats)?.map_err(refused)?;
        let seen = self.see_again(&answered)?;
        let registry = &seen.registry;
        let members = self.members_of(registry)?;
        let settled = settle(&answer, &members, &self.tables.answers).map_err(refused)?;
        let mut decision = answer.decision;
        let held = members.held().count();
        if decision == Decision::Partial && settled.fits && settled.refused.len() == held {
            // Every remaining case is refused: the file is refused as a whole.
            decision = Decision::Refused;
        }
        let mut facts = self.facts(registry)?;
        let says = |own: &str, theirs: &str| theirs.is_empty() || own.is_empty() || own == theirs;
        facts.answer_fits = settled.fits
            && (!answer.is_protocol() || names_file(&answer, registry))
            && says(&registry.number, &answer.number)
            && says(&registry.account_date, &answer.date)
            && says(&registry.mo, &answer.clinic)
            && says(&registry.payer, &answer.payer);
        // Sanctions that do not fit were refused above, with their numbers.
        facts.sanctions_fit = true;
        facts.not_returned = self.is_not_returned(registry)?;
        facts.cases_left = settled.accepted.cases > 0;
        facts.reason = !answer.reason.trim().is_empty();
        let holds = self.tables.workflow.ask(Some(&registry.status), decision.by(), &operation.actor.role).is_ok_and(|t| matches!(t.cases, Cases::Hold));
        if decision == Decision::Accepted && holds && !answer.is_notice {
            // The registry was signed with these sums: a later answer must not change them.
            facts.answer_fits &= settled.accepted == registry.accepted();
        }
        let transition = self.allowed(operation, registry, decision.by(), facts)?;
        let refuses = matches!(transition.cases, Cases::Refuse);
        let writes = !(decision == Decision::Accepted && holds);
        let refused: Vec<i64> = settled.refused.iter().copied().collect();
        let taken_off = settled.off.values().sum();
        // Answers often have the same name; what a case is charged with tells them apart by it.
        let source = self.store.of(&registry.mo).answers().free_name(registry.id, &name)?;
        let word = decision.by().action();
        let details = json!({
            "answer": word, "sha256": kept.sha256, "reason": answer.reason, "findings": settled.entries.len(), "refused": refused.len(),
            "taken_off": taken_off, "cases": registry.cases, "sum": registry.sum,
        });
        let note = JournalNote { subject: &name, details, ..JournalNote::default() };
        let moved = self.make(operation, &seen, &transition, &refused, note, |clinic| {
            clinic.answers().insert(NewAnswer { object: &kept.sha256, name: &source, registry: registry.id, kind: word, received_at: operation.at })?;
            if writes {
                write_sanctions(clinic, operation, registry, &settled.entries, &source)?;
            }
            match decision {
                Decision::Partial | Decision::Accepted if refuses => clinic.registries().set_accepted(registry.id, settled.accepted),
                Decision::Refused | Decision::Returned => clinic.registries().set_accepted(registry.id, Total::default()),
                // What an earlier protocol refused stays refused.
                Decision::Passed if members.all.iter().any(|member| member.has_left) => clinic.registries().set_accepted(registry.id, settled.accepted),
                _ => Ok(()),
            }
        })?;
        Ok(Received { registry: moved, already: None, decision: Some(decision), refused: refused.len() as u64, taken_off, added_up: settled.added_up })
    }

    /// Joins the protocols of a package's files into one answer, with the registry that it is of. The inner error says what is wrong with them.
    fn joined(&mut self, parts: Vec<Part>, formats: &Formats) -> Result<Result<(Registry, Answer), AnswerError>, Problem> {
        let of_persons = |answer: &Answer| FileName::parse(formats.prefixes(), stem(&answer.file_name)).ok().filter(|name| name.is_persons);
        let of_persons_alone = parts.iter().all(|Part { answer, .. }| of_persons(answer).is_some());
        let names: Vec<String> = parts.iter().map(|part| part.name.clone()).collect();
        let mut joined: Option<(Registry, Answer)> = None;
        for Part { mut answer, .. } in parts {
            if let Some(persons) = of_persons(&answer) {
                if let Some(main) = persons.main(formats.prefixes()) {
                    // Main files of several families have person files whose names begin alike.
                    answer.file_name = main.to_string();
                }
                if answer.is_protocol() {
                    // A person may have several cases.
                    answer.cases.iter_mut().for_each(|case| case.is_wide |= case.idcase.is_none() && case.sl_id.is_empty());
                }
            }
            let registry = self.answered(&answer)?;
            joined = Some(match joined {
                None => (registry, answer),
                Some((first, _)) if (&first.mo, first.id) != (&registry.mo, registry.id) => return Ok(Err(AnswerError::Several(names))),
                Some((first, before)) => (first, before.joined(answer)),
            });
        }
        let Some((registry, answer)) = joined else { return Ok(Err(AnswerError::NoAnswer)) };
        // What passes in the person file says nothing of the main file; once that has passed, further refusals may come.
        let has_passed = self.tables.workflow.transitions().iter().any(|t| t.by == Move::ReceivePassed && t.to == registry.status);
        if of_persons_alone && (answer.decision == Decision::Passed || answer.decision == Decision::Partial && !has_passed) {
            return Ok(Err(AnswerError::PersonsOnly));
        }
        Ok(Ok((registry, answer)))
    }

    /// Whether a registry that stands with the clinic again is there because ФЛК refused its file, and not by a decision of the payer. A fund may repeat
    /// ФЛК of a file that it refused by mistake.
    fn is_not_returned(&mut self, registry: &Registry) -> Result<bool, Problem> {
        let workflow = &self.tables.workflow;
        if workflow.status(&registry.status).is_some_and(|status| status.frozen) {
            return Ok(true);
        }
        let entries = self.store.entries(Some(registry))?;
        let last = entries.iter().rev().find(|entry| !entry.draft.after.is_empty());
        let is_refusal = |action: &str| workflow.transitions().iter().any(|t| t.id == action && t.by == Move::ReceiveRefused);
        Ok(last.is_some_and(|last| is_refusal(&last.draft.action)))
    }

    /// Finds the registry of an answer by its number, else by the name of its file, whose first letter payers change.
    fn answered(&mut self, answer: &Answer) -> Result<Registry, Problem> {
        let stem = stem(&answer.file_name);
        let (upper, cut) = (stem.to_uppercase(), tail(stem).to_uppercase());
        let all = self.store.registries_of_answer(&answer.number, &upper, &cut)?;
        if !answer.number.is_empty()
            && let Some(one) = all.iter().find(|r| r.number == answer.number)
        {
            return Ok(one.clone());
        }
        if answer.file_name.is_empty() {
            return Err(Problem::NoRegistry(answer.number.clone()));
        }
        for way in WAYS {
            let mut found: Vec<&Registry> = all.iter().filter(|r| way(&r.file_name.to_uppercase(), &upper)).collect();
            if found.len() > 1 {
                // Names of several families may differ in the first letter only: prefer the registry that waits for an answer.
                let waits = |r: &&&Registry| self.tables.workflow.possible(Some(&r.status), None).any(|t| t.by == answer.decision.by());
                let waiting: Vec<&Registry> = found.iter().filter(waits).copied().collect();
                found = if waiting.is_empty() { found } else { waiting };
            }
            match found.as_slice() {
                [] => {}
                [one] => return Ok((*one).clone()),
                several => return Err(Problem::ManyRegistries(stem.to_owned(), several.iter().map(|r| r.number.clone()).collect())),
            }
        }
        Err(Problem::NoRegistry(stem.to_owned()))
    }
}

/// How the name of an answered file, in capitals, may fit that of a registry's file: the name of a person file has one more letter, or another first
/// letter.
const WAYS: [fn(&str, &str) -> bool; 3] = [|own, its| own == its, |own, its| own == tail(its), |own, its| tail(own) == tail(its)];

/// Whether an answer names the file of a registry. A protocol of an earlier file must not be taken for one of a later file under the same number.
fn names_file(answer: &Answer, registry: &Registry) -> bool {
    let (own, its) = (registry.file_name.to_uppercase(), stem(&answer.file_name).to_uppercase());
    WAYS.iter().any(|way| way(&own, &its))
}

/// A file's name without its ending.
fn stem(name: &str) -> &str {
    let name = name.rsplit(['/', '\\']).next().unwrap_or(name);
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

/// A name without its first character.
fn tail(name: &str) -> &str {
    let mut letters = name.chars();
    letters.next();
    letters.as_str()
}

/// Applies an answer to the cases of the registry.
///
/// # Errors
/// A refusal fits several cases; sums of the answer do not agree with each other or with the registry.
fn settle(answer: &Answer, members: &Members, elements: &Elements) -> Result<Settled, AnswerError> {
    let mut settled = Settled { fits: true, ..Settled::default() };
    let is_protocol = answer.is_protocol();
    let mut seen = BTreeSet::new();
    let mut to_pay = 0;
    for case in &answer.cases {
        let (found, by) = members.find(case);
        settled.fits &= !found.is_empty();
        if found.len() > 1 && !case.is_wide {
            let document = if is_protocol { Document::Protocol } else { Document::Registry };
            let name = elements.first(document, by.meaning()).unwrap_or_default();
            return Err(AnswerError::Ambiguous(name.to_owned(), found.iter().map(|at| members.all[*at].idcase).collect()));
        }
        for member in found.into_iter().map(|at| &members.all[at]) {
            if is_protocol {
                let entry = |s: &answers::AnswerSanction| Taken { case: member.case_id, code: s.code.clone(), sum: member.sum, comment: s.comment.clone() };
                settled.entries.extend(case.sanctions.iter().map(entry));
                if !member.has_left {
                    settled.refused.insert(member.case_id);
                    settled.off.insert(member.case_id, member.sum);
                }
                continue;
            }
            settled.fits &= seen.insert(member.case_id);
            to_pay += decide(case, member, &mut settled)?;
        }
    }
    for member in members.held().filter(|m| !settled.refused.contains(&m.case_id)) {
        settled.accepted.add(member.sum - settled.off.get(&member.case_id).copied().unwrap_or(0));
    }
    if !is_protocol && !answer.is_notice {
        // Cases that the answer does not name are paid in full only if its total says so.
        let unnamed: i64 = members.held().filter(|m| !seen.contains(&m.case_id)).map(|m| m.sum).sum();
        let counted = to_pay + unnamed;
        let stated = answer.accepted.unwrap_or(to_pay);
        if stated != counted || counted != settled.accepted.sum {
            return Err(AnswerError::Total(stated, counted.min(settled.accepted.sum)));
        }
    }
    Ok(settled)
}

/// Applies the payer's decision on one case. Returns the sum that the payer pays, kopecks.
///
/// # Errors
/// SUMV, SUMP, SANK_IT and the sanctions do not agree.
fn decide(case: &AnswerCase, member: &Member, settled: &mut Settled) -> Result<i64, AnswerError> {
    let all = member.sum;
    let sums = || case.sanctions.iter().map(|s| s.sum.unwrap_or(all));
    let (largest, added) = (sums().max(), sums().fold(0, i64::saturating_add));
    let off = match (case.accepted, case.taken_off, case.verdict) {
        (Some(accepted), ..) => all - accepted,
        (None, Some(off), _) => off,
        (None, None, Some(Verdict::Refused)) => all,
        (None, None, Some(Verdict::Full)) => 0,
        _ => largest.unwrap_or(0),
    };
    let sums = CaseSums {
        idcase: member.idcase,
        sum: all,
        stated: case.sum.unwrap_or(all),
        accepted: case.accepted.unwrap_or(all - off),
        taken_off: case.taken_off.unwrap_or(off),
        all: added,
        largest: largest.unwrap_or(0),
    };
    // Q016 takes off the largest sanction (003K.00.0250); some funds have them added up.
    let of_sanctions = largest.is_none_or(|largest| off == largest || off == added);
    let of_verdict = match case.verdict {
        Some(Verdict::Full) => off == 0,
        Some(Verdict::Refused) => off == all,
        Some(Verdict::Partial) => off > 0 && off < all,
        Some(Verdict::Undecided) | None => true,
    };
    let agree = sums.stated == all && sums.taken_off == off && of_sanctions && of_verdict;
    if !agree || !(0..=all).contains(&off) {
        return Err(AnswerError::Sums(Box::new(sums)));
    }
    if largest.is_some_and(|largest| off != largest) {
        settled.added_up.push(sums);
    }
    for sanction in &case.sanctions {
        let sum = sanction.sum.unwrap_or(all);
        settled.entries.push(Taken { case: member.case_id, code: sanction.code.clone(), sum, comment: sanction.comment.clone() });
    }
    if case.sanctions.is_empty() && off > 0 {
        settled.entries.push(Taken { case: member.case_id, code: String::new(), sum: off, comment: String::new() });
    }
    if !member.has_left && off > 0 {
        settled.off.insert(member.case_id, off);
    }
    if !member.has_left && (case.verdict == Some(Verdict::Refused) || off > 0 && off == all) {
        settled.refused.insert(member.case_id);
    }
    Ok(all - off)
}
