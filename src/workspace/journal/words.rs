//! What people read about a journal: texts of `rules/texts.csv`.

use super::{Fault, HeadError, SCHEMA, Verdict};
use crate::texts::{Key, Lang, Texts};

impl Fault {
    /// What was done, and where, in one line.
    pub fn text(&self, texts: &Texts, lang: Lang) -> String {
        let one = |key, seq: u64, at: u64| texts.fill(key, lang, &[("seq", &seq.to_string()), ("line", &at.to_string())]);
        let many = |key, from: u64, to: u64, at: u64| texts.fill(key, lang, &[("entries", &span(from, to)), ("line", &at.to_string())]);
        let end = |key, from: u64, to: u64| texts.fill(key, lang, &[("entries", &span(from, to)), ("before", &(from - 1).to_string())]);
        match *self {
            Self::Altered { seq, at } => one(Key::JournalAltered, seq, at),
            Self::Rewritten { seq, at } => one(Key::JournalRewritten, seq, at),
            Self::NotAsWritten { seq, at } => one(Key::JournalNotAsWritten, seq, at),
            Self::HeadDiffers { seq, at } => one(Key::JournalHeadDiffers, seq, at),
            Self::Cut { from: 1, to, at } => many(Key::JournalCutStart, 1, to, at),
            Self::Cut { from, to, at } => many(Key::JournalCut, from, to, at),
            Self::Moved { from, to, at } => many(Key::JournalMoved, from, to, at),
            Self::Doubled { from, to, at } => many(Key::JournalDoubled, from, to, at),
            Self::Inserted { from, to, at } => many(Key::JournalInserted, from, to, at),
            Self::TailCut { from: 1, to } => texts.fill(Key::JournalEmptied, lang, &[("entries", &span(1, to))]),
            Self::TailCut { from, to } => end(Key::JournalTailCut, from, to),
            Self::Unreadable { at } => texts.fill(Key::JournalUnreadable, lang, &[("line", &at.to_string())]),
            Self::Destroyed { at } => texts.fill(Key::JournalDestroyed, lang, &[("line", &at.to_string())]),
        }
    }
}

impl Verdict {
    /// A line for each fault, how many more there are, and what to do; one line for a sound journal.
    pub fn text(&self, texts: &Texts, lang: Lang) -> Vec<String> {
        if self.is_sound() {
            let Some((last, _)) = self.last else { return vec![texts.get(Key::JournalSoundEmpty, lang).to_owned()] };
            let entries = texts.count(Key::CountEntry, lang, self.looked_at);
            return vec![texts.fill(Key::JournalSound, lang, &[("entries", &entries), ("last", &last.to_string())])];
        }
        let mut lines: Vec<String> = self.faults.iter().map(|f| f.text(texts, lang)).collect();
        if self.more > 0 {
            lines.push(texts.fill(Key::JournalMore, lang, &[("count", &texts.number(lang, self.more))]));
        }
        lines.push(texts.get(Key::JournalAdvice, lang).to_owned());
        lines
    }
}

impl HeadError {
    /// What is wrong, and what to do.
    pub fn text(&self, texts: &Texts, lang: Lang) -> String {
        match self {
            Self::NotAHead { reason } => texts.fill(Key::JournalHeadBroken, lang, &[("reason", reason)]),
            Self::Schema { found } => texts.fill(Key::JournalHeadSchema, lang, &[("found", &found.to_string()), ("known", &SCHEMA.to_string())]),
        }
    }
}

fn span(from: u64, to: u64) -> String {
    if from == to { from.to_string() } else { format!("{from}–{to}") }
}
