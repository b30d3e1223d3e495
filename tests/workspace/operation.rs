//! Who changes a workspace says who he is, when it is, and may stop the work: the library asks nobody else.

use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::tz::{Offset, TimeZone};
use puomp::finding::Catalog;
use puomp::flk::{Checker, Config};
use puomp::forming::Former;
use puomp::registry::format::Formats;
use puomp::registry::package::{Input, discover};
use puomp::tables::RuleFiles;
use puomp::values::{Date, Moment};
use puomp::watch::{Unwatched, Watch};
use puomp::workspace::workflow::Move;
use puomp::workspace::{Actor, FormEvent, FormRequest, Loading, Opening, Operation, Outcome, Place, Problem, Registry, Tables, Tools, Workspace};

use crate::support::clinic::Clinic;
use crate::support::sql::{Sql, text};
use crate::support::state::{State, leftovers, operation, outbox_troubles, walk};

struct Desk {
    formats: Formats,
    catalog: Catalog,
    config: Config,
}

static DESK: LazyLock<Desk> = LazyLock::new(|| {
    let files = RuleFiles::embedded();
    Desk {
        formats: Formats::load(&files).expect("sound"),
        catalog: Catalog::load(&files).expect("sound"),
        config: Config::on(Date::new(2026, 6, 1).expect("a day")),
    }
});
static CHECKER: LazyLock<Checker<'static>> = LazyLock::new(|| Checker::new(&DESK.catalog, &DESK.formats).expect("sound"));
static FORMER: LazyLock<Former<'static>> = LazyLock::new(|| Former::load(&RuleFiles::embedded(), &DESK.formats, &DESK.catalog).expect("sound"));

fn tools() -> Tools<'static> {
    Tools { checker: &CHECKER, catalog: &DESK.catalog, formats: &DESK.formats, former: &FORMER, config: &DESK.config }
}

fn open(clinic: &Clinic) -> Workspace {
    let place = Place { root: clinic.root().to_owned(), store: clinic.store().map(str::to_owned) };
    let tables = Tables::load(&RuleFiles::embedded()).expect("tables");
    let actor = actor("executor");
    Workspace::open_write(place, tables, &Opening { operation: operation(&actor), wait: Duration::from_secs(2), holder: "the test" }).expect("it opens")
}

fn actor(role: &str) -> Actor {
    Actor { user: "Анна".to_owned(), host: "касса".to_owned(), role: role.to_owned() }
}

fn load(workspace: &mut Workspace, operation: &Operation<'_>, folder: &Path) -> Result<Outcome, Problem> {
    let packages = discover(&[Input::named(folder.to_owned())], &DESK.formats, &DESK.config.archives);
    assert_eq!(packages.len(), 1);
    workspace.load(operation, &packages[0], tools(), Loading::default(), &mut |_| Ok(())).map(|loaded| loaded.outcome)
}

/// Forms the outpatient cases of the month.
fn form(workspace: &mut Workspace, operation: &Operation<'_>) -> Result<Vec<Registry>, Problem> {
    let month = "2021-02".parse().expect("a month");
    let request = FormRequest { period: month, payer: None, kind: Some("outpatient".to_owned()), subdivision: None, mo: None };
    let groups = workspace.form_plan(&request)?.groups;
    let mut formed = Vec::new();
    let mut on_event = |event: FormEvent<'_>, _: &Tables| {
        if let FormEvent::Formed(new) = event {
            formed.push(new.registry.clone());
        }
    };
    workspace.form(operation, groups, None, tools(), &mut |_| Ok(()), &mut on_event)?;
    Ok(formed)
}

/// The ФЛК protocol that finds nothing.
fn write_protocol(clinic: &Clinic, registry: &Registry) {
    let file = &registry.file_name;
    fs::write(clinic.path("answer.xml"), format!("<FLK_P><FNAME>V{file}</FNAME><FNAME_I>{file}</FNAME_I></FLK_P>")).expect("written");
}

/// Makes a package whose account has no date.
fn undated(clinic: &Clinic) {
    clinic.package("in", 20, &["--period", "2021-02", "--plain"]);
    let files = walk(&clinic.path("in"));
    let main = files.iter().find(|p| p.file_name().is_some_and(|n| n.to_string_lossy().starts_with("HM"))).expect("the main file");
    let text = encoding_rs::WINDOWS_1251.decode(&fs::read(main).expect("read")).0.into_owned();
    let (head, rest) = text.split_once("<DSCHET>").expect("a date");
    let (_, rest) = rest.split_once("</DSCHET>").expect("its end");
    fs::write(main, encoding_rs::WINDOWS_1251.encode(&format!("{head}{rest}")).0).expect("written");
}

