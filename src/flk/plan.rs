//! The checks of one format, compiled from the format's table and `rules/structure.csv` into what the walker needs at each element.

use std::collections::BTreeMap;

use crate::finding::{Catalog, Check, RuleIx};
use crate::registry::format::value::Base;
use crate::registry::format::{Format, NameKey, Node, NodeId, PERSONS, Role};
use crate::tables::TableError;

/// Prefix of roles in `rules/structure.csv` that mean an element of the person file.
const OF_PERSONS: &str = "person.";

/// What the walker does at an element besides checking its structure.
#[derive(Debug, Default)]
pub(super) struct Hooks {
    /// The number in this element, which later findings carry.
    pub(super) context: Option<Context>,
    /// Role under which the value is kept as a head value.
    pub(super) head: Option<Role>,
    /// Keys of the whole file with this value: indexes into [`Plan::keys`].
    pub(super) keys: Vec<usize>,
    /// Keys within a block with this value: indexes into [`Plan::local_keys`].
    pub(super) local_keys: Vec<usize>,
    /// Sums of which this value is an addend: indexes into [`Plan::sums`].
    pub(super) addends: Vec<usize>,
    /// Sums of which this value is the total: indexes into [`Plan::sums`].
    pub(super) totals: Vec<usize>,
    /// Counters of this element's occurrences: indexes into [`Plan::counts`].
    pub(super) counts: Vec<usize>,
    /// Position among the compared elements of a person's identity.
    pub(super) identity: Option<usize>,
    /// Local key sets that are emptied when this element opens.
    pub(super) opens_keys: Vec<usize>,
    /// Local sums that are reset when this element opens.
    pub(super) opens_sums: Vec<usize>,
    /// Counter of the report that this element adds to.
    pub(super) tally: Option<Tally>,
}

/// Numbers by which users find a record, case, case part, service or person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Context {
    NZap,
    IdPac,
    IdCase,
    SlId,
    IdServ,
}

/// Counters that a report shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tally {
    Record,
    Case,
    Service,
    CaseSum,
}

/// A key that must be unique in the file, or be found in the other file of the package.
#[derive(Debug)]
pub(super) struct FileKey {
    pub(super) element: NodeId,
    /// Whether the key is a number; then `01` and `1` are equal.
    pub(super) numeric: bool,
    /// Rule that a repetition breaks; `None` if repetitions are allowed (ID_PAC of the main file).
    pub(super) unique: Option<RuleIx>,
    /// Rule that is broken when the other file of the package lacks the key; `None` if it need not have it.
    pub(super) absent: Option<RuleIx>,
}

/// A key that must be unique within a block.
#[derive(Debug)]
pub(super) struct LocalKey {
    pub(super) rule: RuleIx,
}

/// The check that `total` equals the sum of its addends.
#[derive(Debug)]
pub(super) struct Sum {
    pub(super) rule: RuleIx,
    pub(super) total: NodeId,
    /// Whether the total stands outside the records; then the sum runs over the whole file.
    pub(super) of_file: bool,
}

/// The check that the number in `declared` equals the number of counted elements.
#[derive(Debug)]
pub(super) struct Count {
    pub(super) rule: RuleIx,
    pub(super) declared: Role,
}

/// The check that a head value agrees with a part of the file's name.
#[derive(Debug)]
pub(super) struct NamePart {
    pub(super) rule: RuleIx,
    pub(super) role: Role,
    pub(super) part: Part,
}

/// A part of a file name that a head value repeats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// Code of the sending clinic: Ni when Pi is M.
    SenderClinic,
    /// Code of the receiving insurer: Np when Pp is S.
    ReceiverInsurer,
    Year,
    Month,
}

