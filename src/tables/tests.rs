//! The source of the tables, and regions over federal tables.

use std::fs;
use std::path::Path;

use serde::Deserialize;

use super::{Region, RuleFiles, TableError};

#[derive(Debug, PartialEq, Eq, Deserialize)]
struct Row {
    id: String,
    values: String,
    name_ru: String,
    name_en: String,
}

/// A folder of tables: a federal one, and those of region 75.
fn folder(federal: &[(&str, &str)], own: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("below the folder")).expect("made");
        fs::write(path, text).expect("written");
    };
    federal.iter().for_each(|(name, text)| write(name, text));
    own.iter().for_each(|(name, text)| write(&format!("regions/75/{name}"), text));
    folder
}

fn with(folder: &Path) -> Result<RuleFiles, TableError> {
    RuleFiles::with_overlay(folder).with_region("75")
}

const LISTS: &str = "id,values,name_ru,name_en\nA,1 2,а,a\nB,3,б,b\n";

#[test]
fn missing_table_is_named() {
    let error = RuleFiles::embedded().text("formats/nothing.csv").expect_err("there is none");
    assert_eq!(error.to_string(), "rules/formats/nothing.csv: no such table");
}

#[test]
fn overlay_wins_and_a_bad_row_names_its_line() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir_all(folder.path().join("formats")).expect("a folder");
    fs::write(folder.path().join("formats/names.csv"), "a,b\n1,2\n3\n").expect("written");
    let files = RuleFiles::with_overlay(folder.path());
    let error = files.rows::<(String, String)>("formats/names.csv").expect_err("a short row");
    assert_eq!((error.table.as_str(), error.line), ("formats/names.csv", 3));
}

#[test]
fn rows_of_a_region_change_and_add() {
    let folder = folder(&[("flk/lists.csv", LISTS)], &[("flk/lists.csv", "id,values,name_ru\nB,4 5,-\nC,9,в\n"), ("region.toml", "name = \"Край\"")]);
    let files = with(folder.path()).expect("sound");
    let rows: Vec<(String, String, String, String)> =
        files.rows::<Row>("flk/lists.csv").expect("read").into_iter().map(|(_, r)| (r.id, r.values, r.name_ru, r.name_en)).collect();
    let row = |id: &str, values: &str, ru: &str, en: &str| (id.to_owned(), values.to_owned(), ru.to_owned(), en.to_owned());
    assert_eq!(rows, [row("A", "1 2", "а", "a"), row("B", "4 5", "", "b"), row("C", "9", "в", "")]);
    assert_eq!(files.text("flk/lists.csv").expect("there"), "id,values,name_ru,name_en\nA,1 2,а,a\nB,4 5,,b\nC,9,в,\n");
    let merging = files.region().map(Region::merging).expect("a region");
    assert_eq!((&*merging.code, &*merging.name), ("75", "Край"));
    assert_eq!(merging.tables.iter().map(|t| (&*t.table, t.changed, t.added)).collect::<Vec<_>>(), [("flk/lists.csv", 1, 1)]);
    assert_eq!(files.federal().rows::<Row>("flk/lists.csv").expect("read").len(), 2);
    // A federal update beneath still arrives, and the region's rows stay over it.
    fs::write(folder.path().join("flk/lists.csv"), "id,values,name_ru,name_en\nA,7,а,a\nB,3 4,бб,bb\nD,0,г,d\n").expect("written");
    let rows = with(folder.path()).expect("sound").rows::<Row>("flk/lists.csv").expect("read");
    assert_eq!(rows.iter().map(|(_, r)| format!("{} {} {}", r.id, r.values, r.name_en)).collect::<Vec<_>>(), ["A 7 a", "B 4 5 bb", "D 0 d", "C 9 "]);
}

