//! `puomp nsi update` at the desk of a user, against a stand-in for the sites.

use std::fs;

use serde_json::Value;

use crate::desk::Desk;
use crate::stand_in::{Asked, Reply, StandIn, list, profiles};

fn site(answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> StandIn {
    StandIn::new(move |asked| if asked.path.starts_with("/data?") { Reply::ok(list(&[("V002", "5.0", "30.01.2026")])) } else { answer(asked) })
}

fn desk() -> Desk {
    let desk = Desk::new();
    fs::create_dir(desk.path(".puomp")).expect("a folder");
    desk
}

#[test]
fn a_new_edition_is_shown_then_taken_then_current() {
    let (site, desk) = (site(|asked| Reply::file(&profiles(), "\"a\"", asked)), desk());
    let run = |more: &[&str]| desk.run(&[&["nsi", "update", "V002", "--url", &site.url], more].concat());
    let (code, out, err) = run(&["--dry-run"]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(out.starts_with("V002: имеется 3.0 от 2018-03-30, предлагается 5.0 от 2026-01-30: новее\n"), "{out}");
    let (code, out, err) = run(&[]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(out.contains("V002: 5.0 от 2026-01-30, строк 300; была встроенная 3.0 от 2018-03-30\n"), "{out}");
    assert!(desk.path(".puomp/books/V002.nsi").is_file());
    let (code, json, _) = run(&["--format", "json"]);
    let answer: Value = serde_json::from_str(&json).expect("JSON");
    let book = &answer["books"][0];
    assert_eq!((code, &answer["schema"], &book["outcome"], &book["standing"]), (0, &1.into(), &"left".into(), &"current".into()));
    assert_eq!(run(&["-q"]), (0, String::new(), String::new()));
}

#[test]
fn a_site_that_fails_is_named_with_what_to_do() {
    let (site, desk) = (site(|_| Reply::ok("<html><body>503</body></html>")), desk());
    let (code, out, _) = desk.run(&["nsi", "update", "V002", "--url", &site.url]);
    assert_eq!(code, 5);
    assert!(out.contains("V002: не обновлён, прежняя редакция на месте: вместо справочника пришла веб-страница") && out.contains("не удалось 1"), "{out}");
    for (args, code, text) in [
        (["nsi", "update", "X001"].as_slice(), 2, "puomp nsi list"),
        (&["nsi", "update", "Q015"], 2, "puomp rules import"),
        (&["nsi", "update", "--url", "nsi.ffoms.ru"], 2, "https://"),
        (&["nsi", "update", "--proxy", "http://"], 2, "--proxy"),
        (&["nsi", "update", "--from", "нет такой"], 2, "нет такой"),
    ] {
        let (found, _, err) = desk.run(args);
        assert!(found == code && err.contains(text), "{args:?}: {found} {err}");
    }
}
