//! The payer's desk: a package that a clinic has sent becomes a registry in the payer's workspace, and nothing in it is paid twice.

use std::fs;
use std::path::{Path, PathBuf};

use sqlx::Row as _;

use crate::support::clinic::Clinic;
use crate::support::desk::{Package, wrong};
use crate::support::sent::{Sent, between, main_file, sent_of_loaded, stands, write};
use crate::support::sql::{Sql, text};
use crate::support::state::{State, leftovers};

const PERIOD: &str = "2021-02";
/// The first case refused whole, a kopeck taken off the second.
const SANCTIONS: &str = "idcase,code,sum\n1,5.3.2.,\n2,5.3.2.,0.01\n";

/// A clinic that has sent a registry. Only the payer's workspace is tried on each store: the clinic does nothing here that it did not do before.
fn clinic_that_sent() -> (Clinic, Sent) {
    let clinic = Clinic::new();
    clinic.package("in", 30, &["--period", PERIOD, "--plain"]);
    clinic.done(&["load", "in"]);
    let sent = sent_of_loaded(&clinic, PERIOD);
    (clinic, sent)
}

/// The package of a registry as the clinic's `submit` has put it into its outbox.
fn outgoing(clinic: &Clinic, number: &str) -> String {
    let mut store = Sql::connect(&clinic.address());
    let path = text(
        &store
            .rows(&format!("SELECT o.path AS path FROM outbox o JOIN registries r ON r.id = o.registry WHERE r.number = '{number}' ORDER BY o.revision DESC"))
            [0],
        "path",
    );
    store.close();
    plain(&clinic.path(&path))
}

fn plain(path: &Path) -> String {
    path.to_str().expect("a plain path").to_owned()
}

/// The clinic's export once more, with the case corrected that is the first of a registry with this main file.
fn correct(clinic: &Clinic, sent: &str, digit: char) {
    let again = format!("again-{digit}");
    fs::create_dir_all(clinic.path(&again)).expect("made");
    for file in fs::read_dir(clinic.path("in")).expect("a folder").flatten().map(|entry| entry.path()) {
        let mut text = encoding_rs::WINDOWS_1251.decode(&fs::read(&file).expect("read")).0.into_owned();
        if let Some(at) = text.find(&format!("<SL_ID>{}<", between(sent, "SL_ID"))) {
            text.insert(at + text[at..].find("<NHISTORY>").expect("a card") + "<NHISTORY>".len(), digit);
        }
        write(clinic, &format!("{again}/{}", file.file_name().expect("a name").to_string_lossy()), &text);
    }
    clinic.done(&["load", &again]);
}

/// What must always be true: no two versions that are held or paid are of one case, and the counts of stock are those of the cases.
fn nothing_is_counted_twice(workspace: &Clinic) {
    let mut store = Sql::connect(&workspace.address());
    let held = store.rows(
        "SELECT CAST(COUNT(*) AS BIGINT) AS n FROM (SELECT identity FROM cases WHERE state IN ('held', 'paid') GROUP BY mo, identity, identity_rest HAVING COUNT(*) > 1) d",
    );
    assert_eq!(held[0].get::<i64, _>("n"), 0, "a case is held twice");
    let count = |sql: &str, store: &mut Sql| -> Vec<(String, i64, i64)> {
        store.rows(sql).iter().map(|row| (text(row, "state"), row.get("cases"), row.get("sum"))).collect()
    };
    let (of_cases, of_stock) = [
        "CAST(COUNT(*) AS BIGINT) AS cases, CAST(SUM(sum) AS BIGINT) AS sum FROM cases",
        "CAST(SUM(cases) AS BIGINT) AS cases, CAST(SUM(sum) AS BIGINT) AS sum FROM stock",
    ]
    .map(|what| count(&format!("SELECT state, {what} GROUP BY state ORDER BY state"), &mut store))
    .into();
    store.close();
    assert_eq!(of_stock, of_cases, "stock");
    workspace.done(&["journal", "--verify"]);
}

