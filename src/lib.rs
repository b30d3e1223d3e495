//! Registries of medical care paid by Russian compulsory medical insurance (ОМС).
//!
//! Floors, lowest first; a module uses what stands on lower floors only:
//!
//! 0. [`tables`], [`finding`], [`registry`], [`nsi`], [`sys`]: rule tables, what a check says, formats, packages and reading, reference
//!    books, the platform;
//! 2. [`flk`]: format-logic control of a package; [`generate`]: invented packages for training, tests and benches;
//! 3. [`report`]: findings for people and programs; [`forming`]: cases of packages as a new package; [`workspace`]: a directory of registry
//!    files and its memory;
//! 5. [`cli`]: the command line.
//!
//! The library never prints; only [`cli`] does.

pub mod cli;
pub mod finding;
pub mod flk;
pub mod forming;
pub mod generate;
pub mod nsi;
pub mod registry;
pub mod report;
pub mod rules;
pub mod sys;
pub mod tables;
pub mod workspace;
