//! The rule language, its tables, the import of published rules, and the proof of every row.

mod drill;
mod import;
mod language;
mod proof;
mod published;
mod random;
mod tables;

#[path = "../support"]
mod support {
    pub(crate) mod book;
    pub(crate) mod needs;
    pub(crate) mod say;
}
