//! What the МИС exports and what is loaded, taken back, dropped, set aside and released.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;

use sha2::Digest as _;

use super::{CASES, CLINICS, Export, Life, Package, Record, State, Version};
use crate::support::sent::{between, kopecks, roubles, write};

impl Life<'_> {
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
            let is_pending = |at: &usize| ["waiting", "question"].contains(&self.versions[*at].state);
            if let Some(same) = known.iter().find(|old| self.versions[**old].number == *number) {
                has_known = true;
                // The export has gone back to what stands.
                if !is_pending(same) {
                    known.iter().copied().filter(is_pending).collect::<Vec<_>>().into_iter().for_each(|at| self.set(at, "replaced"));
                }
                continue;
            }
            let (pending, counting): (Vec<usize>, Vec<usize>) = known.into_iter().partition(is_pending);
            let new = self.versions.len();
            let open: Vec<usize> = counting.iter().copied().filter(|at| !["paid", "dropped"].contains(&self.versions[*at].state)).collect();
            let one = if counting.len() > 1 && open.len() == 1 { open } else { counting };
            let old = one.first().copied();
            let (state, takes_place) = match (old.map(|old| self.versions[old].state), one.len()) {
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

    pub(super) fn month(&mut self, newest: usize) -> (usize, usize) {
        let at = (self.below(CLINICS.len()), newest + self.below(self.at_once));
        self.export(at.0, at.1);
        at
    }

    /// Some export of a clinic's month.
    pub(super) fn load_something(&mut self, newest: usize) {
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
    pub(super) fn load_again(&mut self) {
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

    pub(super) fn undo(&mut self) {
        let all: Vec<usize> = (0..self.packages.len()).filter(|at| !self.packages[*at].is_undone).collect();
        let Some(package) = self.pick(&all[all.len().saturating_sub(6)..]) else { return };
        let own: Vec<usize> = (0..self.versions.len()).filter(|at| self.versions[*at].package == package).collect();
        let mo = self.packages[package].mo;
        let is_held = own.iter().any(|at| ["held", "paid"].contains(&self.versions[*at].state));
        // The program does not remember which cases a package had that were known, so any later package with some stands in the way.
        let later = all.iter().any(|at| *at > package && self.packages[*at].mo == mo && self.packages[*at].has_known);
        let follows = |v: &Version| !self.packages[v.package].is_undone && v.state != "question" && v.follows.is_some_and(|old| own.contains(&old));
        let is_followed = self.versions.iter().any(|v| v.package != package && follows(v));
        let digest = self.packages[package].digest.clone();
        if is_held || later || is_followed {
            self.run("load --undo", &["load", "--undo", &digest], 4);
            return;
        }
        let gone: Vec<usize> = own.iter().copied().filter(|at| self.versions[*at].state != "replaced").collect();
        // What comes back instead of each: what it replaced, and what was in question or waited before it.
        let mut back: BTreeMap<usize, (usize, State)> = BTreeMap::new();
        for at in &gone {
            let version = &self.versions[*at];
            let pending = |state: &State| ["waiting", "question"].contains(state);
            let has_replaced = !pending(&version.state) && !version.was.iter().any(&pending);
            let same = |v: &Version| v.mo == version.mo && v.card == version.card;
            let gave_way = |old: &usize| {
                let former = &self.versions[*old];
                let is_next = (old + 1..*at).all(|y| !same(&self.versions[y]) || self.versions[y].state == "undone");
                same(former) && former.was.last().is_some_and(pending) && is_next
            };
            let follows = version.follows.filter(|_| has_replaced);
            for old in (0..*at).filter(|old| self.versions[*old].state == "replaced" && (follows == Some(*old) || gave_way(old))) {
                back.insert(old, (*at, version.state));
            }
        }
        self.packages[package].is_undone = true;
        own.iter().for_each(|at| self.set(*at, "undone"));
        for (old, (_, state)) in &back {
            self.give_back(*old, "free");
            let is_free = self.versions[*old].state == "free";
            match *state {
                "dropped" => self.set(*old, "dropped"),
                "refused" | "aside" if is_free => self.set(*old, state),
                _ => {}
            }
        }
        for at in 0..self.versions.len() {
            let Some(old) = self.versions[at].follows.filter(|old| self.versions[at].state == "question" && own.contains(old)) else { continue };
            match back.iter().rev().find(|(_, (later, _))| *later == old) {
                Some((former, _)) => self.versions[at].follows = Some(*former),
                None => {
                    self.set(at, "free");
                    self.versions[at].follows = None;
                }
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

    pub(super) fn take(&mut self) {
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
        // A version in whose place another one counts is not released.
        let is_succeeded = |at: &usize| {
            let version = &self.versions[*at];
            let counts = |v: &Version| !["replaced", "undone", "dropped", "question"].contains(&v.state);
            let waited = version.was.contains(&"waiting") && version.follows.is_some();
            (0..self.versions.len())
                .filter(|other| other != at && version.follows != Some(*other))
                .map(|other| &self.versions[other])
                .any(|other| counts(other) && other.mo == version.mo && (other.card == version.card || waited && other.follows == version.follows))
        };
        let is_allowed = chosen.iter().all(|at| from.contains(&self.versions[*at].state) && (verb != "release" || !is_succeeded(at)));
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
