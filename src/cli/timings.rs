//! `--timings` for people: one line for each phase.

use super::say::say;
use super::ui::Ui;
use crate::texts::Key;
use crate::timings::{Phase, Timings};

/// Prints how long each phase took, if it was measured.
pub(super) fn tell(timings: Option<&Timings>, ui: &Ui<'_>) {
    if let Some(timings) = timings {
        say(&table(timings, ui));
    }
}

/// Time and bytes by phase, and how long the run took.
fn table(timings: &Timings, ui: &Ui<'_>) -> String {
    let decimal = |thousandths: u128, digits: usize| {
        let whole = ui.texts.number(ui.lang, u64::try_from(thousandths / 1000).unwrap_or(u64::MAX));
        let part = format!("{:03}", thousandths % 1000);
        format!("{whole}{}{}", ui.texts.get(Key::NumberPoint, ui.lang), &part[..digits])
    };
    let rows: Vec<[String; 3]> = timings
        .taken()
        .map(|taken| {
            let size = if taken.bytes > 0 { decimal(u128::from(taken.bytes / 1000), 1) } else { String::new() };
            [ui.texts.get(name(taken.phase), ui.lang).to_owned(), decimal(taken.thread_time.as_millis(), 3), size]
        })
        .collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let (phases, times, sizes) = (width(0), width(1), width(2));
    let mut text = ui.texts.fill(Key::TimingsHead, ui.lang, &[("wall", &decimal(timings.wall_time().as_millis(), 3))]);
    for [phase, time, size] in &rows {
        let key = if size.is_empty() { Key::TimingsRow } else { Key::TimingsRowBytes };
        let (phase, time, size) = (format!("{phase:phases$}"), format!("{time:>times$}"), format!("{size:>sizes$}"));
        text.push('\n');
        text.push_str(&ui.texts.fill(key, ui.lang, &[("phase", &phase), ("time", &time), ("size", &size)]));
    }
    text
}

fn name(phase: Phase) -> Key {
    match phase {
        Phase::Find => Key::TimingsFind,
        Phase::Open => Key::TimingsOpen,
        Phase::Inflate => Key::TimingsInflate,
        Phase::Digest => Key::TimingsDigest,
        Phase::Structure => Key::TimingsStructure,
        Phase::Rules => Key::TimingsRules,
        Phase::Persons => Key::TimingsPersons,
        Phase::Report => Key::TimingsReport,
        Phase::Store => Key::TimingsStore,
        Phase::Lock => Key::TimingsLock,
        Phase::Forming => Key::TimingsForming,
    }
}
