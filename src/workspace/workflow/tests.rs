use std::collections::BTreeSet;
use std::fs;

use toml::Value;

use super::*;

const LANGS: [Lang; 2] = [Lang::Ru, Lang::En];

fn workflow() -> Workflow {
    Workflow::load(&RuleFiles::embedded()).expect("the built-in table is sound")
}

fn source() -> String {
    RuleFiles::embedded().text(TABLE).expect("there").into_owned()
}

/// A transition read from the table's text without the code under test.
struct Bare {
    id: String,
    from: Vec<String>,
    to: String,
    roles: Vec<String>,
    text: [String; 2],
}

impl Bare {
    fn leads_from(&self, status: Option<&str>) -> bool {
        match status {
            None => self.from.is_empty(),
            Some(status) => self.from.iter().any(|f| f == status),
        }
    }
}

fn strings(value: &Value) -> Vec<String> {
    value.as_array().expect("a list").iter().map(|v| v.as_str().expect("a text").to_owned()).collect()
}

fn rows(table: &toml::Table, name: &str) -> Vec<toml::Table> {
    table[name].as_array().expect("rows").iter().map(|v| v.as_table().expect("a row").clone()).collect()
}

fn word(row: &toml::Table, key: &str) -> String {
    row[key].as_str().expect("a text").to_owned()
}

fn bare() -> (Vec<String>, Vec<String>, Vec<Bare>) {
    let table: toml::Table = toml::from_str(&source()).expect("TOML");
    let ids = |name| rows(&table, name).iter().map(|r| word(r, "id")).collect::<Vec<_>>();
    let transition = |r: &toml::Table| Bare {
        id: word(r, "id"),
        from: strings(&r["from"]),
        to: word(r, "to"),
        roles: strings(&r["roles"]),
        text: [word(r, "ru"), word(r, "en")],
    };
    (ids("status"), ids("role"), rows(&table, "transition").iter().map(transition).collect())
}

/// The possible actions with their roles, each of a line of a refusal.
fn named(list: &[&str]) -> BTreeSet<(String, String)> {
    let piece = |part: &str| {
        let (names, rest) = part.split_once(" (").expect("roles in brackets");
        let (roles, command) = rest.split_once("): ").expect("a command");
        assert!(command.starts_with("puomp "), "{command}");
        assert!(!command.contains(['{', '}']), "{command}");
        names.split(", ").map(|n| (n.to_owned(), roles.to_owned())).collect::<Vec<_>>()
    };
    list.iter().flat_map(|line| piece(line.trim_start())).collect()
}

#[test]
fn every_transition_that_the_table_does_not_allow_is_refused_with_what_it_does() {
    let workflow = workflow();
    let (statuses, roles, transitions) = bare();
    let froms: Vec<Option<&str>> = std::iter::once(None).chain(statuses.iter().map(|s| Some(s.as_str()))).collect();
    let (mut allowed, mut by_status, mut by_role) = (0, 0, 0);
    for from in &froms {
        for transition in &transitions {
            for role in &roles {
                let (leads, may) = (transition.leads_from(*from), transition.roles.contains(role));
                let case = format!("{from:?} {} {role}", transition.id);
                let refusal = match workflow.decide(*from, &transition.id, role) {
                    Ok(made) => {
                        assert!(leads && may, "{case}");
                        assert_eq!((&made.id, &made.to), (&transition.id, &transition.to), "{case}");
                        allowed += 1;
                        continue;
                    }
                    Err(refusal) => refusal,
                };
                assert!(!(leads && may), "{case}");
                assert_eq!(refusal.cause, if leads { Cause::Role } else { Cause::Status }, "{case}");
                *(if leads { &mut by_role } else { &mut by_status }) += 1;
                let due: Vec<Allowed> =
                    transitions.iter().filter(|t| t.leads_from(*from)).map(|t| Allowed { transition: t.id.clone(), roles: t.roles.clone() }).collect();
                assert_eq!(refusal.allowed, due, "{case}");
                for (lang, at) in LANGS.into_iter().zip(0..) {
                    let text = refusal.text(&workflow, lang);
                    let lines: Vec<&str> = text.lines().collect();
                    assert!(lines[0].contains(&transition.text[at]), "{case}: {text}");
                    if let (Cause::Status, Some(status)) = (refusal.cause, from.and_then(|f| workflow.status(f))) {
                        assert!(lines[0].contains(status.name.get(lang)), "{case}: {text}");
                    }
                    if due.is_empty() {
                        assert!(lines.len() == 2 && lines[1].contains("puomp form"), "{case}: {text}");
                        continue;
                    }
                    let due: BTreeSet<(String, String)> =
                        transitions.iter().filter(|t| t.leads_from(*from)).map(|t| (t.text[at].clone(), workflow.role_names(&t.roles, lang))).collect();
                    assert_eq!(named(&lines[2..]), due, "{case}: {text}");
                }
            }
        }
    }
    let all = froms.len() * transitions.len() * roles.len();
    assert_eq!(allowed + by_status + by_role, all);
    assert_eq!(allowed, transitions.iter().map(|t| t.from.len().max(1) * t.roles.len()).sum::<usize>());
    assert!(by_status > 0 && by_role > 0);
    let counts = format!(
        "{} statuses and none × {} transitions × {} roles = {all}: allowed {allowed}, refused {} ({by_status} by status, {by_role} by role)",
        statuses.len(),
        transitions.len(),
        roles.len(),
        by_status + by_role
    );
    insta::assert_snapshot!("counts", counts);
}

