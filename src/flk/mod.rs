//! Format-logic control (ФЛК) of packages.

mod across;
mod by_person;
mod causes;
mod checker;
mod document;
mod facts;
mod file;
mod head;
mod head_checks;
mod hooks;
mod judge;
mod keyset;
mod locate;
mod member;
pub mod outcome;
mod person_records;
mod persons;
mod piece;
mod places;
mod placing;
mod plan;
mod relate;
mod rulebook;
mod running;
mod validate;
mod walk;

pub use checker::{Checker, Config};
pub use document::check_document;
pub use outcome::{Account, Applied, NotExecuted, PackageReport, Verdict};
pub use rulebook::Rulebook;
