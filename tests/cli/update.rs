//! `puomp nsi update` at the desk of a user, against a stand-in for the sites.

use std::fs;

use serde_json::Value;

use crate::support::book::{Book, Zap};
use crate::support::desk::Desk;
use crate::support::stand_in::{Asked, Reply, StandIn, archive, list, profiles};

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
        (&["nsi", "update", "--url", "nsi.ffoms.ru"], 2, "https://"),
        (&["nsi", "update", "--proxy", "http://"], 2, "--proxy"),
        (&["nsi", "update", "--from", "нет такой"], 2, "нет такой"),
    ] {
        let (found, _, err) = desk.run(args);
        assert!(found == code && err.contains(text), "{args:?}: {found} {err}");
    }
}

/// An edition of the rule book with one rule more than the built-in one knows.
fn rule_book(edition: &str, date: &str) -> String {
    let mut book = Book::at_hand(edition, date);
    book.rows.push(Zap::new("003F.00.9990", "ZL_LIST/ZAP/Z_SL/SL/DN", "H").with("USL_TEST", "USL_OK=3"));
    book.xml()
}

#[test]
fn the_rule_book_comes_the_same_way() {
    let site = StandIn::new(|asked| match asked.path.as_str() {
        p if p.starts_with("/data?") => Reply::ok(list(&[("Q015", "9.9", "01.02.2025")])),
        _ => Reply::ok(archive(&[("Q015.xml", &rule_book("9.9", "01.02.2025"))])),
    });
    let desk = desk();
    let run = |more: &[&str]| desk.run(&[&["nsi", "update", "Q015", "--url", &site.url], more].concat());
    let (code, out, _) = run(&["--dry-run"]);
    assert!(code == 0 && out.starts_with("Q015: имеется 2.2 от 2021-02-12, предлагается 9.9 от 2025-02-01: новее\n"), "{out}");
    assert!(!desk.path(".puomp/rules").exists());
    let (code, out, err) = run(&[]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(out.starts_with("Q015: 9.9 от 2025-02-01, строк 801; была встроенная 2.2 от 2021-02-12; правила: новое: 1, "), "{out}");
    let (_, out, _) = desk.run(&["rules", "list", "--id", "003F.00.9990"]);
    assert!(out.contains("003F.00.9990  H "), "{out}");
    let (code, out, _) = run(&["--format", "json"]);
    let answer: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!((code, &answer["books"][0]["standing"], &answer["books"][0]["outcome"]), (0, &"current".into(), &"left".into()));
    // The same command takes the packet from a folder, and leaves the newer edition that is there.
    let other = Desk::new();
    fs::create_dir_all(other.path(".puomp")).expect("a folder");
    fs::create_dir(other.path("с сайта")).expect("a folder");
    fs::write(other.path("с сайта/a.xml"), rule_book("9.9", "01.02.2025")).expect("written");
    let (code, out, _) = other.run(&["nsi", "update", "--from", "с сайта"]);
    assert!(code == 0 && out.starts_with("Q015: 9.9 от 2025-02-01, строк 801; "), "{out}");
    fs::write(other.path("с сайта/a.xml"), rule_book("9.8", "01.02.2024")).expect("written");
    let (code, out, _) = other.run(&["nsi", "update", "--from", "с сайта"]);
    assert!(code == 0 && out.contains("имеющаяся новее, остаётся"), "{out}");
}
