//! Registers of МЭК: tables that a fund or a clinic exports as CSV, such as insured persons, licences and tariffs.
//!
//! `rules/mek/registers.csv` says which registers there are and what their columns are. An import reads a file from end to end, refuses it whole
//! at the first fault, and replaces the register by a compact file of this program's own. Registers of persons are stored by keys
//! ([`crate::cases::PersonKeys`]): neither a number nor a name is in the file.

mod ask;
mod cell;
mod draft;
mod error;
mod import;
mod layout;
mod rows;
mod stored;

pub use ask::{Attachment, Cover, Deaths, Doctors, Insured, Levels, Licences, Plan, PlanFacts, PlanRow, TariffFacts, Tariffs};
pub use error::{ImportError, StoredError};
pub use import::{Recognised, Taken, import, recognise};
pub use layout::{Column, Layout, Layouts, Must};
pub use stored::{LOCK, Register, is_of_persons, path_of};
