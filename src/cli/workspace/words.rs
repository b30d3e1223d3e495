//! Phrases about a workspace in the user's language.

use super::super::Failure;
use super::super::ui::Ui;
use super::shown;
use crate::report::xlsx::Cell;
use crate::values::Date;
use crate::workspace::Problem;

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        match problem {
            Problem::Stream(error) | Problem::Runtime(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Self::Pipe,
            // Show the path relative to the user's current folder.
            Problem::Unplaced(number, path, cause) => Self::of(Problem::Unplaced(number, shown(&path).into(), cause)),
            other => Self::of(other),
        }
    }
}

/// A moment in the time zone of the clinic, to the minute.
pub(in super::super) fn time(at: &str, ui: &Ui<'_>) -> String {
    ui.texts.moment(ui.lang, at)
}

/// The same as a cell of a table; a text that is no moment stays as it is.
pub(in super::super) fn moment(at: &str, ui: &Ui<'_>) -> Cell {
    let text = || Cell::Text(at.to_owned());
    let Ok(moment) = at.parse::<jiff::Timestamp>() else { return text() };
    let local = ui.zone().to_datetime(moment);
    let (year, month, day) = (u16::try_from(local.year()), u8::try_from(local.month()), u8::try_from(local.day()));
    let (hour, minute) = (u8::try_from(local.hour()), u8::try_from(local.minute()));
    match (year, month, day, hour, minute) {
        (Ok(year), Ok(month), Ok(day), Ok(hour), Ok(minute)) => Date::new(year, month, day).map_or_else(text, |date| Cell::Moment(date, hour, minute)),
        _ => text(),
    }
}
