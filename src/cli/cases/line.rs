//! Cases as people and programs see them.

use crate::api::cases as api;
use crate::cases::{About, CaseState};
use crate::cli::session::Session;
use crate::cli::ui::Ui;
use crate::cli::workspace::sanctions::without_numbers;
use crate::report::columns::{Columns, fields};
use crate::report::xlsx::{self, Cell};
use crate::sys::printable;
use crate::tables::TableError;
use crate::texts::Key;
use crate::texts::layout::columns;
use crate::values::{Date, money};
use crate::workspace::{CaseLine, Change, Mask, Reason, Tables, Workspace};

/// How many cases are shown on the screen.
pub(super) const SHOWN: usize = 50;
/// Characters of a value that are shown.
const LONGEST: usize = 40;
/// How many rules of one case are named on the screen.
const RULES: usize = 4;

fields!(
    /// The columns of a case.
    pub(super) OfCase,
    "cases",
    "cases",
    Case,
    Mo,
    Card,
    From,
    To,
    Days,
    Doctor,
    Unit,
    Subdivision,
    Profile,
    Conditions,
    Kind,
    Payer,
    Period,
    Sum,
    State,
    Registry,
    Change,
    Reason,
    NZap,
    Idcase,
    File,
    LoadedAt
);

/// How cases are shown.
pub(in crate::cli) struct Shape<'s, 'a> {
    pub(super) ui: &'s Ui<'a>,
    pub(super) tables: TableNames,
    pub(super) columns: Columns<OfCase>,
    mask: &'s Mask,
    is_personal: bool,
}

/// Names from the tables of a workspace.
pub(super) struct TableNames {
    kinds: Vec<(String, String)>,
    statuses: Vec<(String, String)>,
}

impl TableNames {
    fn of(tables: &Tables, ui: &Ui<'_>) -> Self {
        let kinds = tables.kinds.ids().filter_map(|id| Some((id.to_owned(), tables.kinds.get(id)?.title.get(ui.lang).to_owned()))).collect();
        let statuses = tables.workflow.statuses().iter().map(|status| (status.id.clone(), status.name.get(ui.lang).to_owned())).collect();
        Self { kinds, statuses }
    }

    fn name(list: &[(String, String)], id: &str) -> String {
        list.iter().find(|(own, _)| own == id).map_or_else(|| id.to_owned(), |(_, name)| name.clone())
    }

    pub(super) fn kind(&self, id: &str) -> String {
        Self::name(&self.kinds, id)
    }

    pub(super) fn status(&self, id: &str) -> String {
        Self::name(&self.statuses, id)
    }
}

impl<'s, 'a> Shape<'s, 'a> {
    pub(in crate::cli) fn new(session: &Session<'a>, workspace: &Workspace, mask: &'s Mask, is_personal: bool) -> Result<Self, TableError>
    where
        'a: 's,
    {
        let ui = session.ui;
        Ok(Self { ui, tables: TableNames::of(workspace.tables(), ui), columns: Columns::load(session.files)?, mask, is_personal })
    }

    /// A card number or a doctor's code.
    fn number(&self, value: &str) -> String {
        let value = printable(value, LONGEST);
        if self.is_personal { value } else { self.mask.shown(&value) }
    }

    fn text(&self, key: Key) -> String {
        self.ui.texts.get(key, self.ui.lang).to_owned()
    }

    /// The name of a state.
    pub(super) fn state(&self, line: &CaseLine) -> String {
        let is_blocked = line.reasons.iter().any(|reason| matches!(reason, Reason::Rules(_) | Reason::Package(_)));
        let state = line.case.state;
        if state == CaseState::Free && is_blocked { self.text(Key::CasesStateBlocked) } else { self.text(state_key(state)) }
    }

    /// The name of a state, with the registry that holds the case.
    pub(super) fn state_with_registry(&self, line: &CaseLine) -> String {
        format!("{} {}", self.state(line), line.case.registry).trim_end().to_owned()
    }

    /// Why a case has its state, in one line.
    pub(super) fn reasons(&self, line: &CaseLine) -> String {
        line.reasons.iter().map(|reason| self.reason(line, reason)).collect::<Vec<_>>().join("; ")
    }

