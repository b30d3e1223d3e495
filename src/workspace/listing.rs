//! Lists of cases, and all that is known of one.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::store::{CaseFinding, CaseMember, HeldAgainst, ListedCase, Registry, Wanted};
use super::taking_back::kind::{DROP, HOLD, RELEASE, UNDO};
use super::{Mask, Problem, Workspace};
use crate::cases::{About, CaseState};
use crate::values::Month;

/// How many cases are read at once.
const AT_ONCE: i64 = 5_000;

/// Letters before the id of a case: the Latin one, and the Cyrillic one that looks like it.
const BEFORE_ID: [char; 4] = ['c', 'C', '\u{441}', '\u{421}'];

/// Which cases to list. What is not named is not asked for.
#[derive(Debug, Clone, Default)]
pub struct CaseQuery {
    /// States of which a case has one; without any, those of cases that count.
    pub states: Vec<CaseState>,
    /// A registry in whose last revision they stand.
    pub registry: Option<Registry>,
    /// Code of the clinic.
    pub mo: Option<String>,
    /// Reporting month.
    pub period: Option<Month>,
    /// Code of the payer.
    pub payer: Option<String>,
    /// Id of a rule, or the beginning of one.
    pub rule: Option<String>,
    /// Code of the doctor, or what is shown for it.
    pub doctor: Option<String>,
    /// Code of a department or a subdivision.
    pub unit: Option<String>,
    /// The moment, in UTC as `YYYY-MM-DDTHH:MM:SS`, since which cases came or went.
    pub since: Option<String>,
}

/// What happened to a case since a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It came.
    New,
    /// A new version of it came.
    Changed,
    /// It was dropped, or its package was taken back.
    Gone,
}

impl Change {
    /// The word for it in machine formats.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Changed => "changed",
            Self::Gone => "gone",
        }
    }
}

/// Why a case has its state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// Rules that its findings of severity `error` are of.
    Rules(Vec<String>),
    /// Rules that such findings of its whole package are of.
    Package(Vec<String>),
    /// Codes for which the payer refused it.
    Refused(Vec<String>),
    /// What a user gave as the reason.
    Said(String),
    /// What makes it doubtful that it is another case, by the id of that one; 0 for one of the same package.
    About(About, i64),
}

/// A case of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseLine {
    /// The case.
    pub case: ListedCase,
    /// Why it has its state.
    pub reasons: Vec<Reason>,
    /// What happened to it since the moment that was asked for.
    pub change: Option<Change>,
    /// Whether its clinic is the only one of the workspace, so that its id alone names it.
    pub is_alone: bool,
}

/// Whether a user's reason says why a case has this state.
fn is_kept(state: CaseState) -> bool {
    matches!(state, CaseState::Aside | CaseState::Dropped | CaseState::Undone)
}

/// A version of a case, by its clinic and its id there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CaseId {
    /// Code of the clinic.
    pub mo: String,
    /// Id of the version in the clinic.
    pub id: i64,
}

/// What a user did with cases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseNote {
    /// The moment in UTC.
    pub at: String,
    /// `user@host`.
    pub by: String,
    /// Id of the action in the journal.
    pub action: String,
    /// What was given as the reason; empty for none.
    pub reason: String,
    /// Ids of the cases.
    pub cases: Vec<i64>,
}

/// All that is known of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Story {
    /// Its versions, the oldest first.
    pub versions: Vec<CaseLine>,
    /// Findings of its versions.
    pub findings: Vec<CaseFinding>,
    /// The registries in which versions stood.
    pub registries: Vec<CaseMember>,
    /// What was held against versions.
    pub against: Vec<HeldAgainst>,
    /// What users did with versions.
    pub notes: Vec<CaseNote>,
    /// Cases that this one may be the same as, or that may be the same as this one.
    pub alike: Vec<CaseLine>,
}