/// The compiled checks of one format.
#[derive(Debug)]
pub(super) struct Plan {
    /// Children of each node with their names, in the order of the format.
    pub(super) children: Vec<Vec<(NameKey, NodeId)>>,
    /// Hooks of each node; `None` if it has none.
    pub(super) hooks: Vec<Option<Box<Hooks>>>,
    /// First node of each element name, to tell misplaced elements from unknown ones.
    pub(super) places: BTreeMap<Box<str>, NodeId>,
    pub(super) record: NodeId,
    pub(super) keys: Vec<FileKey>,
    pub(super) local_keys: Vec<LocalKey>,
    pub(super) sums: Vec<Sum>,
    pub(super) counts: Vec<Count>,
    pub(super) name_parts: Vec<NamePart>,
    /// Rule about persons that occur twice, with the number of compared elements.
    pub(super) same_person: Option<(RuleIx, usize)>,
    rules: BTreeMap<Check, RuleIx>,
}

impl Plan {
    /// Compiles the rows of the catalog that concern a format.
    ///
    /// # Errors
    /// A row names a role or a part of the name that does not exist.
    pub(super) fn new(format: &Format, catalog: &Catalog) -> Result<Self, TableError> {
        let mut hooks: Vec<Option<Box<Hooks>>> = format.nodes().iter().map(|node| base_hooks(format, node)).collect();
        let mut plan = Self {
            children: format.nodes().iter().map(|n| n.children.iter().map(|c| (format.node(*c).key, *c)).collect()).collect(),
            hooks: Vec::new(),
            places: BTreeMap::new(),
            record: format.role(Role::Record).unwrap_or(format.root()),
            keys: Vec::new(),
            local_keys: Vec::new(),
            sums: Vec::new(),
            counts: Vec::new(),
            name_parts: Vec::new(),
            same_person: None,
            rules: Check::ALL.iter().map(|c| (*c, catalog.of(*c))).collect(),
        };
        for id in format.ids() {
            plan.places.entry(format.node(id).name.clone()).or_insert(id);
        }
        for (rule, row) in catalog.rules() {
            plan.add(format, &mut hooks, rule, row).map_err(|e| TableError::new("structure.csv", 0, format!("{}: {e}", row.id)))?;
        }
        plan.hooks = hooks;
        Ok(plan)
    }

    /// Position of the record among the children of the root.
    pub(super) fn record_position(&self, format: &Format) -> usize {
        usize::from(format.node(self.record).position)
    }

    /// The rule of a structural check.
    pub(super) fn rule(&self, check: Check) -> RuleIx {
        self.rules[&check]
    }

