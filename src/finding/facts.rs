//! What people know a case by besides its numbers: card, doctor, unit, profile, days, sum.

use crate::spool::{Bytes, write_text};
use crate::values::without_person_number;

/// One of these facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fact {
    /// The number of the medical card or case history.
    Card,
    /// The code of the doctor who treated.
    Doctor,
    /// The department.
    Unit,
    /// The subdivision of the clinic.
    Subdivision,
    /// The profile of care.
    Profile,
    /// First day of the completed case.
    From,
    /// Last day of the completed case.
    To,
    /// Sum of the completed case in roubles.
    Sum,
}

impl Fact {
    /// Every fact; a spool writes them in this order.
    pub const ALL: [Self; 8] = [Self::Card, Self::Doctor, Self::Unit, Self::Subdivision, Self::Profile, Self::From, Self::To, Self::Sum];
}

/// The facts of the case around a finding, as written in its file. An absent one is `None`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CaseFacts([Option<Box<str>>; Fact::ALL.len()]);

impl CaseFacts {
    /// Asks for each fact; `None` if there are none at all.
    pub fn new<T: AsRef<str>>(value: impl Fn(Fact) -> Option<T>) -> Option<Self> {
        let all = Fact::ALL.map(|fact| value(fact).map(|text| text.as_ref().into()));
        all.iter().any(Option::is_some).then_some(Self(all))
    }

    /// A fact.
    pub fn get(&self, fact: Fact) -> Option<&str> {
        self.0[fact as usize].as_deref()
    }

    /// The same facts; of a card or a doctor's code that looks like the number of a person only the last digits. Codes of units may be as long and
    /// are nobody's numbers.
    #[must_use]
    pub fn masked(&self) -> Self {
        let mut masked = self.clone();
        for fact in [Fact::Card, Fact::Doctor] {
            let text = &mut masked.0[fact as usize];
            *text = text.as_deref().map(|text| without_person_number(text).into());
        }
        masked
    }

    /// Appends the facts to `out`.
    pub fn write(&self, out: &mut Vec<u8>) {
        let present = self.0.iter().enumerate().fold(0u8, |bits, (at, text)| bits | u8::from(text.is_some()) << at);
        out.push(present);
        self.0.iter().flatten().for_each(|text| write_text(out, text));
    }

    /// Reads what [`CaseFacts::write`] wrote; `None` for anything else.
    pub fn read(bytes: &mut Bytes<'_>) -> Option<Self> {
        let [present] = bytes.array()?;
        let mut all = [const { None }; Fact::ALL.len()];
        for (at, text) in all.iter_mut().enumerate() {
            if present & 1 << at != 0 {
                *text = Some(bytes.text()?.into());
            }
        }
        Some(Self(all))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_come_back_and_hide_numbers_of_persons() {
        let facts = CaseFacts::new(|fact| match fact {
            Fact::Card => Some("К-17/2026"),
            Fact::Doctor => Some("900-555-176 61"),
            Fact::Subdivision => Some("14000100000000006"),
            Fact::Sum => Some(""),
            _ => None,
        })
        .expect("some");
        let mut out = Vec::new();
        facts.write(&mut out);
        let mut bytes = Bytes(&out);
        assert_eq!((CaseFacts::read(&mut bytes).as_ref(), bytes.0), (Some(&facts), &[][..]));
        let masked = facts.masked();
        let shown = [Fact::Card, Fact::Doctor, Fact::Subdivision, Fact::Sum, Fact::To].map(|f| masked.get(f));
        assert_eq!(shown, [Some("К-17/2026"), Some("…7661"), Some("14000100000000006"), Some(""), None]);
        assert_eq!(CaseFacts::new(|_| None::<&str>), None);
        assert_eq!(CaseFacts::read(&mut Bytes(&out[..5])), None);
    }
}
