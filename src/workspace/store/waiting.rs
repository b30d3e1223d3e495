//! Waits for the futures of sqlx.

use tokio::runtime::{Builder, Runtime};

use crate::timings::{self, Phase, Timings};

/// The async runtime of one connection. The time of waiting counts as [`Phase::Store`].
pub(super) struct Waiting {
    runtime: Runtime,
    pub(super) timings: Option<Timings>,
}

impl Waiting {
    pub(super) fn new() -> std::io::Result<Self> {
        Ok(Self { runtime: Builder::new_current_thread().enable_all().build()?, timings: None })
    }

    pub(super) fn block_on<F: Future>(&self, future: F) -> F::Output {
        let _store = timings::span(self.timings.as_ref(), Phase::Store);
        self.runtime.block_on(future)
    }
}