/// The main file of a registry in the outbox.
fn sent_file(clinic: &Clinic, registry: &Registry) -> String {
    let package = walk(&clinic.path("outbox")).pop().expect("the package");
    let mut archive = zip::ZipArchive::new(fs::File::open(package).expect("there")).expect("an archive");
    let mut bytes = Vec::new();
    archive.by_name(&format!("{}.xml", registry.file_name)).expect("the main file").read_to_end(&mut bytes).expect("read");
    encoding_rs::WINDOWS_1251.decode(&bytes).0.into_owned()
}

/// A change has one moment, and its day is that of the clinic's clock, `hours` ahead of UTC.
fn one_moment_and_the_day_of_the_clinic(clinic: &Clinic, hours: i8, first: &str, day: &str) {
    undated(clinic);
    let zone = TimeZone::fixed(Offset::from_hours(hours).expect("an offset"));
    let (executor, insurer) = (actor("executor"), actor("insurer"));
    // One operation after another, a second between them.
    let moments: Vec<String> = (0..5).map(|second| first.replace(":00.000Z", &format!(":0{second}.000Z"))).collect();
    let operation = |actor, number: usize| Operation::new(actor, moments[number].parse::<Moment>().expect("a moment"), &zone, &Unwatched);
    let mut workspace = open(clinic);

    let loaded = load(&mut workspace, &operation(&executor, 0), &clinic.path("in")).expect("loaded");
    assert!(matches!(&loaded, Outcome::Taken(counts) if counts.new == 20 && !counts.package_blocked), "{loaded:?}");
    let registry = form(&mut workspace, &operation(&executor, 1)).expect("formed").remove(0);
    assert_eq!(operation(&executor, 1).today.to_string(), day);
    assert_eq!((registry.account_date.as_str(), &registry.since, &registry.formed_at), (day, &moments[1], &moments[1]), "{first} {hours:+}");
    let registry = workspace.submit(&operation(&executor, 2), &registry.number).expect("sent").registry;
    assert_eq!((&registry.since, &registry.sent_at), (&moments[2], &moments[2]));
    assert!(sent_file(clinic, &registry).contains(&format!("<DSCHET>{day}</DSCHET>")));
    write_protocol(clinic, &registry);
    let received = workspace.receive(&operation(&executor, 3), &clinic.path("answer.xml"), &DESK.formats).expect("received");
    assert_eq!(received.registry.since, moments[3]);
    let returned = workspace.review(&operation(&insurer, 4), &registry.number, Move::ReviewReturn, "тариф", &[], "").expect("returned");
    assert_eq!(returned.registry.since, moments[4]);

    let entries = workspace.journal(None).expect("the journal");
    assert_eq!(entries.iter().map(|e| &e.draft.at).collect::<Vec<_>>(), moments.iter().collect::<Vec<_>>());
    assert!(entries.iter().all(|e| (e.draft.user.as_str(), e.draft.host.as_str()) == ("Анна", "касса")));
    workspace.close();
    let mut store = Sql::connect(&clinic.address());
    let rows = store.rows("SELECT loaded_at AS at, loaded_by AS who FROM packages UNION ALL SELECT received_at, '' FROM answers");
    let written: Vec<_> = rows.iter().map(|row| (text(row, "at"), text(row, "who"))).collect();
    store.close();
    assert_eq!(written, [(moments[0].clone(), "Анна@касса".to_owned()), (moments[3].clone(), String::new())]);
}

on_each_store!(half_past_eleven_nine_hours_ahead);
fn half_past_eleven_nine_hours_ahead(clinic: &Clinic) {
    one_moment_and_the_day_of_the_clinic(clinic, 9, "2021-03-09T14:30:00.000Z", "2021-03-09");
}

on_each_store!(half_past_midnight_nine_hours_ahead);
fn half_past_midnight_nine_hours_ahead(clinic: &Clinic) {
    one_moment_and_the_day_of_the_clinic(clinic, 9, "2021-03-09T15:30:00.000Z", "2021-03-10");
}

on_each_store!(half_past_eleven_an_hour_behind);
fn half_past_eleven_an_hour_behind(clinic: &Clinic) {
    one_moment_and_the_day_of_the_clinic(clinic, -1, "2021-03-10T00:30:00.000Z", "2021-03-09");
}

