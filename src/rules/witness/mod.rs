//! Witnesses of a rule: documents that it passes and documents that break it, found near sound ones.
//!
//! The syntax tree says what to change: values that comparisons name and their neighbours, codes that a book has or lacks, elements that
//! must or must not stand, blocks built from what sound documents hold. These are guesses; who asks for them judges each by the control
//! itself.

mod solve;
mod stock;
mod tree;

pub use solve::{Solver, Unit, has_element};
pub use stock::{Stock, typical};
pub use tree::{Document, Elem, Tree, Way, Written};
