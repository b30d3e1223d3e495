//! Words of the column `state` of cases.

/// May be formed, unless findings keep it out.
pub const FREE: &str = "free";
/// Stands in a live registry.
pub const HELD: &str = "held";
/// A new version of a case that stands in a live registry.
pub const WAITING: &str = "waiting";
/// Refused by the payer: to be corrected and sent again.
pub const REFUSED: &str = "refused";
/// Perhaps the same as another: somebody must say.
pub const QUESTION: &str = "question";
/// Paid; never billed again.
pub const PAID: &str = "paid";
/// An earlier version.
pub const REPLACED: &str = "replaced";