impl Workspace {
    /// Calls `each` with the cases that are asked for, by clinic in the order in which they came.
    ///
    /// # Errors
    /// The store cannot be read, or the error of `each`.
    pub fn cases(&mut self, query: &CaseQuery, each: &mut dyn FnMut(CaseLine) -> Result<(), Problem>) -> Result<(), Problem> {
        let mask = query.doctor.is_some().then(|| self.mask()).transpose()?;
        for mo in self.store.clinics_with_packages()? {
            let of_other = |asked: Option<&String>| asked.is_some_and(|asked| *asked != mo);
            if of_other(query.mo.as_ref()) || of_other(query.registry.as_ref().map(|registry| &registry.mo)) {
                continue;
            }
            let notes = self.notes(&mo)?;
            let wanted = self.wanted(&mo, query, mask.as_ref(), &notes)?;
            let gone: HashSet<i64> = wanted.since.iter().flat_map(|(_, ids)| ids.iter().copied()).collect();
            let mut after = 0;
            loop {
                let page = self.store.of(&mo).listed().page(&wanted, after, AT_ONCE)?;
                let Some(last) = page.last() else { break };
                after = last.id;
                for mut line in self.explained(&mo, page, &notes)? {
                    let is_gone = line.case.state == CaseState::Dropped || line.case.state == CaseState::Undone;
                    if query.since.as_ref().is_some_and(|since| line.case.loaded_at < *since && !is_gone) {
                        // It went and came back.
                        continue;
                    }
                    line.change = query.since.as_ref().map(|_| {
                        match (is_gone && gone.contains(&line.case.id), line.case.replaces != 0 && line.case.state != CaseState::Question) {
                            (true, _) => Change::Gone,
                            (_, true) => Change::Changed,
                            _ => Change::New,
                        }
                    });
                    each(line)?;
                }
            }
        }
        Ok(())
    }

    fn wanted(&mut self, mo: &str, query: &CaseQuery, mask: Option<&Mask>, notes: &[CaseNote]) -> Result<Wanted, Problem> {
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        let since = query.since.as_ref().map(|since| {
            let gone = notes.iter().filter(|note| note.at.as_str() >= since.as_str() && [DROP, UNDO].contains(&note.action.as_str()));
            (since.clone(), gone.flat_map(|note| note.cases.iter().copied()).collect())
        });
        let doctors = match (&query.doctor, mask) {
            (Some(asked), Some(mask)) => {
                let all = self.store.of(mo).listed().doctors()?;
                Some(all.into_iter().filter(|doctor| mask.is_called(doctor, asked)).collect())
            }
            _ => None,
        };
        let current = || CaseState::ALL.into_iter().filter(|state| state.is_current() || since.is_some() && *state == CaseState::Undone).collect();
        Ok(Wanted {
            states: if query.states.is_empty() { current() } else { query.states.clone() },
            period: query.period.map_or_else(String::new, |period| period.to_string()),
            payer: text(&query.payer),
            registry: query.registry.as_ref().map(|registry| (registry.id, registry.revision)),
            rule: text(&query.rule),
            doctors,
            unit: text(&query.unit),
            since,
        })
    }

    /// Cases with the reasons for their states.
    fn explained(&mut self, mo: &str, cases: Vec<ListedCase>, notes: &[CaseNote]) -> Result<Vec<CaseLine>, Problem> {
        let is_alone = self.store.clinics_with_packages()?.len() < 2;
        let ids = |state: CaseState| cases.iter().filter(move |case| case.state == state).map(|case| case.id).collect::<Vec<_>>();
        let mut reasons: HashMap<i64, Vec<Reason>> = HashMap::new();
        let refused = ids(CaseState::Refused);
        let mut clinic = self.store.of(mo);
        let mut codes: BTreeMap<i64, Vec<String>> = BTreeMap::new();
        for held in clinic.listed().against(&refused)? {
            let own = codes.entry(held.case_id).or_default();
            if !own.contains(&held.code) {
                own.push(held.code);
            }
        }
        for (id, codes) in codes {
            reasons.entry(id).or_default().push(Reason::Refused(codes));
        }
        for question in clinic.cases().questions_with_ids(&ids(CaseState::Question))? {
            reasons.entry(question.id).or_default().push(Reason::About(question.about, question.other));
        }
        // What was said last counts.
        let kept: HashSet<i64> = cases.iter().filter(|case| is_kept(case.state)).map(|case| case.id).collect();
        for note in notes.iter().filter(|note| note.action != RELEASE && !note.reason.is_empty()) {
            for id in note.cases.iter().filter(|id| kept.contains(id)) {
                reasons.insert(*id, vec![Reason::Said(note.reason.clone())]);
            }
        }
        let is_open = |case: &&ListedCase| matches!(case.state, CaseState::Free | CaseState::Waiting | CaseState::Question);
        let blocked: Vec<&ListedCase> = cases.iter().filter(is_open).filter(|case| case.errors > 0 || case.package_blocked).collect();
        let packages: Vec<i64> = blocked.iter().map(|case| case.package).collect::<HashSet<_>>().into_iter().collect();
        let of: Vec<i64> = blocked.iter().map(|case| case.id).chain([0]).collect();
        let mut rules: BTreeMap<(i64, i64), Vec<String>> = BTreeMap::new();
        for finding in clinic.listed().findings_of(&packages, &of)?.into_iter().filter(|finding| finding.severity == "error") {
            let own = rules.entry((finding.package, finding.case_id)).or_default();
            if !own.contains(&finding.rule) {
                own.push(finding.rule);
            }
        }
        let line = |case: ListedCase| {
            let mut own = reasons.remove(&case.id).unwrap_or_default();
            if is_open(&&case) {
                own.extend(rules.get(&(case.package, case.id)).cloned().map(Reason::Rules));
                if case.package_blocked {
                    own.extend(rules.get(&(case.package, 0)).cloned().map(Reason::Package));
                }
            }
            CaseLine { case, reasons: own, change: None, is_alone }
        };
        Ok(cases.into_iter().map(line).collect())
    }

