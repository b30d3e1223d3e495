//! Plain values that every module uses: days, months, moments, kopecks and digests. This module depends on no other module of the crate.

mod check_digits;
mod date;
mod digest;
mod hash;
mod moment;
mod money;
mod month;
mod person_number;

pub use check_digits::{enp_check, snils_check};
pub use date::{Date, Span, is_date_shape, iso_parts};
pub use digest::{hex, sha256_of};
pub use hash::hash;
pub use moment::{Moment, NotAMoment};
pub(crate) use money::split_decimal;
pub use money::{kopecks, money};
pub use month::{Month, days_in_month};
pub use person_number::{last_digits, person_digits, without_person_number, without_person_numbers};
