//! Passwords in texts of the configuration: in addresses (`postgres://user:password@host/db`, `…?password=…`) and after the word «password».

use std::ops::Range;

/// The text without its passwords; the same text when it has none. What stands around a password stays, so an address still names its user and host.
pub(super) fn without_passwords(text: &str) -> String {
    let mut cuts = of_addresses(text);
    cuts.extend(of_words(text));
    cuts.sort_by_key(|cut| cut.start);
    let (mut out, mut from) = (String::with_capacity(text.len()), 0);
    for cut in cuts {
        if cut.start >= from {
            out.push_str(&text[from..cut.start]);
        }
        from = from.max(cut.end);
    }
    out.push_str(&text[from..]);
    out
}

/// Whether a text ends at this character: an address has none of them.
fn ends(c: char) -> bool {
    c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '<' | '>')
}

/// Passwords before the host of an address, each with the colon before it.
fn of_addresses(text: &str) -> Vec<Range<usize>> {
    let of = |(at, _): (usize, &str)| {
        let start = at + "://".len();
        let address = &text[start..];
        let address = &address[..address.find(ends).unwrap_or(address.len())];
        let authority = &address[..address.find(['/', '?', '#']).unwrap_or(address.len())];
        let host_at = authority.rfind('@').or_else(|| {
            // A password with a slash in it: nobody takes such an address, but it stands there. Digits after the colon are a port.
            let (_, rest) = authority.split_once(':').filter(|_| !authority.starts_with('['))?;
            if rest.chars().all(|c| c.is_ascii_digit()) { None } else { address.rfind('@') }
        })?;
        let colon = address[..host_at].find(':')?;
        Some(start + colon..start + host_at)
    };
    text.match_indices("://").filter_map(of).collect()
}

/// Values after `password=`, in any letter case and with any beginning (`sslpassword`, `PGPASSWORD`); a parameter of an address goes as a whole.
fn of_words(text: &str) -> Vec<Range<usize>> {
    const WORD: &str = "password";
    let lower = text.to_ascii_lowercase();
    let of = |(at, _): (usize, &str)| {
        let after = at + WORD.len();
        let blank = |s: &str| s.len() - s.trim_start_matches([' ', '\t']).len();
        let equals = after + blank(&text[after..]);
        let rest = text[equals..].strip_prefix('=')?;
        let start = equals + 1 + blank(rest);
        let value = text[start..].lines().next().unwrap_or_default();
        let (start, end) = match value.chars().next().filter(|c| matches!(c, '"' | '\'')) {
            Some(quote) => (start + 1, start + 1 + value[1..].find(quote).unwrap_or(value.len() - 1)),
            None => (start, start + value.find(|c: char| ends(c) || c == '&').unwrap_or(value.len())),
        };
        let key = text[..at].trim_end_matches(|c: char| c.is_ascii_alphanumeric() || c == '_').len();
        let separator = text[..key].ends_with(['?', '&']);
        Some(match separator {
            true if text[end..].starts_with('&') => key..end + 1,
            true => key - 1..end,
            false => start..end,
        })
    };
    lower.match_indices(WORD).filter_map(of).collect()
}

/// The text of a `puomp.toml` without passwords; `None` when it cannot be told that none is left in it: it is not TOML, or hides one behind escapes.
pub(super) fn cleaned(text: &str) -> Option<String> {
    let clean = without_passwords(text);
    let table: toml::Table = toml::from_str(&clean).ok()?;
    table.values().all(is_clean).then_some(clean)
}

fn is_clean(value: &toml::Value) -> bool {
    match value {
        toml::Value::String(text) => without_passwords(text) == *text,
        toml::Value::Array(items) => items.iter().all(is_clean),
        toml::Value::Table(table) => table.values().all(is_clean),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_lose_their_passwords_alone() {
        for (text, due) in [
            ("postgres://anna:s3cret@host:5432/db", "postgres://anna@host:5432/db"),
            ("postgres://anna:s3@cret@host/db", "postgres://anna@host/db"),
            ("postgres://anna:s3/cr?et@host/db", "postgres://anna@host/db"),
            ("postgres://:s3cret@host/db", "postgres://@host/db"),
            ("postgres://anna@host/db?password=s3cret", "postgres://anna@host/db"),
            ("postgres://host/db?user=anna&password=s3cret&sslmode=require", "postgres://host/db?user=anna&sslmode=require"),
            ("postgres://host/db?sslpassword=s3cret&user=anna", "postgres://host/db?user=anna"),
            ("store = \"postgres://a:s3cret@h/d\" # was postgres://b:s3cret@h/d", "store = \"postgres://a@h/d\" # was postgres://b@h/d"),
            ("# PGPASSWORD=s3cret", "# PGPASSWORD="),
            ("парольpassword = s3cret?", "парольpassword = "),
            ("# Password = 's3 cret' of Anna", "# Password = '' of Anna"),
            ("ssl_password = \"s 3 cret\nlimit = 5", "ssl_password = \"\nlimit = 5"),
            ("пароль postgres://анна:s3cretы@хост/база", "пароль postgres://анна@хост/база"),
        ] {
            assert_eq!(without_passwords(text), due);
            assert_eq!(without_passwords(due), due, "what is clean stays");
        }
        for clean in [
            "postgres://host:5432/db",
            "postgres://[::1]:5432/db?x=a@b",
            "postgres://host:5432/db?application_name=a@b",
            "https://site/a:b",
            "nothing here",
            "a password in words",
        ] {
            assert_eq!(without_passwords(clean), clean);
        }
    }

    #[test]
    fn what_cannot_be_told_is_left_out() {
        assert_eq!(cleaned("store = 'postgres://a:b@c/d'\nlimit = 5\n").as_deref(), Some("store = 'postgres://a@c/d'\nlimit = 5\n"));
        assert_eq!(cleaned("region = \"14\"").as_deref(), Some("region = \"14\""));
        assert_eq!(cleaned("store = \"postgres\\u003a//a:b@c/d\""), None, "an escape hides the address");
        assert_eq!(cleaned("store = [[\"x\", \"postgres:\\u002f/a:b@c\"]]"), None);
        assert_eq!(cleaned("store = "), None);
    }
}
