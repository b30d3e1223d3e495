//! The texts about a journal for people, from `rules/texts.csv`.

use std::fmt;

use super::{Fault, Verdict};
use crate::texts::{Coded, ErrorClass, Key, Lang, Slot, Texts, display};

impl Coded for Fault {
    fn key(&self) -> Key {
        match self {
            Self::Altered { .. } => Key::JournalAltered,
            Self::Rewritten { .. } => Key::JournalRewritten,
            Self::NotAsWritten { .. } => Key::JournalNotAsWritten,
            Self::HeadDiffers { .. } => Key::JournalHeadDiffers,
            Self::Cut { from: 1, .. } => Key::JournalCutStart,
            Self::Cut { .. } => Key::JournalCut,
            Self::Moved { .. } => Key::JournalMoved,
            Self::Doubled { .. } => Key::JournalDoubled,
            Self::Inserted { .. } => Key::JournalInserted,
            Self::TailCut { from: 1, .. } => Key::JournalEmptied,
            Self::TailCut { .. } => Key::JournalTailCut,
            Self::Unreadable { .. } => Key::JournalUnreadable,
            Self::Destroyed { .. } => Key::JournalDestroyed,
        }
    }

    fn slots(&self) -> Vec<(&'static str, Slot<'_>)> {
        match *self {
            Self::Altered { seq, at } | Self::Rewritten { seq, at } | Self::NotAsWritten { seq, at } | Self::HeadDiffers { seq, at } => {
                vec![("seq", Slot::Number(seq)), ("line", Slot::Number(at))]
            }
            Self::Cut { from, to, at } | Self::Moved { from, to, at } | Self::Doubled { from, to, at } | Self::Inserted { from, to, at } => {
                vec![("entries", Slot::text(span(from, to))), ("line", Slot::Number(at))]
            }
            Self::TailCut { from, to } => vec![("entries", Slot::text(span(from, to))), ("before", Slot::Number(from - 1))],
            Self::Unreadable { at } | Self::Destroyed { at } => vec![("line", Slot::Number(at))],
        }
    }

    fn class(&self) -> ErrorClass {
        ErrorClass::Findings
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        display(self, f)
    }
}

impl std::error::Error for Fault {}

impl Verdict {
    /// The lines for people: one for each fault, the number of further faults, and advice; a single line for a sound journal.
    pub fn text(&self, texts: &Texts, lang: Lang) -> Vec<String> {
        if self.is_sound() {
            let Some((last, _)) = self.last else { return vec![texts.get(Key::JournalSoundEmpty, lang).to_owned()] };
            let entries = texts.count(Key::CountEntry, lang, self.looked_at);
            return vec![texts.fill(Key::JournalSound, lang, &[("entries", &entries), ("last", &last.to_string())])];
        }
        let mut lines: Vec<String> = self.faults.iter().map(|f| texts.error(f, lang)).collect();
        if self.more > 0 {
            lines.push(texts.fill(Key::JournalMore, lang, &[("count", &texts.number(lang, self.more))]));
        }
        lines.push(texts.get(Key::JournalAdvice, lang).to_owned());
        lines
    }
}

fn span(from: u64, to: u64) -> String {
    if from == to { from.to_string() } else { format!("{from}–{to}") }
}
