//! The life of a registry, as `rules/workflow.toml` tells it: where it stands, who may move it where, and what must be true.
//!
//! Nothing here touches a registry. The caller knows in which status it is and who asks; the answer is the [`Transition`] to make, whose conditions
//! and effect on the cases the caller then carries out, or a [`Refusal`] that says what can be done instead and by whom.

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
        /// What a command asks for: its verb and, where a verb does several things, its action. Which transition that is depends on the status.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Move { $($(#[$doc])* $name),* }

        impl Move {
            /// Every move that the program has a command for.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The verb of the command line.
            pub fn verb(self) -> &'static str {
                match self { $(Self::$name => $verb),* }
            }

            /// What the verb does; empty for a verb that does one thing.
            pub fn action(self) -> &'static str {
                match self { $(Self::$name => $action),* }
            }
        }
    };
}

moves! {
    /// Cases become a registry.
    FormNew = "form" "new",
    /// The registry is formed anew from the current versions of its cases.
    FormAgain = "form" "again",
    /// The registry is given up.
    FormCancel = "form" "cancel",
    /// It goes to the payer.
    Submit = "submit" "",
    /// It is taken back from the payer.
    Withdraw = "withdraw" "",
    /// The payer has begun to check.
    ReviewStart = "review" "start",
    /// The payer accepts: for signing first, for payment after that.
    ReviewAccept = "review" "accept",
    /// The payer returns.
    ReviewReturn = "review" "return",
    /// The payer has paid.
    ReviewPay = "review" "pay",
    /// The mark of payment was an error.
    ReviewUnpay = "review" "unpay",
    /// A signature that is not the last one.
    SignAdd = "sign" "add",
    /// The last signature.
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
}

impl Move {
    /// The move of a verb and an action.
    pub fn find(verb: &str, action: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|m| m.verb() == verb && m.action() == action)
    }

    /// Verb and action as they are typed.
    pub fn words(self) -> String {
        [self.verb(), self.action()].join(" ").trim_end().to_owned()
    }
}