    fn reason(&self, line: &CaseLine, reason: &Reason) -> String {
        let fill = |key, all: &str| self.ui.texts.fill(key, self.ui.lang, &[("all", all)]);
        let rules = |rules: &[String]| {
            let more = rules.len().saturating_sub(RULES);
            let shown = rules.iter().take(RULES).map(String::as_str).collect::<Vec<_>>().join(", ");
            if more == 0 { shown } else { format!("{shown} +{more}") }
        };
        match reason {
            Reason::Rules(all) => rules(all),
            Reason::Package(all) => fill(Key::CasesReasonPackage, &rules(all)),
            Reason::Refused(codes) => fill(Key::CasesReasonRefused, &codes.iter().filter(|code| !code.is_empty()).cloned().collect::<Vec<_>>().join(", ")),
            Reason::Said(text) => without_numbers(text),
            Reason::About(about, other) => {
                let key = match about {
                    About::Twice => Key::CasesAboutTwice,
                    About::OtherKey => Key::CasesAboutOtherKey,
                    About::Person => Key::CasesAboutPerson,
                    About::Family => Key::CasesAboutFamily,
                    About::Month => Key::CasesAboutMonth,
                    About::Paid => Key::CasesAboutPaid,
                    About::Dropped => Key::CasesAboutDropped,
                    About::Several => Key::CasesAboutSeveral,
                };
                self.ui.texts.fill(key, self.ui.lang, &[("case", &called(&line.case.mo, *other, line.is_alone))])
            }
        }
    }

    /// The cell in a column, for people.
    pub(super) fn cell(&self, field: OfCase, line: &CaseLine) -> Cell {
        let case = &line.case;
        let day = |number: i64| date(number).map_or_else(|| Cell::Text(String::new()), Cell::Day);
        match field {
            OfCase::Case => Cell::Text(name(line)),
            OfCase::Mo => Cell::Text(case.mo.clone()),
            OfCase::Card => Cell::Text(self.number(&case.history)),
            OfCase::From => day(case.date_from),
            OfCase::To => day(case.date_to),
            OfCase::Days => Cell::Text(self.days(line)),
            OfCase::Doctor => Cell::Text(self.number(&case.doctor)),
            OfCase::Unit => Cell::Text(case.unit.clone()),
            OfCase::Subdivision => Cell::Text(case.subdivision.clone()),
            OfCase::Profile => Cell::Text(case.profile.clone()),
            OfCase::Conditions => Cell::Text(case.conditions.clone()),
            OfCase::Kind => Cell::Text(self.tables.kind(&case.kind)),
            OfCase::Payer => Cell::Text(case.payer.clone()),
            OfCase::Period => case.period.parse().map_or_else(|_| Cell::Text(case.period.clone()), Cell::Month),
            OfCase::Sum => Cell::Money(case.sum),
            OfCase::State => Cell::Text(self.state_with_registry(line)),
            OfCase::Registry => Cell::Text(case.registry.clone()),
            OfCase::Change => Cell::Text(line.change.map_or_else(String::new, |change| {
                self.text(match change {
                    Change::New => Key::CasesChangeNew,
                    Change::Changed => Key::CasesChangeChanged,
                    Change::Gone => Key::CasesChangeGone,
                })
            })),
            OfCase::Reason => Cell::Text(self.reasons(line)),
            OfCase::NZap => Cell::Count(case.n_zap),
            OfCase::Idcase => Cell::Count(case.idcase),
            OfCase::File => Cell::Text(printable(&case.file, LONGEST)),
            OfCase::LoadedAt => crate::cli::workspace::words::moment(&case.loaded_at, self.ui),
        }
    }

    /// First and last day, as people write a stay.
    pub(super) fn days(&self, line: &CaseLine) -> String {
        let day = |number: i64| date(number).map_or_else(|| "?".to_owned(), |day| self.ui.texts.day(self.ui.lang, day));
        let (from, to) = (line.case.date_from, line.case.date_to);
        if from == to {
            return day(from);
        }
        match (date(from).map(Date::parts), date(to).map(Date::parts)) {
            (Some((year, month, first)), Some((same, other, last))) if year == same => {
                let two = |number: u8| format!("{number:02}");
                let slots = [("year", year.to_string()), ("month", two(month)), ("day", two(first)), ("month2", two(other)), ("day2", two(last))];
                let slots: Vec<(&str, &str)> = slots.iter().map(|(name, value)| (*name, value.as_str())).collect();
                self.ui.texts.fill(Key::CasesDays, self.ui.lang, &slots)
            }
            _ => format!("{}–{}", day(from), day(to)),
        }
    }

    /// The text in a column, for CSV: as in the JSON answer, sums in roubles.
    pub(super) fn plain(&self, field: OfCase, line: &CaseLine) -> String {
        let case = self.wire(line);
        match field {
            OfCase::Case => case.case,
            OfCase::Mo => case.mo,
            OfCase::Card => case.card,
            OfCase::From => case.from,
            OfCase::To => case.to,
            OfCase::Doctor => case.doctor,
            OfCase::Unit => case.unit,
            OfCase::Subdivision => case.subdivision,
            OfCase::Profile => case.profile,
            OfCase::Conditions => case.conditions,
            OfCase::Kind => case.kind,
            OfCase::Payer => case.payer,
            OfCase::Period => case.period,
            OfCase::Sum => money(case.sum_kopecks).replace('.', self.ui.texts.get(Key::NumberPoint, self.ui.lang)),
            OfCase::State => case.state,
            OfCase::Registry => case.registry,
            OfCase::Change => case.change.unwrap_or_default(),
            OfCase::NZap => case.n_zap.to_string(),
            OfCase::Idcase => case.idcase.to_string(),
            OfCase::File => case.file,
            OfCase::LoadedAt => case.loaded_at,
            OfCase::Days => self.days(line),
            OfCase::Reason => self.reasons(line),
        }
    }

