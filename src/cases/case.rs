//! A completed case as it was read from its main file.

use std::borrow::Cow;
use std::ops::Range;

use crate::registry::format::Role;
use crate::spool::{Bytes, write_number};
use crate::values::kopecks;

/// The roles whose values are kept for each case.
pub(super) const VALUES: [Role; 19] = [
    Role::NZap,
    Role::PrNov,
    Role::IdPac,
    Role::Policy,
    Role::Enp,
    Role::Insurer,
    Role::InsuredAt,
    Role::IdCase,
    Role::CaseFrom,
    Role::CaseTo,
    Role::Lpu,
    Role::Conditions,
    Role::CaseSum,
    Role::SlId,
    Role::History,
    Role::Subdivision,
    Role::Unit,
    Role::Profile,
    Role::Doctor,
];

/// A completed case as written in its main file. Texts are decoded; a missing value is an empty text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case<'t> {
    /// Bytes of the whole record in the unpacked file.
    pub record: Range<u64>,
    /// Bytes of the case in the unpacked file; they lie within `record`.
    pub case: Range<u64>,
    /// The start of a digest of the case and its patient block, without the running numbers (IDCASE, ID_PAC).
    pub digest: i64,
    /// The values of the roles in [`VALUES`], concatenated.
    text: &'t str,
    /// The end of each value in `text`.
    ends: [u32; VALUES.len()],
}

impl<'t> Case<'t> {
    /// Appends a case to `out`.
    pub(super) fn write(out: &mut Vec<u8>, record: &Range<u64>, case: &Range<u64>, digest: i64, values: &[Cow<'_, str>; VALUES.len()]) {
        let numbers = [record.start, record.end - record.start, case.start - record.start, case.end - case.start];
        numbers.into_iter().for_each(|number| write_number(out, number));
        out.extend_from_slice(&digest.to_le_bytes());
        values.iter().for_each(|value| write_number(out, value.len() as u64));
        values.iter().for_each(|value| out.extend_from_slice(value.as_bytes()));
    }

    /// Reads what [`Case::write`] wrote; `None` for anything else.
    pub(super) fn read(bytes: &'t [u8]) -> Option<Self> {
        let mut rest = Bytes(bytes);
        let (start, length, within, of_case) = (rest.number()?, rest.number()?, rest.number()?, rest.number()?);
        let record = start..start.checked_add(length)?;
        let case = start.checked_add(within)?;
        let case = case..case.checked_add(of_case)?;
        let digest = i64::from_le_bytes(rest.array()?);
        let (mut ends, mut end) = ([0; VALUES.len()], 0u32);
        for own in &mut ends {
            end = end.checked_add(u32::try_from(rest.number()?).ok()?)?;
            *own = end;
        }
        let text = std::str::from_utf8(rest.0).ok().filter(|text| text.len() == end as usize)?;
        ends.iter().all(|end| text.is_char_boundary(*end as usize)).then_some(Self { record, case, digest, text, ends })
    }

    /// The value of a role; empty when the case has none or the role is not kept.
    pub fn value(&self, role: Role) -> &'t str {
        let Some(at) = VALUES.iter().position(|r| *r == role) else { return "" };
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[start as usize..self.ends[at] as usize]
    }

    /// SUMV in kopecks; 0 when it cannot be read.
    pub fn sum(&self) -> i64 {
        kopecks(self.value(Role::CaseSum).as_bytes()).unwrap_or(0)
    }
}
