//! A random life of three clinics: after each step the program must report what a model says that knows nothing of the store.
//!
//! The model keeps the versions of each case and moves them by the rules of the README and of `rules/workflow.toml`. A case is known by its clinic and card
//! number, a version by the code of its doctor: both are written into the exports here. The model also says beforehand how each command ends.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;
use std::fs;

use serde_json::Value;
use sha2::Digest as _;

use crate::support::clinic::{Clinic, Said};
use crate::support::moments::random;
use crate::support::say::say;
use crate::support::sent::{between, decided, kopecks, main_file, protocol, roubles, write};
use crate::support::soak::tries;

const CLINICS: [&str; 3] = ["140001", "140002", "140003"];
/// States in which a version is the one that counts for its case.
const COUNTS: [&str; 5] = ["free", "held", "refused", "paid", "aside"];
const ALL: &str = "free,held,waiting,refused,question,paid,replaced,aside,dropped,undone";
/// Cases that a clinic's month can have, and how many of them its first export has.
const CASES: (usize, usize) = (6, 4);
/// Above so many versions the lists of one clinic are looked at, and all of them at every twentieth step only.
const MANY: usize = 1_500;

type State = &'static str;

/// A version of a case.
#[derive(Debug, Clone)]
struct Version {
    /// Index of the clinic.
    mo: usize,
    /// Card number: the case.
    card: String,
    /// Doctor: the version.
    number: u32,
    period: String,
    sum: i64,
    state: State,
    /// States before it was replaced, set aside, dropped or undone, the last one at the end.
    was: Vec<State>,
    /// The version that it follows, waits for, or is asked about.
    follows: Option<usize>,
    /// Versions that it took the place of.
    instead_of: Vec<usize>,
    registry: String,
    package: usize,
    /// What the program calls it.
    name: String,
}

#[derive(Debug)]
struct Package {
    mo: usize,
    folder: String,
    digest: String,
    is_undone: bool,
    /// Whether some of its cases were known already.
    has_known: bool,
}

#[derive(Debug, Clone)]
struct Member {
    version: usize,
    idcase: u32,
}

#[derive(Debug)]
struct Registry {
    mo: usize,
    status: String,
    members: Vec<Member>,
    /// Cases and kopecks when it was formed.
    total: (i64, i64),
    /// Versions that the payer refused whole in a registry that stands with the clinic again.
    whole: BTreeSet<usize>,
    /// Whether ФЛК refused the file and nothing came after that.
    is_refused: bool,
    accepted: (i64, i64),
    file: String,
    text: String,
}

impl Registry {
    fn is_live(&self) -> bool {
        !["withdrawn", "cancelled"].contains(&self.status.as_str())
    }
}

/// What the МИС has of a month of a clinic.
#[derive(Debug)]
struct Export {
    period: String,
    head: String,
    records: Vec<Record>,
    persons: String,
    stem: String,
}

#[derive(Debug)]
struct Record {
    text: String,
    card: String,
    /// The newest version and its sum.
    now: (u32, i64),
    /// The versions that were exported.
    versions: Vec<(u32, i64)>,
    is_there: bool,
}

struct Life<'c> {
    clinic: &'c Clinic,
    seed: u64,
    drawn: u64,
    versions: Vec<Version>,
    packages: Vec<Package>,
    registries: BTreeMap<String, Registry>,
    exports: BTreeMap<(usize, usize), Export>,
    counter: u32,
    /// Months that the clinics work on at the same time.
    at_once: usize,
    /// What was done, for the message of a failure.
    log: Vec<String>,
    counts: BTreeMap<String, (usize, usize)>,
}

impl<'c> Life<'c> {
    fn new(clinic: &'c Clinic, seed: u64) -> Self {
        // There are no signatures yet, so an accepted registry is taken on for payment at once.
        let table = fs::read_to_string("rules/workflow.toml").expect("the table");
        let own = table.replacen("from = [\"signed\"]\nto = \"accepted\"\nverb = \"review\"", "from = [\"to_sign\"]\nto = \"accepted\"\nverb = \"review\"", 1);
        let own = own.replacen("needs = [\"all-signatures\"]\n", "", 1);
        assert_eq!(table.len() - own.len(), "needs = [\"all-signatures\"]\n".len() - "to_sign".len() + "signed".len());
        fs::create_dir_all(clinic.path("own")).expect("made");
        fs::write(clinic.path("own/workflow.toml"), own).expect("written");
        fs::write(clinic.path("puomp.toml"), "rules = \"own\"\n").expect("written");
        Self {
            clinic,
            seed,
            drawn: 0,
            versions: Vec::new(),
            packages: Vec::new(),
            registries: BTreeMap::new(),
            exports: BTreeMap::new(),
            counter: 0,
            at_once: 2,
            log: Vec::new(),
            counts: BTreeMap::new(),
        }
    }