    /// Cases of a clinic by their ids, in that order; ids that do not exist are left out.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn cases_with_ids(&mut self, mo: &str, ids: &[i64]) -> Result<Vec<CaseLine>, Problem> {
        let notes = self.notes(mo)?;
        let found = self.store.of(mo).listed().with_ids(ids)?;
        self.explained(mo, found, &notes)
    }

    /// The cases that a user may call so: `c17` is an id (`140001:c17` where several clinics have it); else a card number, an SL_ID, or what is
    /// shown for a card number.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn called(&mut self, name: &str) -> Result<Vec<CaseId>, Problem> {
        let (of, word) = name.split_once(':').map_or((None, name), |(mo, word)| (Some(mo), word));
        let id = word.strip_prefix(BEFORE_ID).and_then(|number| number.parse::<i64>().ok());
        let mut found = Vec::new();
        let mask = self.mask()?;
        for mo in self.store.clinics_with_packages()? {
            let mut add = |ids: Vec<i64>| found.extend(ids.into_iter().map(|id| CaseId { mo: mo.clone(), id }));
            // A card may have such a number, too.
            if let Some(id) = id.filter(|_| of.is_none_or(|of| of == mo)) {
                add(self.store.of(&mo).listed().with_ids(&[id])?.into_iter().map(|case| case.id).collect());
            }
            add(self.store.of(&mo).listed().called(name)?);
            // Every card number is read only for a name that may stand for one.
            if !mask.may_call(name) {
                continue;
            }
            for history in self.store.of(&mo).listed().histories()?.into_iter().filter(|history| history != name && mask.is_called(history, name)) {
                add(self.store.of(&mo).listed().called(&history)?);
            }
        }
        found.sort_unstable();
        found.dedup();
        Ok(found)
    }

    /// All that is known of a case.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn story(&mut self, case: &CaseId) -> Result<Story, Problem> {
        let mo = &case.mo;
        let notes = self.notes(mo)?;
        let mut clinic = self.store.of(mo);
        let ids = clinic.listed().versions_of(case.id)?;
        let cases = clinic.listed().with_ids(&ids)?;
        let packages: Vec<i64> = cases.iter().map(|case| case.package).collect::<HashSet<_>>().into_iter().collect();
        let of: Vec<i64> = ids.iter().copied().chain([0]).collect();
        let findings = clinic.listed().findings_of(&packages, &of)?;
        let registries = clinic.listed().members_of(&ids)?;
        let against = clinic.listed().against(&ids)?;
        let mut alike: Vec<i64> = clinic.listed().asking_about(&ids)?;
        alike.extend(cases.iter().filter(|case| case.state == CaseState::Question && case.replaces != 0).map(|case| case.replaces));
        alike.retain(|id| !ids.contains(id));
        let alike = clinic.listed().with_ids(&alike)?;
        let versions = self.explained(mo, cases, &notes)?;
        let alike = self.explained(mo, alike, &notes)?;
        let notes = notes.into_iter().filter(|note| note.cases.iter().any(|id| ids.contains(id))).collect();
        Ok(Story { versions, findings, registries, against, notes, alike })
    }

    /// What users did with cases of a clinic, in that order.
    fn notes(&mut self, mo: &str) -> Result<Vec<CaseNote>, Problem> {
        let entries = self.store.of(mo).journal().of_actions(&[DROP, HOLD, RELEASE, UNDO])?;
        let note = |entry: super::journal::Entry| {
            let details: serde_json::Value = serde_json::from_str(&entry.draft.details).unwrap_or_default();
            let cases = details["cases"].as_array().map(|ids| ids.iter().filter_map(serde_json::Value::as_i64).collect()).unwrap_or_default();
            let reason = details["reason"].as_str().unwrap_or_default().to_owned();
            let d = entry.draft;
            CaseNote { at: d.at, by: format!("{}@{}", d.user, d.host), action: d.action, reason, cases }
        };
        Ok(entries.into_iter().map(note).collect())
    }
}
