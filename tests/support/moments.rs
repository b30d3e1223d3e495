//! Moments at which a test disturbs a program.

const SEED: u64 = 0x70_75_6f_6d_70;

/// A number from 0 to 1, made from `number` by SplitMix64: the same in every run and in every thread.
pub(crate) fn random(number: u64) -> f64 {
    let mut z = SEED.wrapping_add(number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
}

/// How many times each step is killed: `PUOMP_TEST_KILLS` names fewer, where a program takes long to start.
pub(crate) fn wanted(kills: usize) -> usize {
    std::env::var("PUOMP_TEST_KILLS").ok().and_then(|number| number.parse().ok()).unwrap_or(kills).min(kills)
}
