//! Refusals of transitions: the reason, and what can be done instead.

use std::borrow::Cow;
use std::fmt;

use super::{Transition, Workflow};
use crate::texts::{Coded, ErrorClass, Key, Lang, Slot, Text, display, fill};

/// Why a transition is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The table has no such transition, or none made by this command.
    UnknownTransition,
    /// The registry has a status that is not in the table: the table was changed since.
    UnknownStatus,
    /// The table has no such role.
    UnknownRole,
    /// The transition does not lead from this status.
    Status,
    /// The transition leads from this status, but another role makes it.
    Role,
}

/// A transition that is possible now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowed {
    /// Id of the transition.
    pub transition: String,
    /// Ids of the roles that may make it.
    pub roles: Vec<String>,
}

/// A refused transition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The reason.
    pub cause: Cause,
    /// Id of the transition that was asked for; the words of the command when it makes no transition.
    pub asked: String,
    /// Id of the registry's status; `None` when there is no registry yet.
    pub status: Option<String>,
    /// Id of the role that asked.
    pub role: String,
    /// Everything that any role may do in this status; empty when the status is unknown.
    pub allowed: Vec<Allowed>,
    pub(super) registry: Option<Box<str>>,
}

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident = $word:literal [$($slot:literal)*]),* $(,)?) => {
        /// A text of the table `[refusal]`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Word { $($(#[$doc])* $name),* }

        impl Word {
            /// Every text.
            pub(super) const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The key of the text, without the language.
            pub(super) fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word),* }
            }

            /// The slots that the text must have.
            pub(super) fn slots(self) -> &'static [&'static str] {
                match self { $(Self::$name => &[$($slot),*]),* }
            }
        }
    };
}

words! {
    /// The transition does not lead from this status.
    Status = "status" ["asked" "status"],
    /// There is no registry yet.
    Absent = "absent" ["asked"],
    /// Another role makes the transition.
    Role = "role" ["asked" "role" "roles"],
    /// The status is not in the table.
    UnknownStatus = "unknown_status" ["status"],
    /// The role is not in the table.
    UnknownRole = "unknown_role" ["role" "roles"],
    /// The transition is not in the table.
    UnknownAsked = "unknown_asked" ["asked"],
    /// The second line: what can be done now.
    Allowed = "allowed" ["allowed"],
    /// One item of the second line.
    One = "one" ["command" "names" "roles"],
    /// The second line when nothing can be done.
    End = "end" ["command"],
    /// The second line when the status is not known.
    Restore = "restore" [],
    /// The second line when the role is not known.
    Choose = "choose" [],
    /// Between the last two roles.
    Or = "or" [],
    /// The word for the registry in a command.
    Registry = "registry" [],
    /// The word for the file in a command.
    File = "file" [],
    /// The word for the month in a command.
    Period = "period" [],
    /// The word for the reason in a command.
    Reason = "reason" [],
}

/// Slots of a command line.
pub(super) const COMMAND_SLOTS: &[&str] = &["registry", "file", "period", "reason"];

/// The table `[refusal]`, in the order of [`Word::ALL`].
#[derive(Debug, Clone)]
pub(super) struct Words(pub(super) Vec<Text>);

impl Words {
    fn get(&self, word: Word, lang: Lang) -> &str {
        self.0[word as usize].get(lang)
    }

    fn fill(&self, word: Word, lang: Lang, slots: &[(&str, &str)]) -> String {
        fill(self.get(word, lang), |slot| slots.iter().find(|(name, _)| *name == slot).map(|(_, value)| *value))
    }
}

impl Refusal {
    /// Names the registry, so that the commands in the text can be run as they are.
    #[must_use]
    pub fn for_registry(mut self, registry: &str) -> Self {
        self.registry = Some(registry.into());
        self
    }

    /// What was asked and why it is refused; on a second line what can be done now, by whom and with which command, the asker's actions first.
    pub fn text(&self, workflow: &Workflow, lang: Lang) -> String {
        let words = &workflow.words;
        let transition = workflow.transition(&self.asked);
        let asked = transition.map_or(self.asked.as_str(), |t| t.text.get(lang));
        let status = self.status.as_deref().map(|id| workflow.status(id).map_or(id, |s| s.name.get(lang)));
        let role = workflow.role(&self.role).map_or(self.role.as_str(), |r| r.name.get(lang));
        let why = match (self.cause, status) {
            (Cause::UnknownTransition, _) => words.fill(Word::UnknownAsked, lang, &[("asked", asked)]),
            (Cause::UnknownStatus, status) => words.fill(Word::UnknownStatus, lang, &[("status", status.unwrap_or(""))]),
            (Cause::UnknownRole, _) => {
                let known: Vec<&str> = workflow.roles().iter().map(|r| r.id.as_str()).collect();
                words.fill(Word::UnknownRole, lang, &[("role", role), ("roles", &known.join(", "))])
            }
            (Cause::Status, Some(status)) => words.fill(Word::Status, lang, &[("asked", asked), ("status", status)]),
            (Cause::Status, None) => words.fill(Word::Absent, lang, &[("asked", asked)]),
            (Cause::Role, _) => {
                let roles = transition.map_or_else(String::new, |t| either(workflow, &t.roles, lang));
                words.fill(Word::Role, lang, &[("asked", asked), ("roles", &roles), ("role", role)])
            }
        };
        let next = match self.cause {
            Cause::UnknownStatus => words.get(Word::Restore, lang).to_owned(),
            Cause::UnknownRole => words.get(Word::Choose, lang).to_owned(),
            _ if self.allowed.is_empty() => {
                let first = workflow.possible(None, None).next().map_or_else(String::new, |t| workflow.command(t, None, lang));
                words.fill(Word::End, lang, &[("command", &first)])
            }
            _ => words.fill(Word::Allowed, lang, &[("allowed", &self.possible(workflow, lang))]),
        };
        format!("{why}\n{next}")
    }

