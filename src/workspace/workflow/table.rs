//! Reads `rules/workflow.toml`: refuses unknown words, repetitions and missing texts. [`super::graph`] checks the workflow as a whole.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;

use super::refusal::{COMMAND_SLOTS, Word, Words};
use super::{Cases, Move, Need, Role, Status, TABLE, Transition, Workflow, graph};
use crate::tables::TableError;
use crate::texts::{Text, slots_of};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    signatures: Vec<Spanned<String>>,
    refusal: BTreeMap<Spanned<String>, Spanned<String>>,
    role: Vec<RoleRow>,
    status: Vec<StatusRow>,
    need: Vec<NeedRow>,
    transition: Vec<TransitionRow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RoleRow {
    id: Spanned<String>,
    ru: Spanned<String>,
    en: Spanned<String>,
    /// Other words by which a user may call the role.
    #[serde(default)]
    words: Vec<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StatusRow {
    id: Spanned<String>,
    name_ru: Spanned<String>,
    name_en: Spanned<String>,
    ru: Spanned<String>,
    en: Spanned<String>,
    #[serde(default)]
    live: bool,
    #[serde(default)]
    frozen: bool,
    #[serde(default)]
    paid: bool,
    #[serde(default)]
    r#final: bool,
    #[serde(default)]
    acts: Vec<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NeedRow {
    id: Spanned<Need>,
    ru: Spanned<String>,
    en: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TransitionRow {
    id: Spanned<String>,
    from: Vec<Spanned<String>>,
    to: Spanned<String>,
    verb: Spanned<String>,
    #[serde(default)]
    action: String,
    roles: Spanned<Vec<Spanned<String>>>,
    #[serde(default)]
    needs: Vec<Spanned<Need>>,
    cases: Cases,
    ru: Spanned<String>,
    en: Spanned<String>,
    command: Spanned<String>,
}

/// Reads and checks the text of the table.
pub(super) fn read(text: &str) -> Result<Workflow, TableError> {
    let place = Place { text };
    let document: Document = toml::from_str(text).map_err(|e| place.fail(e.span().unwrap_or(0..0), e.message()))?;
    let roles = roles(&place, document.role)?;
    let (statuses, status_lines) = statuses(&place, document.status, &roles)?;
    let needs = needs(&place, document.need)?;
    let (transitions, transition_lines) = transitions(&place, document.transition, &roles, &statuses)?;
    let signatures = known(&place, &document.signatures, "role", &roles, |r| &r.id)?;
    if signatures.is_empty() {
        return Err(TableError::new(TABLE, place.line_of("signatures"), "signatures: at least one role is due"));
    }
    let words = words(&place, document.refusal)?;
    let workflow = Workflow { roles, statuses, transitions, needs, signatures, words };
    graph::check(&workflow, &graph::Lines { statuses: status_lines, transitions: transition_lines })?;
    Ok(workflow)
}

struct Place<'t> {
    text: &'t str,
}

impl Place<'_> {
    fn line(&self, span: &Range<usize>) -> u64 {
        let before = self.text.as_bytes().get(..span.start).unwrap_or_default();
        before.iter().filter(|b| **b == b'\n').count() as u64 + 1
    }

    /// Number of the first line that begins with a key; 0 if there is none.
    fn line_of(&self, key: &str) -> u64 {
        self.text.lines().position(|l| l.starts_with(key)).map_or(0, |at| at as u64 + 1)
    }

    /// An error at a span; of the whole table when the span is empty.
    fn fail(&self, span: Range<usize>, message: impl Into<String>) -> TableError {
        TableError::new(TABLE, if span.is_empty() { 0 } else { self.line(&span) }, message)
    }

    fn text(&self, owner: &str, ru: Spanned<String>, en: Spanned<String>) -> Result<Text, TableError> {
        if let Some(empty) = [&ru, &en].into_iter().find(|t| t.get_ref().trim().is_empty()) {
            return Err(self.fail(empty.span(), format!("{owner}: the text is empty")));
        }
        Ok(Text { ru: ru.into_inner(), en: en.into_inner() })
    }
}

/// Refuses an id that is already used or has wrong characters.
fn fresh<T>(place: &Place<'_>, id: &Spanned<String>, what: &str, there: &[T], key: impl Fn(&T) -> &str) -> Result<(), TableError> {
    let word = id.get_ref();
    if word.is_empty() || !word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_')) {
        return Err(place.fail(id.span(), format!("«{word}»: an id of small Latin letters, digits, - and _ is due")));
    }
    if there.iter().any(|t| key(t) == word) {
        return Err(place.fail(id.span(), format!("the {what} «{word}» stands twice")));
    }
    Ok(())
}

