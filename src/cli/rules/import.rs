//! `puomp rules import`.

use std::fmt;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use super::undo::undo;
use crate::cli::failure::Voice;
use crate::cli::flags::ListShape;
use crate::cli::out::{self, print};
use crate::cli::say::say;
use crate::cli::session::Session;
use crate::cli::ui::Ui;
use crate::cli::{Exit, Failure};
use crate::report::columns::fields;
use crate::rules::import::{Change, Edition, Importer, Plan, PlanError, Refusal, RowOutcome, Terms, plan_file, store, turn};
use crate::tables::RuleFiles;
use crate::texts::{Coded, ErrorClass, Key, Slot, display};

/// Arguments of `puomp rules import`.
#[derive(Debug, Args)]
pub(super) struct ImportArgs {
    /// Files with published rule books.
    #[arg(required_unless_present = "undo", value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Import also what would be refused as older, of the future, or a part.
    #[arg(long)]
    force: bool,
    /// Take the last import back.
    #[arg(long, conflicts_with = "paths")]
    undo: bool,
    /// Show what would change without storing it.
    #[arg(long)]
    dry_run: bool,
    /// Show all rules, including unchanged ones.
    #[arg(long)]
    full: bool,
    /// Form of the answer.
    #[arg(long, value_enum, default_value_t)]
    format: ListShape,
}

#[derive(Serialize)]
struct Difference<'a> {
    field: &'static str,
    ours: &'a str,
    theirs: &'a str,
}

#[derive(Serialize)]
struct Reason {
    field: &'static str,
    code: &'static str,
    text: String,
}

#[derive(Serialize)]
struct ImportedRow<'a> {
    id: &'a str,
    change: &'static str,
    inferred: bool,
    differences: Vec<Difference<'a>>,
    repairs: Vec<(&'static str, &'static str)>,
    readings: Vec<(&'static str, &'a str)>,
    why: Vec<Reason>,
    /// What a new or changed rule lacks in order to run.
    lacks: Option<Lacking<'a>>,
}

#[derive(Serialize)]
struct Lacking<'a> {
    state: &'static str,
    text: &'a str,
}

#[derive(Serialize)]
struct Import<'a> {
    file: String,
    book: &'a str,
    edition: &'a str,
    date: &'a str,
    stored: Option<String>,
    counts: Vec<(&'static str, usize)>,
    rows: Vec<ImportedRow<'a>>,
}

#[derive(Serialize)]
struct Body<'a> {
    imports: Vec<Import<'a>>,
}

/// A file that is refused, and why.
#[derive(Debug)]
struct NotTaken {
    file: PathBuf,
    refusal: Refusal,
}

impl Coded for NotTaken {
    fn key(&self) -> Key {
        Key::NsiRefused
    }

    fn slots(&self) -> Vec<(&'static str, Slot<'_>)> {
        vec![("file", Slot::Path(&self.file)), ("reason", Slot::Nested(&self.refusal))]
    }

    fn class(&self) -> ErrorClass {
        self.refusal.class()
    }
}

impl fmt::Display for NotTaken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        display(self, f)
    }
}

impl std::error::Error for NotTaken {}

impl ImportArgs {
    pub(super) fn run(&self, session: &Session<'_>) -> Result<Exit, Failure> {
        let Session { settings, ui, .. } = *session;
        let (folder, books) = (settings.rules_folder(), settings.books().map(|books| books.value));
        let (folder, books) = (folder.as_deref(), books.as_deref());
        if self.undo {
            return undo(folder, self.force, self.dry_run, self.format, session);
        }
        let terms = Terms { today: session.today(), force: self.force };
        let writes = folder.filter(|_| !self.dry_run);
        let _turn = writes.map(|folder| turn(folder).map_err(|e| Failure::Write(folder.to_owned(), e))).transpose()?;
        // What is published is compared with what is published. Another import may have made the folder meanwhile.
        let mut files = writes.filter(|folder| folder.is_dir()).map_or_else(|| session.files.federal(), RuleFiles::with_overlay);
        let mut plans: Vec<(&Path, Plan, Option<PathBuf>)> = Vec::new();
        let mut worst = Exit::Done;
        // The importer has its own texts; a folder of rules may override them.
        let mut importer = Importer::new(&files, books)?;
        for path in &self.paths {
            let plan = match plan_file(&importer, path, terms) {
                Ok(plan) => plan,
                Err(PlanError::Table(error)) => return Err(error.into()),
                Err(PlanError::Refused(refusal)) => {
                    self.refuse(path, refusal, ui);
                    worst = worst.max(if self.paths.len() == 1 { Exit::Input } else { Exit::Findings });
                    continue;
                }
            };
            let mut stored = None;
            if let Some(folder) = writes.filter(|_| !plan.tables.is_empty()) {
                store(&plan, folder).map_err(|e| Failure::Write(folder.to_owned(), e))?;
                stored = Some(folder.to_owned());
                // The next file is compared with the rules that this one has brought.
                files = RuleFiles::with_overlay(folder);
                importer = Importer::new(&files, books)?;
            }
            plans.push((path, plan, stored));
        }
        match self.format {
            ListShape::Human => print(&plans.iter().map(|p| self.human(p, &importer, ui)).collect::<String>())?,
            ListShape::Json => out::json(&Body { imports: plans.iter().map(|p| self.import(p, &importer, ui)).collect() })?,
            ListShape::Csv => out::csv(session, &self.lines(&plans, &importer, ui), cell)?,
        }
        Ok(worst)
    }

