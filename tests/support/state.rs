//! The content of a workspace as text that is equal for equal commands, and the files that should not be in it.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use puomp::tables::RuleFiles;
use puomp::watch::Unwatched;
use puomp::workspace::journal::Chain;
use puomp::workspace::{Actor, Opening, Operation, Place, Tables, Workspace};
use sqlx::{Column as _, Row as _};

use crate::support::clinic::Clinic;
use crate::support::sql::{Sql, text};

const TABLES: [&str; 10] = ["packages", "cases", "findings", "stock", "registries", "members", "sanctions", "answers", "outbox", "journal"];
/// Columns that differ between two runs of one command: times, values that depend on times, and whether a due file has been written.
const PASSING: [&str; 8] = ["at", "hash", "prev", "loaded_at", "since", "formed_at", "placed", "received_at"];

/// All rows of the store, without the columns that differ from run to run.
#[derive(Debug, PartialEq, Eq, Clone)]
pub(crate) struct State {
    pub(crate) rows: Vec<String>,
    /// Number of entries in the journals of clinics.
    pub(crate) entries: usize,
}

impl State {
    /// Reads the state of a workspace, and checks the journal and the counts.
    pub(crate) fn of(clinic: &Clinic) -> Self {
        let mut store = Sql::connect(&clinic.address());
        let mut rows = Vec::new();
        for table in TABLES {
            for row in store.rows(&format!("SELECT * FROM {table}")) {
                let value = |name: &str| row.try_get::<i64, _>(name).map_or_else(|_| row.get::<String, _>(name), |number| number.to_string());
                let cells = row.columns().iter().map(|c| c.name()).filter(|name| !PASSING.contains(name));
                let cell = |name: &str| match name {
                    "sent_at" | "undone" => (!value(name).is_empty()).to_string(),
                    // The sums of rows depend on the times in them; whether they are right is verified below.
                    "details" => {
                        let mut details: serde_json::Value = serde_json::from_str(&value(name)).expect("JSON");
                        details.as_object_mut().expect("an object").remove("rows");
                        details.to_string()
                    }
                    name => value(name),
                };
                let cells: Vec<String> = cells.map(cell).collect();
                rows.push(format!("{table}|{}", cells.join("|")));
            }
        }
        rows.sort();
        // The counters of numbers belong to the state too.
        for row in store.rows("SELECT mo, name, CAST(value AS TEXT) AS value FROM counters ORDER BY mo, name") {
            rows.push(format!("counters|{}|{}|{}", text(&row, "mo"), text(&row, "name"), text(&row, "value")));
        }
        store.close();

        let mut workspace = opened(clinic);
        let entries = workspace.journal(None).expect("the journal reads");
        let verified = workspace.verify(None).expect("it can be verified");
        assert!(verified.is_sound(), "{verified:?}");
        workspace.close();
        // The day's first change writes an entry over all clinics besides its own.
        Self { rows, entries: entries.iter().filter(|entry| entry.chain != Chain::Days).count() }
    }

    /// The first rows that only one of two states has.
    pub(crate) fn difference(&self, other: &Self) -> String {
        let of = |a: &Self, b: &Self| a.rows.iter().filter(|r| !b.rows.contains(r)).take(3).cloned().collect::<Vec<_>>();
        format!("{:?} / {:?}", of(self, other), of(other, self))
    }
}

/// An operation at the beginning of time.
pub(crate) fn operation(actor: &Actor) -> Operation<'_> {
    Operation::new(actor, Timestamp::UNIX_EPOCH.into(), &TimeZone::UTC, &Unwatched)
}

/// The workspace of a test, opened for reading.
pub(crate) fn opened(clinic: &Clinic) -> Workspace {
    let place = Place { root: clinic.root(), store: clinic.store().map(str::to_owned) };
    let tables = Tables::load(&RuleFiles::embedded()).expect("tables");
    let actor = Actor { user: "test".to_owned(), host: "test".to_owned(), role: "executor".to_owned() };
    Workspace::open_read(place, tables, &Opening { operation: operation(&actor), wait: Duration::from_secs(5), holder: "the test" }).expect("it opens")
}

/// Files that must not be in a workspace after its last command: incomplete copies, and objects to which no row refers.
pub(crate) fn leftovers(clinic: &Clinic) -> Vec<PathBuf> {
    let mut store = Sql::connect(&clinic.address());
    let sql = "SELECT main_object AS object FROM packages UNION SELECT persons_object FROM packages UNION SELECT object FROM registries \
               UNION SELECT object FROM answers UNION SELECT object FROM outbox";
    let known: HashSet<String> = store.rows(sql).iter().map(|row| text(row, "object")).collect();
    store.close();
    let objects = clinic.path(".puomp/objects");
    let is_half = |file: &Path| file.file_name().is_some_and(|n| n.to_string_lossy().starts_with(".puomp-"));
    let digest = |file: &Path| {
        let inner = file.strip_prefix(&objects).ok()?;
        let parts: Vec<_> = inner.iter().map(|p| p.to_string_lossy()).collect();
        (parts.len() == 2).then(|| parts[1].to_string())
    };
    let files = walk(&objects).into_iter().chain(walk(&clinic.path("outbox")));
    files.filter(|file| is_half(file) || file.starts_with(&objects) && digest(file).is_none_or(|sha| !known.contains(&sha))).collect()
}

