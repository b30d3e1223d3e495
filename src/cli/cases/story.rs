//! The story of one case: versions, findings, registries, decisions, and what users did.

use super::line::{Shape, called, name};
use crate::api::cases as api;
use crate::cli::workspace::sanctions::without_numbers;
use crate::cli::workspace::words::time;
use crate::sys::printable;
use crate::texts::Key;
use crate::texts::layout::columns;
use crate::workspace::{CaseLine, Story};

/// What a version of the story is called.
fn of(story: &Story, id: i64) -> String {
    story.versions.first().map_or_else(String::new, |line| called(&line.case.mo, id, line.is_alone))
}

/// The story for people.
pub(super) fn human(story: &Story, shape: &Shape<'_, '_>) -> String {
    let ui = shape.ui;
    let text = |key| ui.texts.get(key, ui.lang);
    let mut out = String::new();
    let mut part = |key, rows: Vec<Vec<String>>| {
        if !rows.is_empty() {
            out += &format!("{}\n", text(key));
            columns(&rows).lines().for_each(|line| out += &format!("  {line}\n"));
        }
    };
    let version = |line: &CaseLine| {
        let case = &line.case;
        let numbers = format!("N_ZAP {} · IDCASE {}", case.n_zap, case.idcase);
        vec![name(line), time(&case.loaded_at, ui), numbers, ui.texts.money(ui.lang, case.sum), shape.state_with_registry(line)]
    };
    part(Key::CasesStoryVersions, story.versions.iter().map(version).collect());
    let mut files: Vec<Vec<String>> = story.versions.iter().map(|line| vec![name(line), printable(&line.case.file, 200)]).collect();
    files.dedup();
    part(Key::CasesStoryFiles, files);
    let findings = story.findings.iter().map(|finding| {
        let whose = if finding.case_id == 0 { text(Key::CasesStoryPackage).to_owned() } else { of(story, finding.case_id) };
        vec![whose, finding.rule.clone(), finding.path.clone(), ui.texts.fill(Key::CasesStoryLine, ui.lang, &[("line", &finding.line.to_string())])]
    });
    part(Key::CasesStoryFindings, findings.collect());
    let registries = story.registries.iter().map(|member| {
        let numbers = format!("N_ZAP {} · IDCASE {}", member.n_zap, member.idcase);
        let status = shape.tables.status(&member.status);
        let revision = ui.texts.fill(Key::CasesStoryRevision, ui.lang, &[("number", &member.revision.to_string())]);
        vec![of(story, member.case_id), member.number.clone(), revision, numbers, status]
    });
    part(Key::CasesStoryRegistries, registries.collect());
    let against = story
        .against
        .iter()
        .map(|held| vec![of(story, held.case_id), held.number.clone(), held.code.clone(), ui.texts.money(ui.lang, held.sum), without_numbers(&held.comment)]);
    part(Key::CasesStoryDecisions, against.collect());
    let notes = story.notes.iter().map(|note| {
        let action = match note.action.as_str() {
            "drop" => text(Key::CasesActionDrop),
            "hold" => text(Key::CasesActionHold),
            "release" => text(Key::CasesActionRelease),
            "undo" => text(Key::CasesActionUndo),
            other => other,
        };
        vec![time(&note.at, ui), note.by.clone(), action.to_owned(), without_numbers(&note.reason)]
    });
    part(Key::CasesStoryActions, notes.collect());
    let head = story.versions.last().map_or_else(String::new, |last| super::lines(std::slice::from_ref(last), shape));
    let mut out = head + &out;
    if !story.alike.is_empty() {
        out += &format!("{}\n", text(Key::CasesStoryAlike));
        super::lines(&story.alike, shape).lines().for_each(|line| out += &format!("  {line}\n"));
    }
    out
}

/// The story for programs.
pub(super) fn wire(story: &Story, shape: &Shape<'_, '_>) -> api::Story {
    let of_case = |id: i64| if id == 0 { String::new() } else { of(story, id) };
    let finding = |f: &crate::workspace::CaseFinding| api::Finding {
        case: of_case(f.case_id),
        rule: f.rule.clone(),
        severity: f.severity.clone(),
        file: f.file.clone(),
        line: f.line,
        path: f.path.clone(),
        count: f.count,
    };
    let member = |m: &crate::workspace::CaseMember| api::Member {
        case: of_case(m.case_id),
        registry: m.number.clone(),
        status: m.status.clone(),
        revision: m.revision,
        n_zap: m.n_zap,
        idcase: m.idcase,
    };
    let decision = |d: &crate::workspace::HeldAgainst| api::Decision {
        case: of_case(d.case_id),
        registry: d.number.clone(),
        revision: d.revision,
        code: d.code.clone(),
        sum_kopecks: d.sum,
        comment: without_numbers(&d.comment),
        source: d.source.clone(),
    };
    let action =
        |n: &crate::workspace::CaseNote| api::Action { at: n.at.clone(), by: n.by.clone(), action: n.action.clone(), reason: without_numbers(&n.reason) };
    api::Story {
        versions: story.versions.iter().map(|line| shape.wire(line)).collect(),
        findings: story.findings.iter().map(finding).collect(),
        registries: story.registries.iter().map(member).collect(),
        decisions: story.against.iter().map(decision).collect(),
        actions: story.notes.iter().map(action).collect(),
        alike: story.alike.iter().map(|line| shape.wire(line)).collect(),
    }
}
