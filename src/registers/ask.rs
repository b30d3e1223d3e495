//! What МЭК asks of registers. Days are inclusive on both sides everywhere.

use super::error::StoredError;
use super::stored::{Register, Row};
use crate::cases::PersonKey;
use crate::values::{Date, Span};

/// A view of a stored register: its key columns, the further columns with words, and those with amounts.
macro_rules! view {
    ($(#[$doc:meta])* $name:ident: $keys:expr, $words:expr, $amounts:expr) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name(Register);

        impl $name {
            /// The view of a stored register.
            ///
            /// # Errors
            /// The register has other columns.
            pub fn new(register: Register) -> Result<Self, StoredError> {
                register.with_columns([$keys, $words, $amounts]).map(Self)
            }
        }
    };
}

view! {
    /// Who was insured by whom.
    Insured: &[], &["smo"], &[]
}

impl Insured {
    /// The insurances of a person that share at least one day with `days`: their days and the insurer.
    pub fn overlapping(&self, person: PersonKey, days: Span) -> impl Iterator<Item = (Span, &str)> {
        let all = self.0.of_person(person).map(|row| (row.days(), row.word(0)));
        all.filter(move |(own, _)| own.from <= days.until && days.from <= own.until)
    }
}

view! {
    /// When persons died.
    Deaths: &[], &[], &[]
}

impl Deaths {
    /// The day of a person's death; `None` when the register does not have the person. Of several days the last: care is refused only when it
    /// comes after every one of them.
    pub fn day_of(&self, person: PersonKey) -> Option<Date> {
        self.0.of_person(person).map(|row| row.days().from).max()
    }
}

view! {
    /// Where persons are attached for primary care.
    Attachment: &[], &["mo"], &[]
}

impl Attachment {
    /// The clinics to which a person is attached on a day. A sound register has one at most.
    pub fn on(&self, person: PersonKey, day: Date) -> impl Iterator<Item = &str> {
        self.0.of_person(person).filter(move |row| row.days().holds(day)).map(|row| row.word(0))
    }
}

view! {
    /// The specialities of doctors.
    Doctors: &[], &["prvs"], &[]
}

impl Doctors {
    /// Whether a doctor has a certificate or accreditation for a speciality on a day.
    pub fn has(&self, doctor: PersonKey, prvs: &str, day: Date) -> bool {
        self.0.of_person(doctor).any(|row| row.word(0) == prvs && row.days().holds(day))
    }
}

view! {
    /// What licences cover.
    Licences: &["mo", "usl_ok", "vidpom", "profil"], &[], &[]
}

/// Whether care is covered by licences.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cover {
    /// On each of its days.
    Whole,
    /// Not on each day, and a fitting licence ended before the last one.
    Ended,
    /// Not on each day, and no fitting licence ended before the last one.
    Missing,
}

impl Licences {
    /// Whether licences of a clinic cover care of these conditions, kind and profile on all `days`. Licences that touch or overlap join.
    pub fn cover(&self, mo: &str, usl_ok: &str, vidpom: &str, profil: &str, days: Span) -> Cover {
        let mut spans: Vec<Span> = fitting(&self.0, &[mo, usl_ok, vidpom, profil]).map(|(_, row, _)| row.days()).collect();
        spans.sort_unstable();
        // The first day that is not covered yet.
        let mut due = days.from;
        for span in &spans {
            if span.from > due {
                break;
            }
            if span.until >= days.until {
                return Cover::Whole;
            }
            if span.until >= due {
                due = span.until.day_after();
            }
        }
        if spans.iter().any(|span| span.until < days.until) { Cover::Ended } else { Cover::Missing }
    }
}

view! {
    /// Tariff levels of clinics.
    Levels: &["mo", "usl_ok"], &["level"], &[]
}

impl Levels {
    /// The level of a clinic for these conditions on a day. A row for the conditions counts before one for any; of several the one that began last.
    pub fn on(&self, mo: &str, usl_ok: &str, day: Date) -> Option<&str> {
        let rows = fitting(&self.0, &[mo, usl_ok]).filter(|(_, row, _)| row.days().holds(day));
        rows.max_by_key(|(number, row, filled)| (*filled, row.days().from, *number)).map(|(_, row, _)| row.word(0))
    }
}

