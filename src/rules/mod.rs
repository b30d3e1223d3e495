//! The rule language: syntax, compilation against a format, evaluation over a record.

pub mod ast;
mod code;
mod compile;
mod conventions;
mod coverage;
mod covered_by_format;
mod eval;
mod fragments;
pub mod functions;
pub mod import;
mod lex;
mod number;
mod parse;
mod print;
pub mod published;
mod reasons;
mod resolve;
mod set;
mod survey;
mod table;
pub mod witness;
mod words;

pub use compile::{Captured, Captures, Sources, Stop};
pub use conventions::Conventions;
pub use coverage::{Covered, coverage, rows};
pub use eval::{Facts, Gathered, NameParts, Person};
pub use fragments::{Fragments, fragments};
pub use lex::SyntaxError;
pub use number::Decimal;
pub use parse::parse;
pub use reasons::Reasons;
pub use set::{At, Hit, RowState, RuleSet, Side, State, Work};
pub use survey::{Standing, Survey};
pub use table::{FLK_TABLES, RuleRow, UNREAD, load};
pub use words::{Named, Words};