#[test]
fn new_rows_find_their_places() {
    let format = "parent,element,since,type\nR,A,,T\nR,B,,S\nR/B,X,,T\nR,C,,T\n";
    let rules = "id,files,severity\n001F.00.0010,H,error\n001F.00.0010,C,error\n001F.00.0030,H,error\n";
    let own = [
        ("mek/001K.csv", "id,files\n001K.75.0010,H\n"),
        ("README.md", "not a table"),
        ("flk/.001F.csv.swp", "\0"),
        ("formats/H.csv", "parent,element,after,type\nR,N,A,T\nR/B,Y,X,T\nR,Z,,T\nR,C,,D\n"),
        ("flk/001F.csv", "files,id,severity\nC,001F.00.0010,warning\nH,001F.75.0010,error\nH,001F.75.0010,info\nH,001F.00.0020,error\n"),
    ];
    let folder = folder(&[("formats/H.csv", format), ("flk/001F.csv", rules)], &own);
    let files = with(folder.path()).expect("sound");
    assert_eq!(files.text("formats/H.csv").expect("there"), "parent,element,since,type\nR,A,,T\nR,N,,T\nR,B,,S\nR/B,X,,T\nR/B,Y,,T\nR,C,,D\nR,Z,,T\n");
    let due = "id,files,severity\n001F.00.0010,H,error\n001F.00.0010,C,warning\n001F.00.0020,H,error\n001F.00.0030,H,error\n001F.75.0010,H,error\n001F.75.0010,H,info\n";
    assert_eq!(files.text("flk/001F.csv").expect("there"), due);
}

#[test]
fn toml_is_merged_by_ids() {
    let base = "a = 1\n[t]\nx = 1\ny = 2\n[[s]]\nid = \"one\"\nn = 1\n[[s]]\nid = \"two\"\nn = 2\n";
    let own = "a = 2\n[t]\ny = 3\n[[s]]\nid = \"two\"\nn = 4\n[[s]]\nid = \"three\"\n";
    let folder = folder(&[("workflow.toml", base)], &[("workflow.toml", own)]);
    let files = with(folder.path()).expect("sound");
    let merged: toml::Table = toml::from_str(&files.text("workflow.toml").expect("there")).expect("TOML");
    let due: toml::Table =
        toml::from_str("a = 2\nt = { x = 1, y = 3 }\ns = [{ id = \"one\", n = 1 }, { id = \"two\", n = 4 }, { id = \"three\" }]").expect("TOML");
    assert_eq!(merged, due);
}

#[test]
fn what_is_wrong_in_a_region_names_its_file_and_line() {
    let told = |own: &[(&str, &str)]| {
        let folder = folder(&[("flk/lists.csv", LISTS)], own);
        with(folder.path()).and_then(|files| files.rows::<Row>("flk/lists.csv").map(|_| ())).expect_err("it is broken").to_string()
    };
    let lists = |text: &str| told(&[("flk/lists.csv", text)]);
    assert_eq!(lists("id,value\nA,1\n"), "rules/regions/75/flk/lists.csv:1: no column «value» in the table; id, values, name_ru, name_en");
    assert_eq!(lists("id,values\nA,1\n,2\n"), "rules/regions/75/flk/lists.csv:3: no id");
    assert!(lists("id,values\nA\n").starts_with("rules/regions/75/flk/lists.csv:2: "), "{}", lists("id,values\nA\n"));
    assert_eq!(lists("id,value\n"), "rules/regions/75/flk/lists.csv:1: no column «value» in the table; id, values, name_ru, name_en");
    let other_case = told(&[("FLK/Lists.CSV", "id\nA\n")]);
    assert_eq!(other_case, "rules/regions/75/FLK/Lists.CSV: nothing reads a table of this name: flk/lists.csv is written in other letters");
    assert_eq!(told(&[("nothing.toml", "a = 1\n")]), "rules/regions/75/nothing.toml: the federal tables have no such table");
    assert!(told(&[("flk/list.csv", "id\n")]).starts_with("rules/regions/75/flk/list.csv: a region does not change this table; it may change "));
    assert_eq!(told(&[("formats/Q.csv", "parent,element\n")]), "rules/regions/75/formats/Q.csv: the federal tables have no such table");
    let place = told(&[("formats/H.csv", "parent,element,after\nZL_LIST,NEW,NOTHING\n")]);
    assert_eq!(place, "rules/regions/75/formats/H.csv:2: after «NOTHING»: ZL_LIST has no such element");
    assert!(told(&[("region.toml", "name = 1\n")]).starts_with("rules/regions/75/region.toml:1: "));
    assert_eq!(RuleFiles::embedded().with_region("7x").expect_err("no code").message, "«7x»: a region has a code of two digits");
}

