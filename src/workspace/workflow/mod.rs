//! The life of a registry by `rules/workflow.toml`: its statuses, who may move it from one to another, and under which conditions.
//!
//! This module changes no registry. The caller tells the status of the registry and who asks; the answer is the [`Transition`] to make, whose
//! conditions and effect on the cases the caller handles, or a [`Refusal`] that says what can be done instead and by whom.

mod graph;
mod refusal;
mod table;
#[cfg(test)]
mod tests;

use serde::Deserialize;

use crate::tables::{RuleFiles, TableError};
use crate::texts::{Lang, Text};

pub use refusal::{Allowed, Cause, Refusal, Refused};

/// Name of the table.
pub const TABLE: &str = "workflow.toml";

macro_rules! moves {
    ($($(#[$doc:meta])* $name:ident = $verb:literal $action:literal),* $(,)?) => {
        /// A command that moves a registry: a verb and, for a verb with several actions, the action. The transition depends on the status.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Move { $($(#[$doc])* $name),* }

        impl Move {
            /// Every move for which the program has a command.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The verb of the command line.
            pub fn verb(self) -> &'static str {
                match self { $(Self::$name => $verb),* }
            }

            /// The action of the verb; empty for a verb with a single one.
            pub fn action(self) -> &'static str {
                match self { $(Self::$name => $action),* }
            }
        }
    };
}

moves! {
    /// A registry is formed from cases.
    FormNew = "form" "new",
    /// A registry is formed again from the current versions of its cases.
    FormAgain = "form" "again",
    /// The registry is given up.
    FormCancel = "form" "cancel",
    /// The registry goes to the payer.
    Submit = "submit" "",
    /// The registry is taken back from the payer.
    Withdraw = "withdraw" "",
    /// The payer has begun to check.
    ReviewStart = "review" "start",
    /// The payer accepts a registry: first for signing, later for payment.
    ReviewAccept = "review" "accept",
    /// The payer returns.
    ReviewReturn = "review" "return",
    /// The payer has paid.
    ReviewPay = "review" "pay",
    /// The payer takes back the mark of payment.
    ReviewUnpay = "review" "unpay",
    /// Somebody signs, but not as the last one.
    SignAdd = "sign" "add",
    /// The last signature is given.
    SignComplete = "sign" "complete",
    /// An answer: ФЛК found nothing.
    ReceivePassed = "receive" "passed",
    /// An answer: ФЛК refused some records.
    ReceivePartial = "receive" "partial",
    /// An answer: ФЛК refused the file.
    ReceiveRefused = "receive" "refused",
    /// An answer: accepted, for signing first, for payment after that.
    ReceiveAccepted = "receive" "accepted",
    /// An answer: returned.
    ReceiveReturned = "receive" "returned",
    /// An answer: paid.
    ReceivePaid = "receive" "paid",
    /// At the payer's desk: a package of the clinic becomes a registry, or takes the place of one that was given back.
    LoadAsPayer = "load" "as-payer",
}

impl Move {
    /// The move of a verb and an action.
    pub fn find(verb: &str, action: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|m| m.verb() == verb && m.action() == action)
    }

    /// Verb and action as the user types them.
    pub fn words(self) -> String {
        [self.verb(), self.action()].join(" ").trim_end().to_owned()
    }
}