view! {
    /// Prices.
    Tariffs: &["code", "level", "usl_ok", "idsp", "profil", "prvs", "p_cel"], &[], &["tariff"]
}

/// By what a price is found besides its code. An empty text fits only rows whose cell is empty.
#[derive(Debug, Clone, Copy, Default)]
pub struct TariffFacts<'f> {
    /// Tariff level of the clinic.
    pub level: &'f str,
    /// Conditions of care.
    pub usl_ok: &'f str,
    /// Way of payment.
    pub idsp: &'f str,
    /// Profile.
    pub profil: &'f str,
    /// Speciality.
    pub prvs: &'f str,
    /// Purpose of the visit.
    pub p_cel: &'f str,
}

impl Tariffs {
    /// The prices of a code that fit on a day: kopecks, and how many key cells besides the code are filled.
    pub fn fitting(&self, code: &str, facts: &TariffFacts<'_>, day: Date) -> impl Iterator<Item = (i64, usize)> {
        let facts = [code, facts.level, facts.usl_ok, facts.idsp, facts.profil, facts.prvs, facts.p_cel];
        let rows = fitting(&self.0, &facts).filter(move |(_, row, _)| row.days().holds(day));
        // A price stands in each row.
        rows.filter_map(|(_, row, filled)| Some((row.amount(0)?, filled - 1)))
    }
}

view! {
    /// Limits of volumes and sums.
    Plan: &["mo", "smo", "usl_ok", "vidpom", "profil", "disp"], &["unit"], &["qty", "sum"]
}

/// By what a limit is found.
#[derive(Debug, Clone, Copy, Default)]
pub struct PlanFacts<'f> {
    /// The clinic.
    pub mo: &'f str,
    /// The insurer.
    pub smo: &'f str,
    /// Conditions of care.
    pub usl_ok: &'f str,
    /// Kind of care.
    pub vidpom: &'f str,
    /// Profile.
    pub profil: &'f str,
    /// Kind of dispensary check, of a case of a D file; empty for others.
    pub disp: &'f str,
}

/// A limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlanRow<'r> {
    /// Its number in the register, by which what it counts can be kept.
    pub number: usize,
    /// What `quantity` counts: `case`, `visit` or `day`.
    pub unit: &'r str,
    /// The limit of the volume, in hundredths of the unit; `None` for no limit.
    pub quantity: Option<i64>,
    /// The limit of the sum, in kopecks; `None` for no limit.
    pub sum: Option<i64>,
}

impl Plan {
    /// The limits that count a case which ended on a day. A limit without a kind of dispensary check counts no case of a D file.
    pub fn fitting(&self, facts: &PlanFacts<'_>, day: Date) -> impl Iterator<Item = PlanRow<'_>> {
        let is_dispensary = !facts.disp.is_empty();
        let facts = [facts.mo, facts.smo, facts.usl_ok, facts.vidpom, facts.profil, facts.disp];
        let rows = fitting(&self.0, &facts).filter(move |(_, row, _)| row.days().holds(day) && (row.key(5) != 0) == is_dispensary);
        rows.map(|(number, row, _)| PlanRow { number, unit: row.word(0), quantity: row.amount(0), sum: row.amount(1) })
    }
}

/// The rows whose key cells are each empty or the same as the fact, with their numbers and how many of the cells are filled. The first fact is looked up:
/// its cell is filled in every row.
fn fitting<'r>(register: &'r Register, facts: &[&str]) -> impl Iterator<Item = (usize, Row<'r>, usize)> + use<'r> {
    // 0 is the empty word, which fits no filled cell; a fact that no row has fits none either.
    let numbers: Vec<u32> = facts.iter().map(|fact| register.number_of(fact).unwrap_or_default()).collect();
    let rows = facts.first().map_or(0..0, |first| register.of_key(first));
    rows.filter_map(move |number| {
        let row = register.row(number);
        let mut filled = 0;
        for (at, fact) in numbers.iter().enumerate() {
            match row.key(at) {
                0 => {}
                key if key == *fact => filled += 1,
                _ => return None,
            }
        }
        Some((number, row, filled))
    })
}

#[cfg(test)]
mod tests;