on_each_store!(what_a_clinic_sends_is_decided_at_the_payers_desk_and_paid_once);
fn what_a_clinic_sends_is_decided_at_the_payers_desk_and_paid_once(payer: &Clinic) {
    let (clinic, sent) = clinic_that_sent();
    let package = outgoing(&clinic, &sent.number);
    let take_in = |package: &str| payer.done(&["load", "--as-payer", package, "--role", "insurer"]);

    // Who is not the payer is told what to type, and nothing is stored.
    let empty = State::of(payer);
    let said = payer.refused(&["load", "--as-payer", &package], 4);
    assert!(said.contains("puomp load --as-payer ФАЙЛ --role insurer"), "{said}");
    assert_eq!(State::of(payer), empty);

    let said = take_in(&package);
    assert!(said.contains("2102-1") && said.contains("Отправлен"), "{said}");
    assert_eq!(payer.registries(), [("2102-1".to_owned(), "sent".to_owned(), sent.cases, sent.sum)]);
    assert_eq!(State::of(payer).entries, empty.entries + 1, "one entry of the journal");
    let row = payer.status()["registries"][0].clone();
    let of_clinic = clinic.status()["registries"].as_array().expect("rows").iter().find(|row| row["number"] == sent.number.as_str()).expect("there").clone();
    for column in ["file", "mo", "payer", "receiver", "kind", "family", "edition", "period", "account_date", "persons"] {
        assert_eq!(row[column], of_clinic[column], "{column}");
    }
    assert!(row["sent_at"].as_str().is_some_and(|at| !at.is_empty()));
    assert_eq!(main_file(payer, "2102-1"), sent.text, "kept as it came");

    // The same bytes again, and the same cases in another file.
    let before = State::of(payer);
    assert!(take_in(&package).contains("уже загружен"));
    let said = payer.refused(&["load", "--as-payer", &plain(&clinic.path("in")), "--role", "fund"], 4);
    assert!(said.contains("N_ZAP") && said.contains("IDCASE") && said.contains("в реестре 2102-1"), "{said}");
    assert_eq!(State::of(payer), before, "nothing is changed");
    assert_eq!(leftovers(payer), Vec::<PathBuf>::new());

    // Returned, corrected and sent again: the new registry takes the place of the returned one.
    for desk in [payer, &clinic] {
        write(desk, "sanctions.csv", SANCTIONS);
    }
    let give_back = |desk: &Clinic, number: &str| {
        desk.done(&["review", "return", number, "--role", "insurer", "--reason", "тариф", "--sanctions", "sanctions.csv"]);
    };
    payer.done(&["review", "start", "2102-1", "--role", "insurer"]);
    give_back(payer, "2102-1");
    give_back(&clinic, &sent.number);
    correct(&clinic, &sent.text, '7');
    clinic.done(&["form", "--again", &sent.number]);
    clinic.done(&["submit", &sent.number]);
    let second = outgoing(&clinic, &sent.number);
    assert_ne!(second, package);
    let said = take_in(&second);
    assert!(said.contains("в новой редакции вместо прежней") && said.contains("2102-2"), "{said}");
    let standing = |number: &str| stands(payer, number).0;
    assert_eq!((standing("2102-1"), standing("2102-2")), ("superseded".to_owned(), "sent".to_owned()));
    assert_eq!(payer.registries()[1], ("2102-2".to_owned(), "sent".to_owned(), sent.cases, sent.sum));
    assert!(take_in(&package).contains("уже загружен"), "the first package makes no second registry");
    nothing_is_counted_twice(payer);

    // Accepted without its first case, which comes again alone, corrected.
    let accept = |desk: &Clinic, number: &str| {
        desk.done(&["review", "accept", number, "--role", "insurer", "--sanctions", "sanctions.csv"]);
    };
    accept(payer, "2102-2");
    accept(&clinic, &sent.number);
    let (refused, refused_sum) = payer.outside("refused");
    assert_eq!((refused, stands(payer, "2102-2")), (1, ("to_sign".to_owned(), sent.cases - 1, sent.sum - refused_sum - 1)));
    assert_eq!(stands(payer, "2102-2"), stands(&clinic, &sent.number), "both desks say the same");
    correct(&clinic, &main_file(&clinic, &sent.number), '8');
    clinic.done(&["form", "--period", PERIOD]);
    let is_alone = |(_, status, cases, sum): &(String, String, i64, i64)| status == "formed" && (*cases, *sum) == (1, refused_sum);
    let alone = clinic.registries().into_iter().find(is_alone).expect("formed").0;
    clinic.done(&["submit", &alone]);
    let said = take_in(&outgoing(&clinic, &alone));
    assert!(said.contains("вместо прежней") && said.contains("2102-3"), "{said}");
    assert_eq!(payer.registries()[2], ("2102-3".to_owned(), "sent".to_owned(), 1, refused_sum));
    assert_eq!(payer.outside("refused").0, 0);
    nothing_is_counted_twice(payer);
    clinic.done(&["journal", "--verify"]);
    assert_eq!(leftovers(payer), Vec::<PathBuf>::new());
}

