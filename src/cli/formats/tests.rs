use clap::{CommandFactory as _, FromArgMatches as _, Parser};

use super::export::Exported;
use super::show::distance;
use super::*;
use crate::cli::session;
use crate::tables::RuleFiles;
use crate::texts::{ErrorClass, Lang, Texts};

#[derive(Debug, Parser)]
struct Line {
    #[command(flatten)]
    args: FormatsArgs,
}

fn answer(lang: Lang, words: &[&str]) -> Result<String, String> {
    let matches = Line::command().try_get_matches_from([&["formats"], words].concat()).expect("a sound command line");
    let line = Line::from_arg_matches(&matches).expect("a sound command line");
    session::of_tests(lang, |session| {
        let formats = Formats::load(session.files).expect("the built-in tables are sound");
        let bytes = match &line.args.verb {
            Verb::List(verb) => verb.answer(&formats, session),
            Verb::Show(verb) => verb.answer(&formats, session),
            Verb::Export(verb) => verb.answer(&formats, session.ui).map(|exported| match exported {
                Exported::Schema(bytes) => bytes,
                Exported::Written(remark) => remark.into_bytes(),
            }),
        };
        let bytes = bytes.map_err(|e| {
            assert_eq!(e.class(), ErrorClass::Usage);
            session.ui.texts.error(&e, lang)
        })?;
        Ok(String::from_utf8(bytes).expect("UTF-8"))
    })
}

fn ru(words: &[&str]) -> String {
    answer(Lang::Ru, words).expect("an answer")
}

#[test]
fn a_list_names_every_edition() {
    let text = ru(&["list"]);
    assert!(text.lines().any(|l| l.split_whitespace().take(3).eq(["H", "6.0", "6.0"])), "{text}");
    assert!(text.lines().any(|l| l.split_whitespace().take(3).eq(["D", "3.1-2020-04", "3.1"])), "{text}");
    insta::assert_snapshot!(text);
    assert_ne!(text, answer(Lang::En, &["list"]).expect("an answer"));
    let json: serde_json::Value = serde_json::from_str(&ru(&["list", "--format", "json"])).expect("JSON");
    assert_eq!((&json["schema"], json["formats"].as_array().map(Vec::len)), (&1.into(), Some(36)));
    assert_eq!(ru(&["list", "--format", "json"]), answer(Lang::En, &["list", "--format", "json"]).expect("an answer"));
}

#[test]
fn a_family_is_found_by_letters_of_any_case() {
    let persons = ru(&["show", "L", "3.2"]);
    assert_eq!(ru(&["show", "l", "3.2"]), persons);
    assert_eq!(ru(&["show", "lp", "3.2"]), persons);
    assert_eq!(ru(&["show", "DP", "6.0"]), ru(&["show", "D", "6.0"]));
    insta::assert_snapshot!(persons);
}

#[test]
fn one_element_with_all_that_is_known() {
    insta::assert_snapshot!(ru(&["show", "H", "6.0", "usl_ok"]));
    insta::assert_snapshot!(answer(Lang::En, &["show", "L", "3.2", "PERS/DOCNUM"]).expect("an answer"));
    // A name that occurs in several blocks is shown for each of them, a path for one.
    assert!(ru(&["show", "H", "6.0", "LPU"]).matches("ZL_LIST/").count() >= 2);
    assert_eq!(ru(&["show", "H", "6.0", "USL/LPU"]).matches("ZL_LIST/").count(), 1);
}

#[test]
fn tables_for_programs() {
    let json: serde_json::Value = serde_json::from_str(&ru(&["show", "T", "3.1", "vid_vme", "--format", "json"])).expect("JSON");
    let element = &json["elements"][0];
    assert_eq!((&element["path"], &element["max_length"], &element["chars"]), (&"ZL_LIST/ZAP/Z_SL/SL/USL/VID_VME".into(), &4.into(), &"digits".into()));
    let csv = ru(&["show", "H", "6.0", "--format", "csv"]);
    let mut lines = csv.split("\r\n");
    assert!(lines.next().is_some_and(|head| head.starts_with("\u{feff}путь;элемент;обязательность;тип;")));
    assert!(answer(Lang::En, &["list", "--format", "csv"]).is_ok_and(|csv| csv.starts_with("\u{feff}family;edition;version (VERSION);")));
    assert_eq!(lines.next().map(|l| l.split(';').take(4).collect::<Vec<_>>().join(" ")).as_deref(), Some("ZL_LIST ZL_LIST О S"));
}

#[test]
fn errors_tell_what_there_is() {
    let says = |words: &[&str]| answer(Lang::Ru, words).expect_err("nothing to show");
    assert!(says(&["show", "Q", "6.0"]).ends_with("есть: A, C, D, H, L, M, R, T"));
    assert!(says(&["export", "L", "6.0", "--xsd", "-"]).ends_with("есть: 2.1, 3.0, 3.1, 3.2"));
    let gone = says(&["show", "H", "6.0", "SLUCH"]);
    assert!(gone.contains("есть в форматах: H 2.1, D 2.1, T 2.1"), "{gone}");
    assert!(says(&["show", "H", "6.0", "PROFL"]).contains("ZL_LIST/ZAP/Z_SL/SL/PROFIL"));
    assert!(!says(&["show", "H", "6.0", "QQQQQQQQ"]).contains("похожие"));
}

#[test]
fn a_schema_goes_to_a_file_or_to_the_output() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("схема H 6.0.xsd");
    let said = ru(&["export", "h", "6.0", "--xsd", path.to_str().expect("UTF-8")]);
    assert!(said.contains("схема H 6.0.xsd"));
    assert_eq!(std::fs::read_to_string(&path).expect("written"), ru(&["export", "H", "6.0", "--xsd", "-"]));
    let nowhere = folder.path().join("no/such/folder.xsd");
    assert!(answer(Lang::En, &["export", "H", "6.0", "--xsd", nowhere.to_str().expect("UTF-8")]).expect_err("no folder").starts_with("cannot write"));
}

#[test]
fn letters_apart() {
    assert_eq!([("PROFL", "PROFIL"), ("DS1", "DS1"), ("SL", "USL"), ("", "AB"), ("IDCASE", "IDCSAE")].map(|(a, b)| distance(a, b)), [1, 0, 1, 2, 2]);
}

#[test]
fn examples_of_the_help_work() {
    let texts = Texts::load(&RuleFiles::embedded()).expect("the built-in table is sound");
    let folder = tempfile::tempdir().expect("a folder");
    let mut count = 0;
    for (key, lang) in texts.help_keys().filter(|k| k.starts_with("formats") && k.ends_with('+')).flat_map(|k| [(k, Lang::Ru), (k, Lang::En)]) {
        let help = texts.help(key, lang).expect("a text");
        for example in help.lines().filter_map(|l| l.trim().strip_prefix("puomp formats ")) {
            let target = folder.path().join(format!("{count}.xsd"));
            let target = target.to_str().expect("UTF-8");
            let words: Vec<&str> = example.split(' ').map(|w| if w.ends_with(".xsd") { target } else { w }).collect();
            assert!(!answer(lang, &words).expect(example).is_empty());
            count += 1;
        }
    }
    assert!(count >= 8, "{count} examples");
}
