//! The command line: one file a verb. Only this module prints.

pub mod exit;
pub mod formats;

pub use exit::Exit;