on_each_store!(a_package_with_errors_is_a_registry_and_one_that_cannot_be_read_is_not);
fn a_package_with_errors_is_a_registry_and_one_that_cannot_be_read_is_not(payer: &Clinic) {
    let take_in = |folder: &str| payer.run(&["load", "--as-payer", folder, "--role", "fund"]);
    wrong(1).zip(&payer.path("wrong"));
    let said = take_in("wrong");
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.out.replace('\u{a0}', " ").contains("с ошибками ФЛК: 2 случая") && !said.out.contains("не войдут"), "{said:?}");
    assert_eq!(payer.registries(), [("2103-1".to_owned(), "sent".to_owned(), 2, 120_450)]);
    // A file outside an archive is kept as it is; what cannot be read to its end is no registry.
    let mut whole = Package::new(2).of_others(2);
    whole.write(&payer.path("loose"));
    assert_eq!(take_in("loose").code, 0);
    assert_eq!(payer.registries()[1], ("2103-2".to_owned(), "sent".to_owned(), 2, 120_450));
    whole = Package::new(3).of_others(3);
    whole.main.truncate(whole.main.len() - 40);
    whole.write(&payer.path("cut"));
    assert_eq!(take_in("cut").code, 6);
    assert_eq!(payer.registries().len(), 2);
    // Errors of the cases are for the payer to judge.
    payer.done(&["review", "accept", "2103-1", "--role", "fund"]);
    assert_eq!(stands(payer, "2103-1"), ("to_sign".to_owned(), 2, 120_450));
    assert_eq!(leftovers(payer), Vec::<PathBuf>::new());
    nothing_is_counted_twice(payer);
}

on_each_store!(one_package_that_cannot_be_taken_in_does_not_keep_the_others_back);
fn one_package_that_cannot_be_taken_in_does_not_keep_the_others_back(payer: &Clinic) {
    Package::new(1).write(&payer.path("first"));
    payer.done(&["load", "first"]);
    payer.done(&["cases", "drop", "c1", "--reason", "дубль"]);
    // The same cases from the clinic, the first dropped here and the second corrected; other cases; and a package that has one case twice.
    Package::new(2).spoil("1112</IDDOKT>\n<ED_COL>1.00</ED_COL>\n<TARIF>204", "1111</IDDOKT>\n<ED_COL>1.00</ED_COL>\n<TARIF>204").zip(&payer.path("sent"));
    Package::new(3).of_others(3).zip(&payer.path("sent"));
    let mut twice = Package::new(4).of_others(4);
    let (first, second) = (twice.main.find("<ZAP>").expect("a record"), twice.main.rfind("<ZAP>").expect("a record"));
    let again = twice.main[first..second].replace("<N_ZAP>1<", "<N_ZAP>2<").replace("<IDCASE>1<", "<IDCASE>2<");
    twice.main.replace_range(second.., &format!("{again}</ZL_LIST>\n"));
    twice.zip(&payer.path("sent"));
    let said = payer.run(&["load", "--as-payer", "sent", "--role", "insurer"]);
    assert_eq!(said.code, 4, "{said:?}");
    assert!(said.err.contains("puomp cases release c1") && said.err.contains("HM140001S14002_21032"), "{said:?}");
    assert!(said.err.contains("HM140001S14002_21034") && said.err.contains("в этом пакете ещё раз"), "{said:?}");
    let [(number, status, cases, _)] = payer.registries().try_into().expect("one registry");
    assert_eq!((number.as_str(), status.as_str(), cases), ("2103-1", "sent", 2));
    payer.done(&["cases", "release", "c1", "--reason", "прислали"]);
    // The case that is stored as it came stands in the registry with the numbers of this file.
    payer.done(&["load", "--as-payer", "sent/HM140001S14002_21032.zip", "--role", "insurer"]);
    assert_eq!(payer.registries()[1], ("2103-2".to_owned(), "sent".to_owned(), 2, 120_450));
    assert_eq!(payer.outside("free").0, 0);
    assert_eq!(leftovers(payer), Vec::<PathBuf>::new());
    nothing_is_counted_twice(payer);
}
