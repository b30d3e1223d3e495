//! `--timings`: which phases a run tells of, that they add up, and that nothing is said without it.

use serde_json::Value;

use crate::support::desk::{Desk, Package, wrong};

/// The phases of a JSON report: name, seconds of all threads, bytes.
fn phases(report: &Value) -> Vec<(&str, f64, u64)> {
    let phases = report["timings"]["phases"].as_array().expect("phases");
    phases
        .iter()
        .map(|p| {
            assert_eq!(p.as_object().map(serde_json::Map::len), Some(3), "{p}");
            (p["phase"].as_str().expect("a word"), p["thread_seconds"].as_f64().expect("seconds"), p["bytes"].as_u64().expect("bytes"))
        })
        .collect()
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

#[test]
fn the_report_for_programs_tells_the_phases_of_the_control() {
    let desk = Desk::new();
    let package = wrong(1);
    package.zip(&desk.path("out"));
    let on_disk = std::fs::metadata(desk.path("out").join(format!("{}.zip", package.stem))).expect("there").len();
    // One byte a character: all is of windows-1251.
    let unpacked = (package.main.chars().count() + package.persons.chars().count()) as u64;
    let run = |more: &[&str]| {
        let (code, out, err) = desk.run(&[&["validate", "out", "--threads", "1", "--format", "json"], more].concat());
        assert_eq!((code, err.as_str()), (1, ""));
        json(&out)
    };
    let (mut plain, mut timed) = (run(&[]), run(&["--timings"]));
    let found = phases(&timed);
    let bytes: Vec<(&str, u64)> = found.iter().map(|(phase, _, bytes)| (*phase, *bytes)).collect();
    let expected =
        [("find", on_disk), ("open", 0), ("inflate", unpacked), ("digest", on_disk), ("structure", unpacked), ("rules", 0), ("persons", 0), ("report", 0)];
    assert_eq!(bytes, expected);
    let (sum, wall) = (found.iter().map(|p| p.1).sum::<f64>(), timed["timings"]["wall_seconds"].as_f64().expect("seconds"));
    assert!(found.iter().all(|p| p.1 > 0.0) && sum <= wall, "one thread is not at two things at once: {sum} of {wall}");

    let lines = desk.run(&["validate", "out", "--format", "jsonl", "--timings"]).1;
    assert_eq!(phases(&json(lines.lines().last().expect("the summary"))).len(), expected.len());

    let [plain, timed] = [&mut plain, &mut timed].map(|report| {
        report["summary"]["seconds"].take();
        report.as_object_mut().expect("an object")
    });
    assert!(timed.remove("timings").is_some());
    assert_eq!(plain, timed, "nothing else changes");
}

#[test]
fn people_read_them_on_standard_error() {
    let desk = Desk::new();
    Package::new(1).write(&desk.path("out"));
    let head = "added up over all threads";
    let (code, plain, err) = desk.run(&["--lang", "en", "validate", "out"]);
    assert!(code == 0 && !err.contains(head) && !plain.contains(head), "{err}");
    let (code, out, err) = desk.run(&["--lang", "en", "validate", "out", "--timings"]);
    assert_eq!((code, &out), (0, &plain));
    assert!(err.contains(head), "{err}");
    let lines: Vec<&str> = err.lines().skip_while(|line| !line.contains(head)).skip(1).collect();
    for (line, phase) in lines.iter().zip(["looking for files", "opening of files", "reading and unpacking", "SHA-256", "structure and values"]) {
        assert!(line.starts_with(&format!("  {phase} ")) && line.contains(" s"), "{line}");
    }
    assert_eq!(lines.len(), 8, "{err}");
    assert!(desk.run(&["validate", "out", "--timings", "--lang", "ru"]).2.contains("  структура и значения "));
    assert_eq!(desk.run(&["validate", "out", "--timings", "--no-timing"]).0, 2);
}

#[test]
fn verbs_of_a_workspace_tell_of_the_store_and_of_forming() {
    let desk = Desk::new();
    Package::new(1).zip(&desk.path("out"));
    let run = |arguments: &[&str]| {
        let (code, _, err) = desk.run(&[&["--lang", "en"], arguments].concat());
        assert_eq!(code, 0, "{arguments:?}: {err}");
        err
    };
    run(&["init"]);
    let told =
        |err: &str| ["structure and values", "store", "opening of the workspace", "writing of registries"].map(|phase| err.contains(&format!("\n  {phase} ")));
    assert_eq!(told(&run(&["load", "out", "--timings"])), [true, true, true, false]);
    assert_eq!(told(&run(&["form", "--period", "2021-03", "--timings"])), [true, true, true, true]);
    let number = "2103-1";
    assert_eq!(told(&run(&["form", "--again", number])), [false; 4]);
    assert_eq!(told(&run(&["form", "--again", number, "--timings"])), [true, true, true, true]);
}
