//! Witnesses of a rule: documents that pass it and documents that break it, found by changing valid ones.
//!
//! The syntax tree tells what to change: values in comparisons and their neighbours, codes that a book has or lacks, elements that must be present or
//! absent, blocks built from parts of valid documents. These are guesses; the caller judges each by the control itself.

mod solve;
mod stock;
mod tree;

pub use solve::{Solver, Unit, has_element};
pub use stock::{Stock, typical};
pub use tree::{Document, Elem, Tree, Way, Written};