/// Errors of the outbox: each registry that was sent must have its complete file there, and there must be no other file.
pub(crate) fn outbox_troubles(clinic: &Clinic) -> Vec<String> {
    let mut store = Sql::connect(&clinic.address());
    let rows = store.rows("SELECT path, object, name, CAST(placed AS TEXT) AS placed FROM outbox");
    store.close();
    let mut due = HashSet::new();
    let mut troubles = Vec::new();
    for row in &rows {
        let of = |column: &str| text(row, column);
        let (file, object) = (clinic.path(&of("path")), of("object"));
        let kept = clinic.path(".puomp/objects").join(&object[..2]).join(&object);
        if of("placed") != "1" {
            troubles.push(format!("{} is not placed", file.display()));
        }
        if fs::read(&kept).ok().is_none_or(|bytes| fs::read(&file).ok() != Some(bytes)) {
            troubles.push(format!("{} is not what was formed", file.display()));
        }
        due.insert(file);
    }
    troubles.extend(walk(&clinic.path("outbox")).iter().filter(|f| !due.contains(*f)).map(|f| format!("{} is not due", f.display())));
    troubles
}

/// All files below a folder.
pub(crate) fn walk(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.path().is_dir() { files.extend(walk(&entry.path())) } else { files.push(entry.path()) }
    }
    files.sort();
    files
}

/// A command, the workspace before it, and the states that it leads between.
pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) args: Vec<String>,
    /// Exit code of the command when it is repeated after it was done.
    pub(crate) repeated: i32,
    pub(crate) before: Clinic,
    pub(crate) old: State,
    pub(crate) new: State,
}

impl Step {
    pub(crate) fn args(&self) -> Vec<&str> {
        self.args.iter().map(String::as_str).collect()
    }

    /// Runs the command again in a workspace where it was stopped. The result must be as if it had never been stopped.
    pub(crate) fn repeat(&self, clinic: &Clinic, was_done: bool, how: &str) {
        let said = clinic.run(&self.args());
        assert_eq!(said.code, if was_done { self.repeated } else { 0 }, "{} {how}: repeated, done before: {was_done}: {said:?}", self.name);
        let now = State::of(clinic);
        assert!(now == self.new, "{} {how}: repeated, it ends otherwise: {}", self.name, now.difference(&self.new));
        assert_eq!(leftovers(clinic), Vec::<PathBuf>::new(), "{} {how}", self.name);
        assert_eq!(outbox_troubles(clinic), Vec::<String>::new(), "{} {how}", self.name);
    }
}

/// Whether a step is to be run: `PUOMP_TEST_STEPS` (`submit,review`) selects steps when a failure is searched for.
pub(crate) fn is_wanted(step: &Step) -> bool {
    std::env::var("PUOMP_TEST_STEPS").ok().filter(|s| !s.is_empty()).is_none_or(|names| names.split(',').any(|name| name == step.name))
}

/// The reporting month of the packages.
const PERIOD: &str = "2021-02";

/// load, form, submit, review and receive of one registry, its load at the payer's desk, then `cases drop` and `load --undo`, each with the workspace before it.
pub(crate) fn steps(first: Clinic) -> Vec<Step> {
    first.package("in", 60, &["--period", PERIOD]);
    let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let plan = [
        ("load", words("load in"), 0),
        ("form", words("form --period 2021-02 --kind outpatient"), 3),
        ("submit", words("submit 2102-1"), 0),
        ("review", words("review accept 2102-1 --role insurer --sanctions sanctions.csv"), 4),
    ];
    let (mut steps, mut answered, mut taken_back) = (Vec::new(), None, Vec::new());
    let other = if first.store().is_some() { Clinic::on_postgres() } else { Clinic::new() };
    let mut before = first;
    fs::write(before.path("sanctions.csv"), "idcase,code,sum,comment\n1,5.1.4,,тариф\n2,5.1.4,0.01,\n").expect("written");
    let step = |name, args: Vec<String>, repeated, before: Clinic| {
        let after = before.twin();
        let old = State::of(&before);
        after.done(&args.iter().map(String::as_str).collect::<Vec<_>>());
        let new = State::of(&after);
        assert_eq!(new.entries, old.entries + 1, "{name} is one entry");
        assert!(leftovers(&after).is_empty() && outbox_troubles(&after).is_empty());
        (Step { name, args, repeated, before, old, new }, after)
    };
    for (name, args, repeated) in plan {
        let (done, after) = step(name, args, repeated, before);
        if name == "submit" {
            // Another way to go on from here: the payer's protocol refuses the first case.
            let stem = after.status()["registries"][0]["file"].as_str().expect("a name").to_owned();
            let refusal = "<PR><OSHIB>904</OSHIB><IM_POL>DS1</IM_POL><BAS_EL>SL</BAS_EL><N_ZAP>1</N_ZAP><IDCASE>1</IDCASE></PR>";
            fs::write(after.path("answer.xml"), format!("<FLK_P><FNAME>V{stem}</FNAME><FNAME_I>{stem}</FNAME_I>{refusal}</FLK_P>")).expect("written");
            // And the payer's own workspace, which takes the package in.
            fs::copy(after.path(&format!("outbox/14002/{stem}.zip")), other.path("sent.zip")).expect("copied");
            answered = Some(step("receive", words("receive answer.xml"), 0, after.twin()).0);
        }
        if name == "load" {
            // What was loaded can be taken back: some of its cases, or all of it.
            let package = walk(&after.path("in")).pop().expect("the package");
            let package = package.file_name().expect("a name").to_string_lossy().into_owned();
            taken_back.push(step("drop", words("cases drop c1 c2 c3 --reason задвоены"), 4, after.twin()).0);
            taken_back.push(step("undo", words(&format!("load --undo {package} --reason ошибка")), 2, after.twin()).0);
        }
        steps.push(done);
        before = after;
    }
    let as_payer = step("as-payer", words("load --as-payer sent.zip --role insurer"), 0, other).0;
    before.done(&["validate", "--quiet", "outbox"]);
    steps.extend(answered.into_iter().chain([as_payer]));
    steps.extend(taken_back);
    steps
}