macro_rules! needs {
    ($($(#[$doc:meta])* $name:ident = $word:literal),* $(,)?) => {
        /// A condition of a transition. The caller finds out whether it is met.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
        pub enum Need { $($(#[$doc])* #[serde(rename = $word)] $name),* }

        impl Need {
            /// Every condition.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The id of the condition in the table.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word),* }
            }
        }
    };
}

needs! {
    /// The user gave a reason.
    Reason = "reason",
    /// The registry has at least one case.
    HasCases = "has-cases",
    /// No case has newer versions than the one in the registry.
    CasesCurrent = "cases-current",
    /// No case has a finding for which it would be refused.
    NoBlocking = "no-blocking",
    /// SD_Z, SUMMAV and, with sanctions, SUMMAP agree with the cases.
    TotalsAgree = "totals-agree",
    /// The answer is for this registry and payer, and the registry holds every case in it.
    AnswerFits = "answer-fits",
    /// Every sanction is on a case of the registry and takes off no more than its sum. True when there are no sanctions.
    SanctionsFit = "sanctions-fit",
    /// At least one case is not refused whole.
    CasesLeft = "cases-left",
    /// The registry stands with the clinic because ФЛК refused its file, and not by a decision of the payer; true while it stands with the payer.
    NotReturned = "not-returned",
    /// Everybody who signs before this signer has signed, and this signer has not.
    SignatureTurn = "signature-turn",
    /// All signatures of [`Workflow::signatures`] are there, including the one being given.
    AllSignatures = "all-signatures",
}

/// What a transition does to the cases of the registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Cases {
    /// The chosen cases become the registry's; those that it held and that were not chosen again are freed.
    Take,
    /// The cases stay as they are.
    Hold,
    /// All cases become free for another registry.
    Free,
    /// Cases that the payer refused whole become free to be corrected and sent again (PR_NOV = 1); the others stay.
    Refuse,
    /// The cases in the registry count as paid.
    Pay,
    /// The cases no longer count as paid, and stay in the registry.
    Unpay,
}

/// A role in which somebody acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// Id of the role in settings and in the store.
    pub id: String,
    /// Name for people.
    pub name: Text,
    /// Other words by which a user may call it.
    pub words: Vec<String>,
}

/// A status of a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Id of the status in the store and in machine formats.
    pub id: String,
    /// What people call it.
    pub name: Text,
    /// Explanation for people.
    pub text: Text,
    /// The registry holds its cases; no other may have them.
    pub live: bool,
    /// The registry has been sent: its cases are not changed silently.
    pub frozen: bool,
    /// Its cases have been paid and are never billed again.
    pub paid: bool,
    /// The status is the last one: nobody has to act.
    pub is_final: bool,
    /// Ids of the roles that must act now; empty only for a final status. Of insurer and fund only the registry's payer must act.
    pub acts: Vec<String>,
}

/// A move from one status to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transition {
    /// Id of the transition in the journal.
    pub id: String,
    /// Ids of the statuses from which it leads; empty for one that makes a registry.
    pub from: Vec<String>,
    /// Id of the status to which the transition leads.
    pub to: String,
    /// The command that makes the transition.
    pub by: Move,
    /// Ids of the roles that may make the transition.
    pub roles: Vec<String>,
    /// The conditions of the transition.
    pub needs: Vec<Need>,
    /// The effect on the cases.
    pub cases: Cases,
    /// Name of the action for people, as an infinitive.
    pub text: Text,
    /// The command line, with the slots `{registry}`, `{file}`, `{period}` and `{reason}`.
    pub command: String,
}

impl Transition {
    /// Whether the transition leads from a status; with `None`, whether it makes a registry.
    pub fn leads_from(&self, status: Option<&str>) -> bool {
        status.map_or(self.from.is_empty(), |s| self.from.iter().any(|f| f == s))
    }

    /// Whether a role may make it.
    pub fn is_for(&self, role: &str) -> bool {
        self.roles.iter().any(|r| r == role)
    }

    /// The conditions that are not met, in the order of the table. `facts` is called once for each condition.
    pub fn unmet(&self, facts: &dyn Fn(Need) -> bool) -> Vec<Need> {
        self.needs.iter().copied().filter(|need| !facts(*need)).collect()
    }
}

/// The whole table `rules/workflow.toml`.
#[derive(Debug, Clone)]
pub struct Workflow {
    roles: Vec<Role>,
    statuses: Vec<Status>,
    transitions: Vec<Transition>,
    needs: Vec<Text>,
    signatures: Vec<String>,
    words: refusal::Words,
}

impl Workflow {
    /// Reads and checks the table.
    ///
    /// # Errors
    /// The line and its error: an unknown word, something said twice, a missing text. Also a workflow that cannot work: no initial transition,
    /// a status that is never reached or never left, a role that must act but cannot, cases that would be lost or billed twice.
    pub fn load(files: &RuleFiles) -> Result<Self, TableError> {
        table::read(&files.text(TABLE)?)
    }

    /// All roles, in the order of the table.
    pub fn roles(&self) -> &[Role] {
        &self.roles
    }

    /// All statuses, in the order of the table.
    pub fn statuses(&self) -> &[Status] {
        &self.statuses
    }

