//! The command line: one file a verb. Only this module prints.

pub mod exit;

pub use exit::Exit;
