//! The answer of `puomp status` without a registry, for people: registries by month with totals, cases outside registries, and what to do next.

use super::{Lists, Seen, cell, kind, state_key};
use crate::cli::ui::Ui;
use crate::report::xlsx;
use crate::texts::Key;
use crate::texts::layout::columns;
use crate::values::Month;
use crate::workspace::{Registry, Stock, Tables};

/// The whole answer; empty when there is nothing to show.
pub(super) fn human(seen: &Seen, lists: &Lists, tables: &Tables, ui: &Ui<'_>) -> String {
    let page = Page { lists, tables, ui };
    let parts = [page.registries(&seen.registries), page.stock(&seen.stock), page.next(seen)];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n")
}

struct Page<'p> {
    lists: &'p Lists,
    tables: &'p Tables,
    ui: &'p Ui<'p>,
}

/// The rows in groups with the same key, both in the order of the rows.
fn grouped<'r, R, K: PartialEq>(rows: &'r [R], key: impl Fn(&'r R) -> K) -> Vec<(K, Vec<&'r R>)> {
    let mut groups: Vec<(K, Vec<&R>)> = Vec::new();
    for row in rows {
        let own = key(row);
        match groups.iter_mut().find(|(known, _)| *known == own) {
            Some((_, group)) => group.push(row),
            None => groups.push((own, vec![row])),
        }
    }
    groups
}

/// Whether the rows are of more than one clinic, so that each needs its code.
fn are_several<'r>(mut clinics: impl Iterator<Item = &'r str>) -> bool {
    let first = clinics.next();
    clinics.any(|other| Some(other) != first)
}

impl Page<'_> {
    fn fill(&self, key: Key, slots: &[(&str, &str)]) -> String {
        self.ui.texts.fill(key, self.ui.lang, slots)
    }

    fn count(&self, key: Key, number: impl TryInto<u64>) -> String {
        self.ui.texts.count(key, self.ui.lang, number.try_into().unwrap_or(0))
    }

    fn month(&self, period: &str, clinic: Option<&str>) -> String {
        let month = period.parse::<Month>().map_or_else(|_| period.to_owned(), |month| self.ui.texts.month(self.ui.lang, month));
        clinic.map_or_else(|| month.clone(), |mo| self.fill(Key::StatusOfClinic, &[("month", &month), ("mo", mo)]))
    }

    /// «6 реестров, 24 случая, 2 679 719,36 ₽».
    fn total(&self, registries: &[&Registry]) -> String {
        let sum = registries.iter().map(|r| r.sum).sum();
        let cases: i64 = registries.iter().map(|r| r.cases).sum();
        let slots = [("registries", self.count(Key::CountRegistry, registries.len())), ("cases", self.count(Key::CountCase, cases)), ("sum", self.money(sum))];
        self.fill(Key::StatusTotal, &slots.each_ref().map(|(name, text)| (*name, text.as_str())))
    }

    fn money(&self, kopecks: i64) -> String {
        self.ui.texts.money(self.ui.lang, kopecks)
    }

    fn registries(&self, all: &[Registry]) -> String {
        let several = are_several(all.iter().map(|r| r.mo.as_str()));
        let shown = self.lists.registries.human();
        let mut out = String::new();
        let groups = grouped(all, |r| (r.period.as_str(), several.then_some(r.mo.as_str())));
        for ((period, clinic), group) in &groups {
            if !out.is_empty() {
                out.push('\n');
            }
            out += &self.fill(Key::StatusMonth, &[("month", &self.month(period, *clinic)), ("total", &self.total(group))]);
            out.push('\n');
            let head = std::iter::once(String::new()).chain(shown.iter().map(|c| c.title(self.ui.lang).to_owned())).collect();
            let row = |r: &&Registry| {
                let cells = shown.iter().map(|c| xlsx::shown(&cell(c.field, r, self.tables, self.ui), self.ui.texts, self.ui.lang));
                std::iter::once(String::new()).chain(cells).collect()
            };
            out += &columns(&std::iter::once(head).chain(group.iter().map(row)).collect::<Vec<_>>());
        }
        if groups.len() > 1 {
            let every: Vec<&Registry> = all.iter().collect();
            out += &format!("\n{}\n", self.fill(Key::StatusInAll, &[("total", &self.total(&every))]));
        }
        out
    }

    fn stock(&self, all: &[Stock]) -> String {
        if all.is_empty() {
            return String::new();
        }
        let (cases, sum) = (all.iter().map(|s| s.cases).sum::<i64>(), all.iter().map(|s| s.sum).sum());
        let mut out = self.fill(Key::StatusOutside, &[("cases", &self.count(Key::CountCase, cases)), ("sum", &self.money(sum))]);
        out.push('\n');
        let several = are_several(all.iter().map(|s| s.mo.as_str()));
        let row = |s: &Stock| {
            let place = [String::new(), s.period.clone()].into_iter().chain(several.then(|| s.mo.clone()));
            let what = [s.payer.clone(), kind(&s.kind, self.tables, self.ui), self.count(Key::CountCase, s.cases), self.money(s.sum)];
            place.chain(what).chain([self.ui.texts.get(state_key(s), self.ui.lang).to_owned()]).collect()
        };
        out + &columns(&all.iter().map(row).collect::<Vec<_>>())
    }

    /// Who must act on which registries and by which commands, and which months can be formed.
    fn next(&self, seen: &Seen) -> String {
        let (lang, workflow) = (self.ui.lang, &self.tables.workflow);
        let mut out = String::new();
        for (id, group) in grouped(&seen.registries, |r| r.status.as_str()) {
            let Some(status) = workflow.status(id).filter(|status| !status.acts.is_empty()) else { continue };
            let since = group.iter().map(|r| r.since.as_str()).min().unwrap_or_default();
            let (number, who) = (self.count(Key::CountRegistry, group.len()), workflow.role_names(&status.acts, lang));
            let since = self.ui.texts.moment(lang, since);
            let slots = [("status", status.name.get(lang)), ("registries", number.as_str()), ("since", since.as_str()), ("who", who.as_str())];
            out += &format!("{}\n", self.fill(Key::StatusWaits, &slots));
            let own = match group.as_slice() {
                [one] => Some(one.number.as_str()),
                _ => None,
            };
            let theirs = workflow.possible(Some(id), None).filter(|next| next.roles.iter().any(|role| status.acts.contains(role)));
            for next in theirs {
                out += &format!("  {}: {}\n", next.text.get(lang), workflow.command(next, own, lang));
            }
        }
        let free = |s: &&Stock| state_key(s) == Key::StatusFree;
        for (period, group) in grouped(&seen.stock.iter().filter(free).cloned().collect::<Vec<_>>(), |s| s.period.clone()) {
            let cases: i64 = group.iter().map(|s| s.cases).sum();
            let slots = [("month", self.month(&period, None)), ("cases", self.count(Key::CountCase, cases)), ("period", period)];
            out += &format!("{}\n", self.fill(Key::StatusFormNext, &slots.each_ref().map(|(name, text)| (*name, text.as_str()))));
        }
        out
    }
}