    /// A case for programs.
    pub(super) fn wire(&self, line: &CaseLine) -> api::Case {
        let case = &line.case;
        let day = |number: i64| date(number).map_or_else(String::new, |day| day.to_string());
        api::Case {
            case: name(line),
            mo: case.mo.clone(),
            state: case.state.as_str().to_owned(),
            reasons: line.reasons.iter().map(|reason| wire_reason(line, reason)).collect(),
            change: line.change.map(|change| change.as_str().to_owned()),
            registry: case.registry.clone(),
            period: case.period.clone(),
            payer: case.payer.clone(),
            kind: case.kind.clone(),
            card: self.number(&case.history),
            doctor: self.number(&case.doctor),
            unit: case.unit.clone(),
            subdivision: case.subdivision.clone(),
            profile: case.profile.clone(),
            conditions: case.conditions.clone(),
            from: day(case.date_from),
            to: day(case.date_to),
            sum_kopecks: case.sum,
            n_zap: case.n_zap,
            idcase: case.idcase,
            file: case.file.clone(),
            loaded_at: case.loaded_at.clone(),
        }
    }
}

fn wire_reason(line: &CaseLine, reason: &Reason) -> api::Reason {
    let (kind, values) = match reason {
        Reason::Rules(rules) => ("rules", rules.clone()),
        Reason::Package(rules) => ("package", rules.clone()),
        Reason::Refused(codes) => ("refused", codes.clone()),
        Reason::Said(text) => ("said", vec![without_numbers(text)]),
        Reason::About(about, 0) => (about.as_str(), Vec::new()),
        Reason::About(about, other) => (about.as_str(), vec![called(&line.case.mo, *other, line.is_alone)]),
    };
    api::Reason { kind: kind.to_owned(), values }
}

/// What a case is called in commands.
pub(super) fn name(line: &CaseLine) -> String {
    called(&line.case.mo, line.case.id, line.is_alone)
}

/// What a version is called in commands: with its clinic unless there is only one.
pub(super) fn called(mo: &str, id: i64, is_alone: bool) -> String {
    if is_alone { format!("c{id}") } else { format!("{mo}:c{id}") }
}

/// The name of a state.
pub(super) fn state_key(state: CaseState) -> Key {
    match state {
        CaseState::Free => Key::CasesStateFree,
        CaseState::Held => Key::CasesStateHeld,
        CaseState::Waiting => Key::CasesStateWaiting,
        CaseState::Refused => Key::CasesStateRefused,
        CaseState::Question => Key::CasesStateQuestion,
        CaseState::Paid => Key::CasesStatePaid,
        CaseState::Replaced => Key::CasesStateReplaced,
        CaseState::Aside => Key::CasesStateAside,
        CaseState::Dropped => Key::CasesStateDropped,
        CaseState::Undone => Key::CasesStateUndone,
    }
}

/// The day of a number `yyyymmdd`.
fn date(number: i64) -> Option<Date> {
    u32::try_from(number).ok().filter(|number| *number > 0).and_then(Date::from_number)
}

/// Cases on the screen: a line for each, and below it why it has its state.
pub(in crate::cli) fn lines(cases: &[CaseLine], shape: &Shape<'_, '_>) -> String {
    let shown = shape.columns.human();
    let has_change = cases.iter().any(|line| line.change.is_some());
    let shown: Vec<_> = shown.into_iter().filter(|column| column.field != OfCase::Change || has_change).collect();
    let head = shown.iter().map(|column| column.title(shape.ui.lang).to_owned()).collect();
    let row = |line: &CaseLine| shown.iter().map(|column| xlsx::shown(&shape.cell(column.field, line), shape.ui.texts, shape.ui.lang)).collect();
    let table = columns(&std::iter::once(head).chain(cases.iter().map(row)).collect::<Vec<_>>());
    let mut out = String::new();
    for (at, text) in table.lines().enumerate() {
        out += text;
        out.push('\n');
        let reasons = at.checked_sub(1).and_then(|at| cases.get(at)).map(|line| shape.reasons(line)).unwrap_or_default();
        if !reasons.is_empty() {
            out += &format!("  {reasons}\n");
        }
    }
    out
}
