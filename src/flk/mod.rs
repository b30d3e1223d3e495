//! Format-logic control (ФЛК) of packages.

pub mod outcome;
pub mod progress;

pub use outcome::{Account, NotExecuted, PackageReport, Verdict};
pub use progress::{Progress, Silent};
