//! Which version of a case counts: open questions, and what comes back when a package is taken back.

use std::collections::HashMap;

use super::cases::{BETWEEN_VALUES, Cases};
use super::row::{Value, read_row, unreadable};
use super::standing::was_never;
use super::statement::{IDS, list};
use super::sums::VERSIONS;
use crate::cases::CaseState::{self, Aside, Dropped, Free, Question, Replaced, Undone, Waiting};
use crate::cases::{About, CaseKey, PersonMark, Traits};
use crate::workspace::Problem;

/// A case of which the user must say whether it is the same as another one.
#[derive(Debug)]
pub(in crate::workspace) struct OpenQuestion {
    pub(in crate::workspace) id: i64,
    /// Id of the case that it may be the same as.
    pub(in crate::workspace) other: i64,
    /// Id of its package.
    pub(in crate::workspace) package: i64,
    /// State and package of that case; `None` when the question is between two cases of one package.
    pub(in crate::workspace) of_other: Option<(CaseState, i64)>,
    /// What makes it doubtful.
    pub(in crate::workspace) about: About,
}

read_row! {
    struct QuestionRow {
        id: i64,
        package: i64,
        identity: i64,
        identity_rest: i64,
        person: PersonMark,
        date_to: i64,
        family: String,
        other: i64,
        other_state: String,
        other_package: i64,
        other_identity: i64,
        other_identity_rest: i64,
        other_person: PersonMark,
        other_date_to: i64,
        other_family: String,
    }
}

impl QuestionRow {
    fn question(self) -> Result<OpenQuestion, Problem> {
        let Self { id, package, other, .. } = self;
        if self.other_package == 0 {
            return Ok(OpenQuestion { id, package, other, of_other: None, about: About::Twice });
        }
        let state: CaseState = self.other_state.parse().map_err(|_| unreadable("state", &self.other_state))?;
        let own = Traits { identity: CaseKey(self.identity, self.identity_rest), person: self.person, family: &self.family, date_to: self.date_to };
        let its = Traits {
            identity: CaseKey(self.other_identity, self.other_identity_rest),
            person: self.other_person,
            family: &self.other_family,
            date_to: self.other_date_to,
        };
        let about = own.asked(&its, state).unwrap_or(About::Several);
        Ok(OpenQuestion { id, package, other, of_other: Some((state, self.other_package)), about })
    }
}

read_row! {
    /// A case of a package.
    pub(in crate::workspace) struct CaseOfPackage {
        pub(in crate::workspace) id: i64,
        /// Kopecks.
        pub(in crate::workspace) sum: i64,
        pub(in crate::workspace) state: CaseState,
    }
}

read_row! {
    /// A version that counts again when the one after it is taken back.
    pub(in crate::workspace) struct Reversal {
        /// Its id.
        pub(in crate::workspace) former: i64,
        /// Id of its package.
        pub(in crate::workspace) package: i64,
        /// Id and state of the version after it.
        pub(in crate::workspace) later: i64,
        pub(in crate::workspace) state: CaseState,
    }
}

read_row! {
    struct SucceededRow {
        id: i64,
        other: i64,
        person: PersonMark,
        other_person: PersonMark,
        /// Whether both were to take the place of the same version.
        waited: bool,
        /// Whether both have the same key.
        is_same: bool,
    }
}