    fn add(&mut self, format: &Format, hooks: &mut [Option<Box<Hooks>>], rule: RuleIx, row: &crate::finding::Rule) -> Result<(), String> {
        let find = |words: &[String]| first_role(format, words);
        let hook = |hooks: &mut [Option<Box<Hooks>>], id: NodeId, set: &mut dyn FnMut(&mut Hooks)| set(hooks[usize::from(id.0)].get_or_insert_default());
        match row.check {
            Some(Check::Unique) => {
                let (Some(element), scope) = (find(&row.element)?, find(&row.other)?) else { return Ok(()) };
                if scope == Some(format.root()) {
                    let index = self.file_key(format, element);
                    self.keys[index].unique = Some(rule);
                    hook(hooks, element, &mut |h| h.keys.push(index));
                } else if let Some(scope) = scope {
                    let index = self.local_keys.len();
                    self.local_keys.push(LocalKey { rule });
                    hook(hooks, element, &mut |h| h.local_keys.push(index));
                    hook(hooks, scope, &mut |h| h.opens_keys.push(index));
                }
            }
            Some(Check::PersonAbsent | Check::PersonIdle) => {
                let Some(element) = find(&row.element)? else { return Ok(()) };
                let index = self.file_key(format, element);
                if self.keys[index].absent.replace(rule).is_some() {
                    return Err("two rows for one side of the join".to_owned());
                }
                hook(hooks, element, &mut |h| {
                    if !h.keys.contains(&index) {
                        h.keys.push(index);
                    }
                });
            }
            Some(Check::SamePerson) if format.family == PERSONS => {
                for (position, word) in row.element.iter().enumerate() {
                    let role: Role = word.parse()?;
                    if let Some(id) = format.role(role) {
                        hook(hooks, id, &mut |h| h.identity = Some(position));
                    }
                }
                self.same_person = Some((rule, row.element.len()));
                hook(hooks, self.record, &mut |_| {});
            }
            Some(Check::Sum) => {
                let (Some(total), Some(addend)) = (find(&row.element)?, find(&row.other)?) else { return Ok(()) };
                let index = self.sums.len();
                let of_file = !format.is_within(total, self.record);
                self.sums.push(Sum { rule, total, of_file });
                hook(hooks, total, &mut |h| h.totals.push(index));
                hook(hooks, addend, &mut |h| h.addends.push(index));
                if let (false, Some(scope)) = (of_file, format.node(total).parent) {
                    hook(hooks, scope, &mut |h| h.opens_sums.push(index));
                }
            }
            Some(Check::Count) => {
                let (Some(declared), Some(counted)) = (find(&row.element)?, find(&row.other)?) else { return Ok(()) };
                let Some(role) = format.node(declared).role else { return Ok(()) };
                let index = self.counts.len();
                self.counts.push(Count { rule, declared: role });
                hook(hooks, counted, &mut |h| h.counts.push(index));
            }
            Some(Check::NamePart) if format.family != PERSONS => {
                let [role] = row.element.as_slice() else { return Err("one role is due".to_owned()) };
                let [part] = row.other.as_slice() else { return Err("one part of the name is due".to_owned()) };
                let part = match part.as_str() {
                    "sender-mo" => Part::SenderClinic,
                    "receiver-smo" => Part::ReceiverInsurer,
                    "year" => Part::Year,
                    "month" => Part::Month,
                    other => return Err(format!("no part «{other}» of a file name")),
                };
                self.name_parts.push(NamePart { rule, role: role.parse()?, part });
            }
            _ => {}
        }
        Ok(())
    }

    fn file_key(&mut self, format: &Format, element: NodeId) -> usize {
        if let Some(index) = self.keys.iter().position(|k| k.element == element) {
            return index;
        }
        let numeric = format.node(element).value_type().is_some_and(|kind| kind.base() == Base::Number);
        self.keys.push(FileKey { element, numeric, unique: None, absent: None });
        self.keys.len() - 1
    }
}

/// The element of the first listed role that the format has; `None` if it has none, or if the row is about the other file of the package.
fn first_role(format: &Format, words: &[String]) -> Result<Option<NodeId>, String> {
    let mut found = None;
    for word in words {
        let (family_fits, word) = match word.strip_prefix(OF_PERSONS) {
            Some(word) => (format.family == PERSONS, word),
            // Both the main file and the person file have a root.
            None => (format.family != PERSONS || word == "root", word.as_str()),
        };
        let role: Role = word.parse()?;
        if family_fits && found.is_none() {
            found = format.role(role);
        }
    }
    Ok(found)
}

fn base_hooks(format: &Format, node: &Node) -> Option<Box<Hooks>> {
    let role = node.role?;
    let in_record = format.role(Role::Record).is_some_and(|r| node.path.starts_with(&*format.node(r).path));
    let mut hooks = Hooks::default();
    match role {
        Role::NZap => hooks.context = Some(Context::NZap),
        Role::IdPac => hooks.context = Some(Context::IdPac),
        Role::IdCase => hooks.context = Some(Context::IdCase),
        Role::SlId => hooks.context = Some(Context::SlId),
        Role::IdServ => hooks.context = Some(Context::IdServ),
        Role::Record => hooks.tally = Some(Tally::Record),
        Role::Case => hooks.tally = Some(Tally::Case),
        Role::Service => hooks.tally = Some(Tally::Service),
        Role::CaseSum => hooks.tally = Some(Tally::CaseSum),
        _ if !in_record && node.value_type().is_some() => hooks.head = Some(role),
        Role::Part => {}
        _ => return None,
    }
    Some(Box::new(hooks))
}
