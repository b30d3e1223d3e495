//! Errors of usage in the user's language, because clap's are English only.

use std::ffi::OsString;
use std::fmt;
use std::num::ParseIntError;

use clap::Command;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::Exit;
use super::failure::Voice;
use super::out::bytes;
use super::say::say_as_is;
use crate::texts::layout::fit;
use crate::texts::{Coded, Key, Lang, Slot, Texts, display};

/// Prints what clap returns instead of arguments: help and version on standard output, errors on standard error.
pub(super) fn explain(error: &clap::Error, args: &[OsString], command: &Command, voice: Voice, texts: &Texts, lang: Lang) -> Exit {
    // clap offers no way to translate this word.
    let rendered = || error.render().to_string().replace("[OPTIONS]", texts.get(Key::HeadingOptionsWord, lang));
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            // When nobody reads standard output, nothing is lost.
            let _ = bytes(fit(&rendered()).as_bytes());
            Exit::Done
        }
        // A user who typed nothing sees the help; a program gets the error.
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand if voice == Voice::Text => {
            say_as_is(fit(&rendered()).trim_end());
            Exit::Usage
        }
        _ => {
            let error = UsageError::new(error, typed(args, command));
            voice.tell(&error, texts, lang);
            error.class().into()
        }
    }
}

/// A command line that cannot be parsed.
#[derive(Debug)]
struct UsageError {
    key: Key,
    slots: Vec<(&'static str, String)>,
    more: More,
    similar: Option<String>,
    command: String,
}

/// Further facts about a wrong value.
#[derive(Debug)]
enum More {
    Nothing,
    /// The allowed values.
    Allowed(String),
    /// A whole number is expected.
    Integer,
    /// The message of the value's parser.
    Reason(String),
}

impl UsageError {
    fn new(error: &clap::Error, command: String) -> Self {
        let of = |kind| context(error, kind).unwrap_or_default();
        let (arg, value) = (of(ContextKind::InvalidArg), of(ContextKind::InvalidValue));
        let (key, slots) = match error.kind() {
            ErrorKind::UnknownArgument => (Key::UsageUnknown, vec![("arg", arg)]),
            ErrorKind::InvalidSubcommand => (Key::UsageCommand, vec![("command", of(ContextKind::InvalidSubcommand))]),
            ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => (Key::UsageNoCommand, Vec::new()),
            ErrorKind::MissingRequiredArgument => (Key::UsageMissing, vec![("arg", arg)]),
            ErrorKind::ArgumentConflict => (Key::UsageConflict, vec![("arg", arg), ("other", of(ContextKind::PriorArg))]),
            ErrorKind::InvalidValue | ErrorKind::ValueValidation if value.is_empty() => (Key::UsageNoValue, vec![("arg", arg)]),
            ErrorKind::InvalidValue | ErrorKind::ValueValidation => (Key::UsageBadValue, vec![("arg", arg), ("value", value)]),
            ErrorKind::TooManyValues | ErrorKind::TooFewValues | ErrorKind::WrongNumberOfValues => (Key::UsageNumber, vec![("arg", arg)]),
            ErrorKind::NoEquals => (Key::UsageEquals, vec![("arg", arg)]),
            ErrorKind::InvalidUtf8 => (Key::UsageNotText, Vec::new()),
            // Only what writing an answer meets is left: it has no context of its own.
            _ => (Key::UsageUnread, Vec::new()),
        };
        let more = match (error.kind(), std::error::Error::source(error)) {
            (ErrorKind::InvalidValue, _) => Some(of(ContextKind::ValidValue)).filter(|all| !all.is_empty()).map_or(More::Nothing, More::Allowed),
            (ErrorKind::ValueValidation, Some(source)) if source.is::<ParseIntError>() => More::Integer,
            (ErrorKind::ValueValidation, Some(source)) => More::Reason(source.to_string()),
            _ => More::Nothing,
        };
        let similar = [ContextKind::SuggestedArg, ContextKind::SuggestedSubcommand, ContextKind::SuggestedValue];
        Self { key, slots, more, similar: similar.iter().find_map(|kind| context(error, *kind)), command }
    }
}

/// A phrase with one slot.
fn phrase<'a>(key: Key, slot: &'static str, text: &'a str) -> Slot<'a> {
    Slot::Phrase { plain: text.into(), key, slots: vec![(slot, Slot::text(text))] }
}

impl Coded for UsageError {
    fn key(&self) -> Key {
        self.key
    }

    fn slots(&self) -> Vec<(&'static str, Slot<'_>)> {
        let more = match &self.more {
            More::Nothing => Slot::text(""),
            More::Allowed(all) => phrase(Key::UsageAllowed, "allowed", all),
            More::Integer => {
                let reason = Slot::reason("a whole number is due", Key::UsageInteger);
                Slot::Phrase { plain: reason.plain().into(), key: Key::UsageBecause, slots: vec![("reason", reason)] }
            }
            More::Reason(reason) => Slot::Phrase { plain: reason.into(), key: Key::UsageBecause, slots: vec![("reason", Slot::Said(reason.into()))] },
        };
        let known = self.slots.iter().map(|(name, text)| (*name, Slot::text(text)));
        known.chain((self.key == Key::UsageBadValue).then_some(("more", more))).collect()
    }

    fn hints(&self) -> Vec<Slot<'_>> {
        let similar = self.similar.as_deref().map(|similar| phrase(Key::UsageSimilar, "similar", similar));
        similar.into_iter().chain([phrase(Key::UsageHint, "command", &self.command)]).collect()
    }
}

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        display(self, f)
    }
}

impl std::error::Error for UsageError {}

/// The command as far as it was recognised, such as `puomp formats show`.
fn typed(args: &[OsString], command: &Command) -> String {
    let mut name = command.get_name().to_owned();
    let mut at = command;
    for arg in args.iter().skip(1) {
        if let Some(verb) = at.find_subcommand(arg) {
            name = format!("{name} {}", verb.get_name());
            at = verb;
        }
    }
    name
}

fn context(error: &clap::Error, kind: ContextKind) -> Option<String> {
    match error.get(kind)? {
        ContextValue::String(text) => Some(text.clone()),
        ContextValue::Strings(texts) => Some(texts.join(", ")),
        ContextValue::StyledStr(text) => Some(text.to_string()),
        _ => None,
    }
}