impl Cases<'_> {
    /// Cases of a package that wait for the user's answer.
    pub(in crate::workspace) fn open_questions(&mut self, package: i64) -> Result<Vec<OpenQuestion>, Problem> {
        self.questions("q.package = $2", &[package.into()])
    }

    /// Cases with these ids that wait for the user's answer.
    pub(in crate::workspace) fn questions_with_ids(&mut self, ids: &[i64]) -> Result<Vec<OpenQuestion>, Problem> {
        let mut found = Vec::new();
        for ids in ids.chunks(IDS) {
            found.extend(self.questions(&format!("q.id IN ({})", list(ids)), &[])?);
        }
        Ok(found)
    }

    fn questions(&mut self, which: &str, values: &[Value<'_>]) -> Result<Vec<OpenQuestion>, Problem> {
        let sql = format!(
            "SELECT q.id AS id, q.package AS package, q.identity AS identity, q.identity_rest AS identity_rest, q.person AS person, q.date_to AS date_to, \
             qp.family AS family, q.replaces AS other, COALESCE(o.state, '') AS other_state, COALESCE(o.package, 0) AS other_package, \
             COALESCE(o.identity, 0) AS other_identity, COALESCE(o.identity_rest, 0) AS other_identity_rest, COALESCE(o.person, 0) AS other_person, \
             COALESCE(o.date_to, 0) AS other_date_to, COALESCE(op.family, '') AS other_family FROM cases q JOIN packages qp ON qp.mo = q.mo AND qp.id = q.package \
             LEFT JOIN cases o ON o.mo = q.mo AND o.id = q.replaces LEFT JOIN packages op ON op.mo = o.mo AND op.id = o.package \
             WHERE q.mo = $1 AND {which} AND q.state = '{Question}' ORDER BY q.id"
        );
        self.0.select::<QuestionRow>(sql, values)?.into_iter().map(QuestionRow::question).collect()
    }

    /// Questions whether cases are the same as one of these are now about the version that counts instead, or none any more: such a case is free.
    /// Returns their packages.
    pub(in crate::workspace) fn turn_questions(&mut self, ids: &[i64], instead: &HashMap<i64, i64>) -> Result<Vec<i64>, Problem> {
        let mut open = Vec::new();
        for ids in ids.chunks(IDS) {
            open.extend(self.questions(&format!("q.replaces <> 0 AND q.replaces IN ({})", list(ids)), &[])?);
        }
        for question in &open {
            match instead.get(&question.other) {
                Some(former) => self.settle(question, Question, *former)?,
                None => self.settle(question, Free, 0)?,
            }
        }
        Ok(open.into_iter().map(|question| question.package).collect())
    }

    /// All versions of cases that came with a package.
    pub(in crate::workspace) fn of_package(&mut self, package: i64) -> Result<Vec<CaseOfPackage>, Problem> {
        self.0.select("SELECT id, sum, state FROM cases WHERE mo = $1 AND package = $2 ORDER BY id", &[package.into()])
    }

    /// Of these cases, which were dropped or set aside, those in whose place another version counts now; with that version's id.
    pub(in crate::workspace) fn succeeded(&mut self, ids: &[i64]) -> Result<Vec<(i64, i64)>, Problem> {
        let mut found = Vec::new();
        for ids in ids.chunks(IDS) {
            let sql = format!(
                "SELECT c.id AS id, o.id AS other, c.person AS person, o.person AS other_person, \
                 CASE WHEN c.replaces <> 0 AND o.replaces = c.replaces AND c.was LIKE '%{Waiting}%' THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END AS waited, \
                 CASE WHEN o.identity = c.identity AND o.identity_rest = c.identity_rest THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END AS is_same \
                 FROM cases c JOIN cases o ON o.mo = c.mo AND o.id <> c.id AND o.id <> c.replaces \
                 AND o.state NOT IN ('{Replaced}', '{Undone}', '{Dropped}', '{Question}') \
                 AND ((o.identity = c.identity AND o.identity_rest = c.identity_rest) OR (c.replaces <> 0 AND o.replaces = c.replaces)) \
                 WHERE c.mo = $1 AND c.id IN ({}) ORDER BY c.id, o.id",
                list(ids)
            );
            let rows = self.0.select::<SucceededRow>(sql, &[])?;
            found.extend(rows.into_iter().filter(|row| row.waited || (row.is_same && row.person.may_be(row.other_person))).map(|row| (row.id, row.other)));
        }
        found.dedup_by_key(|(id, _)| *id);
        Ok(found)
    }

    /// The versions that count again when a package is taken back: for each of its cases the version before it.
    pub(in crate::workspace) fn reversals(&mut self, package: i64) -> Result<Vec<Reversal>, Problem> {
        // What was in question or waits has not replaced the case that it is about. A version that was in question or waited gives way to the next one.
        let of = "SELECT f.id AS former, f.package AS package, c.id AS later, c.state AS state FROM cases c JOIN cases f ON f.mo = c.mo";
        let both = format!("f.state = '{Replaced}' AND c.mo = $1 AND c.package = $2 AND c.state <> '{Replaced}'");
        let sql = format!(
            "{of} AND f.id = c.replaces WHERE {both} AND {} AND {} \
             UNION ALL {of} AND f.identity = c.identity AND f.identity_rest = c.identity_rest AND f.id < c.id \
             WHERE {both} AND (f.was LIKE '{Question}%' OR f.was LIKE '{Waiting}%') AND NOT EXISTS (SELECT 1 FROM cases y WHERE y.mo = c.mo \
             AND y.identity = c.identity AND y.identity_rest = c.identity_rest AND y.id > f.id AND y.id < c.id AND y.state <> '{Undone}') ORDER BY former",
            was_never("c", Question),
            was_never("c", Waiting),
        );
        self.0.select(sql, &[package.into()])
    }

    /// Packages of the cases that these ones wait for.
    pub(in crate::workspace) fn packages_of_awaited(&mut self, ids: &[i64]) -> Result<Vec<i64>, Problem> {
        let mut packages = Vec::new();
        for ids in ids.chunks(IDS) {
            let sql = format!(
                "SELECT DISTINCT o.package FROM cases w JOIN cases o ON o.mo = w.mo AND o.id = w.replaces \
                 WHERE w.mo = $1 AND w.state = '{Waiting}' AND w.id IN ({})",
                list(ids)
            );
            packages.extend(self.0.numbers(sql, &[])?);
        }
        Ok(packages)
    }

    /// Sets the state of an answered question and the version that it replaces (0 for none).
    pub(in crate::workspace) fn settle(&mut self, question: &OpenQuestion, state: CaseState, replaces: i64) -> Result<(), Problem> {
        let id = question.id;
        if state == Aside {
            // It is no question any more when it is released.
            self.set(Free, None, "id = $2".to_owned(), &[id.into()])?;
        }
        self.set(state, None, "id = $2".to_owned(), &[id.into()])?;
        self.0.update_cases("replaces = $2", "id = $3", &[replaces.into(), id.into()])?;
        let line = |replaces| Some(format!("{id}{BETWEEN_VALUES}{replaces}")).filter(|_| replaces != 0);
        self.0.changed().exchange(VERSIONS, line(question.other).as_deref(), line(replaces).as_deref());
        Ok(())
    }
}
