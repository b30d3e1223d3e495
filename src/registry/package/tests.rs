//! Discovery of packages in temporary folders.

use std::fs;
use std::io::Write as _;
use std::sync::LazyLock;

use super::*;
use crate::registry::probe::Kind;
use crate::tables::RuleFiles;

static FORMATS: LazyLock<Formats> = LazyLock::new(|| Formats::load(&RuleFiles::embedded()).expect("the built-in tables are sound"));

const H: &str = "HM140001S14002_19031";
const L: &str = "LM140001S14002_19031";

fn main_file(name: &str) -> Vec<u8> {
    format!("<?xml version=\"1.0\" encoding=\"windows-1251\"?><ZL_LIST><ZGLV><VERSION>3.1</VERSION><FILENAME>{name}</FILENAME></ZGLV><ZAP/></ZL_LIST>")
        .into_bytes()
}

fn person_file(name: &str, main: &str) -> Vec<u8> {
    format!(
        "<?xml version=\"1.0\" encoding=\"windows-1251\"?><PERS_LIST><ZGLV><VERSION>3.1</VERSION><FILENAME>{name}</FILENAME><FILENAME1>{main}</FILENAME1></ZGLV><PERS/></PERS_LIST>"
    )
    .into_bytes()
}

fn zip(entries: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        if let Some(folder) = name.strip_suffix('/') {
            writer.add_directory(folder, zip::write::SimpleFileOptions::default()).expect("added");
            continue;
        }
        writer.start_file(*name, zip::write::SimpleFileOptions::default()).expect("started");
        writer.write_all(bytes).expect("written");
    }
    writer.finish().expect("finished").into_inner()
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new(files: &[(&str, Vec<u8>)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, bytes) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().expect("below the folder")).expect("a folder");
            fs::write(path, bytes).expect("written");
        }
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The packages in the whole folder, or of the named files.
    fn discover(&self, names: &[&str]) -> Vec<Package> {
        let inputs: Vec<Input> = if names.is_empty() { vec![Input::named(self.0.path())] } else { names.iter().map(|n| Input::named(self.path(n))).collect() };
        discover(&inputs, &FORMATS, &Limits::default())
    }

    /// For each package, `path: main + persons, faults`.
    fn told(&self, names: &[&str]) -> Vec<String> {
        let member = |member: &Option<Member>| match member {
            None => "-".to_owned(),
            Some(Member { source, head: Ok(_) }) => source.file_name(),
            Some(Member { source, head: Err(fault) }) => format!("{}!{}", source.file_name(), fault.check.as_str()),
        };
        let packages = self.discover(names);
        let told = packages.iter().map(|p| {
            let path = p.file.path.strip_prefix(self.0.path()).expect("below the folder").to_string_lossy().replace('\\', "/");
            let faults: Vec<String> = p.faults.iter().map(Fault::details).collect();
            let faults = faults.join(", ").replace('\\', "/").replace(&format!("{}/", self.0.path().to_string_lossy().replace('\\', "/")), "");
            format!("{path}: {} + {} [{faults}]", member(&p.main), member(&p.persons))
        });
        told.collect()
    }
}

fn xml(name: &str) -> String {
    format!("{name}.xml")
}

fn both() -> Vec<(&'static str, Vec<u8>)> {
    vec![("HM140001S14002_19031.XML", main_file(H)), ("lm140001s14002_19031.xml", person_file(L, H))]
}

