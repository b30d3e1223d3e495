//! What the program reports, compared with the model.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Value;

use super::{CLINICS, Life, Registry};

/// States in which a version is the one that counts for its case.
const COUNTS: [&str; 5] = ["free", "held", "refused", "paid", "aside"];
const ALL: &str = "free,held,waiting,refused,question,paid,replaced,aside,dropped,undone";

impl Life<'_> {
    /// Compares what the program reports with the model: everything, or the cases of one clinic.
    pub(super) fn check(&mut self, of: Option<usize>) {
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
}
