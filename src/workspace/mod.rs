//! A directory of registry files and its memory.

pub mod journal;
pub mod workflow;
