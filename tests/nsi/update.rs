//! Books from a site: a stand-in on the loopback gives the answers of the real ones, bad ones too.

use std::cell::RefCell;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::support::book::{Book, Zap};
use crate::support::stand_in::{Asked, Reply, StandIn, archive, list, packet, profiles};
use puomp::nsi::update::{Addresses, Fault, From, Http, Order, Outcome, RuleBooks, Site, Standing, Step, Trouble, Watch, Ways, update};
use puomp::nsi::{Books, Importer, NoBook, Refusal};
use puomp::rules::import::Updates;
use puomp::tables::RuleFiles;
use puomp::values::Date;

const MARK: &str = "\"a\"";

/// The day on which everything runs here: what is in force must not change with the calendar.
fn today() -> Date {
    Date::new(2026, 6, 1).expect("a day")
}

/// A folder of books, and the table of sites with an impatient transfer.
struct Desk {
    folder: tempfile::TempDir,
    attempts: u32,
}

/// Whether a fault is the one that is due.
type Fits = Box<dyn Fn(&Fault) -> bool>;

#[derive(Default)]
struct Quiet {
    again: RefCell<Vec<String>>,
    resumed: RefCell<Vec<u64>>,
}

impl Watch for Quiet {
    fn book(&self, _: &str, _: usize, _: usize) {}
    fn size(&self, from: u64, _: Option<u64>) {
        if from > 0 {
            self.resumed.borrow_mut().push(from);
        }
    }
    fn bytes(&self, _: u64) {}
    fn again(&self, trouble: &Trouble, _: Duration) {
        self.again.borrow_mut().push(trouble.code().to_owned());
    }
}

impl Desk {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder"), attempts: 3 }
    }

    fn books(&self) -> PathBuf {
        self.folder.path().join("books")
    }

    fn files(&self) -> RuleFiles {
        let text = RuleFiles::embedded().text("nsi/site.toml").expect("there").into_owned();
        let text = ["attempts = 4", "pause_ms = 1000", "silence_ms = 60000", "list_limit = 33554432", "packet_limit = 536870912"]
            .into_iter()
            .zip([&format!("attempts = {}", self.attempts), "pause_ms = 1", "silence_ms = 400", "list_limit = 100000", "packet_limit = 200000"])
            .fold(text, |text, (old, new)| {
                assert!(text.contains(old), "{old}");
                text.replace(old, new)
            });
        fs::create_dir_all(self.folder.path().join("rules/nsi")).expect("a folder");
        fs::write(self.folder.path().join("rules/nsi/site.toml"), text).expect("written");
        RuleFiles::with_overlay(&self.folder.path().join("rules"))
    }

    fn order(&self, url: &str, books: &[&str], dry_run: bool, ways: &Ways) -> (Vec<Step>, Quiet) {
        let files = self.files();
        let mut site = Site::load(&files).expect("the table");
        site.redirect(&Addresses { url: Some(url.to_owned()), ministry: None }).expect("an address");
        let http = Http::new(&site, ways).expect("a client");
        let importer = Importer::new(&files, &self.books(), today()).expect("the table");
        let watch = Quiet::default();
        let order = Order { books: books.iter().map(|b| (*b).to_owned()).collect(), asked: None, dry_run };
        let steps = update(&importer, None, From::Site(&site, &http), &order, &watch).expect("known books");
        (steps, watch)
    }

    fn update(&self, site: &StandIn, books: &[&str]) -> Vec<Step> {
        self.order(&site.url, books, false, &Ways::default()).0
    }

    /// Edition, rows and whether it was imported.
    fn at_hand(&self, id: &str) -> Option<(String, usize, bool)> {
        let books = Books::load(&RuleFiles::embedded(), Some(&self.books())).expect("the table");
        books.get(id).map(|b| b.describe()).map(|d| (d.edition, d.rows, d.imported))
    }

    /// Nothing came of V002 but this fault: the built-in edition serves, and no part is left behind.
    fn fails(&self, site: &StandIn) -> Fault {
        let steps = self.update(site, &["V002"]);
        assert_eq!(self.at_hand("V002").map(|b| (b.0, b.2)), Some(("3.0".to_owned(), false)));
        assert_eq!(steps.len(), 1);
        fault(&steps[0])
    }
}

