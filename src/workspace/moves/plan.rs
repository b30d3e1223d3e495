//! What can be formed of a month: the groups of cases, and the cases that are left out with the reasons.

use std::collections::BTreeMap;

use super::chosen::{Chosen, ChosenCases};
use super::group::{Group, Key, Package, Packages};
use crate::cases::CaseState;
use crate::registry::name::{Party, PartyKind};
use crate::sys::{is_file_name, printable};
use crate::values::{Date, Month};
use crate::workspace::intake::Payers;
use crate::workspace::store::PackageRow;
use crate::workspace::{Problem, Workspace};

/// Which cases to form; `None` means no filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormRequest {
    /// Reporting month of the packages.
    pub period: Month,
    /// Code of the insurer, or a fund such as `T14`.
    pub payer: Option<String>,
    /// Kind of care.
    pub kind: Option<String>,
    /// Code of the subdivision.
    pub subdivision: Option<String>,
    /// Code of the clinic.
    pub mo: Option<String>,
}

/// Why cases are left out of the registries to be formed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// They have findings of severity `error`.
    Blocked,
    /// Their packages have findings of severity `error` about the whole file.
    PackageBlocked,
    /// They may be the same as other cases: the user must answer (`puomp load --doubtful`).
    Question,
    /// They are new versions of cases in a live registry.
    Waiting,
    /// The payer refused them and they were not corrected yet.
    Refused,
    /// A user has set them aside (`puomp cases hold`).
    Aside,
    /// They have no kind of care, or their package names no receiver.
    Unclear,
    /// No file can be named after the code of their payer.
    Payer,
    /// No file can be named after the code of their clinic.
    Clinic,
    /// The registry could not be formed with them.
    Failed,
    /// They are in the registry of this number.
    Held(String),
}

/// Cases that match the request and will not be formed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// Why.
    pub why: Why,
    /// How many.
    pub cases: i64,
    /// Their sum, kopecks.
    pub sum: i64,
    /// The first of them, if each needs a look of its own.
    pub named: Vec<NamedCase>,
    /// Names of the first of their packages, if it is the packages that need a look.
    pub packages: Vec<String>,
}

/// A case by which a user finds it in the export. It holds nothing of the patient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedCase {
    /// Name of the file that was loaded.
    pub package: String,
    /// N_ZAP of its record; 0 when it is not a number.
    pub n_zap: i64,
    /// IDCASE; 0 when it is not a number.
    pub idcase: i64,
    /// The value because of which it is left out, fit to be shown; empty when there is none.
    pub value: String,
}

/// The registries that can be formed.
#[derive(Debug, Default)]
pub struct FormPlan {
    /// The cases of each registry, the largest first.
    pub groups: Vec<Group>,
    /// The cases that are left out.
    pub left: Vec<LeftOut>,
}

/// Most cases, or packages, that are named for one reason.
pub(super) const NAMED: usize = 10;
/// Most characters shown of a value, and of the name of a file.
const SHOWN: usize = 20;
const LONGEST: usize = 255;

/// The cases that are left out for one reason.
#[derive(Default)]
struct Left {
    cases: i64,
    sum: i64,
    /// Clinic, id, package and value of those that are named.
    named: Vec<(String, i64, i64, String)>,
    packages: Vec<String>,
}

/// The same by their reasons.
#[derive(Default)]
struct AllLeft(BTreeMap<Why, Left>);

impl AllLeft {
    fn add(&mut self, why: Why, cases: i64, sum: i64) -> &mut Left {
        let entry = self.0.entry(why).or_default();
        entry.cases += cases;
        entry.sum += sum;
        entry
    }
}

