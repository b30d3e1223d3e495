//! The texts about a journal for people, from `rules/texts.csv`.

use std::borrow::Cow;
use std::fmt;

use super::{Chain, ChainVerdict, Fault, JournalVerdict, Verdict};
use crate::report::tidy;
use crate::texts::{Coded, ErrorClass, Key, Lang, Slot, Texts, display};

/// The largest number of faults that are told.
const MAX_TOLD: usize = 1000;
/// The longest code of a clinic that is shown whole, in characters. Real ones have six.
const LONGEST_CODE: usize = 40;

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
            Self::Detached { .. } => Key::JournalDetached,
            Self::EndDiffers { .. } => Key::JournalEndDiffers,
            Self::Continued { .. } => Key::JournalContinued,
            Self::DayTailCut { from: 1, .. } => Key::JournalDayEmptied,
            Self::DayTailCut { .. } => Key::JournalDayTailCut,
            Self::DayDiffers { .. } => Key::JournalDayDiffers,
            Self::DayBack { .. } => Key::JournalDayBack,
            Self::DayUnreadable { .. } => Key::JournalDayUnreadable,
            Self::DayLate { .. } => Key::JournalDayLate,
            Self::TooMany { .. } => Key::JournalTooMany,
        }
    }

    fn slots(&self) -> Vec<(&'static str, Slot<'_>)> {
        let line = |at: u64| ("line", Slot::Number(at));
        let entries = |from: u64, to: u64| ("entries", Slot::text(span(from, to)));
        match *self {
            Self::Altered { seq, at }
            | Self::Rewritten { seq, at }
            | Self::NotAsWritten { seq, at }
            | Self::HeadDiffers { seq, at }
            | Self::Detached { seq, at }
            | Self::DayUnreadable { seq, at } => vec![("seq", Slot::Number(seq)), line(at)],
            Self::Cut { from, to, at }
            | Self::Moved { from, to, at }
            | Self::Doubled { from, to, at }
            | Self::Inserted { from, to, at }
            | Self::Continued { from, to, at } => vec![entries(from, to), line(at)],
            Self::TailCut { from, to } => vec![entries(from, to), ("before", Slot::Number(from.saturating_sub(1)))],
            Self::DayTailCut { from, to, day, at } => {
                vec![entries(from, to), ("before", Slot::Number(from.saturating_sub(1))), ("day", Slot::Day(day)), line(at)]
            }
            Self::DayDiffers { seq, day, at } => vec![("seq", Slot::Number(seq)), ("day", Slot::Day(day)), line(at)],
            Self::DayBack { seq, before, day, at } => {
                vec![("seq", Slot::Number(seq)), ("before", Slot::Number(before)), ("day", Slot::Day(day)), line(at)]
            }
            Self::DayLate { day, at } => vec![("day", Slot::Day(day)), line(at)],
            Self::Unreadable { at } | Self::Destroyed { at } | Self::EndDiffers { at } | Self::TooMany { at } => vec![line(at)],
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

impl Chain {
    /// The clinic's code as people see it: at most 40 characters, without those that a terminal obeys.
    pub fn shown(&self) -> Cow<'_, str> {
        let mo = self.mo();
        match mo.char_indices().nth(LONGEST_CODE) {
            Some((end, _)) => Cow::Owned(format!("{}…", tidy(&mo[..end]))),
            None => tidy(mo),
        }
    }
}

impl JournalVerdict {
    /// The lines for people: one for each fault, the number of further faults, and advice; a single line for a sound journal. Faults name the chain
    /// unless the journal has no other; those of the only clinic do not name it.
    pub fn text(&self, texts: &Texts, lang: Lang) -> Vec<String> {
        if self.is_sound() {
            return vec![self.praise(texts, lang)];
        }
        let clinics = self.chains.iter().filter(|c| matches!(c.chain, Chain::Clinic(_))).count();
        let named = |of: &ChainVerdict, fault: String| {
            let ChainVerdict { chain, verdict } = of;
            let (key, mo) = match chain {
                _ if self.chains.len() == 1 => return fault,
                Chain::Old => (Key::JournalOfOld, Cow::default()),
                Chain::Days => (Key::JournalOfDays, Cow::default()),
                Chain::Clinic(_) if clinics == 1 && verdict.looked_at > 0 => return fault,
                Chain::Clinic(mo) if mo.is_empty() => (Key::JournalOfNoClinic, Cow::default()),
                Chain::Clinic(_) => (Key::JournalOfClinic, chain.shown()),
            };
            texts.fill(key, lang, &[("mo", &mo), ("fault", &fault)])
        };
        let faults = self.chains.iter().flat_map(|of| of.verdict.faults.iter().map(move |fault| (of, fault)));
        let mut lines: Vec<String> = faults.take(MAX_TOLD).map(|(of, fault)| named(of, texts.error(fault, lang))).collect();
        let more = self.more() + self.faults().count().saturating_sub(MAX_TOLD) as u64;
        if more > 0 {
            lines.push(texts.fill(Key::JournalMore, lang, &[("count", &texts.number(lang, more))]));
        }
        lines.push(texts.get(Key::JournalAdvice, lang).to_owned());
        lines
    }

    /// The line about a sound journal.
    fn praise(&self, texts: &Texts, lang: Lang) -> String {
        let entries = |number: u64| texts.count(Key::CountEntry, lang, number);
        let last = |of: &Verdict| of.last.map_or(0, |(seq, _)| seq).to_string();
        match self.chains.as_slice() {
            [] => texts.get(Key::JournalSoundEmpty, lang).to_owned(),
            [only] => texts.fill(Key::JournalSound, lang, &[("entries", &entries(self.looked_at)), ("last", &last(&only.verdict))]),
            // A clinic with its daily entries: what people did, and what the program did.
            [days, clinic] if days.chain == Chain::Days => {
                let slots = [("entries", entries(clinic.verdict.looked_at)), ("last", last(&clinic.verdict)), ("days", entries(days.verdict.looked_at))];
                texts.fill(Key::JournalSoundDays, lang, &slots.each_ref().map(|(name, value)| (*name, value.as_str())))
            }
            chains => {
                let count = texts.count(Key::CountChain, lang, chains.len() as u64);
                texts.fill(Key::JournalSoundChains, lang, &[("entries", &entries(self.looked_at)), ("chains", &count)])
            }
        }
    }
}

fn span(from: u64, to: u64) -> String {
    if from == to { from.to_string() } else { format!("{from}–{to}") }
}