#[test]
fn a_command_finds_its_transition_or_says_what_it_does_elsewhere() {
    let workflow = workflow();
    let froms: Vec<Option<&str>> = std::iter::once(None).chain(workflow.statuses().iter().map(|s| Some(s.id.as_str()))).collect();
    for from in froms {
        for by in Move::ALL {
            let due: Vec<&Transition> = workflow.transitions().iter().filter(|t| t.by == *by && t.leads_from(from)).collect();
            for role in workflow.roles() {
                match (workflow.ask(from, *by, &role.id), due.as_slice()) {
                    (Ok(made), [only]) => assert!(made == *only && made.is_for(&role.id)),
                    (Err(refusal), [only]) => assert!(refusal.asked == only.id && !only.is_for(&role.id)),
                    (Err(refusal), []) => assert_eq!((refusal.cause, workflow.transition(&refusal.asked).map(|t| t.by)), (Cause::Status, Some(*by))),
                    (made, due) => panic!("{from:?} {by:?} {}: {made:?}, the table says {due:?}", role.id),
                }
            }
        }
    }
    for by in Move::ALL {
        assert_eq!(Move::find(by.verb(), by.action()), Some(*by));
    }
}

/// The whole workflow on one page, so that a review shows any change of the table.
#[test]
fn the_life_of_a_registry() {
    let workflow = workflow();
    let mut page = String::new();
    for status in std::iter::once(None).chain(workflow.statuses().iter().map(Some)) {
        let flags = status.map_or(String::new(), |s| {
            let flags = [(s.live, "live"), (s.frozen, "frozen"), (s.paid, "paid"), (s.is_final, "final")];
            let flags: Vec<&str> = flags.iter().filter(|(on, _)| *on).map(|(_, name)| *name).collect();
            format!(" [{}] acts: {}", flags.join(" "), s.acts.join(", "))
        });
        let id = status.map(|s| s.id.as_str());
        page += &format!("{}{flags}\n", status.map_or("(none)".to_owned(), |s| format!("{} «{}»", s.id, s.name.ru)));
        for t in workflow.possible(id, None) {
            let needs: Vec<&str> = t.needs.iter().map(|n| n.as_str()).collect();
            let cases = format!("{:?}", t.cases).to_lowercase();
            page += &format!("    {} → {}  {}  cases {cases}  by {}  needs {}\n", t.by.words(), t.to, t.id, t.roles.join(", "), needs.join(", "));
        }
    }
    insta::assert_snapshot!(page);
}

#[test]
fn refusals_read_well() {
    let workflow = workflow();
    let refusals = [
        workflow.ask(Some("sent"), Move::Submit, "executor"),
        workflow.ask(Some("formed"), Move::Submit, "insurer"),
        workflow.ask(Some("in_review"), Move::ReviewAccept, "executor"),
        workflow.ask(Some("withdrawn"), Move::FormAgain, "executor"),
        workflow.ask(None, Move::Submit, "executor"),
        workflow.decide(Some("lost"), "submit", "executor"),
        workflow.decide(Some("sent"), "teleport", "executor"),
        workflow.decide(Some("sent"), "withdraw", "nurse"),
    ];
    let mut page = String::new();
    for (refusal, n) in refusals.into_iter().zip(0..) {
        let refusal = refusal.expect_err("a refusal");
        let refusal = if n == 0 { refusal.for_registry("14001-17") } else { refusal };
        page += &format!("{refusal}\n{}\n{}\n\n", refusal.text(&workflow, Lang::Ru), refusal.text(&workflow, Lang::En));
    }
    insta::assert_snapshot!(page);
}

