//! Completed cases as forming and МЭК need them: where they stand in their package, what identifies them, their kind of care, their state.

mod about;
mod case;
mod identity;
mod index;
mod kinds;
mod person;
mod place;
mod reading;
mod state;

pub use about::{About, Traits};
pub use case::Case;
pub use identity::{CaseKey, CaseKeys, Identity, PersonMark, short_digest};
pub use index::{Batch, Cases, Found, Index, Person, Persons};
pub use kinds::{Kind, Kinds};
pub use person::{PersonKey, PersonKeys, SECRET_BYTES, SecretId, is_unified, plain_name};
pub use place::{CasePlace, NotAPlace};
pub use reading::{READING, Reading};
pub use state::{CaseState, NotAState};
