//! Format-logic control (ФЛК) of packages.

mod file;
mod keyset;
mod locate;
pub mod outcome;
mod places;
mod plan;
pub mod progress;
mod validate;
mod walk;

pub use outcome::{Account, NotExecuted, PackageReport, Verdict};
pub use progress::{Progress, Silent};
pub use validate::{Checker, Config, check_document};
