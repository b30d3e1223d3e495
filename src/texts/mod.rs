//! Texts for people: languages, texts with slots, severities of findings, errors, and the interface texts of `rules/texts.csv`.

mod catalogue;
mod error;
mod lang;
pub mod layout;
mod sayings;
mod severity;
mod text;

pub use catalogue::{Key, Texts};
pub use error::{Coded, ErrorClass, ErrorWire, Keyed, Slot, carried, display, plain};
pub use lang::Lang;
pub use severity::Severity;
pub use text::{Text, fill, slots_of};
