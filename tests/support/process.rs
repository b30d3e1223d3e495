//! Runs a test in its own process, for tests that measure memory, which the system counts for a whole process.

use std::fs;
use std::io::Write as _;
use std::process::Command;
use std::time::{Duration, Instant};

/// Set in a process that was started for one test.
const ALONE: &str = "PUOMP_TEST_ALONE";

/// Runs a test in a process without other tests. The first call starts this test program again with that test alone, and returns true when
/// it has passed there (a failure panics). In the new process the call returns false, and the test does its work.
///
/// `test` is the function of the test; its type gives the name.
pub(crate) fn is_run_alone<F: Fn()>(_test: F) -> bool {
    if std::env::var_os(ALONE).is_some() {
        return false;
    }
    let (_, name) = std::any::type_name::<F>().split_once("::").expect("a path below this crate");
    let program = std::env::current_exe().expect("the path of this program");
    let output = Command::new(program).args(["--exact", name, "--include-ignored", "--nocapture"]).env(ALONE, "1").output().expect("it starts");
    let said = String::from_utf8_lossy(&output.stdout);
    let _ = std::io::stderr().write_all(&output.stderr);
    assert!(output.status.success() && said.contains("1 passed"), "{name} in a process of its own: {}\n{said}", output.status);
    true
}

/// Peak memory of this process, KiB; `None` where the system does not tell.
pub(crate) fn peak() -> Option<u64> {
    peak_of("self")
}

/// Peak memory of a process of this id, KiB; `None` where the system does not tell, or when the process has ended.
pub(crate) fn peak_of(process: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.split_whitespace().next()?.parse().ok()
}

/// Measures the time of work in a process that does nothing else, on a machine that may be busy.
pub(crate) struct Stopwatch {
    begun: Instant,
    used: Option<Duration>,
}

impl Stopwatch {
    pub(crate) fn start() -> Self {
        Self { begun: Instant::now(), used: processor_time() }
    }

    /// Time since the start, or the processor time of all threads since then if that is less.
    pub(crate) fn taken(&self) -> Duration {
        let used = processor_time().zip(self.used).map(|(now, then)| now.saturating_sub(then));
        used.unwrap_or(Duration::MAX).min(self.begun.elapsed())
    }
}

/// User and system time of this process: fields 14 and 15 of `/proc/self/stat`, in hundredths of a second. `None` where there is no such file.
fn processor_time() -> Option<Duration> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The program's name, the second field, stands in brackets and may contain spaces.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let ticks: u64 = fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?;
    Some(Duration::from_millis(ticks * 10))
}
