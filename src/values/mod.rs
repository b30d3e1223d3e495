//! Plain values that every module shares: days, months, kopecks and digests. This module uses nothing of the crate.

mod date;
mod digest;
mod money;
mod month;

pub use date::{Date, Span, is_date_shape, iso_parts};
pub use digest::hex;
pub(crate) use money::split_decimal;
pub use money::{kopecks, money};
pub use month::{Month, days_in_month};
