//! Puts the help texts of `rules/texts.csv` into the command definition.
//!
//! Keys: `validate` (what it does), `validate+` (examples), `validate:limit` (an argument); `formats.show` for a verb of a verb.

use clap::{Arg, ArgAction, Command};

use crate::texts::layout::COLUMNS;
use crate::texts::{Key, Lang, Texts};

const ROOT: &str = "puomp";
/// Keys of the options that every command has.
const HELP: &str = "puomp:help";
const VERSION: &str = "puomp:version";

/// The whole command in one language.
pub(super) fn command(command: Command, texts: &Texts, lang: Lang) -> Command {
    localise(command, ROOT, texts, lang)
}

/// The word for what is to be typed as a value: FILE as ФАЙЛ. A word without a text stays as it is: it is a code.
fn placeholder(name: &str, texts: &Texts, lang: Lang) -> String {
    Key::of_placeholder(name).map_or(name, |key| texts.get(key, lang)).to_owned()
}

fn localise(command: Command, key: &str, texts: &Texts, lang: Lang) -> Command {
    let text = |key: &str| texts.help(key, lang).map(str::to_owned);
    let heading = |key| texts.get(key, lang).to_owned();
    let verbs: Vec<String> = command.get_subcommands().map(|c| c.get_name().to_owned()).collect();
    let mut command = command
        .disable_help_flag(true)
        .term_width(COLUMNS)
        .help_template(format!("{{about-with-newline}}\n{}: {{usage}}\n\n{{all-args}}{{after-help}}", heading(Key::HeadingUsage)))
        .subcommand_help_heading(heading(Key::HeadingCommands))
        .subcommand_value_name(heading(Key::HeadingCommand));
    let mut order = 0;
    // clap would add defaults, allowed values and variables in English; the texts name them instead.
    command = command.mut_args(|arg| {
        let own = format!("{key}:{}", arg.get_id());
        let global = format!("{ROOT}:{}", arg.get_id());
        let help = text(if arg.is_global_set() { &global } else { &own }).unwrap_or_default();
        let head = heading(if arg.is_positional() { Key::HeadingArguments } else { Key::HeadingOptions });
        // The verb's own options come first, then those of every verb.
        order += 1;
        let order = order + if arg.is_global_set() { 100 } else { 0 };
        let arg = arg.help(help).long_help(None).help_heading(head).display_order(order);
        let arg = if arg.get_action().takes_values() {
            // Without a name of its own a value is called as its argument is.
            let own = arg.get_value_names().map(|names| names.iter().map(ToString::to_string).collect());
            let names: Vec<String> = own.unwrap_or_else(|| vec![arg.get_id().to_string()]);
            arg.value_names(names.iter().map(|name| placeholder(name, texts, lang)))
        } else {
            arg
        };
        if arg.get_action().takes_values() { arg.hide_default_value(true).hide_possible_values(true).hide_env(true) } else { arg }
    });
    let flag = |name: &'static str, short, action, key| {
        Arg::new(name).short(short).long(name).action(action).help(text(key).unwrap_or_default()).help_heading(heading(Key::HeadingOptions)).display_order(200)
    };
    command = command.arg(flag("help", 'h', ArgAction::Help, HELP));
    if key == ROOT {
        command = command.disable_version_flag(true).arg(flag("version", 'V', ArgAction::Version, VERSION));
    }
    if let Some(about) = text(key) {
        command = command.about(about).long_about(None);
    }
    if let Some(after) = text(&format!("{key}+")) {
        command = command.after_help(after);
    }
    for verb in verbs {
        let key = if key == ROOT { verb.clone() } else { format!("{key}.{verb}") };
        command = command.mut_subcommand(verb, |c| localise(c, &key, texts, lang));
    }
    command
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use clap::CommandFactory as _;

    use super::*;
    use crate::cli::args::Cli;
    use crate::cli::settings;
    use crate::tables::RuleFiles;

    /// All visible commands with their keys.
    fn visible(texts: &Texts, lang: Lang) -> Vec<(String, Command)> {
        fn walk(command: &Command, key: &str, all: &mut Vec<(String, Command)>) {
            all.push((key.to_owned(), command.clone()));
            for verb in command.get_subcommands().filter(|c| !c.is_hide_set()) {
                let name = verb.get_name();
                walk(verb, &if key == ROOT { name.to_owned() } else { format!("{key}.{name}") }, all);
            }
        }
        let mut all = Vec::new();
        walk(&command(Cli::command(), texts, lang), ROOT, &mut all);
        all
    }

    fn texts() -> Texts {
        Texts::load(&RuleFiles::embedded()).expect("the built-in table is sound")
    }

    #[test]
    fn every_command_and_argument_has_its_help_and_no_help_is_idle() {
        let texts = texts();
        let mut used = BTreeSet::from([HELP.to_owned(), VERSION.to_owned()]);
        for (key, command) in visible(&texts, Lang::Ru) {
            used.insert(format!("{key}+"));
            used.extend(
                command
                    .get_arguments()
                    .filter(|a| !a.is_hide_set() && a.get_id() != "help" && a.get_id() != "version")
                    .map(|a| if a.is_global_set() { format!("{ROOT}:{}", a.get_id()) } else { format!("{key}:{}", a.get_id()) }),
            );
            used.insert(key);
        }
        let known: BTreeSet<String> = texts.help_keys().map(str::to_owned).collect();
        assert_eq!(used.difference(&known).collect::<Vec<_>>(), Vec::<&String>::new(), "no text");
        assert_eq!(known.difference(&used).collect::<Vec<_>>(), Vec::<&String>::new(), "idle text");
    }

    #[test]
    fn texts_name_defaults_and_allowed_values() {
        let texts = texts();
        for lang in [Lang::Ru, Lang::En] {
            for (key, command) in visible(&texts, lang) {
                for arg in command.get_arguments().filter(|a| a.get_action().takes_values()) {
                    let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
                    let defaults = arg.get_default_values().iter().map(|v| v.to_string_lossy().into_owned());
                    let allowed = arg.get_possible_values().into_iter().map(|v| v.get_name().to_owned());
                    let long = arg.get_long().map(|long| format!("--{long}"));
                    let variable = settings::ALL.iter().find(|name| Some(name.flag) == long.as_deref()).and_then(|name| name.variable).map(str::to_owned);
                    for word in defaults.chain(allowed).chain(variable) {
                        assert!(help.contains(&word), "{key}:{} does not name {word}", arg.get_id());
                    }
                }
            }
        }
    }

    #[test]
    fn the_definition_is_sound() {
        for lang in [Lang::Ru, Lang::En] {
            command(Cli::command(), &texts(), lang).debug_assert();
        }
    }
}