    fn below(&mut self, end: usize) -> usize {
        self.drawn += 1;
        ((random(self.seed.wrapping_mul(0x9e37_79b9).wrapping_add(self.drawn)) * end as f64) as usize).min(end - 1)
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    fn pick<T: Clone>(&mut self, all: &[T]) -> Option<T> {
        if all.is_empty() { None } else { Some(all[self.below(all.len())].clone()) }
    }

    /// Runs a command that must end with this exit code.
    fn run(&mut self, kind: &str, args: &[&str], code: i32) -> Said {
        self.log.push(format!("puomp {}   # {kind}, {code}", args.join(" ")));
        let said = self.clinic.run(args);
        assert_eq!(said.code, code, "{said:?}\n{}", self.story());
        let (done, refused) = self.counts.entry(kind.to_owned()).or_default();
        *(if code > 1 { refused } else { done }) += 1;
        said
    }

    fn story(&self) -> String {
        format!("seed {}, {} commands, the last ones:\n{}", self.seed, self.log.len(), self.log[self.log.len().saturating_sub(60)..].join("\n"))
    }

    // What the model does with versions.

    fn set(&mut self, at: usize, state: State) {
        let version = &mut self.versions[at];
        if ["replaced", "aside", "dropped", "undone"].contains(&state) {
            version.was.push(version.state);
        } else {
            version.was.clear();
        }
        version.state = state;
    }

    fn replace(&mut self, old: usize, new: usize) {
        self.set(old, "replaced");
        self.versions[new].instead_of.push(old);
    }

    /// Versions of a case that count or may come to count, the oldest first.
    fn standing(&self, mo: usize, card: &str) -> Vec<usize> {
        let stands = |v: &Version| v.mo == mo && v.card == card && !["replaced", "undone"].contains(&v.state);
        (0..self.versions.len()).filter(|at| stands(&self.versions[*at])).collect()
    }

    fn of_registry(&self, number: &str, state: State) -> Vec<usize> {
        (0..self.versions.len()).filter(|at| self.versions[*at].registry == number && self.versions[*at].state == state).collect()
    }

    fn waiting_for(&self, old: usize) -> Option<usize> {
        (0..self.versions.len()).find(|at| self.versions[*at].state == "waiting" && self.versions[*at].follows == Some(old))
    }

    fn total(&self, all: &[usize]) -> (i64, i64) {
        (all.len() as i64, all.iter().map(|at| self.versions[*at].sum).sum())
    }

    /// What waited for a version that no registry holds any more takes its place.
    fn settle(&mut self, mo: usize) {
        for at in 0..self.versions.len() {
            if self.versions[at].mo != mo || self.versions[at].state != "waiting" {
                continue;
            }
            let old = self.versions[at].follows.expect("what it waits for");
            match self.versions[old].state {
                "free" | "refused" => {
                    self.replace(old, at);
                    self.set(at, "free");
                }
                "replaced" => self.set(at, "free"),
                "paid" => self.set(at, "question"),
                _ => {}
            }
        }
    }

    fn free_held(&mut self, number: &str) {
        for at in self.of_registry(number, "held") {
            self.set(at, "free");
            self.versions[at].registry.clear();
        }
    }

    fn refuse(&mut self, all: &[usize]) {
        for at in all {
            self.set(*at, "refused");
            self.versions[*at].registry.clear();
        }
    }

    // Exports.

    fn export(&mut self, mo: usize, month: usize) {
        if self.exports.contains_key(&(mo, month)) {
            return;
        }
        let months = 2026 * 12 + 9 - month;
        let period = format!("{}-{:02}", months / 12, months % 12 + 1);
        let folder = format!("model-{mo}-{month}");
        self.clinic.package(&folder, CASES.0 as u32, &["--period", &period, "--clinic", CLINICS[mo], "--seed", &(self.seed % 1_000).to_string(), "--plain"]);
        let (mut main, mut persons, mut stem) = (String::new(), String::new(), String::new());
        for file in fs::read_dir(self.clinic.path(&folder)).expect("a folder").flatten().map(|entry| entry.path()) {
            let text = encoding_rs::WINDOWS_1251.decode(&fs::read(&file).expect("read")).0.into_owned();
            let name = file.file_stem().expect("a name").to_string_lossy().into_owned();
            if name.starts_with('H') { (main, stem) = (text, name) } else { persons = text }
        }
        fs::remove_dir_all(self.clinic.path(&folder)).expect("removed");
        let (head, rest) = main.split_once("<ZAP>").expect("records");
        let rest = rest.replace("</ZL_LIST>", "");
        let record = |(at, text): (usize, &str)| {
            let text = with(&format!("<ZAP>{}", text.trim_end()), "NHISTORY", &format!("{month}/{at}"));
            let sum = kopecks(between(&text, "SUMV"));
            Record { card: format!("{month}/{at}"), now: (0, sum), versions: Vec::new(), is_there: at < CASES.1, text }
        };
        let records = rest.split("<ZAP>").enumerate().map(record).collect();
        self.exports.insert((mo, month), Export { period, head: head.to_owned(), records, persons, stem });
    }

    /// Gives a case of an export its next version.
    fn correct(&mut self, at: (usize, usize), record: usize) {
        self.counter += 1;
        let more = self.below(5) as i64 * 100;
        let counter = self.counter;
        let one = &mut self.exports.get_mut(&at).expect("an export").records[record];
        // The sum changes too, where the whole case is one service.
        let values: BTreeSet<i64> = ["SUMV", "SUM_M", "TARIF", "SUMV_USL"].iter().flat_map(|e| all_of(&one.text, e)).filter(|sum| *sum > 0).collect();
        let is_one = values.len() == 1 && one.text.matches("<USL>").count() <= 1 && one.text.contains("<ED_COL>1.00");
        let sum = kopecks(between(&one.text, "SUMV")) + if is_one { more } else { 0 };
        one.now = (counter, sum);
        one.versions.push(one.now);
    }

    /// Writes an export of versions of cases and returns its folder and the digest of its main file.
    fn write(&mut self, at: (usize, usize), cases: &[(usize, (u32, i64))]) -> (String, String) {
        self.counter += 1;
        let (folder, export) = (format!("in-{}", self.counter), &self.exports[&at]);
        let all: i64 = cases.iter().map(|(_, (_, sum))| sum).sum();
        let mut text = with(&export.head, "SD_Z", &cases.len().to_string());
        text = with(&with(&text, "SUMMAV", &roubles(all)), "NSCHET", &self.counter.to_string());
        for (record, (number, sum)) in cases {
            let own = &export.records[*record].text;
            let before = roubles(kopecks(between(own, "SUMV")));
            let own = with(own, "IDDOKT", &number.to_string()).replace(&format!(">{before}<"), &format!(">{}<", roubles(*sum)));
            let _ = writeln!(text, "{own}");
        }
        text += "</ZL_LIST>\n";
        fs::create_dir_all(self.clinic.path(&folder)).expect("made");
        write(self.clinic, &format!("{folder}/{}.xml", export.stem), &text);
        // Persons without a case are a defect.
        let (mut persons, last) = (String::new(), export.persons.rfind("</PERS>").expect("persons") + "</PERS>".len());
        for (at, piece) in export.persons[..last].split("<PERS>").enumerate() {
            match at {
                0 => persons += piece,
                _ if text.contains(&format!("<ID_PAC>{}<", between(piece, "ID_PAC"))) => persons += &format!("<PERS>{piece}"),
                _ => {}
            }
        }
        persons += &export.persons[last..];
        write(self.clinic, &format!("{folder}/L{}.xml", &export.stem[1..]), &persons);
        let digest = puomp::values::hex(&sha2::Sha256::digest(encoding_rs::WINDOWS_1251.encode(&text).0));
        (folder, digest[..16].to_owned())
    }

    /// Loads an export. `cases` are the records and the versions in it.
    fn load(&mut self, kind: &str, at: (usize, usize), cases: &[(usize, (u32, i64))], is_complete: bool) {
        let (folder, digest) = self.write(at, cases);
        let (mo, period) = (at.0, self.exports[&at].period.clone());
        let package = self.packages.len();
        let (mut has_known, mut questions) = (false, 0);
        for (record, (number, sum)) in cases {
            let card = self.exports[&at].records[*record].card.clone();
            let known = self.standing(mo, &card);
            if known.iter().any(|old| self.versions[*old].number == *number) {
                has_known = true;
                continue;
            }
            let is_pending = |at: &usize| ["waiting", "question"].contains(&self.versions[*at].state);
            let (pending, counting): (Vec<usize>, Vec<usize>) = known.into_iter().partition(is_pending);
            let new = self.versions.len();
            let old = counting.first().copied();
            let (state, takes_place) = match (old.map(|old| self.versions[old].state), counting.len()) {
                (None, _) => ("free", false),
                (_, 2..) | (Some("paid" | "dropped"), _) => ("question", false),
                (Some("held"), _) => ("waiting", false),
                (Some("aside"), _) => ("aside", true),
                _ => ("free", true),
            };
            questions += usize::from(state == "question");
            let was = if state == "aside" { vec!["free"] } else { Vec::new() };
            let (mo, number, sum) = (mo, *number, *sum);
            let (instead_of, registry, name) = (Vec::new(), String::new(), String::new());
            self.versions.push(Version { mo, card, number, period: period.clone(), sum, state, was, follows: old, instead_of, registry, package, name });
            for old in pending.into_iter().chain(old.filter(|_| takes_place)) {
                self.replace(old, new);
            }
        }
        self.packages.push(Package { mo, folder: folder.clone(), digest, is_undone: false, has_known });
        if is_complete {
            let cards: BTreeSet<&str> = cases.iter().map(|(record, _)| self.exports[&at].records[*record].card.as_str()).collect();
            let gone = |v: &Version| v.mo == mo && v.period == period && v.state == "free" && !cards.contains(v.card.as_str());
            for gone in (0..self.versions.len()).filter(|at| gone(&self.versions[*at])).collect::<Vec<_>>() {
                self.set(gone, "dropped");
            }
        }
        let code = i32::from(questions > 0);
        if is_complete {
            self.run(kind, &["load", &folder, "--complete", "--yes"], code)
        } else {
            self.run(kind, &["load", &folder], code)
        };
    }

    fn month(&mut self, newest: usize) -> (usize, usize) {
        let at = (self.below(CLINICS.len()), newest + self.below(self.at_once));
        self.export(at.0, at.1);
        at
    }

    /// Some export of a clinic's month.
    fn load_something(&mut self, newest: usize) {
        let at = self.month(newest);
        let records = &self.exports[&at].records;
        let is_first = records.iter().all(|record| record.versions.is_empty());
        let known: Vec<usize> = (0..records.len()).filter(|n| records[*n].is_there && !records[*n].versions.is_empty()).collect();
        let unknown: Vec<usize> = (0..records.len()).filter(|n| records[*n].versions.is_empty()).collect();
        let deleted: Vec<usize> = (0..records.len()).filter(|n| !records[*n].is_there && !records[*n].versions.is_empty()).collect();
        let mut kind = ["corrected", "corrected", "corrected", "unchanged", "more", "complete", "former", "undeleted"][self.below(8)];
        let mut is_complete = false;
        if is_first {
            kind = "first";
            (0..CASES.1).for_each(|n| self.correct(at, n));
        } else {
            match kind {
                "corrected" => {
                    for n in known {
                        if self.chance(50) {
                            self.correct(at, n);
                        }
                    }
                }
                "more" => {
                    if let Some(n) = self.pick(&unknown) {
                        self.correct(at, n);
                        self.exports.get_mut(&at).expect("it").records[n].is_there = true;
                    }
                }
                "complete" => {
                    is_complete = true;
                    if let Some(n) = self.pick(&known).filter(|_| known.len() > 1) {
                        self.exports.get_mut(&at).expect("it").records[n].is_there = false;
                    }
                }
                "undeleted" => {
                    if let Some(n) = self.pick(&deleted) {
                        if self.chance(50) {
                            self.correct(at, n);
                        }
                        self.exports.get_mut(&at).expect("it").records[n].is_there = true;
                    }
                }
                _ => {}
            }
        }
        let mut cases = Vec::new();
        for n in 0..CASES.0 {
            let record = &self.exports[&at].records[n];
            if record.versions.is_empty() || !record.is_there {
                continue;
            }
            let (now, versions) = (record.now, record.versions.clone());
            // An older export comes once more.
            let which = if kind == "former" { self.pick(&versions).expect("one") } else { now };
            cases.push((n, which));
        }
        if !cases.is_empty() {
            self.load(&format!("load {kind}"), at, &cases, is_complete);
        }
    }

    /// The very same files once more, which may also answer the questions that they left open.
    fn load_again(&mut self) {
        let all: Vec<usize> = (0..self.packages.len()).filter(|at| !self.packages[*at].is_undone).collect();
        let recent = &all[all.len().saturating_sub(15)..];
        let open = |at: &usize| self.versions.iter().any(|v| v.package == *at && v.state == "question");
        let asking: Vec<usize> = recent.iter().copied().filter(open).collect();
        let Some(package) = self.pick(if asking.is_empty() { recent } else { &asking }) else { return };
        let folder = self.packages[package].folder.clone();
        let open: Vec<usize> = (0..self.versions.len()).filter(|at| self.versions[*at].package == package && self.versions[*at].state == "question").collect();
        if !self.chance(60) {
            self.run("load again", &["load", &folder], i32::from(!open.is_empty()));
            return;
        }
        let mut left = 0;
        let seen: Vec<State> = open.iter().map(|at| self.versions[self.versions[*at].follows.expect("another")].state).collect();
        for (at, of_other) in open.into_iter().zip(seen) {
            let other = self.versions[at].follows.expect("another");
            match of_other {
                "held" => self.set(at, "waiting"),
                "free" | "refused" | "question" | "dropped" => {
                    self.replace(other, at);
                    self.set(at, "free");
                }
                "aside" => {
                    self.replace(other, at);
                    self.set(at, "free");
                    self.set(at, "aside");
                }
                _ => left += 1,
            }
        }
        self.run("load again, same", &["load", &folder, "--doubtful", "same"], i32::from(left > 0));
    }

    fn undo(&mut self) {
        let all: Vec<usize> = (0..self.packages.len()).filter(|at| !self.packages[*at].is_undone).collect();
        let Some(package) = self.pick(&all[all.len().saturating_sub(6)..]) else { return };
        let own: Vec<usize> = (0..self.versions.len()).filter(|at| self.versions[*at].package == package).collect();
        let mo = self.packages[package].mo;
        let is_held = own.iter().any(|at| ["held", "paid"].contains(&self.versions[*at].state));
        let later = all.iter().any(|at| *at > package && self.packages[*at].mo == mo && self.packages[*at].has_known);
        let follows = |v: &Version| !self.packages[v.package].is_undone && v.state != "question" && v.follows.is_some_and(|old| own.contains(&old));
        let is_followed = self.versions.iter().any(|v| v.package != package && follows(v));
        let digest = self.packages[package].digest.clone();
        if is_held || later || is_followed {
            self.run("load --undo", &["load", "--undo", &digest], 4);
            return;
        }
        let gone: Vec<usize> = own.into_iter().filter(|at| self.versions[*at].state != "replaced").collect();
        let mut back = BTreeMap::new();
        for at in &gone {
            let stands = |old: &&usize| self.versions[**old].state == "replaced" && !self.packages[self.versions[**old].package].is_undone;
            if let Some(old) = self.versions[*at].instead_of.iter().filter(stands).max() {
                back.insert(*old, self.versions[*at].state == "refused");
            }
        }
        self.packages[package].is_undone = true;
        gone.iter().for_each(|at| self.set(*at, "undone"));
        for (old, is_refused) in back {
            self.give_back(old, if is_refused { "refused" } else { "free" });
        }
        for at in 0..self.versions.len() {
            if self.versions[at].state == "question" && self.versions[at].follows.is_some_and(|old| gone.contains(&old)) {
                self.set(at, "free");
                self.versions[at].follows = None;
            }
        }
        self.settle(mo);
        self.run("load --undo", &["load", "--undo", &digest, "--reason", "не тот файл"], 0);
    }

    /// Gives a version the state that it had; what a registry held then gets `held`.
    fn give_back(&mut self, at: usize, held: State) {
        let version = &mut self.versions[at];
        let former = version.was.pop().expect("it had one");
        version.state = if former == "held" { held } else { former };
        version.registry.clear();
    }

    fn take(&mut self) {
        let verb = ["drop", "hold", "release", "release"][self.below(4)];
        let from: &[&str] = match verb {
            "drop" => &["free", "aside", "refused", "question", "waiting"],
            "hold" => &["free"],
            _ => &["aside", "dropped"],
        };
        let mo = self.below(CLINICS.len());
        let known = |v: &&Version| v.mo == mo && !v.name.is_empty();
        let all: Vec<usize> = (0..self.versions.len()).filter(|at| known(&&self.versions[*at])).collect();
        let fitting: Vec<usize> = all.iter().copied().filter(|at| from.contains(&self.versions[*at].state)).collect();
        let recent = |all: &[usize]| all[all.len().saturating_sub(25)..].to_vec();
        let of = if self.chance(10) { recent(&all) } else { recent(&fitting) };
        let mut chosen = BTreeSet::new();
        for _ in 0..=self.below(2) {
            chosen.extend(self.pick(&of));
        }
        if chosen.is_empty() {
            return;
        }
        let is_allowed = chosen.iter().all(|at| from.contains(&self.versions[*at].state));
        let names: Vec<String> = chosen.iter().map(|at| self.versions[*at].name.clone()).collect();
        if is_allowed {
            for at in &chosen {
                match verb {
                    "drop" => self.set(*at, "dropped"),
                    "hold" => self.set(*at, "aside"),
                    _ => self.give_back(*at, "free"),
                }
            }
            if verb == "release" {
                self.settle(mo);
            }
        }
        let args: Vec<&str> = ["cases", verb].into_iter().chain(names.iter().map(String::as_str)).chain(["--reason", "проверка"]).collect();
        self.run(&format!("cases {verb}"), &args, if is_allowed { 0 } else { 4 });
    }

    // Registries.

    fn form(&mut self, newest: usize) {
        let (mo, month) = self.month(newest);
        let mut of = (mo, self.exports[&(mo, month)].period.clone());
        let ready: BTreeSet<(usize, String)> = self.versions.iter().filter(|v| v.state == "free").map(|v| (v.mo, v.period.clone())).collect();
        if self.chance(85) {
            of = self.pick(&Vec::from_iter(ready)).unwrap_or(of);
        }
        let (mo, period) = of;
        let is_free = |v: &Version| v.mo == mo && v.period == period && v.state == "free";
        let free: Vec<usize> = (0..self.versions.len()).filter(|at| is_free(&self.versions[*at])).collect();
        self.run("form", &["form", "--period", &period, "--mo", CLINICS[mo]], if free.is_empty() { 3 } else { 0 });
        // Which of the new registries a case is in shows the list.
        for at in free {
            self.set(at, "held");
            self.versions[at].registry = "?".to_owned();
        }
    }

    /// Reads what the program wrote for a registry: the numbers of the cases.
    fn read_registry(&mut self, number: &str, file: &str) {
        let text = main_file(self.clinic, number);
        let registry = &self.registries[number];
        let of_card: HashMap<&str, usize> = self.of_registry(number, "held").into_iter().map(|at| (self.versions[at].card.as_str(), at)).collect();
        let mut members = Vec::new();
        for piece in text.split("<IDCASE>").skip(1) {
            let version = *of_card.get(between(piece, "NHISTORY")).unwrap_or_else(|| panic!("{number} has a case that it does not hold\n{}", self.story()));
            let doctor = between(piece, "IDDOKT");
            assert_eq!(doctor, self.versions[version].number.to_string(), "{number} has another version\n{}", self.story());
            members.push(Member { version, idcase: piece.split_once('<').expect("a number").0.parse().expect("a number") });
        }
        assert_eq!(members.len(), of_card.len(), "{number} lacks cases\n{}", self.story());
        let total = self.total(&members.iter().map(|member| member.version).collect::<Vec<_>>());
        let mo = registry.mo;
        let (status, file) = ("formed".to_owned(), file.to_owned());
        let (whole, is_refused, accepted) = (BTreeSet::new(), false, (0, 0));
        self.registries.insert(number.to_owned(), Registry { mo, status, members, total, whole, is_refused, accepted, file, text });
    }

    /// A command about a registry.
    fn move_one(&mut self) {
        let live: Vec<String> = self.registries.iter().filter(|(_, r)| r.is_live()).map(|(number, _)| number.clone()).collect();
        let open: Vec<String> = live.iter().filter(|number| self.registries[*number].status != "paid").cloned().collect();
        let all: Vec<String> = self.registries.keys().cloned().collect();
        let of = match self.below(20) {
            0 => all,
            1 => live,
            _ => open,
        };
        let Some(number) = self.pick(&of) else { return };
        let status = self.registries[&number].status.clone();
        // Mostly what the status allows.
        let usual: &[&str] = match status.as_str() {
            "formed" => &["submit", "submit", "submit", "again", "cancel"],
            "sent" => &["start", "accept", "return", "withdraw", "passed", "partial", "refused", "decision", "decision"],
            "in_review" => &["accept", "accept", "return", "withdraw", "passed", "partial", "refused", "decision", "decision"],
            "returned" => &["again", "again", "cancel", "passed", "partial"],
            "to_sign" => &["on", "on", "on", "return", "decision"],
            "accepted" => &["pay", "pay", "pay", "return"],
            "paid" => &["unpay"],
            _ => &[],
        };
        let any = ["submit", "again", "cancel", "start", "accept", "return", "withdraw", "passed", "partial", "refused", "decision", "pay", "unpay"];
        let act = if self.chance(8) { self.pick(&any) } else { self.pick(usual) };
        let Some(act) = act else { return };
        match act {
            "submit" => self.submit(&number, &status),
            "again" => self.again(&number, &status),
            "cancel" | "withdraw" => {
                let (from, to) = if act == "cancel" { (["formed", "returned"], "cancelled") } else { (["sent", "in_review"], "withdrawn") };
                let is_allowed = from.contains(&status.as_str());
                if is_allowed {
                    self.free_held(&number);
                    self.to(&number, to);
                    self.accept(&number, (0, 0));
                }
                let code = if is_allowed { 0 } else { 4 };
                match act {
                    "cancel" => self.run("form --cancel", &["form", "--cancel", &number], code),
                    _ => self.run("withdraw", &["withdraw", &number, "--reason", "рано"], code),
                };
            }
            "start" | "accept" | "on" | "return" | "pay" | "unpay" => self.review(act, &number, &status),
            _ => self.receive(act, &number, &status),
        }
    }

    /// A registry gets a status; what waited for its cases is settled.
    fn to(&mut self, number: &str, status: &str) {
        let registry = self.registries.get_mut(number).expect("it");
        status.clone_into(&mut registry.status);
        registry.is_refused = false;
        let mo = registry.mo;
        self.settle(mo);
    }

    fn accept(&mut self, number: &str, accepted: (i64, i64)) {
        self.registries.get_mut(number).expect("it").accepted = accepted;
    }

    fn submit(&mut self, number: &str, status: &str) {
        let held = self.of_registry(number, "held");
        if ["sent", "in_review", "to_sign", "accepted", "paid"].contains(&status) {
            // Repeating the command is safe.
            self.run("submit again", &["submit", number], 0);
            return;
        }
        let is_current = held.iter().all(|at| self.waiting_for(*at).is_none());
        let is_allowed = status == "formed" && is_current;
        if is_allowed {
            self.to(number, "sent");
        }
        self.run("submit", &["submit", number], if is_allowed { 0 } else { 4 });
    }

    fn again(&mut self, number: &str, status: &str) {
        let held = self.of_registry(number, "held");
        let whole = self.registries[number].whole.clone();
        let (mut chosen, mut refused, mut corrected) = (Vec::new(), Vec::new(), Vec::new());
        for at in held {
            match self.waiting_for(at) {
                Some(new) => {
                    chosen.push(new);
                    corrected.push((at, new));
                }
                None if whole.contains(&at) => refused.push(at),
                None => chosen.push(at),
            }
        }
        let is_allowed = ["formed", "returned"].contains(&status) && !chosen.is_empty();
        self.run("form --again", &["form", "--again", number], if is_allowed { 0 } else { 4 });
        if !is_allowed {
            return;
        }
        self.refuse(&refused);
        for (old, new) in corrected {
            self.set(old, "free");
            self.versions[old].registry.clear();
            self.replace(old, new);
        }
        for at in chosen {
            self.set(at, "held");
            number.clone_into(&mut self.versions[at].registry);
        }
        self.to(number, "formed");
        let file = self.registry_row(number)["file"].as_str().expect("a name").to_owned();
        self.read_registry(number, &file);
    }

    fn registry_row(&self, number: &str) -> Value {
        let status = self.clinic.status();
        status["registries"].as_array().expect("rows").iter().find(|row| row["number"] == number).expect("the registry").clone()
    }

    /// What a payer takes off the cases that a registry holds, by version.
    fn taken_off(&mut self, number: &str) -> BTreeMap<usize, i64> {
        let (whole, part) = [(0, 0), (20, 20), (40, 10), (90, 0)][self.below(4)];
        let mut off = BTreeMap::new();
        for at in self.of_registry(number, "held") {
            let (sum, drawn) = (self.versions[at].sum, self.below(100));
            if drawn < whole {
                off.insert(at, sum);
            } else if drawn < whole + part {
                off.insert(at, 1 + self.below(sum as usize - 1) as i64);
            }
        }
        off
    }

    /// Notes what was taken off; the versions that were refused whole.
    fn held_against(&mut self, number: &str, off: &BTreeMap<usize, i64>) -> Vec<usize> {
        let whole: Vec<usize> = off.iter().filter(|(at, sum)| **sum == self.versions[**at].sum).map(|(at, _)| *at).collect();
        self.registries.get_mut(number).expect("it").whole.extend(&whole);
        whole
    }

    fn review(&mut self, act: &str, number: &str, status: &str) {
        let (from, to): (&[&str], _) = match act {
            "start" => (&["sent"], "in_review"),
            "accept" => (&["sent", "in_review"], "to_sign"),
            "on" => (&["to_sign"], "accepted"),
            "return" => (&["sent", "in_review", "to_sign", "accepted"], "returned"),
            "pay" => (&["accepted"], "paid"),
            _ => (&["paid"], "accepted"),
        };
        // With the same verb a registry is accepted and then taken on for payment.
        let (act, from, to) = if act == "accept" && status == "to_sign" { ("on", &["to_sign"][..], "accepted") } else { (act, from, to) };
        let mut is_allowed = from.contains(&status);
        let off = if is_allowed && ["accept", "return"].contains(&act) { self.taken_off(number) } else { BTreeMap::new() };
        let mut lines = "idcase,code,sum\n".to_owned();
        for (at, sum) in &off {
            let member = self.registries[number].members.iter().find(|member| member.version == *at).expect("a member");
            let sum = if *sum == self.versions[*at].sum { String::new() } else { roubles(*sum) };
            let _ = writeln!(lines, "{},5.1.4.,{sum}", member.idcase);
        }
        fs::write(self.clinic.path("sanctions.csv"), lines).expect("written");
        let held = self.of_registry(number, "held");
        let whole = off.iter().filter(|(at, sum)| **sum == self.versions[**at].sum).count();
        is_allowed &= act != "accept" || whole < held.len();
        if is_allowed {
            let whole = self.held_against(number, &off);
            match act {
                "accept" => {
                    let (cases, sum) = self.total(&held);
                    self.refuse(&whole);
                    self.accept(number, (cases - whole.len() as i64, sum - off.values().sum::<i64>()));
                }
                "pay" => held.iter().for_each(|at| self.set(*at, "paid")),
                "unpay" => self.of_registry(number, "paid").iter().for_each(|at| self.set(*at, "held")),
                _ => {}
            }
            self.to(number, to);
        }
        let word = if act == "on" { "accept" } else { act };
        let mut args = vec!["review", word, number, "--role", "insurer", "--reason", "решение"];
        if !off.is_empty() {
            args.extend(["--sanctions", "sanctions.csv"]);
        }
        self.run(&format!("review {act}"), &args, if is_allowed { 0 } else { 4 });
    }

    /// An answer of the payer as a file.
    fn receive(&mut self, act: &str, number: &str, status: &str) {
        self.counter += 1;
        let registry = &self.registries[number];
        let (file, text, is_refused) = (registry.file.clone(), registry.text.clone(), registry.is_refused);
        let members = registry.members.clone();
        let held = self.of_registry(number, "held");
        let mut act = act;
        let mut off = BTreeMap::new();
        let answer = match act {
            "passed" => protocol(&file, ""),
            "refused" => protocol(&file, "<PR><OSHIB>904</OSHIB><IM_POL>FILENAME</IM_POL></PR>"),
            "partial" => {
                let share = [30, 60, 100][self.below(3)];
                let mut lines = String::new();
                for member in members.iter().filter(|member| held.contains(&member.version)) {
                    if self.chance(share) {
                        off.insert(member.version, self.versions[member.version].sum);
                        let _ = write!(lines, "<PR><OSHIB>904</OSHIB><BAS_EL>SL</BAS_EL><IDCASE>{}</IDCASE></PR>", member.idcase);
                    }
                }
                act = if lines.is_empty() {
                    "passed"
                } else if off.len() == held.len() {
                    "all"
                } else {
                    act
                };
                protocol(&file, &lines)
            }
            _ => {
                off = self.taken_off(number);
                let of = |n: usize, all: i64| {
                    members.get(n - 1).filter(|member| held.contains(&member.version)).map_or(all, |m| off.get(&m.version).copied().unwrap_or(0))
                };
                let answer = decided(&text, |n, all| (of(n, all), Vec::new())).0;
                let is_all = (1..).zip(&members).all(|(n, member)| {
                    let all = self.versions[member.version].sum;
                    of(n, all) == all
                });
                act = if is_all { "returned" } else { "accepted" };
                answer
            }
        };
        let (from, to): (&[&str], _) = match act {
            "passed" | "partial" => (if is_refused { &["sent", "in_review", "returned"] } else { &["sent", "in_review"] }, "in_review"),
            "refused" | "all" => (&["sent", "in_review"], "returned"),
            "returned" => (&["sent", "in_review", "to_sign", "accepted"], "returned"),
            _ => (&["sent", "in_review"], "to_sign"),
        };
        let is_allowed = from.contains(&status);
        let name = format!("answer-{}.xml", self.counter);
        write(self.clinic, &name, &format!("{answer}<!-- {} -->\n", self.counter));
        if is_allowed {
            if ["passed", "partial"].contains(&act) {
                // The file is taken in after all: what a refusal of it said no longer counts.
                self.registries.get_mut(number).expect("it").whole.clear();
            }
            let has_left = members.len() > held.len();
            let whole = self.held_against(number, &off);
            let (cases, sum) = self.total(&held);
            let left = (cases - whole.len() as i64, sum - off.values().sum::<i64>());
            match act {
                "partial" | "accepted" => {
                    self.refuse(&whole);
                    self.accept(number, left);
                }
                "passed" if has_left => self.accept(number, left),
                "passed" => {}
                _ => self.accept(number, (0, 0)),
            }
            self.to(number, to);
            self.registries.get_mut(number).expect("it").is_refused = ["refused", "all"].contains(&act);
        }
        self.run(&format!("receive {act}"), &["receive", &name], if is_allowed { 0 } else { 4 });
    }

    // What the program reports.

    /// Compares what the program reports with the model: everything, or the cases of one clinic.
    fn check(&mut self, of: Option<usize>) {
        let mut args = vec!["cases", "--format", "json", "--state", ALL];
        if let Some(mo) = of {
            args.extend(["--mo", CLINICS[mo]]);
        }
        let said = self.clinic.run(&args);
        assert!(said.code == 0 || said.code == 3, "{said:?}");
        let rows = serde_json::from_str::<Value>(&said.out).expect("JSON")["cases"].as_array().expect("rows").clone();
        let status = self.clinic.status();
        let text = |row: &Value, name: &str| row[name].as_str().expect(name).to_owned();
        let int = |row: &Value, name: &str| row[name].as_i64().expect(name);
        let mut live: BTreeSet<String> = BTreeSet::new();
        for row in status["registries"].as_array().expect("rows") {
            if !["withdrawn", "cancelled"].contains(&text(row, "status").as_str()) {
                live.insert(text(row, "number"));
            }
        }
        // Without the model: a case counts once and is held by live registries alone.
        let mut counted: BTreeMap<(String, String), String> = BTreeMap::new();
        for row in &rows {
            let (state, name) = (text(row, "state"), text(row, "case"));
            let is_held = ["held", "paid"].contains(&state.as_str());
            assert!(!is_held || live.contains(&text(row, "registry")), "{name} is in no live registry\n{}", self.story());
            if COUNTS.contains(&state.as_str()) {
                let before = counted.insert((text(row, "mo"), text(row, "card")), name.clone());
                assert!(before.is_none(), "{before:?} and {name} are one case and count twice\n{}", self.story());
            }
        }
        // With it: every version has its state.
        let mut names: HashMap<String, usize> = HashMap::new();
        let mut unnamed: HashMap<(usize, String, u32), Vec<usize>> = HashMap::new();
        for (at, version) in self.versions.iter().enumerate().filter(|(_, v)| of.is_none_or(|mo| mo == v.mo)) {
            if version.name.is_empty() {
                unnamed.entry((version.mo, version.card.clone(), version.number)).or_default().push(at);
            } else {
                names.insert(version.name.clone(), at);
            }
        }
        for row in &rows {
            let mo = CLINICS.iter().position(|mo| *mo == text(row, "mo")).expect("a clinic");
            // Where one clinic is alone its code is left out.
            let name = text(row, "case");
            let name = if name.contains(':') { name } else { format!("{}:{name}", CLINICS[mo]) };
            let at = names.remove(&name).or_else(|| unnamed.get_mut(&(mo, text(row, "card"), text(row, "doctor").parse().ok()?))?.pop());
            let at = at.unwrap_or_else(|| panic!("{row} should not be there\n{}", self.story()));
            self.versions[at].name = name;
            let (registry, version) = (text(row, "registry"), &self.versions[at]);
            let own = (version.state, version.sum, version.period.as_str());
            assert_eq!((text(row, "state").as_str(), int(row, "sum_kopecks"), row["period"].as_str().expect("a month")), own, "{version:?}\n{}", self.story());
            if version.registry == "?" {
                self.registries.entry(registry.clone()).or_insert_with(|| Registry {
                    mo,
                    status: String::new(),
                    members: Vec::new(),
                    total: (0, 0),
                    whole: BTreeSet::new(),
                    is_refused: false,
                    accepted: (0, 0),
                    file: String::new(),
                    text: String::new(),
                });
                self.versions[at].registry = registry;
            } else if ["held", "paid"].contains(&version.state) {
                assert_eq!(registry, version.registry, "{version:?}\n{}", self.story());
            }
        }
        let lacking: Vec<&usize> = names.values().chain(unnamed.values().flatten()).collect();
        assert!(lacking.is_empty(), "the program does not list {:?}\n{}", lacking.iter().map(|at| &self.versions[**at]).collect::<Vec<_>>(), self.story());
        // Registries and sums.
        let shown = status["registries"].as_array().expect("rows");
        for row in shown {
            let number = text(row, "number");
            assert!(self.registries.contains_key(&number), "{number} should not be there\n{}", self.story());
            if self.registries[&number].status.is_empty() {
                self.read_registry(&number, &text(row, "file"));
            }
            let own = &self.registries[&number];
            assert_eq!(text(row, "status"), own.status, "{number}\n{}", self.story());
            assert_eq!((int(row, "cases"), int(row, "sum_kopecks")), own.total, "{number}\n{}", self.story());
            assert_eq!((int(row, "accepted_cases"), int(row, "accepted_sum_kopecks")), own.accepted, "{number}, accepted\n{}", self.story());
        }
        assert_eq!(shown.len(), self.registries.len());
        let mut outside: BTreeMap<String, (i64, i64)> = BTreeMap::new();
        for row in status["cases"].as_array().into_iter().flatten() {
            let (cases, sum) = outside.entry(text(row, "state")).or_default();
            *cases += int(row, "cases");
            *sum += int(row, "sum_kopecks");
        }
        for state in ["free", "refused", "waiting", "question"] {
            let own: Vec<usize> = (0..self.versions.len()).filter(|at| self.versions[*at].state == state).collect();
            assert_eq!(outside.get(state).copied().unwrap_or_default(), self.total(&own), "{state}\n{}", self.story());
        }
    }

    fn step(&mut self, newest: usize) {
        match self.below(100) {
            0..25 => self.load_something(newest),
            25..31 => self.load_again(),
            31..36 => self.undo(),
            36..46 => self.take(),
            46..55 => self.form(newest),
            _ => self.move_one(),
        }
    }
}

/// A text with another value in every element of a name.
fn with(text: &str, element: &str, value: &str) -> String {
    let (open, close) = (format!("<{element}>"), format!("</{element}>"));
    let mut pieces = text.split(&open);
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (_, rest) = piece.split_once(&close).expect("an end");
        out += &format!("{open}{value}{close}{rest}");
    }
    out
}

