//! The program as its users meet it: exit code, standard output and standard error together.

mod desk;
mod examples;
mod general;
mod nsi;
mod privacy;
mod protocol;
mod rules;
mod validate;