    fn shown<'a>(&'a self, plan: &'a Plan) -> impl Iterator<Item = &'a RowOutcome> {
        plan.rows.iter().filter(|r| self.full || !matches!(r.change, Change::Same | Change::Kept) || !r.repairs.is_empty() || !r.readings.is_empty())
    }

    /// Reports that a file is refused. The other files are still imported.
    fn refuse(&self, path: &Path, refusal: Refusal, ui: &Ui<'_>) {
        let refused = NotTaken { file: path.to_owned(), refusal };
        match self.format {
            ListShape::Json => Voice::Json.tell(&refused, ui.texts, ui.lang),
            ListShape::Human | ListShape::Csv => say(&ui.texts.error(&refused, ui.lang)),
        }
    }

    fn human(&self, (path, plan, stored): &(&Path, Plan, Option<PathBuf>), importer: &Importer, ui: &Ui<'_>) -> String {
        let lang = ui.lang;
        let text = |key: &str, slots: &[(&str, &str)]| importer.text(key, lang, slots) + "\n";
        let count: usize = plan.rows.iter().filter(|r| !matches!(r.change, Change::Kept | Change::Ended | Change::Removed)).count();
        let head = if plan.edition.edition.is_empty() { "head.no-edition" } else { "head" };
        let mut out =
            text(head, &[("book", &plan.edition.book), ("edition", &plan.edition.edition), ("date", &plan.edition.date), ("rows", &count.to_string())]);
        if ui.quiet {
            return String::new();
        }
        for row in self.shown(plan) {
            let word = importer.text(&format!("change.{}", row.change.as_str()), lang, &[]);
            out.push_str(&format!("{}  {word}\n", row.id));
            for d in &row.differences {
                out.push_str("    ");
                out.push_str(&text("line.difference", &[("field", d.field.as_str()), ("ours", &d.ours), ("theirs", &d.theirs)]));
            }
            for (field, why) in &row.why {
                out.push_str(&format!("    {}: {}\n", field.as_str(), importer.why(why, lang)));
            }
            if let Some((_, reason)) = &row.lacks {
                out.push_str("    ");
                out.push_str(&text("line.lacks", &[("reason", reason.get(lang))]));
            }
            let list = |words: Vec<String>| words.join(", ");
            if !row.repairs.is_empty() {
                let words =
                    row.repairs.iter().map(|(f, r)| format!("{} ({})", importer.text(&format!("repair.{}", r.as_str()), lang, &[]), f.as_str())).collect();
                out.push_str("    ");
                out.push_str(&text("line.repairs", &[("list", &list(words))]));
            }
            if !row.readings.is_empty() {
                let words = row.readings.iter().map(|(f, r)| format!("{} ({})", importer.text(&format!("reading.{r}"), lang, &[]), f.as_str())).collect();
                out.push_str("    ");
                out.push_str(&text("line.readings", &[("list", &list(words))]));
            }
        }
        let counts: Vec<String> = Change::ALL
            .iter()
            .filter(|c| plan.count(**c) > 0)
            .map(|c| format!("{}: {}", importer.text(&format!("change.{}", c.as_str()), lang, &[]), plan.count(*c)))
            .collect();
        out.push_str(&format!("{}\n", counts.join(", ")));
        if plan.rows.iter().all(|r| matches!(r.change, Change::Same | Change::Kept)) {
            out.push_str(&text("head.none", &[]));
        }
        match stored {
            Some(folder) => out.push_str(&text("stored", &[("folder", &folder.display().to_string())])),
            None if self.dry_run || plan.tables.is_empty() => {}
            None => out.push_str(&text("not-stored", &[("file", &path.display().to_string())])),
        }
        out
    }

