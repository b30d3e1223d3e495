//! Registries of medical care paid by Russian compulsory medical insurance (ОМС).
//!
//! Floors, lowest first; a module uses lower floors only:
//!
//! 0. [`values`]: days, months, kopecks, digests; [`texts`]: texts for people; [`tables`]: rule tables; [`sys`]: the platform;
//!    [`watch`]: progress and stop; [`timings`]: times by phase; [`spool`]: long lists, in part on the disk;
//! 1. [`finding`]: findings of checks; [`registry`]: formats, packages and reading; [`nsi`]: reference books; [`cases`]: completed cases;
//!    [`registers`]: registers of МЭК;
//! 2. [`rules`]: the language of rules and its evaluation;
//! 3. [`flk`]: format-logic control of a package; [`forming`]: cases of packages as a new package; [`report`]: findings for people and
//!    programs; [`generate`]: invented packages for training, tests and benches;
//! 4. [`workspace`]: a directory of registry files and its memory;
//! 5. [`api`]: the answers of the command line and of a server for programs;
//! 6. [`cli`]: the command line.
//!
//! The library never prints; only [`cli`] does.

pub mod api;
pub mod cases;
pub mod cli;
pub mod finding;
pub mod flk;
pub mod forming;
pub mod generate;
pub mod nsi;
pub mod registers;
pub mod registry;
pub mod report;
pub mod rules;
pub mod spool;
pub mod sys;
pub mod tables;
pub mod texts;
pub mod timings;
pub mod values;
pub mod watch;
pub mod workspace;