#[test]
fn both_in_one_archive() {
    let folder = Folder::new(&[("HM140001S14002_19031.zip", zip(&both())), ("other.OMS", zip(&[both(), vec![("папка/", Vec::new())]].concat()))]);
    assert_eq!(
        folder.told(&[]),
        [
            "HM140001S14002_19031.zip: HM140001S14002_19031.XML + lm140001s14002_19031.xml []",
            "other.OMS: HM140001S14002_19031.XML + lm140001s14002_19031.xml []"
        ]
    );
    let package = &folder.discover(&[])[0];
    let main = package.main.as_ref().expect("a main file");
    assert_eq!(main.head.as_ref().expect("readable").kind, Kind::Main);
    let mut bytes = Vec::new();
    std::io::Read::read_to_end(&mut main.source.open().expect("opens"), &mut bytes).expect("reads");
    assert_eq!(bytes, main_file(H));
    assert_eq!((main.stem().as_str(), main.source.container()), (H, package.file.path.as_path()));
}

#[test]
fn side_by_side_and_zipped_apart() {
    let folder = Folder::new(&[
        ("a/HM140001S14002_19031.XML", main_file(H)),
        ("a/lm140001s14002_19031.xml", person_file(L, H)),
        ("b/TM140001S14002_19031.zip", zip(&[("TM140001S14002_19031.xml", main_file("TM140001S14002_19031"))])),
        (
            "b/LTM140001S14002_19031.zip",
            zip(&[("LTM140001S14002_19031.xml", person_file("LTM140001S14002_19031", "TM140001S14002_19031")), ("readme.txt", b"x".to_vec())]),
        ),
    ]);
    assert_eq!(
        folder.told(&[]),
        [
            "a/HM140001S14002_19031.XML: HM140001S14002_19031.XML + lm140001s14002_19031.xml []",
            "b/TM140001S14002_19031.zip: TM140001S14002_19031.xml + LTM140001S14002_19031.xml [zip-extra readme.txt]",
        ]
    );
}

#[test]
fn a_named_file_finds_its_other_half() {
    let folder = Folder::new(&both());
    let expected = ["HM140001S14002_19031.XML: HM140001S14002_19031.XML + lm140001s14002_19031.xml []"];
    assert_eq!(folder.told(&["HM140001S14002_19031.XML"]), expected);
    assert_eq!(folder.told(&["lm140001s14002_19031.xml"]), expected);
    assert_eq!(folder.told(&["lm140001s14002_19031.xml", "HM140001S14002_19031.XML"]), expected);
}

#[test]
fn named_files_of_two_folders() {
    let folder = Folder::new(&[("h/HM140001S14002_19031.xml", main_file(H)), ("l/LM140001S14002_19031.xml", person_file(L, H))]);
    let told = folder.told(&["h/HM140001S14002_19031.xml", "l/LM140001S14002_19031.xml"]);
    assert_eq!(told, ["h/HM140001S14002_19031.xml: HM140001S14002_19031.xml + LM140001S14002_19031.xml []"]);
}

#[test]
fn one_half_alone() {
    let folder = Folder::new(&[(&xml(H), main_file(H)), ("x/LM140001S14002_19032.xml", person_file("LM140001S14002_19032", "HM140001S14002_19032"))]);
    assert_eq!(
        folder.told(&[]),
        [
            "HM140001S14002_19031.xml: HM140001S14002_19031.xml + - [persons-missing LM140001S14002_19031.xml]",
            "x/LM140001S14002_19032.xml: - + LM140001S14002_19032.xml [main-missing HM140001S14002_19032.xml]",
        ]
    );
}

