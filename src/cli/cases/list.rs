//! `puomp cases`: the list, and the way to the story of one case.

use std::io::{self, IsTerminal as _, Write as _};
use std::path::PathBuf;

use clap::Args;

use super::line::{SHOWN, Shape, lines, state_key};
use super::{one, open, story};
use crate::api::cases as api;
use crate::cases::CaseState;
use crate::cli::flags::{PlaceArgs, TableShape};
use crate::cli::out::{self, Target};
use crate::cli::session::Session;
use crate::cli::{Exit, Failure};
use crate::report::xlsx;
use crate::sys::Access;
use crate::texts::{ErrorClass, Key};
use crate::values::{Date, Month};
use crate::workspace::{CaseLine, CaseQuery, Problem, Workspace};

/// Arguments of the list.
#[derive(Debug, Args)]
pub(super) struct ListArgs {
    /// The case whose story is told.
    #[arg(value_name = "CASE", conflicts_with_all = ["state", "registry", "period", "payer", "rule", "doctor", "unit", "mo", "since"])]
    case: Option<String>,
    /// Only in these states.
    #[arg(long, value_name = "STATE", value_delimiter = ',')]
    state: Vec<String>,
    /// Only those of this registry.
    #[arg(long, value_name = "REG")]
    registry: Option<String>,
    /// Only of this month.
    #[arg(long, value_name = "YYYY-MM")]
    period: Option<Month>,
    /// Only for this payer.
    #[arg(long, value_name = "CODE")]
    payer: Option<String>,
    /// Only those with findings of this rule.
    #[arg(long, value_name = "ID")]
    rule: Option<String>,
    /// Only those of this doctor.
    #[arg(long, value_name = "CODE")]
    doctor: Option<String>,
    /// Only those of this department or subdivision.
    #[arg(long, value_name = "CODE")]
    unit: Option<String>,
    /// Only those of this clinic.
    #[arg(long, value_name = "CODE")]
    mo: Option<String>,
    /// What came and went since this day.
    #[arg(long, value_name = "YYYY-MM-DD")]
    since: Option<String>,
    /// Form of the answer.
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    format: TableShape,
    /// Where the answer goes instead of standard output.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Show personal numbers whole.
    #[arg(long)]
    show_personal: bool,
    #[command(flatten)]
    place: PlaceArgs,
}

impl ListArgs {
    pub(super) fn run(&self, session: &Session<'_>) -> Result<Exit, Failure> {
        if self.format == TableShape::Xlsx && self.output.is_none() && io::stdout().is_terminal() {
            return Err(Failure::said(ErrorClass::Usage, Key::XlsxNeedsFile, &[]));
        }
        if self.case.is_some() && matches!(self.format, TableShape::Csv | TableShape::Xlsx) {
            let format = if self.format == TableShape::Csv { "csv" } else { "xlsx" };
            return Err(Failure::Value(format.to_owned(), "human, json".to_owned()));
        }
        let mut workspace = open(&self.place, session)?;
        let mask = workspace.mask()?;
        let shape = Shape::new(session, &workspace, &mask, self.show_personal)?;
        let access = if self.show_personal { Access::Private } else { Access::Default };
        if let Some(name) = &self.case {
            let case = one(&mut workspace, name, &shape)?;
            let story = workspace.story(&case)?;
            let bytes =
                if self.format == TableShape::Json { out::json_bytes(&story::wire(&story, &shape))? } else { story::human(&story, &shape).into_bytes() };
            workspace.close();
            return self.write(&bytes, access);
        }
        let query = self.query(session, &mut workspace)?;
        let (mut number, mut sum, mut kept) = (0, 0, Vec::new());
        let is_human = self.format == TableShape::Human;
        if self.format == TableShape::Csv {
            return self.csv(&mut workspace, &query, &shape, access);
        }
        workspace.cases(&query, &mut |line: CaseLine| {
            number += 1;
            sum += line.case.sum;
            if !is_human || kept.len() < SHOWN {
                kept.push(line);
            }
            Ok(())
        })?;
        workspace.close();
        let bytes = match self.format {
            TableShape::Json => out::json_bytes(&api::Cases { cases: kept.iter().map(|line| shape.wire(line)).collect() })?,
            TableShape::Xlsx => {
                let sheet =
                    shape.columns.sheet(session.ui.texts.get(Key::CasesSheet, session.ui.lang), &kept, session.ui.lang, |field, line| shape.cell(field, line));
                xlsx::workbook(&[sheet], session.ui.texts, session.ui.lang).map_err(Failure::Stream)?
            }
            _ => human(&kept, number, sum, &shape).into_bytes(),
        };
        self.write(&bytes, access)
    }

