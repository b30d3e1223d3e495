//! Completed cases as forming and МЭК need them: where they stand in their package, what identifies them, their kind of care, their state.

mod identity;
mod kinds;
mod place;
mod reading;
mod state;

pub use identity::{CaseKey, CaseKeys, Identity, short_digest};
pub use kinds::{Kind, Kinds};
pub use place::{CasePlace, NotAPlace};
pub use reading::{Case, Index, Person, Reading};
pub use state::{CaseState, NotAState};
