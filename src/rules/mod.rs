//! The rule language: syntax, compilation against a format, evaluation over a record.

pub mod ast;
mod lex;
mod parse;
mod print;
pub mod published;

pub use lex::SyntaxError;
pub use parse::parse;
