//! Chooses the language of the user. It must be known before the arguments are parsed, for help and usage errors.

use std::ffi::OsString;

use super::settings::{self, Name, Origin, Valued};
use crate::texts::Lang;

/// `--lang`, else `PUOMP_LANG`, else the locale, else Russian: registries are exchanged in Russian, and Windows sets no locale variable.
pub(super) fn choose(args: &[OsString], variable: impl Fn(&str) -> Option<String>) -> Valued<Lang> {
    let Name { flag, variable: own, .. } = settings::LANG;
    let typed = typed(args).map(|text| (text, Origin::Flag(flag)));
    let set = || own.and_then(|own| Some((variable(own)?, Origin::Variable(own))));
    if let Some((value, origin)) = typed.or_else(set).and_then(|(text, origin)| Some((named(&text)?, origin))) {
        return Valued { value, origin };
    }
    let locale = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().find_map(|name| Some((name, variable(name).filter(|l| !l.is_empty())?)));
    locale.map_or(Valued { value: Lang::Ru, origin: Origin::Default }, |(name, text)| Valued { value: of_locale(&text), origin: Origin::Variable(name) })
}

fn typed(args: &[OsString]) -> Option<String> {
    let mut args = args.iter().skip(1).map(|a| a.to_string_lossy()).take_while(|a| a != "--");
    while let Some(arg) = args.next() {
        if arg == "--lang" {
            return args.next().map(|a| a.into_owned());
        }
        if let Some(value) = arg.strip_prefix("--lang=") {
            return Some(value.to_owned());
        }
    }
    None
}

fn named(text: &str) -> Option<Lang> {
    match text.to_ascii_lowercase().as_str() {
        "ru" => Some(Lang::Ru),
        "en" => Some(Lang::En),
        _ => None,
    }
}

fn of_locale(locale: &str) -> Lang {
    let language = locale.split(['_', '.', '@', '-']).next().unwrap_or("").to_ascii_lowercase();
    match language.as_str() {
        "ru" | "c" | "posix" => Lang::Ru,
        _ => Lang::En,
    }
}

/// Whether the locale names a character set other than UTF-8 (or the terminal is `dumb`): lines are drawn in ASCII then.
pub(super) fn not_unicode(variable: impl Fn(&str) -> Option<String>) -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().filter_map(|name| variable(name)).find(|l| !l.is_empty()).unwrap_or_default();
    let charset = locale.split_once('.').map(|(_, c)| c.to_ascii_lowercase().replace('-', ""));
    charset.is_some_and(|c| !c.starts_with("utf8")) || variable("TERM").is_some_and(|t| t == "dumb")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(args: &[&str], variables: &[(&str, &str)]) -> Lang {
        let args: Vec<OsString> = std::iter::once("puomp").chain(args.iter().copied()).map(OsString::from).collect();
        choose(&args, |name| variables.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned())).value
    }

    #[test]
    fn the_argument_wins_then_the_variable_then_the_locale() {
        assert_eq!(with(&["--lang", "en"], &[("PUOMP_LANG", "ru")]), Lang::En);
        assert_eq!(with(&["validate", "--lang=en", "x"], &[]), Lang::En);
        assert_eq!(with(&["--", "--lang=en"], &[]), Lang::Ru);
        assert_eq!(with(&[], &[("PUOMP_LANG", "en"), ("LANG", "ru_RU.UTF-8")]), Lang::En);
        assert_eq!(with(&[], &[("LC_ALL", ""), ("LANG", "ru_RU.UTF-8")]), Lang::Ru);
        assert_eq!(with(&[], &[("LC_ALL", "en_US.UTF-8"), ("LANG", "ru_RU.UTF-8")]), Lang::En);
        assert_eq!([with(&[], &[]), with(&[], &[("LANG", "C.UTF-8")]), with(&[], &[("LANG", "POSIX")])], [Lang::Ru; 3]);
    }

    #[test]
    fn only_a_named_foreign_charset_forbids_unicode() {
        let with = |value: &str| not_unicode(|name| (name == "LANG").then(|| value.to_owned()));
        assert_eq!(["", "C", "ru_RU.UTF-8", "ru_RU.utf8", "ru_RU.KOI8-R", "ru_RU.CP1251"].map(with), [false, false, false, false, true, true]);
        assert!(not_unicode(|name| (name == "TERM").then(|| "dumb".to_owned())));
    }
}
