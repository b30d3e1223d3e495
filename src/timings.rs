//! How long each phase of a run takes and how many bytes go through it, for whoever looks for where the time goes.
//!
//! Nothing is measured unless somebody made a [`Timings`] and handed it on in a [`Watch`](crate::watch::Watch): without it no clock is read.

use std::cell::Cell;
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// A phase of the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Looking for packages: which files there are and what their heads say. Its bytes are those of the files on the disk.
    Find,
    /// Opening files and archives, and reading what stands before the first record.
    Open,
    /// Reading files and unpacking archives. Its bytes are the unpacked ones.
    Inflate,
    /// SHA-256 of files.
    Digest,
    /// Elements, values and what relates those of one record; on `load` also reading the cases. Its bytes are those of the checked files.
    Structure,
    /// Federal rules over records and heads.
    Rules,
    /// What relates the files of a package: persons, numbers that must not repeat, the records of such findings.
    Persons,
    /// Writing the result and the protocols.
    Report,
    /// Statements of the store and the files that the workspace keeps.
    Store,
    /// Taking the workspace: waiting until no other program changes it, connecting to the store, putting right what a stopped program left.
    Lock,
    /// Writing registries: reading their cases from the packages, copying and packing them.
    Forming,
}

impl Phase {
    /// Every phase, in the order in which a run comes to it.
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

    /// Its word in machine formats.
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

/// What one phase came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// Which.
    pub phase: Phase,
    /// Time of all threads together: two threads that are at it for one second are two seconds. What waits for a disk or a lock counts too.
    pub thread_time: Duration,
    /// Bytes that went through it; 0 where bytes say nothing.
    pub bytes: u64,
}

#[derive(Debug, Default)]
struct Sum {
    /// How often the phase was begun.
    spans: AtomicU64,
    nanoseconds: AtomicU64,
    bytes: AtomicU64,
}

/// The sums of a run. Threads add to them at once; a clone adds to the same sums.
#[derive(Debug, Clone)]
pub struct Timings(Arc<Sums>);

#[derive(Debug)]
struct Sums {
    clock: fn() -> Instant,
    begun: Instant,
    of_phases: [Sum; Phase::ALL.len()],
}

impl Timings {
    /// Begins to measure, with this clock.
    pub fn new(clock: fn() -> Instant) -> Self {
        Self(Arc::new(Sums { clock, begun: clock(), of_phases: Default::default() }))
    }

    /// Measures a phase until the span is dropped. Within a span of the same thread it measures for itself: the time counts once, for the inner.
    pub fn span(&self, phase: Phase) -> Span<'_> {
        Span { sums: &self.0, phase, before: INNER.replace(Duration::ZERO), begun: (self.0.clock)(), of_thread: PhantomData }
    }

    /// So many bytes went through a phase.
    pub fn bytes(&self, phase: Phase, count: u64) {
        self.0.of_phases[phase as usize].bytes.fetch_add(count, Relaxed);
    }

    /// Time since the beginning, as a clock on the wall shows it.
    pub fn wall_time(&self) -> Duration {
        (self.0.clock)().duration_since(self.0.begun)
    }

    /// The phases that there were, in the order of [`Phase::ALL`].
    pub fn taken(&self) -> impl Iterator<Item = Taken> {
        Phase::ALL.into_iter().zip(&self.0.of_phases).filter(|(_, sum)| sum.spans.load(Relaxed) > 0).map(|(phase, sum)| Taken {
            phase,
            thread_time: Duration::from_nanos(sum.nanoseconds.load(Relaxed)),
            bytes: sum.bytes.load(Relaxed),
        })
    }
}

/// A span of a phase where time is measured; `None` where it is not.
#[must_use]
pub fn span(timings: Option<&Timings>, phase: Phase) -> Option<Span<'_>> {
    timings.map(|timings| timings.span(phase))
}

/// So many bytes went through a phase, where that is counted.
pub fn bytes(timings: Option<&Timings>, phase: Phase, count: u64) {
    if let Some(timings) = timings {
        timings.bytes(phase, count);
    }
}

thread_local! {
    /// Time of the spans that began and ended inside the innermost open span of this thread.
    static INNER: Cell<Duration> = const { Cell::new(Duration::ZERO) };
}

/// A phase that is being measured, until it is dropped.
#[derive(Debug)]
#[must_use]
pub struct Span<'t> {
    sums: &'t Sums,
    phase: Phase,
    begun: Instant,
    /// [`INNER`] of the span around this one.
    before: Duration,
    /// Its time is one thread's.
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

    /// A clock that stands still until it is moved.
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
