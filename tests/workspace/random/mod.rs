//! A random life of three clinics: after each step the program must report what a model says that knows nothing of the store.
//!
//! The model keeps the versions of each case and moves them by the rules of the README and of `rules/workflow.toml`. A case is known by its clinic and card
//! number, a version by the code of its doctor: both are written into the exports here. The model also says beforehand how each command ends.

mod exports;
mod registries;
mod report;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use crate::support::clinic::{Clinic, Said};
use crate::support::moments::random;
use crate::support::say::say;
use crate::support::soak::tries;

const CLINICS: [&str; 3] = ["140001", "140002", "140003"];
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
                "free" | "refused" | "aside" => {
                    self.replace(old, at);
                    self.set(at, "free");
                }
                "replaced" => self.set(at, "free"),
                "paid" | "dropped" => self.set(at, "question"),
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
            // New registries are known from the list of their cases.
            let is_new = life.versions.iter().any(|version| version.registry == "?");
            let mo = (life.versions.len() > MANY && number % 20 != 0 && !is_new).then(|| life.below(CLINICS.len()));
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
    live(clinic, seed, tries(45));
}
