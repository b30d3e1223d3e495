//! Measures how long each phase of a run takes and how many bytes it processes.
//!
//! Nothing is measured, and no clock is read, unless a [`Watch`](crate::watch::Watch) provides [`Timings`].

use std::cell::Cell;
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// A phase of the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Finding packages: listing files and reading their heads. Bytes: sizes of the files on disk.
    Find,
    /// Opening files and archives, and reading the part before the first record.
    Open,
    /// Reading files and unpacking archives. Bytes: unpacked.
    Inflate,
    /// SHA-256 of files. Bytes: those of the files.
    Digest,
    /// Checking elements, values and relations within a record; on `load` also reading the cases. Bytes: those of the checked files.
    Structure,
    /// Applying federal rules to records and heads.
    Rules,
    /// Checking relations between the files of a package: persons, keys that must be unique, and the records of such findings.
    Persons,
    /// Writing the result and the protocols.
    Report,
    /// Running statements of the store, and writing the files that the workspace keeps.
    Store,
    /// Taking the workspace: waiting for its lock, connecting to the store, and repairing what a stopped program left.
    Lock,
    /// Writing registries: reading their cases from the packages, copying and packing them.
    Forming,
}

impl Phase {
    /// All phases, in the order in which a run reaches them.
    pub const ALL: [Self; 11] = [
        Self::Find,
        Self::Open,
        Self::Inflate,
        Self::Digest,
        Self::Structure,
        Self::Rules,
        Self::Persons,
        Self::Report,
        Self::Store,
        Self::Lock,
        Self::Forming,
    ];

    /// The word for this phase in machine formats.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Find => "find",
            Self::Open => "open",
            Self::Inflate => "inflate",
            Self::Digest => "digest",
            Self::Structure => "structure",
            Self::Rules => "rules",
            Self::Persons => "persons",
            Self::Report => "report",
            Self::Store => "store",
            Self::Lock => "lock",
            Self::Forming => "forming",
        }
    }
}

/// The time and the bytes of one phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// The phase.
    pub phase: Phase,
    /// The sum over all threads: two threads for one second give two seconds. Waiting for a disk or a lock is included.
    pub thread_time: Duration,
    /// Number of bytes processed; 0 for phases that do not count bytes.
    pub bytes: u64,
}

#[derive(Debug, Default)]
struct Sum {
    /// Number of spans of the phase.
    spans: AtomicU64,
    nanoseconds: AtomicU64,
    bytes: AtomicU64,
}

/// The measurements of a run. Several threads may add to them at once; clones share the same sums.
#[derive(Debug, Clone)]
pub struct Timings(Arc<Sums>);

#[derive(Debug)]
struct Sums {
    clock: fn() -> Instant,
    begun: Instant,
    of_phases: [Sum; Phase::ALL.len()],
}

impl Timings {
    /// Starts measuring with this clock.
    pub fn new(clock: fn() -> Instant) -> Self {
        Self(Arc::new(Sums { clock, begun: clock(), of_phases: Default::default() }))
    }

    /// Measures a phase until the span is dropped. The time of a span inside another one of the same thread counts only for the inner span.
    pub fn span(&self, phase: Phase) -> Span<'_> {
        Span { sums: &self.0, phase, before: INNER.replace(Duration::ZERO), begun: (self.0.clock)(), of_thread: PhantomData }
    }

    /// Adds to the bytes of a phase.
    pub fn bytes(&self, phase: Phase, count: u64) {
        self.0.of_phases[phase as usize].bytes.fetch_add(count, Relaxed);
    }

    /// Elapsed time since the start of the measurement.
    pub fn wall_time(&self) -> Duration {
        (self.0.clock)().duration_since(self.0.begun)
    }

    /// The phases that occurred, in the order of [`Phase::ALL`].
    pub fn taken(&self) -> impl Iterator<Item = Taken> {
        Phase::ALL.into_iter().zip(&self.0.of_phases).filter(|(_, sum)| sum.spans.load(Relaxed) > 0).map(|(phase, sum)| Taken {
            phase,
            thread_time: Duration::from_nanos(sum.nanoseconds.load(Relaxed)),
            bytes: sum.bytes.load(Relaxed),
        })
    }
}

/// Starts a span when timings are measured; `None` when they are not.
#[must_use]
pub fn span(timings: Option<&Timings>, phase: Phase) -> Option<Span<'_>> {
    timings.map(|timings| timings.span(phase))
}

/// Adds to the bytes of a phase when timings are measured.
pub fn bytes(timings: Option<&Timings>, phase: Phase, count: u64) {
    if let Some(timings) = timings {
        timings.bytes(phase, count);
    }
}

thread_local! {
    /// Total time of the spans that began and ended inside the innermost open span of this thread.
    static INNER: Cell<Duration> = const { Cell::new(Duration::ZERO) };
}

/// The measurement of a phase, which ends when this is dropped.
#[derive(Debug)]
#[must_use]
pub struct Span<'t> {
    sums: &'t Sums,
    phase: Phase,
    begun: Instant,
    /// The value of [`INNER`] for the enclosing span.
    before: Duration,
    /// Keeps the span on its thread, because [`INNER`] belongs to one thread.
    of_thread: PhantomData<*const ()>,
}

impl Drop for Span<'_> {
    fn drop(&mut self) {
        let elapsed = (self.sums.clock)().duration_since(self.begun);
        let own = elapsed.saturating_sub(INNER.replace(self.before + elapsed));
        let sum = &self.sums.of_phases[self.phase as usize];
        sum.spans.fetch_add(1, Relaxed);
        sum.nanoseconds.fetch_add(u64::try_from(own.as_nanos()).unwrap_or(u64::MAX), Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    thread_local! {
        static NOW: Cell<(Option<Instant>, u64)> = const { Cell::new((None, 0)) };
    }

    /// A clock that stands still until a test advances it.
    fn clock() -> Instant {
        let (start, seconds) = NOW.get();
        let start = start.unwrap_or_else(Instant::now);
        NOW.set((Some(start), seconds));
        start + Duration::from_secs(seconds)
    }

    fn wait(seconds: u64) {
        NOW.set((NOW.get().0, NOW.get().1 + seconds));
    }

    fn seconds(timings: &Timings) -> Vec<(Phase, u64, u64)> {
        timings.taken().map(|t| (t.phase, t.thread_time.as_secs(), t.bytes)).collect()
    }

    #[test]
    fn inner_spans_count_once() {
        let timings = Timings::new(clock);
        {
            let _structure = timings.span(Phase::Structure);
            timings.bytes(Phase::Structure, 7);
            wait(1);
            for _ in 0..2 {
                let _rules = timings.span(Phase::Rules);
                wait(10);
                let _persons = span(Some(&timings), Phase::Persons);
                wait(100);
            }
            wait(1);
        }
        let _report = timings.span(Phase::Report);
        wait(5);
        assert_eq!(seconds(&timings), [(Phase::Structure, 2, 7), (Phase::Rules, 20, 0), (Phase::Persons, 200, 0)], "an open span is not yet counted");
        assert_eq!(timings.wall_time().as_secs(), 227);
    }

    #[test]
    fn nothing_is_measured_without_timings() {
        assert!(span(None, Phase::Rules).is_none());
        assert_eq!(Timings::new(clock).taken().count(), 0);
    }

    #[test]
    fn words_are_those_of_the_variants() {
        for (at, phase) in Phase::ALL.into_iter().enumerate() {
            assert_eq!((phase as usize, format!("{phase:?}").to_lowercase().as_str()), (at, phase.as_str()));
        }
    }
}
