//! Longer runs of random tests: with `PUOMP_SOAK=20` they make twenty times as many tries (`.ci/run --long`).

/// The usual number of tries, multiplied by `PUOMP_SOAK` if that is set.
pub(crate) fn tries(usual: usize) -> usize {
    let times = std::env::var("PUOMP_SOAK").map_or(1, |times| times.parse().expect("PUOMP_SOAK is a number"));
    usual * times
}