macro_rules! needs {
    ($($(#[$doc:meta])* $name:ident = $word:literal),* $(,)?) => {
        /// A condition of a transition. Whether it is met is for the caller to find out.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
        pub enum Need { $($(#[$doc])* #[serde(rename = $word)] $name),* }

        impl Need {
            /// Every condition.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The word in the table.
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
    /// Every case is still the version that the registry was formed from.
    CasesCurrent = "cases-current",
    /// No case has a finding with which it would be refused.
    NoBlocking = "no-blocking",
    /// SD_Z and SUMMAV, and SUMMAP where there are sanctions, are those of the cases.
    TotalsAgree = "totals-agree",
    /// The answer is of this registry and payer, and every case in it is the registry's.
    AnswerFits = "answer-fits",
    /// Every sanction is of a case of the registry and takes off no more than its sum. True when there are no sanctions.
    SanctionsFit = "sanctions-fit",
    /// At least one case is not refused whole.
    CasesLeft = "cases-left",
    /// All who sign before this signer have signed, and this one has not.
    SignatureTurn = "signature-turn",
    /// All signatures of [`Workflow::signatures`] are there, the one being given included.
    AllSignatures = "all-signatures",
}

/// What a transition does to the cases of the registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Cases {
    /// The chosen cases become the registry's; those that it held and that were not chosen again are freed.
    Take,
    /// Nothing.
    Hold,
    /// All are free for another registry.
    Free,
    /// Those that the payer refused whole are free to be corrected and sent again (PR_NOV = 1); the others stay.
    Refuse,
    /// Those that stand in the registry count as paid.
    Pay,
    /// They no longer count as paid, and stay in the registry.
    Unpay,
}

/// Who acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// Its word in settings and in the store.
    pub id: String,
    /// What people call it.
    pub name: Text,
}

/// Where a registry stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Its word in the store and in machine formats.
    pub id: String,
    /// What people call it.
    pub name: Text,
    /// What it means.
    pub text: Text,
    /// The registry holds its cases; no other may have them.
    pub live: bool,
    /// It has been sent: its cases are not changed silently.
    pub frozen: bool,
    /// Its cases have been paid and are never billed again.
    pub paid: bool,
    /// The end of its way.
    pub is_final: bool,
    /// Ids of the roles that must act now; empty only for a final status. Of insurer and fund, the registry's payer is meant.
    pub acts: Vec<String>,
}

/// A move from one status to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transition {
    /// Its word in the journal.
    pub id: String,
    /// Ids of the statuses from which it leads; empty for the one that makes a registry.
    pub from: Vec<String>,
    /// Id of the status to which it leads.
    pub to: String,
    /// The command that makes it.
    pub by: Move,
    /// Ids of the roles that may make it.
    pub roles: Vec<String>,
    /// What must be true.
    pub needs: Vec<Need>,
    /// What becomes of the cases.
    pub cases: Cases,
    /// What is done, as an infinitive.
    pub text: Text,
    /// The command line, with the slots `{registry}`, `{file}`, `{period}` and `{reason}`.
    pub command: String,
}

impl Transition {
    /// Whether it leads from a status; from none, whether it makes a registry.
    pub fn leads_from(&self, status: Option<&str>) -> bool {
        status.map_or(self.from.is_empty(), |s| self.from.iter().any(|f| f == s))
    }

    /// Whether a role may make it.
    pub fn is_for(&self, role: &str) -> bool {
        self.roles.iter().any(|r| r == role)
    }

    /// The conditions that are not met, in the order of the table; each is asked for once.
    pub fn unmet(&self, facts: &dyn Fn(Need) -> bool) -> Vec<Need> {
        self.needs.iter().copied().filter(|need| !facts(*need)).collect()
    }
}

/// All of `rules/workflow.toml`.
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
    /// The line and what is wrong with it: a word that is not known, something said twice, a text that is missing; and what makes a life that cannot
    /// be lived: no way into it, a status that is never reached or never left, a role that must act but cannot, cases that would be lost or billed twice.
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

    /// Ids of the roles that sign, in the order in which they do.
    pub fn signatures(&self) -> &[String] {
        &self.signatures
    }

    /// A role by its id.
    pub fn role(&self, id: &str) -> Option<&Role> {
        self.roles.iter().find(|r| r.id == id)
    }

    /// A status by its id.
    pub fn status(&self, id: &str) -> Option<&Status> {
        self.statuses.iter().find(|s| s.id == id)
    }

    /// A status by what people type: its id or its name in either language, in whatever case.
    pub fn status_called(&self, word: &str) -> Option<&Status> {
        let word = word.trim().to_lowercase();
        self.statuses.iter().find(|s| [&s.id, &s.name.ru, &s.name.en].iter().any(|name| name.to_lowercase() == word))
    }

    /// A transition by its id.
    pub fn transition(&self, id: &str) -> Option<&Transition> {
        self.transitions.iter().find(|t| t.id == id)
    }

    /// What is said when a condition is not met, with what to do.
    pub fn need(&self, need: Need, lang: Lang) -> &str {
        self.needs[need as usize].get(lang)
    }

    /// The names of roles, separated by commas.
    pub fn role_names(&self, ids: &[String], lang: Lang) -> String {
        ids.iter().map(|id| self.role(id).map_or(id.as_str(), |r| r.name.get(lang))).collect::<Vec<_>>().join(", ")
    }

    /// What a role may do in a status, in the order of the table; what anybody may do when no role is given.
    pub fn possible<'a>(&'a self, from: Option<&'a str>, role: Option<&'a str>) -> impl Iterator<Item = &'a Transition> {
        self.transitions.iter().filter(move |t| t.leads_from(from) && role.is_none_or(|r| t.is_for(r)))
    }

    /// Whether a role may make a transition in a status. Conditions are asked for afterwards: [`Transition::unmet`].
    ///
    /// # Errors
    /// Why not, and what is possible instead.
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

    /// The transition that a command asks for in a status, if the role may make it.
    ///
    /// # Errors
    /// As [`Workflow::decide`]. When the command leads nowhere from this status, what it does elsewhere is what was asked.
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
