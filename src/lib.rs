//! Registries of medical care paid by Russian compulsory medical insurance (ОМС).
//!
//! Floors, lowest first; a module uses what stands on lower floors only:
//!
//! 0. [`values`], [`texts`]: days, months, kopecks, digests; what a person reads. [`tables`], [`sys`], [`watch`], [`timings`]: rule
//!    tables, the platform, progress and stop, where the time goes;
//! 1. [`finding`]: what a check says; [`registry`]: formats, packages and reading; [`nsi`]: reference books; [`cases`]: completed cases;
//! 2. [`rules`]: the language of rules and its evaluation;
//! 3. [`flk`]: format-logic control of a package; [`forming`]: cases of packages as a new package; [`report`]: findings for people and
//!    programs; [`generate`]: invented packages for training, tests and benches;
//! 4. [`workspace`]: a directory of registry files and its memory;
//! 5. [`api`]: the answers for programs, of the command line and of a server;
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
pub mod registry;
pub mod report;
pub mod rules;
pub mod sys;
pub mod tables;
pub mod texts;
pub mod timings;
pub mod values;
pub mod watch;
pub mod workspace;