/// Reads a list of ids; each must be defined and occur once.
fn known<T>(place: &Place<'_>, ids: &[Spanned<String>], what: &str, there: &[T], key: impl Fn(&T) -> &String) -> Result<Vec<String>, TableError> {
    let mut found: Vec<String> = Vec::with_capacity(ids.len());
    for id in ids {
        let word = id.get_ref();
        if !there.iter().any(|t| key(t) == word) {
            let all: Vec<&str> = there.iter().map(|t| key(t).as_str()).collect();
            return Err(place.fail(id.span(), format!("there is no {what} «{word}»; there are: {}", all.join(", "))));
        }
        if found.contains(word) {
            return Err(place.fail(id.span(), format!("the {what} «{word}» is named twice")));
        }
        found.push(word.clone());
    }
    Ok(found)
}

/// Refuses a name that another row has, because people could not tell the two apart.
fn distinct<'a>(place: &Place<'_>, span: Range<usize>, name: &Text, mut others: impl Iterator<Item = &'a Text>) -> Result<(), TableError> {
    match others.find(|o| o.ru == name.ru || o.en == name.en) {
        Some(other) => Err(place.fail(span, format!("the text «{}» ({}) stands twice", other.ru, other.en))),
        None => Ok(()),
    }
}

fn roles(place: &Place<'_>, rows: Vec<RoleRow>) -> Result<Vec<Role>, TableError> {
    let mut roles: Vec<Role> = Vec::with_capacity(rows.len());
    for row in rows {
        fresh(place, &row.id, "role", &roles, |r| &r.id)?;
        let span = row.ru.span();
        let name = place.text(row.id.get_ref(), row.ru, row.en)?;
        distinct(place, span, &name, roles.iter().map(|r| &r.name))?;
        for word in &row.words {
            let is_taken = |role: &Role| [&role.id, &role.name.ru, &role.name.en].into_iter().chain(&role.words).any(|other| other == word.get_ref());
            if roles.iter().any(is_taken) {
                return Err(place.fail(word.span(), format!("another role is called «{}» too", word.get_ref())));
            }
        }
        roles.push(Role { id: row.id.into_inner(), name, words: row.words.into_iter().map(Spanned::into_inner).collect() });
    }
    Ok(roles)
}

fn statuses(place: &Place<'_>, rows: Vec<StatusRow>, roles: &[Role]) -> Result<(Vec<Status>, Vec<u64>), TableError> {
    let (mut statuses, mut lines): (Vec<Status>, Vec<u64>) = Default::default();
    for row in rows {
        fresh(place, &row.id, "status", &statuses, |s| &s.id)?;
        lines.push(place.line(&row.id.span()));
        let id = row.id.into_inner();
        let span = row.name_ru.span();
        let name = place.text(&id, row.name_ru, row.name_en)?;
        distinct(place, span, &name, statuses.iter().map(|s| &s.name))?;
        let acts = known(place, &row.acts, "role", roles, |r| &r.id)?;
        let text = place.text(&id, row.ru, row.en)?;
        statuses.push(Status { id, name, text, live: row.live, frozen: row.frozen, paid: row.paid, is_final: row.r#final, acts });
    }
    Ok((statuses, lines))
}

fn needs(place: &Place<'_>, rows: Vec<NeedRow>) -> Result<Vec<Text>, TableError> {
    let mut found: BTreeMap<Need, Text> = BTreeMap::new();
    for row in rows {
        let (span, need) = (row.id.span(), row.id.into_inner());
        let text = place.text(need.as_str(), row.ru, row.en)?;
        if found.insert(need, text).is_some() {
            return Err(place.fail(span, format!("the condition «{}» stands twice", need.as_str())));
        }
    }
    let text = |need: &Need| found.remove(need).ok_or_else(|| TableError::new(TABLE, 0, format!("no [[need]] with the text of «{}»", need.as_str())));
    Need::ALL.iter().map(text).collect()
}

fn transitions(place: &Place<'_>, rows: Vec<TransitionRow>, roles: &[Role], statuses: &[Status]) -> Result<(Vec<Transition>, Vec<u64>), TableError> {
    let (mut transitions, mut lines): (Vec<Transition>, Vec<u64>) = Default::default();
    for row in rows {
        fresh(place, &row.id, "transition", &transitions, |t| &t.id)?;
        lines.push(place.line(&row.id.span()));
        let transition = transition(place, row, roles, statuses)?;
        let line = lines.last().copied().unwrap_or(0);
        if let Some((other, from)) = transitions.iter().find_map(|t| meet(t, &transition).map(|from| (t, from))) {
            let words = transition.by.words();
            return Err(TableError::new(TABLE, line, format!("«{words}» leads from {from} to two ends: {} and {}", other.id, transition.id)));
        }
        if transitions.iter().any(|t| t.text.ru == transition.text.ru || t.text.en == transition.text.en) {
            return Err(TableError::new(TABLE, line, format!("{}: another transition has the same text", transition.id)));
        }
        transitions.push(transition);
    }
    Ok((transitions, lines))
}

/// A status from which two transitions of one command both lead; `None` if there is none.
fn meet<'a>(a: &'a Transition, b: &Transition) -> Option<&'a str> {
    let both_first = a.from.is_empty() && b.from.is_empty();
    let from = a.from.iter().find(|f| b.from.contains(f)).map(String::as_str).or(both_first.then_some("nothing"));
    from.filter(|_| a.by == b.by)
}