fn fault(step: &Step) -> Fault {
    match &step.outcome {
        Outcome::Failed(fault) => fault.clone(),
        other => panic!("{}: {other:?}", step.book),
    }
}

fn taken(step: &Step) -> (String, usize) {
    match &step.outcome {
        Outcome::Taken(taken) => (taken.book.edition.clone(), taken.book.rows),
        other => panic!("{}: {other:?}", step.book),
    }
}

fn listed() -> String {
    list(&[("V002", "5.0", "30.01.2026")])
}

/// A site with V002, whose packet is answered by `answer`.
fn site(answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> StandIn {
    StandIn::new(move |asked| if asked.path.starts_with("/data?") { Reply::ok(listed()) } else { answer(asked) })
}

/// A site whose list is answered by `answer`.
fn site_with_list(answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> StandIn {
    StandIn::new(move |asked| if asked.path.starts_with("/data?") { answer(asked) } else { Reply::file(&profiles(), MARK, asked) })
}

#[test]
fn what_is_newer_is_fetched_and_the_rest_is_left() {
    let codes: String = (0..20_000)
        .map(|n| format!("<entry><MKB_CODE>A{n:05}</MKB_CODE><MKB_NAME>x</MKB_NAME><ACTUAL>1</ACTUAL><DATE>01.02.2026</DATE></entry>"))
        .take(100)
        .collect();
    let services = codes.replace("MKB_CODE", "S_CODE").replace("MKB_NAME", "S_NAME");
    let standing = StandIn::new(move |asked| match asked.path.as_str() {
        p if p.starts_with("/data?") => Reply::ok(list(&[("V002", "5.0", "30.01.2026"), ("V006", "1.1", "01.01.2026"), ("V005", "0.1", "01.01.2010")])),
        "/refbook?type=XML&id=V002&version=1" => Reply::ok(profiles()),
        "/api/versions?identifier=1.2.643.5.1.13.13.11.1070" => {
            Reply::ok(r#"{"result":"OK","total":1,"list":[{"version":"2.9","createDate":"07.02.2026 00:00"}]}"#)
        }
        "/api/dataFiles/1.2.643.5.1.13.13.11.1070_2.9_xml.zip" => {
            Reply::ok(archive(&[("1.2.643.5.1.13.13.11.1070_2.9.xml", &format!("<book><entries>{services}</entries></book>"))]))
        }
        _ => Reply::new(404, "no"),
    });
    let desk = Desk::new();
    let steps = desk.update(&standing, &["V002", "v006", "V005", "V001", "F032"]);
    assert_eq!(taken(&steps[0]), ("5.0".to_owned(), 300));
    assert_eq!((steps[1].standing, steps[2].standing), (Some(Standing::Current), Some(Standing::Older)));
    assert_eq!(taken(&steps[3]), ("2.9".to_owned(), 100));
    assert_eq!(fault(&steps[4]), Fault::NotListed);
    assert_eq!(standing.count("/data?"), 1, "one list for all books");
    // A second run finds all current and fetches no packet.
    let packets = standing.count("/refbook");
    let again = desk.update(&standing, &["V002", "V001"]);
    assert!(again.iter().all(|s| s.standing == Some(Standing::Current)), "{again:?}");
    assert_eq!(standing.count("/refbook"), packets);
    assert!(!desk.books().join(".parts").exists());
}

#[test]
fn a_look_writes_nothing() {
    let site = site(|asked| Reply::file(&profiles(), MARK, asked));
    let desk = Desk::new();
    let (steps, _) = desk.order(&site.url, &["V002"], true, &Ways::default());
    assert_eq!(steps[0].standing, Some(Standing::Newer));
    assert!(!desk.books().exists() && site.count("/refbook") == 0);
}

#[test]
fn a_busy_site_is_asked_again_and_a_refusal_is_not() {
    let busy = site(|asked| match asked.before {
        0 => Reply::new(503, "busy"),
        1 => Reply::new(429, "slow down").with("Retry-After", "0"),
        _ => Reply::file(&profiles(), MARK, asked),
    });
    let desk = Desk::new();
    let (steps, watch) = desk.order(&busy.url, &["V002"], false, &Ways::default());
    assert_eq!((taken(&steps[0]).1, watch.again.borrow().as_slice()), (300, ["status".to_owned(), "status".to_owned()].as_slice()));
    for (status, tries) in [(403, 1), (404, 1), (410, 1), (500, 3), (503, 3)] {
        let refusing = site(move |_| Reply::new(status, "no"));
        assert_eq!(Desk::new().fails(&refusing), Fault::Trouble(Trouble::Status(status)));
        assert_eq!(refusing.count("/refbook"), tries, "{status}");
    }
    let slow = site(|_| Reply::new(503, "tomorrow").with("Retry-After", "86400"));
    assert_eq!(Desk::new().fails(&slow), Fault::Trouble(Trouble::Status(503)));
    assert_eq!(slow.count("/refbook"), 1);
}

#[test]
fn a_cut_download_goes_on_where_it_was() {
    let cut = site(|asked| {
        let reply = Reply::file(&profiles(), MARK, asked);
        if asked.before < 2 { reply.cut(300) } else { reply }
    });
    let desk = Desk::new();
    let (steps, watch) = desk.order(&cut.url, &["V002"], false, &Ways::default());
    assert_eq!(taken(&steps[0]).1, 300);
    assert_eq!(watch.resumed.borrow().as_slice(), [300, 600]);
    let last = cut.asked().pop().expect("asked");
    assert_eq!((last.from, last.if_range.as_deref()), (Some(600), Some(MARK)));
}

#[test]
fn the_next_run_goes_on_too() {
    let mut desk = Desk::new();
    desk.attempts = 1;
    let cut = site(|asked| Reply::file(&profiles(), MARK, asked).cut(500));
    assert_eq!(desk.fails(&cut), Fault::Trouble(Trouble::Cut));
    assert_eq!(fs::metadata(desk.books().join(".parts/V002.part")).expect("kept").len(), 500);
    // Another address is another file.
    let other = site(|asked| Reply::file(&profiles(), MARK, asked));
    let (steps, watch) = desk.order(&other.url, &["V002"], false, &Ways::default());
    assert!(taken(&steps[0]).1 == 300 && watch.resumed.borrow().is_empty());

    let desk = Desk { attempts: 1, ..Desk::new() };
    let healing = site(|asked| if asked.before == 0 { Reply::file(&profiles(), MARK, asked).cut(500) } else { Reply::file(&profiles(), MARK, asked) });
    assert_eq!(desk.fails(&healing), Fault::Trouble(Trouble::Cut));
    let (steps, watch) = desk.order(&healing.url, &["V002"], false, &Ways::default());
    assert_eq!((taken(&steps[0]).1, watch.resumed.borrow().as_slice()), (300, [500].as_slice()));
    assert!(!desk.books().join(".parts").exists());
}

#[test]
fn a_file_that_changed_meanwhile_begins_anew() {
    // The site honours If-Range; it does not and shows another mark; it has no such range any more; it knows no ranges at all.
    type Second = fn(&Asked) -> Reply;
    let ways: [Second; 4] = [
        |asked| Reply::file(&profiles(), "\"b\"", asked),
        |asked| asked.from.map_or_else(|| Reply::ok(profiles()), |from| Reply::part(&profiles(), from, "\"b\"")),
        |asked| if asked.from.is_some() { Reply::new(416, "") } else { Reply::ok(profiles()) },
        |_| Reply::ok(profiles()),
    ];
    for (number, second) in ways.into_iter().enumerate() {
        let old = archive(&[("V002.xml", &packet("ProfOt", "IDPR", "4.9", "30.01.2025", 400))]);
        let changing = site(move |asked| if asked.before == 0 { Reply::file(&old, MARK, asked).cut(400) } else { second(asked) });
        let desk = Desk::new();
        let (steps, watch) = desk.order(&changing.url, &["V002"], false, &Ways::default());
        assert_eq!(taken(&steps[0]), ("5.0".to_owned(), 300), "{number}");
        assert!(watch.resumed.borrow().is_empty(), "{number}");
    }
}

#[test]
fn what_is_no_packet_leaves_the_old_edition() {
    let whole = profiles();
    let text = packet("ProfOt", "IDPR", "5.0", "30.01.2026", 300);
    let truncated = whole[..whole.len() - 100].to_vec();
    let mut flipped = whole.clone();
    let middle = flipped.len() / 3;
    flipped[middle] ^= 0xFF;
    let archive_fault = |f: &Fault| matches!(f, Fault::Refused(Refusal::Archive(_)));
    let bad: Vec<(&str, Vec<u8>, Fits)> = vec![
        ("a page", b"<!DOCTYPE html><html><body>Log in</body></html>".to_vec(), Box::new(|f| *f == Fault::Page)),
        ("a page in XML", b"<?xml version=\"1.0\"?><html xmlns=\"x\"><body/></html>".to_vec(), Box::new(|f| *f == Fault::Page)),
        ("nothing", Vec::new(), Box::new(|f| *f == Fault::NotAPacket)),
        ("garbage", b"IDPR;PRNAME\n1;x\n".to_vec(), Box::new(|f| *f == Fault::NotAPacket)),
        ("JSON", b"{\"error\":\"no\"}".to_vec(), Box::new(|f| *f == Fault::NotAPacket)),
        ("bytes", (0..=255).cycle().take(5000).collect(), Box::new(|f| matches!(f, Fault::Refused(Refusal::Encoding)))),
        ("a truncated archive", truncated, Box::new(archive_fault)),
        ("a damaged archive", flipped, Box::new(archive_fault)),
        ("two books", archive(&[("a.xml", &text), ("b.xml", &text)]), Box::new(|f| *f == Fault::NotAPacket)),
        ("an archive without one", archive(&[("readme.txt", "x")]), Box::new(|f| matches!(f, Fault::Refused(Refusal::NotABook)))),
        ("a cut XML", text.as_bytes()[..3000].to_vec(), Box::new(|f| matches!(f, Fault::Refused(Refusal::Broken { .. })))),
        (
            "another book",
            packet("Rezult", "IDRMP", "5.0", "30.01.2026", 300).into_bytes(),
            Box::new(|f| matches!(f, Fault::Refused(Refusal::OtherBook { .. }))),
        ),
        ("no rows", packet("ProfOt", "IDPR", "5.0", "30.01.2026", 0).into_bytes(), Box::new(|f| matches!(f, Fault::Refused(_)))),
        ("a part", packet("ProfOt", "IDPR", "5.0", "30.01.2026", 5).into_bytes(), Box::new(|f| matches!(f, Fault::Refused(Refusal::Shrinks { .. })))),
        ("an older edition", packet("ProfOt", "IDPR", "2.0", "30.01.2016", 300).into_bytes(), Box::new(|f| matches!(f, Fault::Refused(Refusal::Older { .. })))),
        ("another edition", packet("ProfOt", "IDPR", "5.1", "30.01.2026", 300).into_bytes(), Box::new(|f| matches!(f, Fault::OtherEdition { .. }))),
    ];
    for (what, body, fits) in bad {
        let sending = site(move |_| Reply::ok(body.clone()));
        let desk = Desk::new();
        let fault = desk.fails(&sending);
        assert!(fits(&fault), "{what}: {fault:?}");
        assert!(!desk.books().join(".parts").exists(), "{what}");
    }
}

#[test]
fn what_is_no_list_is_said_of_every_book() {
    for bad in ["", "{", "[]", r#"{"list":[]}"#, r#"{"list":[{"d":{}}]}"#, "<html>", "null"] {
        let site = site_with_list(move |_| Reply::ok(bad));
        let steps = Desk::new().update(&site, &["V002", "V006"]);
        assert_eq!(steps.iter().map(fault).collect::<Vec<_>>(), [Fault::List, Fault::List], "{bad}");
        assert_eq!(site.count("/data?"), 1);
    }
}

#[test]
fn bodies_without_end_and_beyond_measure_are_not_kept() {
    let endless = site(|_| Reply::endless());
    assert_eq!(Desk::new().fails(&endless), Fault::Trouble(Trouble::TooLarge { limit: 200_000 }));
    assert_eq!(endless.count("/refbook"), 1);
    let large = site(|_| Reply::ok(vec![b'<'; 200_001]));
    let desk = Desk::new();
    assert_eq!(desk.fails(&large), Fault::Trouble(Trouble::TooLarge { limit: 200_000 }));
    assert!(!desk.books().join(".parts/V002.part").exists());
    let list = site_with_list(|_| Reply::endless());
    assert_eq!(Desk::new().fails(&list), Fault::Trouble(Trouble::TooLarge { limit: 100_000 }));
}

#[test]
fn redirects_go_nowhere_else() {
    let moved = site(|asked| if asked.path == "/there" { Reply::ok(profiles()) } else { Reply::new(302, "").with("Location", "/there") });
    assert_eq!(taken(&Desk::new().update(&moved, &["V002"])[0]).1, 300);
    for to in ["/refbook?type=XML&id=V002&version=1", "http://nsi.example.invalid/x", "https://example.invalid/x", "file:///etc/passwd"] {
        let wandering = site(move |_| Reply::new(302, "").with("Location", to));
        let fault = Desk::new().fails(&wandering);
        assert!(matches!(fault, Fault::Trouble(Trouble::Redirect | Trouble::Status(302))), "{to}: {fault:?}");
    }
}

#[test]
fn silence_and_closed_doors_are_troubles_of_the_way() {
    let silent = site(|_| Reply::silent());
    assert_eq!(Desk::new().fails(&silent), Fault::Trouble(Trouble::Timeout));
    let (steps, watch) = Desk::new().order("http://127.0.0.1:9", &["V002", "V001", "M001"], false, &Ways::default());
    assert!(steps.iter().all(|s| matches!(fault(s), Fault::Trouble(Trouble::Unreachable(_)))), "{steps:?}");
    // The first file is tried three times, the next ones once.
    assert_eq!(watch.again.borrow().len(), 2);
}

#[test]
fn one_bad_book_does_not_hinder_the_next() {
    let mixed = StandIn::new(|asked| match asked.path.as_str() {
        p if p.starts_with("/data?") => Reply::ok(list(&[("V002", "5.0", "30.01.2026"), ("V020", "9.0", "30.01.2026"), ("F009", "1.0", "30.01.2026")])),
        p if p.contains("id=V020") => Reply::ok("<html>"),
        p if p.contains("id=F009") => Reply::ok(packet("StatZL", "IDStatus", "1.0", "30.01.2026", 7)),
        _ => Reply::ok(profiles()),
    });
    let desk = Desk::new();
    let steps = desk.order(&mixed.url, &[], false, &Ways::default()).0;
    let of = |id: &str| steps.iter().find(|s| s.book == id).expect("a step");
    assert_eq!((taken(of("V002")).1, fault(of("V020")), taken(of("F009")).1), (300, Fault::Page, 7));
    assert!(steps.iter().all(|s| s.book != "Q015"), "rule books are another command's");
    assert_eq!(desk.at_hand("F009").map(|b| b.1), Some(7));
}

#[test]
fn a_proxy_is_asked_in_place_of_the_site() {
    let proxy = StandIn::new(|asked| match asked.path.as_str() {
        p if p.starts_with("http://nsi.example.invalid/data?") => Reply::ok(listed()),
        "http://nsi.example.invalid/refbook?type=XML&id=V002&version=1" => Reply::ok(profiles()),
        _ => Reply::new(404, ""),
    });
    let ways = Ways { proxy: Some(proxy.url.clone()), ..Ways::default() };
    let (steps, _) = Desk::new().order("http://nsi.example.invalid", &["V002"], false, &ways);
    assert_eq!(taken(&steps[0]).1, 300);
}

#[test]
fn a_folder_gives_what_the_site_gives() {
    let from_site = Desk::new();
    from_site.update(&site(|asked| Reply::file(&profiles(), MARK, asked)), &["V002"]);
    let from_folder = Desk::new();
    let got = from_folder.folder.path().join("с сайта");
    fs::create_dir(&got).expect("a folder");
    fs::write(got.join("a.zip"), profiles()).expect("written");
    fs::write(got.join("old.xml"), packet("ProfOt", "IDPR", "4.0", "30.01.2024", 300)).expect("written");
    fs::write(got.join("bad.xml"), "<packet>").expect("written");
    let take = |path: &Path, books: &[&str]| {
        let importer = Importer::new(&RuleFiles::embedded(), &from_folder.books(), today()).expect("the table");
        let order = Order { books: books.iter().map(|b| (*b).to_owned()).collect(), asked: None, dry_run: false };
        update(&importer, None, From::Folder(path), &order, &Quiet::default()).expect("known")
    };
    let steps = take(&got, &[]);
    assert_eq!((steps.len(), taken(&steps[0]).0.as_str()), (2, "5.0"));
    assert!(matches!(fault(&steps[1]), Fault::Refused(Refusal::Broken { .. })));
    assert_eq!(from_folder.at_hand("V002"), from_site.at_hand("V002"));
    let again = take(&got, &["V002", "F032"]);
    assert_eq!((again[0].standing, fault(&again[1])), (Some(Standing::Current), Fault::NotListed));
}

/// An edition of the rule book with one rule more than the built-in one knows.
fn rule_book(kind: &str, edition: &str, date: &str) -> String {
    let mut book = Book::at_hand(edition, date);
    book.rows.push(Zap::new("003F.00.9990", "ZL_LIST/ZAP/Z_SL/SL/DN", "H").with("USL_TEST", "USL_OK=3"));
    book.xml().replace("FLK_MPF", kind)
}

/// The first of June of a year.
fn day(year: u16) -> Date {
    Date::new(year, 6, 1).expect("a day")
}

impl Desk {
    fn rules(&self) -> PathBuf {
        self.folder.path().join("workspace/rules")
    }

    /// An update that takes rule books too; without names it would ask for all books.
    fn update_rules(&self, site: &StandIn, books: &[&str]) -> Vec<Step> {
        let files = self.files();
        let mut table = Site::load(&files).expect("the table");
        table.redirect(&Addresses { url: Some(site.url.clone()), ministry: None }).expect("an address");
        let http = Http::new(&table, &Ways::default()).expect("a client");
        let importer = Importer::new(&files, &self.books(), today()).expect("the table");
        let at_hand = if self.rules().exists() { RuleFiles::with_overlay(&self.rules()) } else { RuleFiles::embedded() };
        let (rules, folder) = (self.rules(), self.books());
        let updates = Updates::new(&at_hand, &rules, Some(&folder), day(2030));
        let order = Order { books: books.iter().map(|b| (*b).to_owned()).collect(), asked: None, dry_run: false };
        update(&importer, Some(&updates), From::Site(&table, &http), &order, &Quiet::default()).expect("known books")
    }

    /// Editions of rule books in the folder of rules; none when there is no such folder.
    fn editions(&self) -> Option<String> {
        fs::read_to_string(self.rules().join("flk/editions.csv")).ok()
    }
}

#[test]
fn rule_books_are_fetched_too_and_take_the_place_of_older_ones_only() {
    let site = |books: &'static [(&str, &str, &str)], packet: Vec<u8>| {
        StandIn::new(move |asked| if asked.path.starts_with("/data?") { Reply::ok(list(books)) } else { Reply::ok(packet.clone()) })
    };
    let zipped = |kind: &str, edition: &str, date: &str| archive(&[("Q.xml", &rule_book(kind, edition, date))]);
    let desk = Desk::new();
    let newer = site(&[("Q015", "9.9", "01.02.2030")], zipped("FLK_MPF", "9.9", "01.02.2030"));
    let steps = desk.update_rules(&newer, &["q015"]);
    let Outcome::TakenRules(taken) = &steps[0].outcome else { panic!("{steps:?}") };
    assert_eq!(
        (taken.book.edition.as_str(), taken.book.rows, taken.replaced.as_ref().map(|r| (r.edition.as_str(), r.imported))),
        ("9.9", 801, Some(("2.2", false)))
    );
    assert!(taken.changes.ru.contains("новое: 1") && taken.changes.en.contains("new: 1"), "{:?}", taken.changes);
    assert_eq!((steps[0].standing, newer.count("/refbook?")), (Some(Standing::Newer), 1));
    let stored = desk.editions().expect("stored");
    assert!(stored.contains("Q015,9.9,2030-02-01"), "{stored}");
    let rules = puomp::rules::load(&RuleFiles::with_overlay(&desk.rules()), puomp::rules::RULE_TABLES).expect("what was stored compiles");
    assert!(rules.iter().any(|r| r.id == "003F.00.9990"));
    // The same edition is not fetched again, an older one is left where it is.
    assert_eq!(desk.update_rules(&newer, &["Q015"])[0].standing, Some(Standing::Current));
    assert_eq!(newer.count("/refbook?"), 1);
    let older = site(&[("Q015", "5.2", "18.02.2026")], zipped("FLK_MPF", "5.2", "18.02.2026"));
    assert_eq!(desk.update_rules(&older, &["Q015"])[0].standing, Some(Standing::Older));
    // A book that was not there so far.
    let other = site(&[("Q016", "3.3", "15.10.2025")], zipped("MEK_MPF", "3.3", "15.10.2025"));
    assert!(matches!(desk.update_rules(&other, &["Q016"])[0].outcome, Outcome::TakenRules(_)));
    assert!(desk.editions().expect("stored").contains("Q015,9.9,2030-02-01\nQ016,3.3,2025-10-15"));
}

#[test]
fn a_rule_book_that_is_not_what_was_promised_changes_nothing() {
    let packet = |kind: &str, edition: &str| archive(&[("Q.xml", &rule_book(kind, edition, "01.02.2030"))]);
    let cut = "<packet><zglv><type>FLK_MPF</type><version>9.9</version><date>01.02.2030</date></zglv></packet>";
    let cases: [(Vec<u8>, Fits); 6] = [
        (packet("FLK_MPF", "9.8"), Box::new(|f| matches!(f, Fault::OtherEdition { .. }))),
        (packet("MEK_MPF", "9.9"), Box::new(|f| matches!(f, Fault::Refused(Refusal::OtherBook { .. })))),
        (packet("ProfOt", "9.9"), Box::new(|f| matches!(f, Fault::Rules(_)) && f.code() == "refused.unknown-kind")),
        (cut.as_bytes()[..cut.len() - 9].to_vec(), Box::new(|f| matches!(f, Fault::Rules(_)) && f.code() == "refused.cut-short")),
        (b"<html><body>login</body></html>".to_vec(), Box::new(|f| *f == Fault::Page)),
        (archive(&[("a.xml", "<a/>"), ("b.xml", "<b/>")]), Box::new(|f| *f == Fault::NotAPacket)),
    ];
    for (number, (body, fits)) in cases.into_iter().enumerate() {
        let site = StandIn::new(
            move |asked| if asked.path.starts_with("/data?") { Reply::ok(list(&[("Q015", "9.9", "01.02.2030")])) } else { Reply::ok(body.clone()) },
        );
        let desk = Desk::new();
        let found = fault(&desk.update_rules(&site, &["Q015"])[0]);
        assert!(fits(&found), "{number}: {found:?}");
        assert_eq!(desk.editions(), None, "{number}");
        assert!(!desk.rules().exists() && !desk.books().join(".parts").exists(), "{number}");
    }
    // Without anybody to take them rule books are not ordered, and unasked only the federal ones are.
    let importer = Importer::new(&RuleFiles::embedded(), &Desk::new().books(), today()).expect("the table");
    let (files, nowhere) = (RuleFiles::embedded(), PathBuf::from("nowhere"));
    let order = Order { books: vec!["Q015".to_owned()], asked: None, dry_run: true };
    let refused = update(&importer, None, From::Folder(&nowhere), &order, &Quiet::default());
    assert!(matches!(&refused, Err(NoBook::Rules(id)) if id == "Q015"), "{refused:?}");
    assert_eq!(Updates::new(&files, &nowhere, None, today()).unasked(), ["Q015", "Q016"]);
}