    /// Writes the list while it is read, because there may be a million cases.
    fn csv(&self, workspace: &mut Workspace, query: &CaseQuery, shape: &Shape<'_, '_>, access: Access) -> Result<Exit, Failure> {
        let mut target = Target::new(self.output.as_deref(), access, None)?;
        let mut table = shape.columns.begin(&mut target, shape.ui.lang).map_err(Failure::Stream)?;
        workspace.cases(query, &mut |line: CaseLine| shape.columns.row(&mut table, |field| shape.plain(field, &line)).map_err(Problem::Stream))?;
        table.finish().map_err(Failure::Stream)?;
        drop(table);
        target.commit()?;
        Ok(Exit::Done)
    }

    fn write(&self, bytes: &[u8], access: Access) -> Result<Exit, Failure> {
        let mut target = Target::new(self.output.as_deref(), access, None)?;
        target.write_all(bytes)?;
        target.commit()?;
        Ok(Exit::Done)
    }

    fn query(&self, session: &Session<'_>, workspace: &mut Workspace) -> Result<CaseQuery, Failure> {
        let ui = session.ui;
        let state = |word: &String| {
            let is_it = |state: &CaseState| state.as_str() == word || ui.texts.get(state_key(*state), ui.lang).to_lowercase() == word.to_lowercase();
            let known = || CaseState::ALL.map(|state| ui.texts.get(state_key(state), ui.lang)).join(", ");
            CaseState::ALL.into_iter().find(is_it).ok_or_else(|| Failure::Value(word.clone(), known()))
        };
        let since = match &self.since {
            None => None,
            Some(text) => {
                let wrong = || Failure::Value(text.clone(), "YYYY-MM-DD".to_owned());
                Some(Date::parse(text).and_then(|day| session.begin_of(day)).ok_or_else(wrong)?)
            }
        };
        Ok(CaseQuery {
            states: self.state.iter().map(state).collect::<Result<_, _>>()?,
            registry: self.registry.as_ref().map(|name| workspace.registry(name)).transpose()?,
            mo: self.mo.clone(),
            period: self.period,
            payer: self.payer.clone(),
            rule: self.rule.clone(),
            doctor: self.doctor.clone(),
            unit: self.unit.clone(),
            since,
        })
    }
}

/// The list on the screen, with what all of its cases come to.
fn human(kept: &[CaseLine], number: u64, sum: i64, shape: &Shape<'_, '_>) -> String {
    let ui = shape.ui;
    if number == 0 {
        return ui.texts.get(Key::CasesEmpty, ui.lang).to_owned() + "\n";
    }
    let mut out = lines(kept, shape);
    let more = number - kept.len() as u64;
    if more > 0 {
        out += &format!("{}\n", ui.texts.fill(Key::CasesMore, ui.lang, &[("cases", &ui.texts.count(Key::CountCase, ui.lang, more))]));
    }
    let slots = [("cases", &*ui.texts.count(Key::CountCase, ui.lang, number)), ("sum", &ui.texts.money(ui.lang, sum))];
    out + &ui.texts.fill(Key::CasesTotal, ui.lang, &slots) + "\n"
}
