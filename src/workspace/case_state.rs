//! Words of the column `state` of cases.

/// May be formed, unless findings keep it out.
pub(super) const FREE: &str = "free";
/// Stands in a live registry.
pub(super) const HELD: &str = "held";
/// A new version of a case that stands in a live registry.
pub(super) const WAITING: &str = "waiting";
/// Refused by the payer: to be corrected and sent again.
pub(super) const REFUSED: &str = "refused";
/// Perhaps the same as another: somebody must say.
pub(super) const QUESTION: &str = "question";
/// Paid; never billed again.
pub(super) const PAID: &str = "paid";
/// An earlier version.
pub(super) const REPLACED: &str = "replaced";