/// The sums in all elements of a name.
fn all_of(text: &str, element: &str) -> Vec<i64> {
    text.split(&format!("<{element}>")).skip(1).map(|piece| kopecks(piece.split_once('<').expect("an end").0)).collect()
}

/// Lives through a number of steps.
fn live(clinic: &Clinic, seed: u64, steps: usize) {
    let begun = std::time::Instant::now();
    let mut life = Life::new(clinic, seed);
    let months = if steps < 2_000 { (steps / 150).max(1) } else { steps / 10 }.min(200);
    life.at_once = months.min(2);
    let mut number = 0;
    while life.log.len() < steps {
        let before = life.log.len();
        // The newest month has the number 0; the life begins with the oldest.
        let newest = (months - life.at_once) * (steps - 1 - before) / steps;
        life.step(newest);
        if life.log.len() > before {
            number += 1;
            let mo = (life.versions.len() > MANY && number % 20 != 0).then(|| life.below(CLINICS.len()));
            life.check(mo);
        }
    }
    life.check(None);
    clinic.done(&["journal", "--verify"]);
    let paid = life.versions.iter().filter(|version| version.state == "paid").count();
    say(&format!(
        "seed {seed}: {number} steps, {months} months, {} versions, {} registries, {paid} cases paid, {:?}",
        life.versions.len(),
        life.registries.len(),
        begun.elapsed()
    ));
    for (kind, (done, refused)) in &life.counts {
        say(&format!("  {kind}: {done} done, {refused} refused"));
    }
}

on_each_store!(a_random_life_is_what_the_model_says);
fn a_random_life_is_what_the_model_says(clinic: &Clinic) {
    let seed = std::env::var("PUOMP_TEST_SEED").map_or(1, |seed| seed.parse().expect("PUOMP_TEST_SEED is a number"));
    live(clinic, seed, tries(60));
}
