//! Completed cases as forming and МЭК need them: where they stand in their package, what identifies them, their kind of care, their state.

mod identity;
mod kinds;
mod reading;
pub mod state;

pub use identity::{Identity, Key, Keys, half};
pub use kinds::{Kind, Kinds};
pub use reading::{Case, Index, Person};
