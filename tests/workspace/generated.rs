//! Invented packages in one workspace: every family, clinic, month and seed brings cases of its own, so none replaces or resembles another.

use crate::support::clinic::Clinic;

/// Two months that follow one another in editions 2.1, which has no SL_ID, 3.0, in which it is no GUID, and 3.1.
const MONTHS: [[&str; 2]; 3] = [["2017-11", "2017-12"], ["2018-06", "2018-07"], ["2021-02", "2021-03"]];
const CASES: usize = 6;

on_each_store!(families_clinics_months_and_seeds_have_their_own_cases);
fn families_clinics_months_and_seeds_have_their_own_cases(clinic: &Clinic) {
    let mut packages = 0;
    for period in MONTHS.as_flattened() {
        for family in ["H", "C", "T", "DP", "DF"].iter().filter(|f| **f != "C" || *period > "2019") {
            for (code, seed) in [("140001", "1"), ("140001", "2"), ("140002", "1"), ("140002", "2")] {
                let folder = format!("in/{period}-{family}-{code}-{seed}");
                clinic.package(&folder, CASES as u32, &["--family", family, "--period", period, "--clinic", code, "--seed", seed]);
                packages += 1;
            }
        }
    }
    let said = clinic.done(&["load", "in"]);
    let taken = format!("загружено {CASES}\u{a0}случаев");
    assert_eq!((said.lines().count(), said.matches(&taken).count()), (packages, packages), "nothing is said of replaced cases or of questions: {said}");
    assert_eq!(clinic.outside("free").0, (packages * CASES) as i64);
}
