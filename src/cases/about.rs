//! Why it is doubtful that a case is a new version of a stored one.

use std::fmt;

use super::{CaseKey, CaseState, PersonMark};

/// What makes it doubtful that two cases are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum About {
    /// The package holds two cases with the same keys.
    Twice,
    /// The keys differ, but clinic, person, card, conditions and days are the same.
    OtherKey,
    /// The keys are the same, but the policy and the names differ.
    Person,
    /// The keys are the same, but one stands in a file of another family.
    Family,
    /// The keys are the same, but the months of care differ.
    Month,
    /// The stored case was paid.
    Paid,
    /// The stored case was dropped by a user.
    Dropped,
    /// Several stored cases have these keys.
    Several,
}

impl About {
    /// Every reason.
    pub const ALL: [Self; 8] = [Self::Twice, Self::OtherKey, Self::Person, Self::Family, Self::Month, Self::Paid, Self::Dropped, Self::Several];

    /// The word for this reason in machine formats.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Twice => "twice",
            Self::OtherKey => "other-key",
            Self::Person => "person",
            Self::Family => "family",
            Self::Month => "month",
            Self::Paid => "of-paid",
            Self::Dropped => "of-dropped",
            Self::Several => "several",
        }
    }
}

impl fmt::Display for About {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What two cases are compared by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Traits<'c> {
    /// The key.
    pub identity: CaseKey,
    /// The person.
    pub person: PersonMark,
    /// Letter of the family of the file.
    pub family: &'c str,
    /// The last day of care as the number `yyyymmdd`; 0 for none.
    pub date_to: i64,
}

impl Traits<'_> {
    /// What speaks against two cases being the same; `None` when nothing does.
    pub fn against(&self, other: &Traits<'_>) -> Option<About> {
        let month = |day: i64| day / 100;
        // A day that cannot be read is not one of another month.
        let is_known = self.date_to > 0 && other.date_to > 0;
        if self.identity != other.identity {
            Some(About::OtherKey)
        } else if self.family != other.family {
            Some(About::Family)
        } else if !self.person.may_be(other.person) {
            Some(About::Person)
        } else if is_known && month(self.date_to) != month(other.date_to) {
            Some(About::Month)
        } else {
            None
        }
    }

    /// Why a case is not taken for a new version of a stored one in a state; `other` is the stored one.
    pub fn asked(&self, other: &Traits<'_>, state: CaseState) -> Option<About> {
        self.against(other).or(match state {
            CaseState::Paid => Some(About::Paid),
            CaseState::Dropped => Some(About::Dropped),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_thing_that_differs_makes_a_doubt() {
        let person = |policy: i64, names: i64| PersonMark::from(policy << 16 | names);
        let case = Traits { identity: CaseKey(1, 2), person: person(3, 4), family: "H", date_to: 20_260_331 };
        let against = |other: Traits<'_>| case.against(&other);
        assert_eq!(against(case), None);
        assert_eq!(against(Traits { person: person(9, 4), date_to: 20_260_301, ..case }), None, "a corrected policy, another day of the month");
        assert_eq!(against(Traits { person: person(3, 9), ..case }), None, "a corrected name");
        assert_eq!(against(Traits { person: person(9, 9), ..case }), Some(About::Person));
        assert_eq!(against(Traits { person: person(0, 0), ..case }), Some(About::Person), "nothing known is no consent");
        assert_eq!(against(Traits { family: "C", ..case }), Some(About::Family));
        assert_eq!(against(Traits { date_to: 20_260_401, ..case }), Some(About::Month));
        assert_eq!(against(Traits { identity: CaseKey(1, 3), ..case }), Some(About::OtherKey));
        let asked = CaseState::ALL.map(|state| case.asked(&case, state));
        assert_eq!(asked.iter().filter(|about| about.is_some()).count(), 2);
        assert_eq!(About::ALL.map(About::as_str).iter().collect::<std::collections::BTreeSet<_>>().len(), About::ALL.len());
    }
}
