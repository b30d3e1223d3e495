//! Errors of usage in the user's language: clap speaks English only.

use std::ffi::OsString;
use std::num::ParseIntError;

use clap::Command;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::out::print;
use super::{Exit, ui};
use crate::texts::{Key, Lang, Texts};

/// Shows what clap has to say: help and version on standard output, errors on standard error.
pub(super) fn explain(error: &clap::Error, args: &[OsString], command: &Command, texts: &Texts, lang: Lang) -> Exit {
    // The one word that clap lets nobody translate.
    let rendered = || error.render().to_string().replace("[OPTIONS]", texts.get(Key::HeadingOptionsWord, lang));
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            // Nobody to read it: nothing lost.
            let _ = print(&rendered());
            Exit::Done
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            ui::say(rendered().trim_end());
            Exit::Usage
        }
        _ => {
            ui::say(&texts.fill(Key::Error, lang, &[("text", &text(error, texts, lang))]));
            if let Some(similar) =
                [ContextKind::SuggestedArg, ContextKind::SuggestedSubcommand, ContextKind::SuggestedValue].iter().find_map(|k| context(error, *k))
            {
                ui::say(&texts.fill(Key::UsageSimilar, lang, &[("similar", &similar)]));
            }
            ui::say(&texts.fill(Key::UsageHint, lang, &[("command", &typed(args, command))]));
            Exit::Usage
        }
    }
}

fn text(error: &clap::Error, texts: &Texts, lang: Lang) -> String {
    let of = |kind| context(error, kind).unwrap_or_default();
    let (arg, value) = (of(ContextKind::InvalidArg), of(ContextKind::InvalidValue));
    match error.kind() {
        ErrorKind::UnknownArgument => texts.fill(Key::UsageUnknown, lang, &[("arg", &arg)]),
        ErrorKind::InvalidSubcommand => texts.fill(Key::UsageCommand, lang, &[("command", &of(ContextKind::InvalidSubcommand))]),
        ErrorKind::MissingSubcommand => texts.get(Key::UsageNoCommand, lang).to_owned(),
        ErrorKind::MissingRequiredArgument => texts.fill(Key::UsageMissing, lang, &[("arg", &arg)]),
        ErrorKind::ArgumentConflict => texts.fill(Key::UsageConflict, lang, &[("arg", &arg), ("other", &of(ContextKind::PriorArg))]),
        ErrorKind::InvalidValue | ErrorKind::ValueValidation if value.is_empty() => texts.fill(Key::UsageNoValue, lang, &[("arg", &arg)]),
        ErrorKind::InvalidValue => {
            let text = texts.fill(Key::UsageBadValue, lang, &[("arg", &arg), ("value", &value)]);
            let allowed = of(ContextKind::ValidValue);
            if allowed.is_empty() { text } else { text + &texts.fill(Key::UsageAllowed, lang, &[("allowed", &allowed)]) }
        }
        ErrorKind::ValueValidation => {
            let text = texts.fill(Key::UsageBadValue, lang, &[("arg", &arg), ("value", &value)]);
            match std::error::Error::source(error) {
                Some(source) if source.is::<ParseIntError>() => format!("{text} ({})", texts.get(Key::UsageInteger, lang)),
                // The parser of the value knows better than we what it wants.
                Some(source) => format!("{text} ({source})"),
                None => text,
            }
        }
        ErrorKind::TooManyValues | ErrorKind::TooFewValues | ErrorKind::WrongNumberOfValues => texts.fill(Key::UsageNumber, lang, &[("arg", &arg)]),
        _ => texts.fill(Key::UsageOther, lang, &[("reason", error.to_string().lines().next().unwrap_or(""))]),
    }
}

/// The command as far as it was understood: `puomp formats show`.
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
