//! Long runs of what is random: `PUOMP_SOAK=20` tries twenty times more (`.ci/run --long`).

/// So many tries as usual, or that many times more.
pub(crate) fn tries(usual: usize) -> usize {
    let times = std::env::var("PUOMP_SOAK").map_or(1, |times| times.parse().expect("PUOMP_SOAK is a number"));
    usual * times
}
