//! What a person reads: languages, texts with slots, weights of findings, and the interface texts of `rules/texts.csv`.

mod catalogue;
mod lang;
mod severity;
mod text;

pub use catalogue::{Key, Texts};
pub use lang::Lang;
pub use severity::Severity;
pub use text::{Text, fill, slots_of};
