//! Format-logic control (ФЛК) of packages.

mod file;
mod head;
mod judge;
mod keyset;
mod locate;
mod named;
pub mod outcome;
mod persons;
mod places;
mod plan;
mod rulebook;
mod validate;
mod walk;

pub use outcome::{Account, Applied, NotExecuted, PackageReport, Verdict};
pub use rulebook::Rulebook;
pub use validate::{Checker, Config, check_document};
