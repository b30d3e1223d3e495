//! Backups that somebody has made by hand: each is refused, and nothing appears.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::path::Path;

use puomp::texts::Coded as _;
use puomp::values::hex;
use puomp::workspace::Problem;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use zip::write::SimpleFileOptions;

use super::{FILE, busy, restore_here};
use crate::support::clinic::Clinic;
use crate::support::sql::{Sql, sqlite_url};
use crate::support::state::walk;

/// The entries of a backup, and its list of contents.
#[derive(Clone)]
struct Parts {
    entries: Vec<(String, Vec<u8>)>,
    list: Value,
}

impl Parts {
    fn read(file: &Path) -> Self {
        let mut archive = zip::ZipArchive::new(File::open(file).expect("open")).expect("an archive");
        let mut entries = Vec::new();
        for number in 0..archive.len() {
            let mut entry = archive.by_index(number).expect("an entry");
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).expect("read");
            entries.push((entry.name().expect("a name").into_owned(), bytes));
        }
        let list = serde_json::from_slice(&entries.pop().expect("the list comes last").1).expect("JSON");
        Self { entries, list }
    }

    fn write(&self, file: &Path) {
        let mut archive = zip::ZipWriter::new(File::create(file).expect("made"));
        let list = ("manifest.json".to_owned(), serde_json::to_vec(&self.list).expect("JSON"));
        for (name, bytes) in self.entries.iter().chain([&list]) {
            archive.start_file(name.as_str(), SimpleFileOptions::default()).expect("begun");
            archive.write_all(bytes).expect("written");
        }
        archive.finish().expect("finished");
    }

    fn add(&mut self, name: &str, bytes: &[u8]) {
        self.entries.push((name.to_owned(), bytes.to_vec()));
    }

    /// Adds a file of the configuration, in the list too.
    fn configure(&mut self, path: &str) {
        self.add(&format!("configuration/{path}"), b"x");
        let files = self.list["configuration"].as_array_mut().expect("a list");
        files.push(json!({ "path": path, "sha256": hex(&Sha256::digest(b"x")), "size": 1 }));
    }

    fn at(&mut self, beginning: &str) -> &mut (String, Vec<u8>) {
        self.entries.iter_mut().find(|(name, _)| name.starts_with(beginning)).expect("an entry")
    }

    /// Puts other bytes in the place of the store, in the list too.
    fn set_store(&mut self, bytes: Vec<u8>) {
        self.list["store"] = json!({ "sha256": hex(&Sha256::digest(&bytes)), "size": bytes.len() });
        self.at("store.sqlite").1 = bytes;
    }

    /// Changes the store by a script.
    fn script(&mut self, sql: &str) {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("x");
        fs::write(&file, &self.at("store.sqlite").1).expect("written");
        let mut store = Sql::connect(&sqlite_url(&file));
        store.script(sql);
        store.close();
        self.set_store(fs::read(&file).expect("read"));
    }
}

/// How a backup is forged, what the error is about, and the change.
type Forgery = (&'static str, &'static str, fn(&mut Parts));

