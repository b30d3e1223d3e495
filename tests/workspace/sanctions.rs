//! Files of sanctions as people save them from Excel.

use std::fs;

use crate::support::clinic::Clinic;

/// A workspace with a registry that was sent.
fn sent() -> Clinic {
    let clinic = Clinic::new();
    clinic.package("in", 20, &["--period", "2021-02"]);
    clinic.done(&["load", "in"]);
    clinic.done(&["form", "--period", "2021-02", "--kind", "outpatient"]);
    clinic.done(&["submit", "2102-1"]);
    clinic
}

const ACCEPT: [&str; 7] = ["review", "accept", "2102-1", "--role", "insurer", "--sanctions", "санкции.csv"];

#[test]
fn a_table_of_a_russian_excel_is_read_as_it_is() {
    let clinic = sent();
    let (_, _, cases, sum) = clinic.registries()[0].clone();
    let text = "Номер случая;Код причины;Сумма;Комментарий\r\n1;1.1.3.;0,01;тариф\r\n2;53;;\"нет; полиса\"\r\n";
    let bytes = puomp::registry::encoding::to_windows_1251(text).expect("windows-1251");
    fs::write(clinic.path("санкции.csv"), &bytes).expect("written");
    let said = clinic.done(&ACCEPT);
    assert!(said.replace('\u{a0}', " ").contains("полностью отказано: 1 случай"), "{said}");
    let row = clinic.status()["registries"][0].clone();
    let accepted = row["accepted_sum_kopecks"].as_i64().expect("a number");
    assert_eq!(row["accepted_cases"].as_i64(), Some(cases - 1));
    assert_eq!(accepted, sum - 1 - clinic.outside("refused").1);
}

#[test]
fn a_file_that_cannot_be_read_for_sure_changes_nothing_and_every_fault_is_told() {
    let clinic = sent();
    for (text, parts) in [
        ("idcase,code,sum\n1,53,1,50\n", vec!["санкции.csv:2: ячеек 4, а в заголовке 3"]),
        ("idcase;code\n1;53\n", vec!["санкции.csv:1: в заголовке нет столбца «сумма»"]),
        (
            "idcase;code;sum\n\nИванов;53;1\n2;05.01.2004;1\n3;53;1,204\n",
            vec!["csv:3: столбец «номер случая»", "csv:4: столбец «код»", "csv:5: столбец «сумма»"],
        ),
        ("idcase;code;sum\n", vec!["ни одной санкции"]),
        ("PK\u{3}\u{4}\0\0", vec!["не CSV"]),
    ] {
        fs::write(clinic.path("санкции.csv"), text).expect("written");
        let said = clinic.refused(&ACCEPT, 2);
        assert!(parts.iter().all(|part| said.contains(part)), "{parts:?}: {said}");
        assert!(!said.contains("Иванов") && !said.contains("1,204") && !said.contains('{'), "{said}");
    }
    // Lines of what does not fit the registry are those of the file.
    fs::write(clinic.path("санкции.csv"), "idcase;code;sum\n\n1;53;0,01\n\n999;53;\n").expect("written");
    let said = clinic.refused(&ACCEPT, 4);
    assert!(said.contains("санкции.csv:5: такого случая"), "{said}");
    assert_eq!(clinic.registries()[0].1, "sent");
    clinic.refused(&["review", "accept", "2102-1", "--role", "insurer", "--sanctions", "нет.csv"], 2);
}