impl Workspace {
    /// Plans registries: the groups of cases to form, and the cases that are left out.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn form_plan(&mut self, request: &FormRequest) -> Result<FormPlan, Problem> {
        let period = request.period.to_string();
        let packages = packages(self.store.open_packages(request.period, request.mo.as_deref())?);
        let mut left = AllLeft::default();
        let asked = |mo: &str, payer: &str, kind: &str| {
            let is = |wanted: &Option<String>, own: &str| wanted.as_ref().is_none_or(|w| w == own);
            is(&request.mo, mo) && is(&request.payer, payer) && is(&request.kind, kind)
        };
        for stock in self.stock()?.into_iter().filter(|s| s.period == period && asked(&s.mo, &s.payer, &s.kind)) {
            let why = match stock.state {
                CaseState::Question => Why::Question,
                CaseState::Waiting => Why::Waiting,
                CaseState::Refused => Why::Refused,
                CaseState::Aside => Why::Aside,
                _ if stock.blocked => Why::Blocked,
                _ => continue,
            };
            left.add(why, stock.cases, stock.sum);
        }
        for one in self.store.blocked_by_package(request.period)?.into_iter().filter(|b| asked(&b.mo, &b.payer, &b.kind)) {
            // They were counted among the blocked ones.
            left.add(Why::Blocked, -one.cases, -one.sum);
            let entry = left.add(Why::PackageBlocked, one.cases, one.sum);
            let name = printable(&one.name, LONGEST);
            if entry.packages.len() < NAMED && !entry.packages.contains(&name) {
                entry.packages.push(name);
            }
        }
        for registry in self.registries()?.into_iter().filter(|r| r.period == period && asked(&r.mo, &r.payer, &r.kind)) {
            if self.tables.workflow.status(&registry.status).is_some_and(|s| s.live) {
                // Only an answer takes cases out of a registry.
                let was_sent = !registry.sent_at.is_empty();
                let held = if was_sent { self.store.of(&registry.mo).members().held(registry.id, registry.revision)? } else { registry.total() };
                left.add(Why::Held(registry.number.clone()), held.cases, held.sum);
            }
        }
        let mut groups: Vec<Group> = Vec::new();
        for ((mo, id), package) in &packages {
            self.store.of(mo).cases().free_of(*id, &mut |case| {
                if !asked(&package.key.mo, case.payer, case.kind) || request.subdivision.as_ref().is_some_and(|s| *s != case.subdivision) {
                    return Ok(());
                }
                if let Err((why, value)) = fit(&package.key, case.payer, case.kind) {
                    let entry = left.add(why, 1, case.sum);
                    if entry.named.len() < NAMED {
                        entry.named.push((mo.clone(), case.id, *id, printable(value, SHOWN)));
                    }
                    return Ok(());
                }
                // Cases of people insured elsewhere go to the fund, whoever receives the file in which they came.
                let receiver = if Payers::is_fund(case.payer, &package.key.mo) { case.payer } else { &package.key.receiver };
                let fits = |group: &Group| group.key.payer == case.payer && group.key.kind == case.kind && group.key.is_of(package, receiver);
                let at = groups.iter().position(fits).unwrap_or(groups.len());
                if at == groups.len() {
                    let subdivision = request.subdivision.clone().unwrap_or_default();
                    let (payer, receiver) = (case.payer.to_owned(), receiver.to_owned());
                    let key = Key { payer, receiver, kind: case.kind.to_owned(), subdivision, ..package.key.clone() };
                    groups.push(Group { key, period: request.period, sum: 0, date: None, chosen: ChosenCases::default() });
                }
                let group = &mut groups[at];
                group.sum += case.sum;
                group.date = group.date.max(package.date);
                group.chosen.push(&Chosen::of(case))?;
                Ok(())
            })?;
        }
        // The largest group comes first: while it is stored, the other packages are controlled.
        groups.sort_unstable_by(|a, b| b.chosen.len().cmp(&a.chosen.len()).then_with(|| a.key.cmp(&b.key)));
        for group in &mut groups {
            group.chosen.sort()?;
        }
        let mut all = Vec::with_capacity(left.0.len());
        for (why, Left { cases, sum, named, packages: of }) in left.0.into_iter().filter(|(_, left)| left.cases > 0) {
            let named = named.into_iter().map(|(mo, id, package, value)| self.named(&mo, id, &packages[&(mo.clone(), package)].row, value));
            all.push(LeftOut { why, cases, sum, named: named.collect::<Result<_, _>>()?, packages: of });
        }
        Ok(FormPlan { groups, left: all })
    }

    /// A case of a clinic by which a user finds it.
    pub(super) fn named(&mut self, mo: &str, id: i64, package: &PackageRow, value: String) -> Result<NamedCase, Problem> {
        let (n_zap, idcase) = self.store.of(mo).cases().numbers(id)?;
        Ok(NamedCase { package: printable(&package.main_name, LONGEST), n_zap, idcase, value })
    }
}

/// Whether a registry of these values has a name; if not, the reason and the value.
fn fit<'v>(package: &'v Key, payer: &'v str, kind: &str) -> Result<(), (Why, &'v str)> {
    let receiver = Party::of(&package.receiver).filter(|_| !kind.is_empty()).ok_or((Why::Unclear, ""))?;
    if !(Party { kind: PartyKind::Clinic, code: package.mo.clone() }).is_sound() {
        return Err((Why::Clinic, &package.mo));
    }
    // The insurer is the receiver of the file; whoever the payer is, a folder of the outbox is called after it.
    let is_sound = match receiver.kind {
        _ if payer.is_empty() || Payers::is_fund(payer, &package.mo) => true,
        PartyKind::Insurer => Party { code: payer.to_owned(), ..receiver }.is_sound(),
        PartyKind::Clinic | PartyKind::Fund => is_file_name(payer),
    };
    if is_sound { Ok(()) } else { Err((Why::Payer, payer)) }
}

/// Packages by clinic and id, with the values of their heads.
pub(super) fn packages(rows: Vec<PackageRow>) -> Packages {
    let package = |row: PackageRow| {
        let key = Key {
            mo: row.mo.clone(),
            payer: String::new(),
            receiver: row.receiver.clone(),
            letters: row.letters.clone(),
            family: row.family.clone(),
            edition: row.edition.clone(),
            persons_edition: row.persons_edition.clone(),
            kind: String::new(),
            subdivision: String::new(),
            binding: row.binding.clone(),
        };
        ((row.mo.clone(), row.id), Package { key, date: Date::of_iso(row.account_date.as_bytes()), row })
    };
    rows.into_iter().map(package).collect()
}
