//! `validate --format html`: the page runs in the browsers of clinics, which are old.

use std::collections::BTreeSet;
use std::process::Command;

use crate::support::desk::{Desk, SECRETS, wrong};

const SCRIPT: &str = include_str!("../../src/report/html/page.js");

/// Everything that the script takes from the browser, all of it in Chrome 55 and Firefox 50. A new name is looked up before it is added here.
const APIS: &str = "JSON parse stringify Intl NumberFormat format document getElementById createElement createElementNS querySelectorAll appendChild \
    removeChild firstChild children parentNode textContent className style top height title id type value hidden dataset placeholder setAttribute \
    removeAttribute addEventListener preventDefault key altKey ctrlKey metaKey scrollTop clientHeight getBoundingClientRect location hash now replace \
    length push charCodeAt split indexOf toLowerCase filter map forEach reduce slice sort join test from get set Math max min floor ceil round subarray \
    keys Array Object";

/// Names that the script gives itself: columns of the data, fields of its own records.
const OWN: &str = "texts lang rows rule rules kinds files doctors units profiles days lines all meta totals severities unit_sizes doctor_sizes record id \
    card doctor unit profile from to k c l o v f z i h d u p b e cases column down severity text word node cells mark at of ok kinds values more case none \
    absent advice file element line count cut days printed others sort first_rows_ms begun_ms sort_ms filter_ms packages packages_all unread t";

/// What came into the language or the browsers later.
const LATER: &[&str] =
    &["?.", "??", "...", "async ", "await ", "import ", "export ", "**=", "||=", "&&=", "catch {", "#private", "BigInt", "globalThis", "innerHTML"];

#[test]
fn the_script_uses_only_what_old_browsers_have() {
    let known: BTreeSet<&str> = APIS.split_whitespace().chain(OWN.split_whitespace()).collect();
    // Texts and comments hold no code.
    let code: String = SCRIPT.lines().filter(|line| !line.trim_start().starts_with("//")).map(|line| format!("{line}\n")).collect();
    let code = code.split('\'').step_by(2).collect::<Vec<_>>().join("''");
    let after_dot = code.split('.').skip(1).map(|rest| rest.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).next().unwrap_or_default());
    let strange: BTreeSet<&str> = after_dot.filter(|name| name.starts_with(|c: char| c.is_ascii_alphabetic()) && !known.contains(name)).collect();
    assert!(strange.is_empty(), "not in the list: {strange:?}");
    for later in LATER {
        assert!(!code.contains(later), "{later}");
    }
}

#[test]
#[ignore = "needs chromium"]
fn a_browser_shows_the_rows_and_measures_itself() {
    let desk = Desk::new();
    wrong(1).zip(&desk.path("out"));
    let (code, _, err) = desk.run(&["validate", "out", "--format", "html", "--output", "page.html"]);
    assert_eq!(code, 1, "{err}");
    let page = format!("file://{}#selftest", desk.path("page.html").display());
    let args = ["--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=5000", "--dump-dom", &page];
    let output = Command::new("chromium").args(args).output().expect("chromium is there");
    let dom = String::from_utf8_lossy(&output.stdout);
    let text = |id: &str| dom.split(&format!("id=\"{id}\"")).nth(1).and_then(|rest| rest.split_once('>')?.1.split_once("</").map(|(text, _)| text.to_owned()));
    let result: serde_json::Value = serde_json::from_str(&text("selftest").unwrap_or_default()).unwrap_or_else(|e| panic!("{e}: {dom}"));
    assert_eq!(result["rows"], 4, "{result}");
    assert_eq!(dom.matches("class=\"row ").count(), 4, "the table shows each");
    assert!(text("count").is_some_and(|count| count.contains("4 из 4")), "{:?}", text("count"));
    assert!(dom.contains("<td>V004</td>"), "the printed table has them too");
    for secret in SECRETS {
        assert!(!dom.contains(secret), "{secret}");
    }
}
