//! The program as its users meet it: exit code, standard output and standard error together.

mod desk;
mod examples;
mod general;
mod nsi;
mod privacy;
mod protocol;
mod rules;
#[path = "../stand_in/mod.rs"]
mod stand_in;
mod update;
mod validate;
