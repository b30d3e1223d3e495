//! Texts in both languages, and their slots.

use super::Lang;
use crate::sys::quoted;

/// A text in both languages. Machine formats always use the Russian one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Text {
    /// Russian.
    pub ru: String,
    /// English.
    pub en: String,
}

impl Text {
    /// The text in one language.
    pub fn get(&self, lang: Lang) -> &str {
        match lang {
            Lang::Ru => &self.ru,
            Lang::En => &self.en,
        }
    }
}

/// Behind the name of a slot: the value stands as a user types it in a command, in quotes if a shell would take it apart.
const TYPED: &str = ":q";

/// The slots in a template, with their marks.
pub fn slots_of(template: &str) -> impl Iterator<Item = &str> {
    template.split('{').skip(1).filter_map(|t| t.split_once('}').map(|(slot, _)| slot))
}

/// Replaces the `{slot}`s of a template by their values, and each `{slot:q}` by its value as a user types it in a command; an unknown slot remains as it is.
pub fn fill<'a>(template: &str, value: impl Fn(&str) -> Option<&'a str>) -> String {
    let mut out = String::with_capacity(template.len() + 16);
    let mut rest = template;
    while let Some(open) = rest.find('{') {
        out.push_str(&rest[..open]);
        rest = &rest[open..];
        let Some(close) = rest.find('}') else { break };
        let slot = &rest[1..close];
        let typed = slot.strip_suffix(TYPED);
        match value(typed.unwrap_or(slot)) {
            Some(text) if typed.is_some() => out.push_str(&quoted(text)),
            Some(text) => out.push_str(text),
            None => out.push_str(&rest[..=close]),
        }
        rest = &rest[close + 1..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_filled_once() {
        assert_eq!(fill("{a} {b} {a", |s| (s == "a").then_some("{b}")), "{b} {b} {a");
    }

    #[test]
    fn a_value_that_is_to_be_typed_stands_in_quotes() {
        let value = |slot: &str| match slot {
            "path" => Some("a b/c.zip"),
            "plain" => Some("2103-1"),
            _ => None,
        };
        let quote = if crate::sys::IS_WINDOWS { '"' } else { '\'' };
        assert_eq!(fill("{path}: puomp {path:q} {plain:q} {x:q}", value), format!("a b/c.zip: puomp {quote}a b/c.zip{quote} 2103-1 {{x:q}}"));
    }
}