    /// What can be done now: one item for all transitions of the same roles and the same command.
    fn possible(&self, workflow: &Workflow, lang: Lang) -> String {
        let mut transitions: Vec<&Transition> = self.allowed.iter().filter_map(|a| workflow.transition(&a.transition)).collect();
        transitions.sort_by_key(|t| !t.is_for(&self.role));
        let mut parts: Vec<(&Transition, Vec<&str>)> = Vec::new();
        for transition in transitions {
            let name = transition.text.get(lang);
            match parts.iter_mut().find(|(t, _)| t.command == transition.command && t.roles == transition.roles) {
                Some((_, names)) => names.push(name),
                None => parts.push((transition, vec![name])),
            }
        }
        let part = |(transition, names): (&Transition, Vec<&str>)| {
            let command = workflow.command(transition, self.registry.as_deref(), lang);
            let slots = [("names", names.join(", ")), ("roles", workflow.role_names(&transition.roles, lang)), ("command", command)];
            workflow.words.fill(Word::One, lang, &slots.each_ref().map(|(slot, value)| (*slot, value.as_str())))
        };
        // Each on a line of its own, as it is to be copied.
        parts.into_iter().map(part).map(|line| format!("\n  {line}")).collect()
    }
}

impl Workflow {
    /// The command line of a transition; without a registry a word stands for it.
    pub fn command(&self, transition: &Transition, registry: Option<&str>, lang: Lang) -> String {
        let word = |word| Some(self.words.get(word, lang));
        fill(&transition.command, |slot| match slot {
            "registry" => registry.or_else(|| word(Word::Registry)),
            "file" => word(Word::File),
            "period" => word(Word::Period),
            "reason" => word(Word::Reason),
            _ => None,
        })
    }
}

fn either(workflow: &Workflow, roles: &[String], lang: Lang) -> String {
    let Some((last, others)) = roles.split_last() else { return String::new() };
    let last = workflow.role_names(std::slice::from_ref(last), lang);
    if others.is_empty() { last } else { format!("{}{}{last}", workflow.role_names(others, lang), workflow.words.get(Word::Or, lang)) }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnknownTransition => "there is no such transition",
            Self::UnknownStatus => "the table has no such status",
            Self::UnknownRole => "the table has no such role",
            Self::Status => "it does not lead from this status",
            Self::Role => "another role makes it",
        })
    }
}

impl fmt::Display for Refusal {
    /// The form for logs, with ids; the text for people is in [`Refused`].
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} by {} in {}: {}", self.asked, self.role, self.status.as_deref().unwrap_or("no registry"), self.cause)
    }
}

impl std::error::Error for Refusal {}

/// A refusal with its texts in both languages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    refusal: Refusal,
    text: Text,
}

impl Refused {
    /// Makes the texts of a refusal from the words of the workflow table.
    pub fn new(refusal: Refusal, workflow: &Workflow) -> Self {
        Self { text: Text { ru: refusal.text(workflow, Lang::Ru), en: refusal.text(workflow, Lang::En) }, refusal }
    }
}

impl Coded for Refused {
    fn key(&self) -> Key {
        match self.refusal.cause {
            Cause::UnknownTransition => Key::WorkflowUnknownTransition,
            Cause::UnknownStatus => Key::WorkflowUnknownStatus,
            Cause::UnknownRole => Key::WorkflowUnknownRole,
            Cause::Status => Key::WorkflowStatus,
            Cause::Role => Key::WorkflowRole,
        }
    }

    fn slots(&self) -> Vec<(&'static str, Slot<'_>)> {
        let Refusal { asked, status, role, allowed, registry, .. } = &self.refusal;
        let mut slots = vec![("text", Slot::Both(Cow::Borrowed(&self.text))), ("asked", Slot::text(asked)), ("role", Slot::text(role))];
        slots.extend(status.as_deref().map(|status| ("status", Slot::text(status))));
        slots.extend(registry.as_deref().map(|registry| ("registry", Slot::text(registry))));
        slots.push(("allowed", Slot::list(allowed.iter().map(|a| &a.transition))));
        slots
    }

    fn class(&self) -> ErrorClass {
        ErrorClass::Refused
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        display(self, f)
    }
}

impl std::error::Error for Refused {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.refusal)
    }
}