on_each_store!(half_past_midnight_an_hour_behind);
fn half_past_midnight_an_hour_behind(clinic: &Clinic) {
    one_moment_and_the_day_of_the_clinic(clinic, -1, "2021-03-10T01:30:00.000Z", "2021-03-10");
}

on_each_store!(a_change_ends_when_a_later_program_has_taken_the_store);
fn a_change_ends_when_a_later_program_has_taken_the_store(clinic: &Clinic) {
    clinic.package("in", 3, &["--period", "2021-02"]);
    let before = State::of(clinic);
    let mut workspace = open(clinic);
    let mut store = Sql::connect(&clinic.address());
    store.script("UPDATE _sqlx_migrations SET version = version + 95 WHERE version = (SELECT MAX(version) FROM _sqlx_migrations)");
    let (actor, at) = (actor("executor"), "2021-03-10T10:00:00Z".parse().expect("a moment"));
    let refused = load(&mut workspace, &Operation::new(&actor, at, &TimeZone::UTC, &Unwatched), &clinic.path("in"));
    assert!(matches!(refused, Err(Problem::Newer(..))), "{refused:?}");
    workspace.close();
    store.script("UPDATE _sqlx_migrations SET version = version - 95 WHERE version = (SELECT MAX(version) FROM _sqlx_migrations)");
    store.close();
    assert!(State::of(clinic) == before);
}

/// Wants the work to end when it has been asked so many times.
struct StopAt(AtomicI64);

impl Watch for StopAt {
    fn is_stopped(&self) -> bool {
        self.0.fetch_sub(1, Ordering::Relaxed) <= 0
    }
}

/// Stops a change wherever it can be stopped, and lets it be done then. How often it was stopped.
fn stop_everywhere<T>(clinic: &Clinic, role: &str, mut change: impl FnMut(&mut Workspace, &Operation<'_>) -> Result<T, Problem>) -> (T, i64) {
    let before = State::of(clinic);
    let (actor, at) = (actor(role), "2021-03-10T10:00:00Z".parse().expect("a moment"));
    for asked in 0..1_000 {
        let watch = StopAt(AtomicI64::new(asked));
        let mut workspace = open(clinic);
        let done = change(&mut workspace, &Operation::new(&actor, at, &TimeZone::UTC, &watch));
        workspace.close();
        match done {
            Ok(done) => {
                assert_eq!(leftovers(clinic), Vec::<std::path::PathBuf>::new());
                return (done, asked);
            }
            Err(problem) => {
                assert!(problem.is_stop(), "{problem:?}");
                let after = State::of(clinic);
                assert!(after == before, "stopped when asked {asked} times: {}", before.difference(&after));
            }
        }
    }
    panic!("it is asked for ever");
}

on_each_store!(a_change_that_is_stopped_changes_nothing);
fn a_change_that_is_stopped_changes_nothing(clinic: &Clinic) {
    clinic.package("in", 300, &["--period", "2021-02", "--plain"]);
    let (loaded, times) = stop_everywhere(clinic, "executor", |workspace, operation| load(workspace, operation, &clinic.path("in")));
    assert!(matches!(&loaded, Outcome::Taken(counts) if counts.new == 300) && times >= 6, "{loaded:?} after {times}");
    let (formed, times) = stop_everywhere(clinic, "executor", form);
    assert!(formed.len() == 1 && times >= 6, "{} after {times}", formed.len());
    let number = &formed[0].number;
    let (_, times) = stop_everywhere(clinic, "executor", |workspace, operation| workspace.submit(operation, number));
    assert!(times >= 1 && outbox_troubles(clinic).is_empty());
    write_protocol(clinic, &formed[0]);
    let (_, times) = stop_everywhere(clinic, "executor", |workspace, operation| workspace.receive(operation, &clinic.path("answer.xml"), &DESK.formats));
    assert!(times >= 3, "{times}");
    let (returned, times) =
        stop_everywhere(clinic, "insurer", |workspace, operation| workspace.review(operation, number, Move::ReviewReturn, "тариф", &[], ""));
    assert!(returned.registry.status == "returned" && times >= 1);
    let (again, times) = stop_everywhere(clinic, "executor", |workspace, operation| workspace.form_again(operation, number, None, tools(), &mut |_| Ok(())));
    assert!(again.registry.revision == 2 && times >= 4, "{times}");
}
