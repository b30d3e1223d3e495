//! The workspace as its users meet it, on every store there is.
//!
//! SQLite always; PostgreSQL when `PUOMP_TEST_POSTGRES` names a server on which databases may be made (`.ci/run` starts one).

#![allow(clippy::print_stdout, reason = "a skipped half is said")]

mod clinic;
#[cfg(target_os = "linux")]
mod faults;
mod kill;
mod life;
mod moves;
mod places;
mod receive;
mod sanctions;
mod state;
mod status;
mod table;

use clinic::Clinic;

/// Runs a test on each store.
fn on_each_store(test: impl Fn(&Clinic)) {
    test(&Clinic::new(None));
    match clinic::database() {
        Some(url) => test(&Clinic::new(Some(url))),
        None => println!("PostgreSQL: skipped, PUOMP_TEST_POSTGRES is not set"),
    }
}
