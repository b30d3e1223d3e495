//! A registry that was sent, and answers to it.

use std::fs;
use std::io::Read as _;
use std::path::PathBuf;

use crate::support::clinic::Clinic;
use crate::support::sql::{Sql, text};

/// A registry that was sent.
pub(crate) struct Sent {
    pub(crate) number: String,
    pub(crate) cases: i64,
    /// Kopecks.
    pub(crate) sum: i64,
    /// Name of its main file without the ending.
    pub(crate) stem: String,
    /// Its main file, decoded.
    pub(crate) text: String,
}

/// Loads, forms and sends; the largest registry.
pub(crate) fn sent(clinic: &Clinic) -> Sent {
    sent_of(clinic, "2021-02", "1")
}

/// The same with cases of another month and other people.
pub(crate) fn sent_of(clinic: &Clinic, period: &str, seed: &str) -> Sent {
    let folder = format!("in-{period}");
    clinic.package(&folder, 30, &["--period", period, "--seed", seed]);
    clinic.done(&["load", &folder]);
    sent_of_loaded(clinic, period)
}

/// Forms what was loaded of a month and sends the largest registry.
pub(crate) fn sent_of_loaded(clinic: &Clinic, period: &str) -> Sent {
    let before = clinic.registries();
    clinic.done(&["form", "--period", period]);
    let new = clinic.registries().into_iter().filter(|one| !before.contains(one));
    let (number, _, cases, sum) = new.max_by_key(|(_, _, cases, _)| *cases).expect("a registry");
    assert!(cases >= 3, "enough cases for all kinds of decisions: {cases}");
    clinic.done(&["submit", &number]);
    let (stem, text) = (file_name(clinic, &number), main_file(clinic, &number));
    Sent { number, cases, sum, stem, text }
}

fn row(clinic: &Clinic, number: &str) -> serde_json::Value {
    clinic.status()["registries"].as_array().expect("a list").iter().find(|r| r["number"] == number).expect("it").clone()
}

/// Name of the main file of a registry without the ending.
fn file_name(clinic: &Clinic, number: &str) -> String {
    row(clinic, number)["file"].as_str().expect("a name").to_owned()
}

/// The main file of a registry as it was formed last, decoded.
pub(crate) fn main_file(clinic: &Clinic, number: &str) -> String {
    let mut store = Sql::connect(&clinic.address());
    let object = text(&store.rows(&format!("SELECT object FROM registries WHERE number = '{number}'"))[0], "object");
    store.close();
    let package = clinic.path(".puomp/objects").join(&object[..2]).join(&object);
    let mut archive = zip::ZipArchive::new(fs::File::open(package).expect("there")).expect("an archive");
    let mut bytes = Vec::new();
    archive.by_name(&format!("{}.xml", file_name(clinic, number))).expect("the main file").read_to_end(&mut bytes).expect("read");
    encoding_rs::WINDOWS_1251.decode(&bytes).0.into_owned()
}

/// The text of the first element of a name.
pub(crate) fn between<'t>(text: &'t str, element: &str) -> &'t str {
    let (_, rest) = text.split_once(&format!("<{element}>")).expect("the element");
    rest.split_once("</").expect("its end").0
}

pub(crate) fn kopecks(text: &str) -> i64 {
    text.replace('.', "").parse().expect("an amount with two decimals")
}

pub(crate) fn roubles(kopecks: i64) -> String {
    format!("{}.{:02}", kopecks / 100, kopecks % 100)
}

/// The registry as it comes back: OPLATA, SUMP, SANK and SANK_IT behind each SUMV; what was accepted in all. `decide` says what is taken off the case of a
/// number, from 1, and with which sanctions.
pub(crate) fn decided(text: &str, decide: impl Fn(usize, i64) -> (i64, Vec<i64>)) -> (String, i64) {
    let (mut out, mut accepted) = (String::new(), 0);
    for (number, piece) in (1..).zip(text.split_inclusive("</SUMV>")) {
        out += piece;
        if !piece.ends_with("</SUMV>") {
            continue;
        }
        let all = kopecks(between(&piece[piece.rfind("<SUMV>").expect("a sum")..], "SUMV"));
        let (off, sanctions) = decide(number, all);
        let verdict = if off == 0 { 1 } else { 3 - i32::from(off == all) };
        accepted += all - off;
        out += &format!("<OPLATA>{verdict}</OPLATA><SUMP>{}</SUMP>", roubles(all - off));
        for sum in sanctions {
            out += &format!("<SANK><S_CODE>{number}-{sum}</S_CODE><S_SUM>{}</S_SUM><S_TIP>1</S_TIP><S_OSN>43</S_OSN><S_IST>1</S_IST></SANK>", roubles(sum));
        }
        if off > 0 {
            out += &format!("<SANK_IT>{}</SANK_IT>", roubles(off));
        }
    }
    (out.replace("</SUMMAV>", &format!("</SUMMAV><SUMMAP>{}</SUMMAP>", roubles(accepted))), accepted)
}

/// A folder of `shared/cases`; see tests/README.md.
pub(crate) fn shared_case(name: &str) -> PathBuf {
    let shared = std::env::var_os("PUOMP_SHARED").map_or_else(|| PathBuf::from("../shared"), PathBuf::from);
    fs::canonicalize(shared.join("cases").join(name)).expect("PUOMP_SHARED must name the folder of facts")
}

/// Writes a file in windows-1251 into the workspace.
pub(crate) fn write(clinic: &Clinic, name: &str, text: &str) {
    fs::write(clinic.path(name), encoding_rs::WINDOWS_1251.encode(text).0).expect("written");
}

/// A ФЛК protocol of a file.
pub(crate) fn protocol(file: &str, refusals: &str) -> String {
    format!("<?xml version=\"1.0\" encoding=\"windows-1251\"?><FLK_P><FNAME>V{file}</FNAME><FNAME_I>{file}</FNAME_I>{refusals}</FLK_P>")
}

/// Status, accepted cases and accepted kopecks.
pub(crate) fn stands(clinic: &Clinic, number: &str) -> (String, i64, i64) {
    let row = row(clinic, number);
    let int = |name: &str| row[name].as_i64().expect("a number");
    (row["status"].as_str().expect("a word").to_owned(), int("accepted_cases"), int("accepted_sum_kopecks"))
}