fn transition(place: &Place<'_>, row: TransitionRow, roles: &[Role], statuses: &[Status]) -> Result<Transition, TableError> {
    let id = row.id.into_inner();
    let by = Move::find(row.verb.get_ref(), &row.action).ok_or_else(|| {
        let all: Vec<String> = Move::ALL.iter().map(|m| m.words()).collect();
        let words = format!("{} {}", row.verb.get_ref(), row.action);
        place.fail(row.verb.span(), format!("{id}: the program has no command «{}»; it has: {}", words.trim_end(), all.join(", ")))
    })?;
    let (roles_span, role_ids) = (row.roles.span(), row.roles.into_inner());
    if role_ids.is_empty() {
        return Err(place.fail(roles_span, format!("{id}: nobody may make it")));
    }
    let from = known(place, &row.from, "status", statuses, |s| &s.id)?;
    let to = known(place, std::slice::from_ref(&row.to), "status", statuses, |s| &s.id)?.remove(0);
    let mut needs: Vec<Need> = Vec::with_capacity(row.needs.len());
    for need in row.needs {
        if needs.contains(need.get_ref()) {
            return Err(place.fail(need.span(), format!("{id}: the condition «{}» is named twice", need.get_ref().as_str())));
        }
        needs.push(need.into_inner());
    }
    let text = place.text(&id, row.ru, row.en)?;
    if let Some(slot) = slots_of(row.command.get_ref()).find(|s| !COMMAND_SLOTS.contains(s)) {
        return Err(place.fail(row.command.span(), format!("{id}: the slot {{{slot}}} is unknown; there are: {}", COMMAND_SLOTS.join(", "))));
    }
    if row.command.get_ref().trim().is_empty() {
        return Err(place.fail(row.command.span(), format!("{id}: the command is empty")));
    }
    let roles = known(place, &role_ids, "role", roles, |r| &r.id)?;
    Ok(Transition { id, from, to, by, roles, needs, cases: row.cases, text, command: row.command.into_inner() })
}

fn words(place: &Place<'_>, mut rows: BTreeMap<Spanned<String>, Spanned<String>>) -> Result<Words, TableError> {
    let mut texts = Vec::with_capacity(Word::ALL.len());
    for word in Word::ALL {
        let mut take = |lang: &str| {
            let key = format!("{}_{lang}", word.as_str());
            let found = rows.keys().find(|k| *k.get_ref() == key).cloned();
            let text = found.and_then(|k| rows.remove(&k));
            let text = text.ok_or_else(|| TableError::new(TABLE, place.line_of("[refusal]"), format!("[refusal] has no text «{key}»")))?;
            let mut slots: Vec<&str> = slots_of(text.get_ref()).collect();
            slots.sort_unstable();
            if slots != word.slots() {
                return Err(place.fail(text.span(), format!("{key}: the slots must be: {}", word.slots().join(", "))));
            }
            Ok(text)
        };
        texts.push(place.text(word.as_str(), take("ru")?, take("en")?)?);
    }
    match rows.into_keys().next() {
        Some(key) => Err(place.fail(key.span(), format!("[refusal] knows no text «{}»", key.get_ref()))),
        None => Ok(Words(texts)),
    }
}
