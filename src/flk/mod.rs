//! Format-logic control (ФЛК) of packages.

mod across;
mod file;
mod head;
mod hooks;
mod judge;
mod keyset;
mod locate;
mod named;
pub mod outcome;
mod persons;
mod piece;
mod places;
mod plan;
mod rulebook;
mod running;
mod validate;
mod walk;

pub use outcome::{Account, Applied, NotExecuted, PackageReport, Verdict};
pub use rulebook::Rulebook;
pub use validate::{Checker, Config, check_document};