#[test]
fn pairs_by_what_the_files_state() {
    // A renamed main file is found by its FILENAME. A foreign FILENAME1 does not take away another file's main file.
    let folder = Folder::new(&[
        ("a/renamed.xml", main_file(H)),
        ("a/LM140001S14002_19031.xml", person_file(L, H)),
        ("b/HM140001S14002_19031.xml", main_file(H)),
        ("b/HM140001S14002_19032.xml", main_file("HM140001S14002_19032")),
        ("b/LM140001S14002_19031.xml", person_file(L, H)),
        ("b/LM140001S14002_19032.xml", person_file("LM140001S14002_19032", H)),
        ("c/one.xml", main_file("?")),
        ("c/two.xml", person_file("?", "?")),
        ("d/HM140001S14002_19031.xml", main_file(H)),
        ("d/LM140001S14002_19032.xml", person_file("LM140001S14002_19032", "HM140001S14002_19032")),
    ]);
    assert_eq!(
        folder.told(&[]),
        [
            "a/renamed.xml: renamed.xml + LM140001S14002_19031.xml []",
            "b/HM140001S14002_19031.xml: HM140001S14002_19031.xml + LM140001S14002_19031.xml [same-package a/renamed.xml]",
            "b/HM140001S14002_19032.xml: HM140001S14002_19032.xml + LM140001S14002_19032.xml []",
            "c/one.xml: one.xml + two.xml []",
            "d/HM140001S14002_19031.xml: HM140001S14002_19031.xml + - [persons-missing LM140001S14002_19031.xml]",
            "d/LM140001S14002_19032.xml: - + LM140001S14002_19032.xml [main-missing HM140001S14002_19032.xml]",
        ]
    );
}

#[test]
fn an_archive_is_a_package_whatever_the_names() {
    let folder = Folder::new(&[("x.zip", zip(&[("HM140001S14002_19031.xml", main_file(H)), ("LM140001S14002_19099.xml", person_file("a", "b"))]))]);
    assert_eq!(folder.told(&[]), ["x.zip: HM140001S14002_19031.xml + LM140001S14002_19099.xml []"]);
}

#[test]
fn several_packages_in_one_archive() {
    let entries = [
        ("HM140001S14002_19031.xml", main_file(H)),
        ("HM140001S14003_19031.xml", main_file("HM140001S14003_19031")),
        ("LM140001S14002_19031.xml", person_file(L, H)),
        ("LM140001S14003_19031.xml", person_file("LM140001S14003_19031", "HM140001S14003_19031")),
        ("опись.txt", b"x".to_vec()),
    ];
    assert_eq!(
        Folder::new(&[("all.zip", zip(&entries))]).told(&[]),
        [
            "all.zip: HM140001S14002_19031.xml + LM140001S14002_19031.xml [zip-extra опись.txt]",
            "all.zip: HM140001S14003_19031.xml + LM140001S14003_19031.xml []",
        ]
    );
}

#[test]
fn archives_without_a_registry() {
    let folder = Folder::new(&[
        ("a.zip", zip(&[])),
        ("b.zip", zip(&[("a.txt", b"x".to_vec())])),
        ("c.zip", zip(&[("VHM140001S14002_19031.xml", b"<FLK_P/>".to_vec())])),
        ("d.zip", zip(&[("any.xml", b"{}".to_vec())])),
        ("e.zip", zip(&[("LM140001S14002_19031.xml", person_file(L, H)), ("broken.xml", b"<ZL_LI".to_vec())])),
        ("f.zip", zip(&[("a.xml", b"<a/>".to_vec()), ("b.xml", b"<b/>".to_vec())])),
    ]);
    assert_eq!(
        folder.told(&[]),
        [
            "a.zip: - + - [no-main-file]",
            "b.zip: - + - [no-main-file, zip-extra a.txt]",
            "d.zip: any.xml!not-xml + - []",
            "e.zip: broken.xml!xml-truncated + LM140001S14002_19031.xml []",
            "f.zip: - + - [no-main-file, zip-extra a.xml, zip-extra b.xml]",
        ]
    );
    assert_eq!(folder.told(&["c.zip"]), ["c.zip: - + - [no-main-file, zip-extra VHM140001S14002_19031.xml]"]);
}

