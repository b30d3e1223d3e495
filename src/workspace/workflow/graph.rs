//! Checks that a registry can run through the workflow table: it can begin and end, some role can act where it must, and no case is lost or
//! billed twice.

use super::{Cases, Status, TABLE, Transition, Workflow};
use crate::tables::TableError;

/// Line numbers of the table's rows, for error messages.
pub(super) struct Lines {
    pub(super) statuses: Vec<u64>,
    pub(super) transitions: Vec<u64>,
}

/// Checks the statuses and transitions together.
pub(super) fn check(workflow: &Workflow, lines: &Lines) -> Result<(), TableError> {
    for (status, line) in workflow.statuses.iter().zip(&lines.statuses) {
        flags(status).map_err(|message| TableError::new(TABLE, *line, format!("{}: {message}", status.id)))?;
    }
    for (transition, line) in workflow.transitions.iter().zip(&lines.transitions) {
        effect(workflow, transition).map_err(|message| TableError::new(TABLE, *line, format!("{}: {message}", transition.id)))?;
    }
    if !workflow.transitions.iter().any(|t| t.from.is_empty()) {
        return Err(TableError::new(TABLE, 0, "no transition makes a registry: one with from = [] is due"));
    }
    let reached = closure(workflow, |id| workflow.transitions.iter().any(|t| t.from.is_empty() && t.to == id), |t, done| t.from.iter().any(done), true);
    let ending = closure(workflow, |id| workflow.status(id).is_some_and(|s| s.is_final), |t, done| done(&t.to), false);
    for ((status, line), (reached, ending)) in workflow.statuses.iter().zip(&lines.statuses).zip(reached.into_iter().zip(ending)) {
        let fail = |message: String| Err(TableError::new(TABLE, *line, format!("{}: {message}", status.id)));
        if !reached {
            return fail("no transition leads here".to_owned());
        }
        if !status.is_final && !workflow.transitions.iter().any(|t| t.leads_from(Some(&status.id)) && t.to != status.id) {
            return fail("not final, and no transition leads away".to_owned());
        }
        if !ending {
            return fail("no way leads from here to a final status".to_owned());
        }
        if let Some(role) = status.acts.iter().find(|r| workflow.possible(Some(&status.id), Some(r)).next().is_none()) {
            return fail(format!("«{role}» must act, but may make no transition from here"));
        }
    }
    Ok(())
}

/// Tells for each status whether a walk reaches it: forward from the initial statuses, or backward from the final ones.
fn closure(workflow: &Workflow, starts: impl Fn(&str) -> bool, passes: impl Fn(&Transition, &dyn Fn(&String) -> bool) -> bool, forward: bool) -> Vec<bool> {
    let mut done: Vec<bool> = workflow.statuses.iter().map(|s| starts(&s.id)).collect();
    loop {
        let before = done.clone();
        let is_done = |id: &String| workflow.statuses.iter().zip(&before).any(|(s, d)| *d && s.id == *id);
        for transition in workflow.transitions.iter().filter(|t| passes(t, &is_done)) {
            let next = if forward { std::slice::from_ref(&transition.to) } else { &transition.from };
            for (status, done) in workflow.statuses.iter().zip(&mut done) {
                *done |= next.contains(&status.id);
            }
        }
        if done == before {
            return done;
        }
    }
}

fn flags(status: &Status) -> Result<(), &'static str> {
    match status {
        s if s.is_final && !s.acts.is_empty() => Err("final, and yet somebody must act"),
        s if !s.is_final && s.acts.is_empty() => Err("not final, and nobody must act: name the roles in acts"),
        s if s.paid && !(s.live && s.frozen) => Err("paid must be live and frozen too: paid cases stay in their registry"),
        s if s.frozen && !s.live => Err("frozen must be live too: it speaks of cases that the registry holds"),
        s if s.is_final && s.live && !s.paid => Err("final and live, but not paid: its cases could never be billed again"),
        _ => Ok(()),
    }
}

/// Checks that the effect of a transition on the cases fits the flags of both statuses.
fn effect(workflow: &Workflow, transition: &Transition) -> Result<(), String> {
    let Some(to) = workflow.status(&transition.to) else { return Ok(()) };
    let name = &to.id;
    let froms: Vec<Option<&Status>> = if transition.from.is_empty() { vec![None] } else { transition.from.iter().map(|f| workflow.status(f)).collect() };
    for from in froms {
        let (was_live, was_paid) = (from.is_some_and(|s| s.live), from.is_some_and(|s| s.paid));
        let was = from.map_or("nothing", |s| s.id.as_str());
        let wanted = match (was_live, to.live, was_paid, to.paid) {
            (_, false, true, _) => return Err(format!("from {was} to {name}: paid cases cannot be freed, take the payment back first")),
            (false, false, ..) if from.is_none() => return Err(format!("{name} does not hold cases: a registry cannot begin there")),
            (_, false, ..) => &[Cases::Free][..],
            (false, true, ..) => &[Cases::Take],
            (_, _, false, true) => &[Cases::Pay],
            (_, _, true, false) => &[Cases::Unpay],
            (_, _, true, true) => &[Cases::Hold],
            _ if from.is_some_and(|s| s.frozen) || to.frozen => &[Cases::Hold, Cases::Refuse],
            _ => &[Cases::Hold, Cases::Refuse, Cases::Take],
        };
        if !wanted.contains(&transition.cases) {
            let words: Vec<String> = wanted.iter().map(|c| format!("{c:?}").to_lowercase()).collect();
            return Err(format!("from {was} to {name} cases = \"{}\" is due", words.join("\" or \"")));
        }
    }
    Ok(())
}
