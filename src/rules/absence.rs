//! Why a broken requirement could not hold: the element that it lacks. Evaluated only for rules that are about to be reported.

use std::cell::Cell;

use super::code::{Cond, Mode, Operand};
use super::compile::{Captures, Read};
use super::eval::Env;

impl Env<'_> {
    /// The absent element because of which a requirement does not hold: nothing can be compared with it. `None` if the requirement is broken by what
    /// stands there, or compares an absent value with a constant, which says enough.
    pub(super) fn lacks(&self, require: &Cond, captures: &Captures) -> Option<Read> {
        match require {
            Cond::And(parts) => parts.iter().find(|part| !self.holds(part)).and_then(|part| self.lacks(part, captures)),
            Cond::Or(parts) => parts.iter().find_map(|part| self.lacks(part, captures)),
            Cond::Every { place, holds } => {
                let mut found = None;
                self.blocks(place, &mut |block| {
                    let env = Env { block, this: None, ..*self };
                    found = if env.holds(holds) { None } else { env.lacks(holds, captures) };
                    found.is_some()
                });
                found
            }
            Cond::Compare { left, right, mode: Mode::All, .. } => {
                let between_elements = !left.is_constant() && !right.is_constant();
                [left, right].into_iter().find_map(|side| self.missing(side, captures).filter(|_| between_elements || side.is_worked_out()))
            }
            _ => None,
        }
    }

    /// Whether a requirement is broken by what stands there: all its values can be read, and none is absent. Other rules speak of the others.
    #[cold]
    pub(super) fn can_tell(&self, require: &Cond, captures: &Captures) -> bool {
        let unreadable = Cell::new(false);
        self.watching(&unreadable).holds(require);
        !unreadable.get() && self.lacks(require, captures).is_none()
    }

    /// The element that an operand without a value lacks.
    fn missing(&self, operand: &Operand, captures: &Captures) -> Option<Read> {
        match operand {
            Operand::Place(place) => (!self.stands(place)).then_some(Read::Own(place.element)),
            Operand::Head(index) => self.facts.head.get(*index)?.is_none().then(|| captures.head.get(*index).map(|id| Read::Own(*id)))?,
            Operand::Person { index, .. } => self.person?.value(*index, 0).is_none().then(|| captures.persons.get(*index).map(|c| Read::Person(c.element)))?,
            Operand::Age { birth: from, on } | Operand::Days(from, on) => self.missing(from, captures).or_else(|| self.missing(on, captures)),
            Operand::Year(inner) | Operand::MonthOf(inner) | Operand::AddYears(inner, _) | Operand::LastChar(inner) => self.missing(inner, captures),
            _ => None,
        }
    }
}

impl Operand {
    fn is_constant(&self) -> bool {
        matches!(self, Self::Number(_) | Self::Text(_) | Self::Day(_) | Self::Month(_))
    }

    /// Whether the value is made of elements, so that the text of a rule about it is untrue when one is absent.
    fn is_worked_out(&self) -> bool {
        matches!(self, Self::Age { .. } | Self::Days(..) | Self::Year(_) | Self::MonthOf(_) | Self::AddYears(..) | Self::LastChar(_))
    }
}
