//! Proofs of the control: every check by a fragment that passes and one that fails, the reader against quick-xml, places against a naive
//! count, pieces and threads against the whole, cases against a reading of their own, hostile input against the clock, the samples, and
//! invented packages.

mod age;
mod batch;
mod borders;
mod cases;
mod cases_oracle;
mod causes;
mod checks;
mod differential;
mod encodings;
mod hints;
mod invented;
mod names;
mod noise;
mod personal_data;
mod pieces;
mod positions;
mod samples;
mod sense;
mod thirty;
mod today;

#[path = "../support"]
mod support {
    pub(crate) mod needs;
    pub(crate) mod pair;
    pub(crate) mod soak;
    pub(crate) mod unbroken;
}