#[test]
fn unmet_conditions_keep_their_order_and_have_texts() {
    let workflow = workflow();
    let used: BTreeSet<Need> = workflow.transitions().iter().flat_map(|t| t.needs.iter().copied()).collect();
    assert_eq!(used, Need::ALL.iter().copied().collect::<BTreeSet<_>>(), "a condition that no transition has is dead");
    for transition in workflow.transitions() {
        assert_eq!(transition.unmet(&|_| true), []);
        assert_eq!(transition.unmet(&|_| false), transition.needs);
        for need in &transition.needs {
            assert_eq!(transition.unmet(&|n| n != *need), [*need], "{}", transition.id);
        }
    }
    let texts: BTreeSet<&str> = Need::ALL.iter().flat_map(|n| LANGS.map(|lang| workflow.need(*n, lang))).collect();
    assert_eq!(texts.len(), Need::ALL.len() * 2);
    let submit = workflow.ask(Some("formed"), Move::Submit, "executor").expect("allowed");
    assert_eq!(
        workflow.need(submit.unmet(&|n| n != Need::CasesCurrent)[0], Lang::En).split(':').next(),
        Some("cases were corrected after the registry had been formed")
    );
}

#[test]
fn a_status_is_found_by_what_people_type() {
    let workflow = workflow();
    for status in workflow.statuses() {
        for word in [status.id.clone(), status.name.ru.to_lowercase(), status.name.en.to_uppercase(), format!(" {} ", status.name.ru)] {
            assert_eq!(workflow.status_called(&word).map(|s| &s.id), Some(&status.id), "{word}");
        }
    }
    assert_eq!(workflow.status_called("потерян"), None);
}

/// A defect made in the table: the first `from` after `after` becomes `to`. `message` is a part of the expected error, `line` its place.
struct Broken {
    after: &'static str,
    from: &'static str,
    to: &'static str,
    line: Line,
    message: &'static str,
}

