//! Arguments as a user types them: what a shell would take apart or replace stands in quotes.

use std::borrow::Cow;

/// An argument of a command that a user is to type, quoted for the shells of this system where it must be.
pub fn quoted(argument: &str) -> Cow<'_, str> {
    if super::IS_WINDOWS { for_windows(argument) } else { for_posix(argument) }
}

/// For the shells of Unix: single quotes, in which nothing has a meaning.
fn for_posix(argument: &str) -> Cow<'_, str> {
    let argument = not_an_option(argument, "./");
    if is_plain(&argument, "/") { argument } else { format!("'{}'", argument.replace('\'', r"'\''")).into() }
}

/// For cmd and PowerShell: double quotes, the only ones that both have. What either would still replace or run in them stands as `?`, which fits any character
/// in a path that is typed for puomp.
fn for_windows(argument: &str) -> Cow<'_, str> {
    let argument = not_an_option(argument, r".\");
    if is_plain(&argument, r"/\:") {
        return argument;
    }
    // A backslash before the closing quote would make the quote a part of the argument.
    let end = argument.len() - argument.trim_end_matches('\\').len();
    let safe: String = argument.chars().map(|c| if matches!(c, '$' | '`' | '%' | '!' | '"' | '“' | '”' | '„' | '‟') { '?' } else { c }).collect();
    format!("\"{safe}{}\"", r"\".repeat(end)).into()
}

/// A path that begins with a hyphen would be taken for an option.
fn not_an_option<'a>(argument: &'a str, here: &str) -> Cow<'a, str> {
    if argument.starts_with('-') { format!("{here}{argument}").into() } else { argument.into() }
}

fn is_plain(argument: &str, separators: &str) -> bool {
    !argument.is_empty() && argument.chars().all(|c| c.is_alphanumeric() || "._-".contains(c) || separators.contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn for_the_shells_of_unix() {
        for (argument, typed) in [
            ("выгрузка/HM140001S14002_21031.zip", "выгрузка/HM140001S14002_21031.zip"),
            ("2103-1", "2103-1"),
            ("мои файлы/a.zip", "'мои файлы/a.zip'"),
            ("it's", r"'it'\''s'"),
            ("$HOME", "'$HOME'"),
            ("a*b", "'a*b'"),
            ("a;rm -rf x", "'a;rm -rf x'"),
            (r"a\b", r"'a\b'"),
            ("~x", "'~x'"),
            ("-rf", "./-rf"),
            ("- x", "'./- x'"),
            ("", "''"),
        ] {
            assert_eq!(for_posix(argument), typed);
        }
    }

    /// What a shell of Unix makes of it is what was meant.
    #[cfg(unix)]
    #[test]
    fn a_shell_reads_what_was_meant() {
        for argument in ["мои файлы/a.zip", "it's", "$HOME `id` $(id)", "a*b?[c]", "a;b&c|d", "\"x\"", "a\\b", "#x", "~", "!x"] {
            let output = std::process::Command::new("sh").arg("-c").arg(format!("printf %s {}", for_posix(argument))).output().expect("a shell");
            assert_eq!(String::from_utf8(output.stdout).expect("text"), argument);
        }
    }

    #[test]
    fn for_cmd_and_powershell() {
        for (argument, typed) in [
            (r"C:\выгрузка\HM140001S14002_21031.zip", r"C:\выгрузка\HM140001S14002_21031.zip"),
            (r"C:\Мои документы\a.zip", r#""C:\Мои документы\a.zip""#),
            (r"C:\Мои документы\", r#""C:\Мои документы\\""#),
            ("a&b.zip", r#""a&b.zip""#),
            ("a(1).zip", r#""a(1).zip""#),
            ("it's", r#""it's""#),
            ("a,b", r#""a,b""#),
            ("-x.zip", r".\-x.zip"),
            ("", r#""""#),
        ] {
            assert_eq!(for_windows(argument), typed);
        }
    }
}