#[test]
fn one_of_several_rows_of_a_rule_is_meant_by_what_tells_it_apart() {
    let rules = "id,files,element,require,from,until\n\
                 002F.00.0260,C H,DS1,old,2019-11-01,2021-12-31\n002F.00.0260,C H,DS1,new,2022-01-01,\n";
    let merged = |own: &str| {
        let folder = folder(&[("flk/002F.csv", rules)], &[("flk/002F.csv", own)]);
        with(folder.path()).map(|files| files.text("flk/002F.csv").expect("there").lines().skip(1).collect::<Vec<_>>().join("\n"))
    };
    let (old, new) = ("002F.00.0260,C H,DS1,old,2019-11-01,2021-12-31", "002F.00.0260,C H,DS1,new,2022-01-01,");
    let text = |own: &str| merged(own).expect("sound");
    assert_eq!(text("id,from,until\n002F.00.0260,2022-01-01,2026-01-31\n"), format!("{old}\n{new}2026-01-31"));
    assert_eq!(text("id,from,until\n002F.00.0260,2022-02-01,-\n"), format!("{old}\n002F.00.0260,C H,DS1,new,2022-02-01,"));
    assert_eq!(text("id,require,from,until\n002F.00.0260,old,2020-01-01,2020-12-31\n"), format!("002F.00.0260,C H,DS1,old,2020-01-01,2020-12-31\n{new}"));
    // Without a word that tells them apart both are meant.
    assert_eq!(text("id,element\n002F.00.0260,DS2\n"), format!("{old}\n{new}").replace("DS1", "DS2"));
    let error = merged("id,from,until\n002F.00.0260,2022-01-01,2021-12-31\n").expect_err("each fits by one column");
    assert_eq!(
        error.to_string(),
        "rules/regions/75/flk/002F.csv:2: the row fits several rows of the table, each by another column; element, when, require, from, until tell them apart"
    );
}

#[test]
fn a_rule_goes_on_for_some_of_its_files() {
    let rules = "id,files,severity\n001F.00.0010,H C T,error\n001F.00.0010,X,error\n001F.00.0030,H C,error\n";
    let merged = |own: &str| {
        let folder = folder(&[("flk/001F.csv", rules)], &[("flk/001F.csv", own)]);
        let files = with(folder.path()).expect("sound");
        (files.text("flk/001F.csv").expect("there").lines().skip(1).collect::<Vec<_>>().join("\n"), files.region().map(Region::merging).expect("a region"))
    };
    let (text, merging) = merged("id,files\n001F.00.0010,C H\n");
    assert_eq!(text, "001F.00.0010,C H,error\n001F.00.0010,X,error\n001F.00.0030,H C,error");
    assert_eq!((merging.tables[0].changed, merging.tables[0].added), (1, 0));
    // Two rows of the region divide the federal one.
    let (text, _) = merged("id,files,severity\n001F.00.0010,H,warning\n001F.00.0010,C T,\n");
    assert_eq!(text, "001F.00.0010,H,warning\n001F.00.0010,C T,error\n001F.00.0010,X,error\n001F.00.0030,H C,error");
    let (text, _) = merged("id,files,severity\n001F.00.0030,T,info\n");
    assert!(text.ends_with("001F.00.0030,H C,error\n001F.00.0030,T,info"), "other files are a row of their own: {text}");
}

#[test]
fn where_the_first_row_decides_those_of_a_region_go_first() {
    let folder = folder(&[("mends.csv", "rule,element,mends\nP,,clinic\n,,developer\n")], &[("mends.csv", "rule,element,mends\nP1,,fund\nP,A,books\n")]);
    let text = with(folder.path()).expect("sound").text("mends.csv").expect("there").into_owned();
    assert_eq!(text, "rule,element,mends\nP1,,fund\nP,A,books\nP,,clinic\n,,developer\n");
}

#[test]
fn each_table_is_one_that_a_region_changes_or_may_not_change() {
    let files = RuleFiles::embedded();
    let tables = files.built_in().filter(|name| !name.ends_with(".toml") && !name.ends_with(".md") && !name.starts_with("generate/pools/"));
    for table in tables {
        let folder = folder(&[], &[(table, "nothing\n")]);
        let error = with(folder.path()).expect_err("no table has this column").to_string();
        let told = [": no column «nothing» in the table; ", ": no region changes this table: ", ": the federal tables have a table of this name; "];
        assert!(error.starts_with(&format!("rules/regions/75/{table}:")) && told.iter().any(|told| error.contains(told)), "{error}");
    }
}

#[test]
fn the_built_in_regions_are_sound() {
    let regions = RuleFiles::embedded().regions();
    assert_eq!(regions, ["14", "99"]);
    for code in regions {
        RuleFiles::embedded().with_region(&code).expect("sound");
    }
}