    /// All transitions, in the order of the table.
    pub fn transitions(&self) -> &[Transition] {
        &self.transitions
    }

    /// Ids of the roles that sign, in the order of signing.
    pub fn signatures(&self) -> &[String] {
        &self.signatures
    }

    /// A role by its id.
    pub fn role(&self, id: &str) -> Option<&Role> {
        self.roles.iter().find(|r| r.id == id)
    }

    /// A role by its id, its name in either language or another of its words, in whatever case.
    pub fn role_called(&self, word: &str) -> Option<&Role> {
        let word = word.trim().to_lowercase();
        let names = |r: &Role| [&r.id, &r.name.ru, &r.name.en].into_iter().chain(&r.words).any(|name| name.to_lowercase() == word);
        self.roles.iter().find(|r| names(r))
    }

    /// A status by its id.
    pub fn status(&self, id: &str) -> Option<&Status> {
        self.statuses.iter().find(|s| s.id == id)
    }

    /// A status by its id or its name in either language, in whatever case.
    pub fn status_called(&self, word: &str) -> Option<&Status> {
        let word = word.trim().to_lowercase();
        self.statuses.iter().find(|s| [&s.id, &s.name.ru, &s.name.en].iter().any(|name| name.to_lowercase() == word))
    }

    /// A transition by its id.
    pub fn transition(&self, id: &str) -> Option<&Transition> {
        self.transitions.iter().find(|t| t.id == id)
    }

    /// The message for a condition that is not met, with advice.
    pub fn need(&self, need: Need, lang: Lang) -> &str {
        self.needs[need as usize].get(lang)
    }

    /// The names of roles, separated by commas.
    pub fn role_names(&self, ids: &[String], lang: Lang) -> String {
        ids.iter().map(|id| self.role(id).map_or(id.as_str(), |r| r.name.get(lang))).collect::<Vec<_>>().join(", ")
    }

    /// The transitions that a role may make from a status, in the order of the table; those of all roles when `role` is `None`.
    pub fn possible<'a>(&'a self, from: Option<&'a str>, role: Option<&'a str>) -> impl Iterator<Item = &'a Transition> {
        self.transitions.iter().filter(move |t| t.leads_from(from) && role.is_none_or(|r| t.is_for(r)))
    }

    /// The transition, if a role may make it from a status. The caller checks its conditions afterwards: [`Transition::unmet`].
    ///
    /// # Errors
    /// The reason, and what is possible instead.
    pub fn decide(&self, from: Option<&str>, transition: &str, role: &str) -> Result<&Transition, Refusal> {
        let refuse = |cause| Err(self.refusal(cause, from, transition.to_owned(), role));
        if from.is_some_and(|s| self.status(s).is_none()) {
            return refuse(Cause::UnknownStatus);
        }
        if self.role(role).is_none() {
            return refuse(Cause::UnknownRole);
        }
        match self.transition(transition) {
            None => refuse(Cause::UnknownTransition),
            Some(t) if !t.leads_from(from) => refuse(Cause::Status),
            Some(t) if !t.is_for(role) => refuse(Cause::Role),
            Some(t) => Ok(t),
        }
    }

    /// The transition that a command makes from a status, if the role may make it.
    ///
    /// # Errors
    /// The errors of [`Workflow::decide`]. When the command makes no transition from this status, the error is about the first transition that
    /// it makes elsewhere.
    pub fn ask(&self, from: Option<&str>, by: Move, role: &str) -> Result<&Transition, Refusal> {
        let mut made = self.transitions.iter().filter(|t| t.by == by);
        let first = made.clone().next();
        match made.find(|t| t.leads_from(from)).or(first) {
            Some(t) => self.decide(from, &t.id, role),
            None => Err(self.refusal(Cause::UnknownTransition, from, by.words(), role)),
        }
    }

    fn refusal(&self, cause: Cause, from: Option<&str>, asked: String, role: &str) -> Refusal {
        let known = !matches!(cause, Cause::UnknownStatus);
        let allowed = self.possible(from, None).filter(|_| known).map(|t| Allowed { transition: t.id.clone(), roles: t.roles.clone() }).collect();
        Refusal { cause, asked, status: from.map(str::to_owned), role: role.to_owned(), allowed, registry: None }
    }
}
