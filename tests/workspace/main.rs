//! The workspace as its users meet it, on every store there is.
//!
//! On SQLite always; on PostgreSQL when `PUOMP_TEST_POSTGRES` names a server on which databases may be made (`.ci/run` starts one).

/// Makes two tests of a function that takes a fresh workspace: `name::on_sqlite` and `name::on_postgres`.
macro_rules! on_each_store {
    ($name:ident) => {
        mod $name {
            use crate::support::clinic::Clinic;

            #[test]
            fn on_sqlite() {
                super::$name(&Clinic::new());
            }

            #[test]
            #[ignore = "needs PUOMP_TEST_POSTGRES"]
            fn on_postgres() {
                super::$name(&Clinic::on_postgres());
            }
        }
    };
}

#[cfg(not(windows))]
mod advice;
mod answers;
mod backup;
mod cases;
mod clinics;
mod damage;
#[cfg(target_os = "linux")]
mod faults;
mod generated;
mod interrupt;
mod kill;
mod life;
mod loading;
#[cfg(target_os = "linux")]
mod memory;
mod migration;
mod moves;
mod odd;
mod operation;
mod password;
mod payer;
mod payers;
mod places;
// As with `tamper`.
#[cfg(not(windows))]
mod random;
mod receive;
mod resubmission;
mod sanctions;
mod status;
mod table;
// Hundreds of runs, and nothing in it depends on the system.
#[cfg(not(windows))]
mod tamper;
mod watch;

#[path = "../support"]
mod support {
    pub(crate) mod clinic;
    #[allow(dead_code, reason = "its packages are used, not its folder")]
    pub(crate) mod desk;
    pub(crate) mod forge;
    pub(crate) mod interrupt;
    pub(crate) mod moments;
    #[allow(dead_code, reason = "other processes are measured, not this one")]
    pub(crate) mod process;
    pub(crate) mod say;
    pub(crate) mod sent;
    pub(crate) mod soak;
    pub(crate) mod sql;
    pub(crate) mod state;
    pub(crate) mod unbroken;
}
