//! The published spelling against the golden trees: every expression of the books Q015 and Q016.
//!
//! A choice of them stands beside this file, so that the test says something without the folder of facts.

use std::collections::BTreeMap;

use puomp::rules::ast::{Arg, ArithmeticOp, Expr, Item, Literal, Quantifier, Ref, Set, Term};
use puomp::rules::published::{Published, Reading, normal};
use puomp::tables::RuleFiles;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::support::needs::shared;
use crate::support::say::say;

#[derive(Deserialize)]
struct Golden {
    set: String,
    id_test: String,
    field: String,
    source: String,
    normal: Option<String>,
    fixed: Vec<String>,
    parsed: bool,
    ast: Value,
}

fn read(published: &Published, field: &str, text: &str, element: &str) -> Result<Reading, String> {
    let reading = if field == "USL_TEST" { published.condition(text) } else { published.value(text, element) };
    reading.map_err(|e| e.to_string())
}

#[test]
#[ignore = "needs PUOMP_SHARED"]
fn every_published_expression_reads_as_the_golden_one() {
    let text = std::fs::read_to_string(shared("domain/expr.jsonl")).expect("it reads");
    let elements = elements();
    let published = Published::load(&RuleFiles::embedded()).expect("the tables");
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut repairs: BTreeMap<&str, usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    for line in text.lines() {
        let golden: Golden = serde_json::from_str(line).expect("a golden line");
        let place = format!("{} {}", golden.id_test, golden.field);
        let element = elements.get(&golden.id_test).map_or("", |e| e.rsplit('/').next().unwrap_or(""));
        let reading = read(&published, &golden.field, &golden.source, element);
        if golden.set != "Q015" && golden.set != "Q016" {
            // Regional books are notes between people: nothing is promised, but nothing may break either.
            *counts
                .entry(match reading {
                    Ok(Reading::Rule { .. }) => "regional read",
                    Ok(Reading::Prose { .. }) => "regional prose",
                    Err(_) => "regional refused",
                })
                .or_default() += 1;
            continue;
        }
        match reading {
            Ok(Reading::Prose { .. }) if !golden.parsed => *counts.entry("prose").or_default() += 1,
            Ok(Reading::Rule { expr, repairs: done }) if golden.parsed => {
                *counts.entry(if golden.field == "USL_TEST" { "conditions" } else { "requirements" }).or_default() += 1;
                let tree = tree(&expr);
                if tree != dated(&golden.ast) {
                    wrong.push(format!("{place}: tree {tree}\n  golden {}", golden.ast));
                }
                let ours = normal(expr).to_string();
                let theirs = dated_text(golden.normal.as_deref().unwrap_or(""));
                if ours != theirs {
                    wrong.push(format!("{place}: «{ours}»\n  golden «{theirs}»"));
                }
                let done: Vec<&str> = done.iter().map(|r| r.as_str()).collect();
                let mut theirs: Vec<&str> = golden.fixed.iter().map(String::as_str).collect();
                theirs.sort_by_key(|r| ["chars", "typo", "glued", "homoglyph", "note"].iter().position(|k| k == r));
                if done != theirs {
                    wrong.push(format!("{place}: repairs {done:?}, golden {theirs:?}"));
                }
                for repair in done {
                    *repairs.entry(repair).or_default() += 1;
                }
            }
            other => wrong.push(format!("{place}: «{}»: {other:?}", golden.source)),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!([counts["conditions"], counts["requirements"], counts["prose"]], [517, 190, 15]);
    assert_eq!(repairs.values().sum::<usize>(), 36);
    say(&format!("rules_golden: {counts:?}; repairs {repairs:?}"));
}

/// Id and element of every published check.
fn elements() -> BTreeMap<String, String> {
    #[derive(Deserialize)]
    struct RuleRow {
        id_test: String,
        element: String,
    }
    let mut reader = csv::Reader::from_path(shared("domain/checks.csv")).expect("the checks");
    reader.deserialize().map(|r| r.expect("a row")).map(|r: RuleRow| (r.id_test, r.element)).collect()
}

/// Reporting months stand as dates in our spelling.
const MONTHS: [(&str, &str); 2] = [("октябрь 2019", "2019-10"), ("ноябрь 2019", "2019-11")];

fn dated_text(text: &str) -> String {
    MONTHS.iter().fold(text.to_owned(), |text, (theirs, ours)| text.replace(theirs, ours))
}

fn dated(ast: &Value) -> Value {
    serde_json::from_str(&dated_text(&ast.to_string()).replace("\"code\":", "\"text\":").replace("\"str\":", "\"text\":")).expect("still JSON")
}

/// Our tree in the shape of the golden ones; codes and texts are texts here.
fn tree(expr: &Expr) -> Value {
    let names = |names: &[Ref]| names.iter().map(|n| json!(n.name)).collect::<Vec<_>>();
    match expr {
        Expr::And(parts) => json!({"and": parts.iter().map(tree).collect::<Vec<_>>()}),
        Expr::Or(parts) => json!({"or": parts.iter().map(tree).collect::<Vec<_>>()}),
        Expr::Compare(op, left, right) => json!({"cmp": [op.as_str(), term(left), term(right)]}),
        Expr::In { term: left, set: Set::Items(items), negated } => {
            json!({(if *negated { "notin" } else { "in" }): [term(left), items.iter().map(item).collect::<Vec<_>>()]})
        }
        Expr::Present(list) => json!({"present": names(list)}),
        Expr::Absent(list) => json!({"absent": names(list)}),
        Expr::Quantified { quantifier, block, within, condition } => {
            let word = if *quantifier == Quantifier::Exists { "exists" } else { "forall" };
            json!({word: [block.name, within.as_ref().map(|w| &w.name), tree(condition)]})
        }
        Expr::Call(call) => term(&Term::Call(call.clone())),
        other => json!(format!("{other:?}")),
    }
}

fn term(term_: &Term) -> Value {
    match term_ {
        Term::Ref(name) => json!({"ref": name.name}),
        Term::Number(number) => json!({"num": number}),
        Term::Text(text) => json!({"text": text}),
        Term::Arithmetic(op, left, right) => json!({"arith": [if *op == ArithmeticOp::Plus { "+" } else { "-" }, term(left), term(right)]}),
        Term::Call(call) => match call.args.as_slice() {
            [Arg::Term(Term::Text(month))] if call.name == "PERIOD" => json!({"period": month}),
            args => {
                let args = args.iter().map(|a| match a {
                    Arg::Term(Term::Ref(name)) => name.name.clone(),
                    other => format!("{other:?}"),
                });
                json!({"fn": std::iter::once(call.name.clone()).chain(args).collect::<Vec<_>>()})
            }
        },
    }
}

fn item(item: &Item) -> Value {
    let literal = |l: &Literal| match l {
        Literal::Number(v) | Literal::Text(v) => v.clone(),
    };
    match item {
        Item::One(one) => json!(literal(one)),
        Item::Range(first, last) => json!({"range": [literal(first), literal(last)]}),
    }
}

/// One expression of each kind, in the words of the book: field, element, text, normal form.
const CHOICE: &[(&str, &str, &str, &str)] = &[
    ("USL_TEST", "", "VPOLIS<>1", "VPOLIS <> 1"),
    ("USL_TEST", "", "S_TIP>=30", "S_TIP >= 30"),
    ("USL_TEST", "", "VIDPOM<>{32,33}", "VIDPOM NOT IN {32, 33}"),
    ("USL_TEST", "", "VIDPOM={11, 12, 13; 31, 32,33}", "VIDPOM IN {11, 12, 13, 31, 32, 33}"),
    ("USL_TEST", "", "DOCTYPE={1, 4-8, 14, 16}", "DOCTYPE IN {1, 4..8, 14, 16}"),
    ("USL_TEST", "", "C00.0<=DS1<D10или (DS1=D70 и DS2=C97)", "('C00.0' <= DS1 AND DS1 < 'D10') OR (DS1 = 'D70' AND DS2 = 'C97')"),
    ("USL_TEST", "", "19<SANK.S_TIP<30 и S_IST=1", "19 < SANK.S_TIP AND SANK.S_TIP < 30 AND S_IST = 1"),
    ("USL_TEST", "", "Тег SL.USL присутствует", "PRESENT(SL.USL)"),
    ("USL_TEST", "", "SMO и SMO_OGRN отсутствуют", "ABSENT(SMO) AND ABSENT(SMO_OGRN)"),
    ("USL_TEST", "", "ZL_LIST/ZAP/Z_SL/P_OTK=0 или DS1 присутствует", "ZL_LIST/ZAP/Z_SL/P_OTK = 0 OR PRESENT(DS1)"),
    ("USL_TEST", "", "DISP={ДВ4, ДВ2, ОПВ}", "DISP IN {'ДВ4', 'ДВ2', 'ОПВ'}"),
    ("USL_TEST", "", "NOVOR<>0 и последний символ NOVOR не равен 1", "NOVOR <> 0 AND LASTCHAR(NOVOR) <> '1'"),
    ("USL_TEST", "", "в основном файле VPOLIS<>3", "MAIN(VPOLIS) <> 3"),
    ("USL_TEST", "", "до отчетного периода \"октябрь 2019\" включительно", "PERIOD() <= PERIOD('2019-10')"),
    ("USL_TEST", "", "P_PER<>4 во всех элементах SL, относящихся к данному Z_SL", "FORALL(SL IN Z_SL: P_PER <> 4)"),
    ("VAL_EL", "MSE", "1", "MSE = '1'"),
    ("VAL_EL", "SMO_OK", "ST_OKATO", "SMO_OK = ST_OKATO"),
    ("VAL_EL", "BSA", "<6.00", "BSA < 6.00"),
    ("VAL_EL", "SUMP", "SUMP=SUMV-SANK_IT", "SUMP = SUMV - SANK_IT"),
    ("VAL_EL", "CODE_SH", "sh0001<=CODE_SH<=sh9002 или CODE_SH=gem", "('sh0001' <= CODE_SH AND CODE_SH <= 'sh9002') OR CODE_SH = 'gem'"),
    ("VAL_EL", "SD_Z", "Значение равно количеству случаев", "prose"),
];

#[test]
fn a_choice_of_kinds() {
    let published = Published::load(&RuleFiles::embedded()).expect("the tables");
    for (field, element, text, expected) in CHOICE {
        let ours = match read(&published, field, text, element).unwrap_or_else(|e| panic!("{text}: {e}")) {
            Reading::Prose { .. } => "prose".to_owned(),
            Reading::Rule { expr, .. } => normal(expr).to_string(),
        };
        assert_eq!(ours, *expected, "{text}");
    }
}
