//! The tables of `rules/formats/`.

mod mutations;
mod tables;
