//! Format-logic control (ФЛК) of packages.

pub mod outcome;

pub use outcome::{Account, NotExecuted, PackageReport, Verdict};
