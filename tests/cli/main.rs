//! The program as its users meet it: exit code, standard output and standard error together; what the README says of it.

mod examples;
mod general;
mod html;
mod nsi;
mod privacy;
mod protocol;
mod readme;
mod region;
mod registers;
mod rules;
mod russian;
mod schemas;
mod timings;
mod update;
mod validate;
mod width;

#[path = "../support"]
mod support {
    #[allow(dead_code, reason = "the drill of an edition changes its rows too")]
    pub(crate) mod book;
    #[allow(dead_code, reason = "packages of other tests are made by its methods too")]
    pub(crate) mod desk;
    pub(crate) mod stand_in;
    pub(crate) mod unbroken;
}