    fn import<'a>(&'a self, (path, plan, stored): &'a (&Path, Plan, Option<PathBuf>), importer: &Importer, ui: &Ui<'_>) -> Import<'a> {
        let row = |r: &'a RowOutcome| ImportedRow {
            id: &r.id,
            change: r.change.as_str(),
            inferred: r.inferred,
            differences: r.differences.iter().map(|d| Difference { field: d.field.as_str(), ours: &d.ours, theirs: &d.theirs }).collect(),
            repairs: r.repairs.iter().map(|(f, r)| (f.as_str(), r.as_str())).collect(),
            readings: r.readings.iter().map(|(f, r)| (f.as_str(), r.as_str())).collect(),
            why: r.why.iter().map(|(f, w)| Reason { field: f.as_str(), code: w.as_str(), text: importer.why(w, ui.lang) }).collect(),
            lacks: r.lacks.as_ref().map(|(standing, reason)| Lacking { state: standing.as_str(), text: reason.get(ui.lang) }),
        };
        Import {
            file: path.display().to_string(),
            book: &plan.edition.book,
            edition: &plan.edition.edition,
            date: &plan.edition.date,
            stored: stored.as_ref().map(|p| p.display().to_string()),
            counts: Change::ALL.iter().map(|c| (c.as_str(), plan.count(*c))).collect(),
            rows: self.shown(plan).map(row).collect(),
        }
    }

    /// The changes, one row for each changed field.
    fn lines(&self, plans: &[(&Path, Plan, Option<PathBuf>)], importer: &Importer, ui: &Ui<'_>) -> Vec<Line> {
        let mut lines = Vec::new();
        for (path, plan, _) in plans {
            for row in self.shown(plan) {
                let mut line = |field: &str, ours: &str, theirs: &str, why: &str| {
                    let [field, ours, theirs, why] = [field, ours, theirs, why].map(str::to_owned);
                    let Edition { book, edition, .. } = plan.edition.clone();
                    lines.push(Line {
                        file: path.display().to_string(),
                        book,
                        edition,
                        id: row.id.clone(),
                        change: row.change.as_str(),
                        field,
                        ours,
                        theirs,
                        why,
                    });
                };
                row.differences.iter().for_each(|d| line(d.field.as_str(), &d.ours, &d.theirs, ""));
                row.why.iter().for_each(|(f, w)| line(f.as_str(), "", "", &importer.why(w, ui.lang)));
                row.repairs.iter().for_each(|(f, r)| line(f.as_str(), "", "", r.as_str()));
                row.readings.iter().for_each(|(f, r)| line(f.as_str(), "", "", r));
                row.lacks.iter().for_each(|(_, reason)| line("", "", "", reason.get(ui.lang)));
                if row.differences.is_empty() && row.why.is_empty() && row.repairs.is_empty() && row.readings.is_empty() && row.lacks.is_none() {
                    line("", "", "", "");
                }
            }
        }
        lines
    }
}

/// A field of a rule that an import changes.
struct Line {
    file: String,
    book: String,
    edition: String,
    id: String,
    change: &'static str,
    field: String,
    ours: String,
    theirs: String,
    why: String,
}

fields!(
    /// The columns of a change.
    OfLine,
    "rules",
    "imports",
    File,
    Book,
    Edition,
    Id,
    Change,
    Field,
    Ours,
    Theirs,
    Why
);

fn cell(column: OfLine, line: &Line) -> String {
    match column {
        OfLine::File => &line.file,
        OfLine::Book => &line.book,
        OfLine::Edition => &line.edition,
        OfLine::Id => &line.id,
        OfLine::Change => line.change,
        OfLine::Field => &line.field,
        OfLine::Ours => &line.ours,
        OfLine::Theirs => &line.theirs,
        OfLine::Why => &line.why,
    }
    .to_owned()
}