#[test]
fn unreadable_files_are_packages_with_their_fault() {
    let folder = Folder::new(&[
        ("a/HM140001S14002_19031.xml", Vec::new()),
        ("a/LM140001S14002_19031.xml", person_file(L, H)),
        ("b/HM140001S14002_19031.xml", main_file(H)),
        ("b/LM140001S14002_19031.xml", b"garbage".to_vec()),
        ("c.zip", zip(&both())[..200].to_vec()),
        ("d.zip", b"garbage".to_vec()),
        ("e.zip", Vec::new()),
        ("f.zip", main_file(H)),
        ("g.xml", zip(&both())),
        ("h.xml", b"<config/>".to_vec()),
        ("i.xml", b"\xFF\xFE<\0".to_vec()),
    ]);
    assert_eq!(
        folder.told(&[]),
        [
            "a/HM140001S14002_19031.xml: HM140001S14002_19031.xml!empty-file + LM140001S14002_19031.xml []",
            "b/HM140001S14002_19031.xml: HM140001S14002_19031.xml + LM140001S14002_19031.xml!not-xml []",
            "c.zip: - + - [zip-damaged end of central directory]",
            "d.zip: - + - [not-registry]",
            "e.zip: - + - [empty-file]",
            "f.zip: f.zip + - [persons-missing LM140001S14002_19031.xml]",
            "g.xml: HM140001S14002_19031.XML + lm140001s14002_19031.xml []",
            "h.xml: h.xml!wrong-root + - []",
            "i.xml: i.xml!encoding-unknown + - []",
        ]
    );
    assert_eq!(folder.told(&["none.xml"]), ["none.xml: - + - [not-found]"]);
}

#[test]
fn protocols_and_strangers_are_passed_over_unless_named() {
    let folder = Folder::new(&[("VHM140001S14002_19031.xml", b"<FLK_P/>".to_vec()), ("notes.txt", b"x".to_vec())]);
    assert!(folder.told(&[]).is_empty());
    assert_eq!(
        folder.told(&["VHM140001S14002_19031.xml", "notes.txt"]),
        ["VHM140001S14002_19031.xml: VHM140001S14002_19031.xml!wrong-root + - []", "notes.txt: - + - [not-registry]"]
    );
}

#[test]
fn one_package_twice_in_a_folder() {
    let folder = Folder::new(&[
        ("HM140001S14002_19031.xml", main_file(H)),
        ("LM140001S14002_19031.xml", person_file(L, H)),
        ("HM140001S14002_19031.zip", zip(&both())),
        ("copy.zip", zip(&both())),
        ("x/HM140001S14002_19031.zip", zip(&both())),
    ]);
    let told = folder.told(&[]);
    let twice: Vec<bool> = told.iter().map(|t| t.contains("package-twice")).collect();
    assert_eq!(twice, [false, true, false, false], "{told:?}");
}

#[test]
fn a_thousand_packages_in_order() {
    let archive = zip(&both());
    let names: Vec<String> = (0..1000).map(|n| format!("{n:04}.zip")).collect();
    let files: Vec<(&str, Vec<u8>)> = names.iter().map(|n| (n.as_str(), archive.clone())).collect();
    let folder = Folder::new(&files);
    let start = std::time::Instant::now();
    let packages = folder.discover(&[]);
    assert!(start.elapsed().as_secs() < 5, "{:?}", start.elapsed());
    assert!(packages.iter().map(|p| p.file.path.clone()).eq(names.iter().map(|n| folder.path(n))));
    assert!(packages.iter().all(|p| p.main.is_some() && p.persons.is_some() && p.faults.iter().all(|f| f.check == Check::SamePackage)));
}