enum Line {
    /// The line of the change, moved by so many lines.
    Here(i64),
    /// The first line after the row's id that begins like this.
    Of(&'static str),
    Whole,
}

const fn broken(after: &'static str, from: &'static str, to: &'static str, line: Line, message: &'static str) -> Broken {
    Broken { after, from, to, line, message }
}

#[test]
fn a_broken_table_names_the_line() {
    use Line::{Here, Of, Whole};
    let cases = [
        // Words.
        broken("id = \"submit\"", "from = [\"formed\"]", "from = [\"former\"]", Here(0), "there is no status «former»; there are: formed, sent"),
        broken("id = \"submit\"", "to = \"sent\"", "to = \"gone\"", Here(0), "there is no status «gone»"),
        broken("id = \"submit\"", "roles = [\"executor\"]", "roles = [\n  \"executor\",\n  \"boss\"]", Here(2), "there is no role «boss»; there are: executor"),
        broken("id = \"submit\"", "roles = [\"executor\"]", "roles = []", Here(0), "nobody may make it"),
        broken("id = \"submit\"", "roles = [\"executor\"]", "roles = [\"executor\", \"executor\"]", Here(0), "named twice"),
        broken("id = \"submit\"", "\"cases-current\"", "\"cases-fresh\"", Here(0), "unknown variant `cases-fresh`"),
        broken("id = \"submit\"", "\"cases-current\"", "\"has-cases\"", Here(0), "«has-cases» is named twice"),
        broken("id = \"submit\"", "verb = \"submit\"", "verb = \"send\"", Here(0), "no command «send»; it has: form new"),
        broken("id = \"submit\"", "verb = \"submit\"", "verb = \"submit\"\naction = \"now\"", Here(0), "no command «submit now»"),
        broken("id = \"submit\"", "cases = \"hold\"", "cases = \"keep\"", Here(0), "unknown variant `keep`"),
        broken("id = \"submit\"", "{registry}", "{register}", Here(0), "the slot {register} is unknown"),
        broken("id = \"submit\"", "puomp submit {registry}", "", Here(0), "the command is empty"),
        broken("id = \"submit\"", "отправить плательщику", " ", Here(0), "the text is empty"),
        broken("id = \"submit\"", "verb =", "word =", Here(0), "unknown field `word`"),
        broken("id = \"submit\"", "to = \"sent\"\n", "", Whole, "missing field `to`"),
        broken("id = \"sent\"", "live = true", "live = 1", Here(0), "invalid type: integer `1`, expected a boolean"),
        broken("id = \"sent\"", "live = true", "alive = true", Here(0), "unknown field `alive`"),
        broken("id = \"sent\"", "acts = [\"insurer\"", "acts = [\"payer\"", Here(0), "there is no role «payer»"),
        broken("", "signatures = [\"executor\"", "signatures = [\"patient\"", Here(0), "there is no role «patient»"),
        broken("", "signatures = [\"executor\", \"accountant\", \"head\"]", "signatures = []", Here(0), "at least one role is due"),
        broken("[refusal]", "status_ru = \"нельзя {asked}:", "status_ru = \"нельзя:", Here(0), "status_ru: the slots must be: asked, status"),
        broken("[refusal]", "end_en", "fin_en", Of("[refusal]"), "no text «end_en»"),
        broken("[refusal]", "end_en", "fin_en = \"x\"\nend_en", Here(0), "knows no text «fin_en»"),
        broken("[[need]]", "id = \"reason\"", "id = \"whim\"", Here(0), "unknown variant `whim`"),
        broken("[[need]]", "id = \"has-cases\"", "id = \"reason\"", Here(0), "«reason» stands twice"),
        broken("id = \"cases-left\"", "[[need]]\nid = \"signature-turn\"", "[[role]]\nid = \"signature-turn\"", Whole, "«signature-turn»"),
        // Ids and names.
        broken("id = \"sent\"", "id = \"in_review\"", "id = \"sent\"", Here(0), "the status «sent» stands twice"),
        broken("id = \"accountant\"", "id = \"head\"", "id = \"accountant\"", Here(0), "the role «accountant» stands twice"),
        broken("id = \"submit\"", "id = \"withdraw\"", "id = \"submit\"", Here(0), "the transition «submit» stands twice"),
        broken("id = \"sent\"", "id = \"in_review\"", "id = \"In review\"", Here(0), "an id of small Latin letters"),
        broken("id = \"sent\"", "name_ru = \"На проверке\"", "name_ru = \"Отправлен\"", Here(0), "stands twice"),
        broken("id = \"submit\"", "ru = \"отозвать\"", "ru = \"отменить\"", Of("id = \"withdraw\""), "withdraw: another transition has the same text"),
        broken("id = \"start-review\"", "action = \"return\"", "action = \"accept\"", Of("id = \"return\""), "leads from sent to two ends: accept and return"),
        // The order of statuses.
        broken("id = \"withdraw\"", "to = \"withdrawn\"", "to = \"cancelled\"", Of("id = \"withdrawn\""), "withdrawn: no transition leads here"),
        broken(
            "id = \"sent\"",
            "acts = [\"insurer\", \"fund\"]",
            "acts = [\"accountant\"]",
            Of("id = \"sent\""),
            "«accountant» must act, but may make no transition",
        ),
        broken("id = \"sent\"", "acts = [\"insurer\", \"fund\"]", "acts = []", Of("id = \"sent\""), "nobody must act"),
        broken("id = \"cancelled\"", "final = true", "final = true\nacts = [\"head\"]", Of("id = \"cancelled\""), "final, and yet somebody must act"),
        broken("id = \"cancelled\"", "final = true", "final = true\nlive = true", Of("id = \"cancelled\""), "could never be billed again"),
        broken("id = \"cancelled\"", "final = true", "final = true\nfrozen = true", Of("id = \"cancelled\""), "frozen must be live too"),
        broken("id = \"paid\"", "frozen = true\n", "", Of("id = \"paid\""), "paid must be live and frozen too"),
        // The effect on the cases.
        broken("id = \"cancel\"", "cases = \"free\"", "cases = \"hold\"", Of("id = \"cancel\""), "from formed to cancelled cases = \"free\" is due"),
        broken("id = \"submit\"", "cases = \"hold\"", "cases = \"free\"", Of("id = \"submit\""), "cases = \"hold\" or \"refuse\" is due"),
        broken("id = \"form\"", "cases = \"take\"", "cases = \"hold\"", Of("id = \"form\""), "from nothing to formed cases = \"take\" is due"),
        broken("id = \"pay\"", "cases = \"pay\"", "cases = \"hold\"", Of("id = \"pay\""), "cases = \"pay\" is due"),
        broken("id = \"unpay\"", "cases = \"unpay\"", "cases = \"hold\"", Of("id = \"unpay\""), "cases = \"unpay\" is due"),
        broken("id = \"unpay\"", "to = \"accepted\"", "to = \"cancelled\"", Of("id = \"unpay\""), "paid cases cannot be freed"),
    ];
    let good = source();
    let folder = tempfile::tempdir().expect("a folder");
    let mut tried = 0;
    for case in &cases {
        let start = good.find(&format!("{}{}", case.after, if case.after.is_empty() { "" } else { "\n" })).expect(case.after);
        let at = start + good[start..].find(case.from).unwrap_or_else(|| panic!("{} after {}", case.from, case.after));
        let text = format!("{}{}{}", &good[..at], case.to, &good[at + case.from.len()..]);
        fs::write(folder.path().join(TABLE), &text).expect("written");
        let error = Workflow::load(&RuleFiles::with_overlay(folder.path())).expect_err(case.message);
        let number = |at: usize| text[..at].matches('\n').count() as u64 + 1;
        let line = match case.line {
            Line::Here(shift) => number(at + case.to.len() - case.to.trim_start().len()).saturating_add_signed(shift),
            Line::Of(head) => number(text.find(&format!("{head}\n")).expect(head)),
            Line::Whole => 0,
        };
        assert!(error.message.contains(case.message), "{} → {}: {error}", case.from, case.to);
        if !matches!(case.line, Line::Whole) {
            assert_eq!(error.line, line, "{} → {}: {error}", case.from, case.to);
        }
        tried += 1;
    }
    assert!(tried > 40);
}

/// A table cut at any line is refused or is still complete; nothing panics.
#[test]
fn a_cut_table_never_loads_by_half() {
    let good = source();
    let lines: Vec<&str> = good.lines().collect();
    let rows = |text: &str| text.matches("[[transition]]").count();
    for end in 0..lines.len() {
        if let Ok(workflow) = table::read(&lines[..end].join("\n")) {
            // The part that was cut off held whole transitions on which nothing else depends.
            assert_eq!(workflow.transitions().len(), rows(&lines[..end].join("\n")));
        }
    }
}

#[test]
fn a_table_in_which_no_registry_begins_is_refused() {
    let good = source();
    let (start, end) = (good.find("[[transition]]\nid = \"take-in\"").expect("there"), good.find("[[transition]]\nid = \"supersede\"").expect("there"));
    let text = format!("{}{}", &good[..start], &good[end..]);
    assert!(table::read(&text).is_ok(), "forming is a beginning too");
    let error = table::read(&text.replacen("from = []", "from = [\"returned\"]", 1)).expect_err("no beginning");
    assert!(error.message.contains("no transition makes a registry"), "{error}");
}

/// A status that only leads round in a circle has no way to an end.
#[test]
fn a_circle_without_an_end_is_refused() {
    let good = source();
    // Payment leads back to signing, and no transition returns from there: signed, accepted and to_sign form a circle.
    let text = good
        .replace("from = [\"sent\", \"in_review\", \"to_sign\", \"signed\", \"accepted\"]", "from = [\"sent\", \"in_review\"]")
        .replace("to = \"paid\"", "to = \"to_sign\"")
        .replace("cases = \"pay\"", "cases = \"hold\"");
    let text = {
        let (start, end) = (text.find("[[transition]]\nid = \"unpay\"").expect("there"), text.find("# The clinic signs.").expect("there"));
        format!("{}{}", &text[..start], &text[end..])
    };
    let paid = (text.find("[[status]]\nid = \"paid\"").expect("there"), text.find("[[status]]\nid = \"withdrawn\"").expect("there"));
    let text = format!("{}{}", &text[..paid.0], &text[paid.1..]);
    let error = table::read(&text).expect_err("a circle");
    assert_eq!(error.message, "to_sign: no way leads from here to a final status");
    assert_eq!(error.line, text[..text.find("id = \"to_sign\"").expect("there")].matches('\n').count() as u64 + 1);
    // A status without any way out has a simpler message.
    let text =
        good.replace("from = [\"sent\", \"in_review\", \"to_sign\", \"signed\", \"accepted\"]", "from = [\"sent\", \"in_review\", \"to_sign\", \"signed\"]");
    let text = text.replace("from = [\"accepted\"]", "from = [\"to_sign\"]");
    let error = table::read(&text).expect_err("a dead end");
    assert_eq!(error.message, "accepted: not final, and no transition leads away");
}