const FORGERIES: &[Forgery] = &[
    ("an entry that leads out", "backup.not-a-backup", |p| p.add("../evil", b"x")),
    ("one that begins at the root", "backup.not-a-backup", |p| p.add("/evil", b"x")),
    ("one on a drive", "backup.not-a-backup", |p| p.add("C:/evil", b"x")),
    ("one with backslashes", "backup.not-a-backup", |p| p.add("a\\..\\..\\evil", b"x")),
    ("one that is not in the list", "backup.entry", |p| p.add("objects/evil", b"x")),
    ("a folder", "backup.entry", |p| p.add("evil/", b"")),
    ("settings that lead out", "backup.not-a-backup", |p| p.configure("rules/../../evil")),
    ("settings beside the folders", "backup.entry", |p| p.configure("outbox/evil")),
    ("settings named as a folder", "backup.entry", |p| p.configure("rules")),
    ("a bomb", "backup.not-a-backup", |p| p.add("objects/bomb", &vec![0; 64 << 20])),
    ("no store", "backup.entry", |p| {
        p.entries.retain(|(name, _)| name != "store.sqlite");
    }),
    ("a kept file that lacks", "backup.entry", |p| {
        p.entries.retain(|(name, _)| !name.starts_with("objects/"));
    }),
    ("a kept file that no row names", "backup.entry", |p| {
        let sha256 = hex(&Sha256::digest(b"x"));
        p.add(&format!("objects/{}/{sha256}", &sha256[..2]), b"x");
        p.list["objects"].as_array_mut().expect("a list").push(json!({ "sha256": sha256, "size": 1, "names": ["x"] }));
    }),
    ("a kept file less than rows name", "backup.entry", |p| {
        let gone = p.list["objects"].as_array_mut().expect("a list").pop().expect("one");
        p.entries.retain(|(name, _)| !name.ends_with(gone["sha256"].as_str().expect("a digest")));
    }),
    ("a kept file named as a way out", "backup.entry", |p| p.list["objects"][0]["names"] = json!(["../../../evil"])),
    ("a kept file without a name", "backup.entry", |p| p.list["objects"][0]["names"] = json!([])),
    ("a digest that is none", "backup.entry", |p| p.list["objects"][0]["sha256"] = json!("../../evil")),
    ("other bytes of a kept file", "backup.changed", |p| p.at("objects/").1[7] ^= 1),
    ("other bytes of the store", "backup.changed", |p| p.at("store.sqlite").1[5_000] ^= 1),
    ("another size", "backup.entry", |p| p.at("objects/").1.push(b'x')),
    ("a store that is none", "backup.store-broken", |p| p.set_store(b"x".repeat(5_000))),
    ("a store with a trigger", "backup.foreign-part", |p| p.script("CREATE TRIGGER t AFTER INSERT ON outbox BEGIN DELETE FROM journal; END")),
    ("a store with a view", "backup.foreign-part", |p| p.script("CREATE VIEW v AS SELECT 1")),
    ("a store with another table", "backup.foreign-part", |p| p.script("CREATE TABLE t (a)")),
    ("a store without an index", "backup.foreign-part", |p| p.script("DROP INDEX packages_object")),
    ("a store with another sum", "backup.copy-unsound", |p| p.script("UPDATE registries SET sum = sum + 1")),
    ("a journal that was cut", "backup.copy-unsound", |p| p.script("DELETE FROM journal WHERE seq = (SELECT MAX(seq) FROM journal)")),
    ("a journal that goes on", "backup.other-journal", |p| p.list["journal"]["heads"] = json!([])),
    ("a head that is none", "backup.manifest", |p| p.list["journal"] = json!({ "schema": 2 })),
    ("a list with more in it", "backup.manifest", |p| p.list["more"] = json!(1)),
    ("a later list", "backup.schema", |p| p.list["schema"] = json!(99)),
    ("a later store", "workspace.newer", |p| p.list["version"] = json!(99)),
];

#[test]
fn what_was_made_by_hand_is_refused() {
    let clinic = busy();
    clinic.done(&["backup", FILE]);
    let sound = Parts::read(&clinic.path(FILE));
    let room = Clinic::empty();
    let try_it = |write: &dyn Fn(&Path)| {
        let file = room.path("a/b/x.zip");
        fs::create_dir_all(room.path("a/b")).expect("made");
        write(&file);
        let outcome = restore_here(&file, &room.path("a/b/new"));
        fs::remove_file(&file).expect("there");
        outcome
    };
    for (how, due, forge) in FORGERIES {
        let mut parts = sound.clone();
        forge(&mut parts);
        let problem: Problem = try_it(&|file| parts.write(file)).expect_err(how);
        assert_eq!(problem.key().as_str(), *due, "{how}: {problem}");
        assert_eq!(walk(&room.root()), Vec::<std::path::PathBuf>::new(), "{how}: something was left");
    }
    for bytes in [&b""[..], b"PK", b"no archive", &fs::read(clinic.path(FILE)).expect("read")[..3_000]] {
        let problem = try_it(&|file| fs::write(file, bytes).expect("written")).expect_err("no backup");
        assert_eq!(problem.key().as_str(), "backup.not-a-backup", "{problem}");
    }
    try_it(&|file| sound.write(file)).expect("written anew without a change it is sound");
}
