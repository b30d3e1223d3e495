//! The program as its users meet it: exit code, standard output and standard error together; what the README says of it.

mod examples;
mod general;
mod nsi;
mod privacy;
mod protocol;
mod readme;
mod rules;
mod timings;
mod update;
mod validate;

#[path = "../support"]
mod support {
    pub(crate) mod desk;
    pub(crate) mod stand_in;
}