#[test]
fn a_third_file_belongs_to_no_package() {
    let third = || main_file("PM140001S14002_19031");
    let with_third = [both().as_slice(), &[("PM140001S14002_19031.xml", third())]].concat();
    let same_named = ["HM140001S14002_19031.XML: HM140001S14002_19031.XML + lm140001s14002_19031.xml [third-file PM140001S14002_19031.xml]"];
    assert_eq!(Folder::new(&with_third).told(&[]), same_named);
    let named: Vec<&str> = with_third.iter().map(|(name, _)| *name).collect();
    assert_eq!(Folder::new(&with_third).told(&named), same_named, "also when each is named");
    let archive = Folder::new(&[("a.zip", zip(&with_third))]);
    assert_eq!(archive.told(&[]), ["a.zip: HM140001S14002_19031.XML + lm140001s14002_19031.xml [third-file PM140001S14002_19031.xml]"]);
    // Without its package it is a main file like any other, of letters that nobody knows, if it has a month; else nothing says of what package it is.
    let dated = String::from_utf8(third()).expect("text").replace("</ZGLV>", "</ZGLV><SCHET><YEAR>2019</YEAR><MONTH>3</MONTH></SCHET>").into_bytes();
    assert_eq!(Folder::new(&[("PM140001S14002_19031.xml", dated)]).told(&[]), ["PM140001S14002_19031.xml: PM140001S14002_19031.xml + - []"]);
    assert_eq!(Folder::new(&with_third[2..]).told(&[]), ["PM140001S14002_19031.xml: - + - [third-file PM140001S14002_19031.xml]"]);
    // Another month is another package.
    let other = [both().as_slice(), &[("PM140001S14002_19041.xml", main_file("PM140001S14002_19041"))]].concat();
    assert_eq!(Folder::new(&other).told(&[]).len(), 2);
}

#[test]
fn a_third_file_is_told_by_the_first_package_whose_person_file_has_other_letters() {
    // Three archives with a package of one main file: the person files of the first two have the letters of the lone file, as some funds want.
    let own = |letters: &str| zip(&[("HM140001S14002_19031.xml", main_file(H)), (&*format!("{letters}140001S14002_19031.xml"), person_file(L, H))]);
    let archives = [("a.zip", own("LPM")), ("b.zip", own("LPM")), ("c.zip", own("LM")), ("d.zip", own("LM"))];
    let lone = ("LPM140001S14002_19031.xml", person_file("LPM140001S14002_19031", H));
    let told = Folder::new(&[archives.as_slice(), &[lone]].concat()).told(&[]);
    let third: Vec<&String> = told.iter().filter(|line| line.contains("third-file")).collect();
    assert_eq!(third, ["c.zip: HM140001S14002_19031.xml + LM140001S14002_19031.xml [third-file LPM140001S14002_19031.xml]"], "{told:?}");
}

#[test]
fn a_third_file_with_the_root_of_a_person_file_belongs_to_no_package() {
    for name in ["PM140001S14002_19031", "SM140001S14002_19031", "LPM140001S14002_19031"] {
        let file = format!("{name}.xml");
        for third in [person_file(name, H), person_file(L, H)] {
            let with_third = [both().as_slice(), &[(file.as_str(), third.clone())]].concat();
            let due = format!("HM140001S14002_19031.XML: HM140001S14002_19031.XML + lm140001s14002_19031.xml [third-file {file}]");
            assert_eq!(Folder::new(&with_third).told(&[]), [due.as_str()]);
            assert_eq!(Folder::new(&[("a.zip", zip(&with_third))]).told(&[]), [due.replacen("HM140001S14002_19031.XML", "a.zip", 1)]);
            assert_eq!(Folder::new(&[(&file, third)]).told(&[]), [format!("{file}: - + - [third-file {file}]")]);
        }
    }
    let as_main = [both().as_slice(), &[("LPM140001S14002_19031.xml", main_file(L))]].concat();
    let due = "HM140001S14002_19031.XML: HM140001S14002_19031.XML + lm140001s14002_19031.xml [third-file LPM140001S14002_19031.xml]";
    assert_eq!(Folder::new(&as_main).told(&[]), [due]);
    // The person file of a package whose main file is not there stays one.
    let lone = Folder::new(&[("LPM140001S14002_19031.xml", person_file("LPM140001S14002_19031", "DPM140001S14002_19031"))]);
    assert_eq!(lone.told(&[]), ["LPM140001S14002_19031.xml: - + LPM140001S14002_19031.xml [main-missing DPM140001S14002_19031.xml]"]);
}
