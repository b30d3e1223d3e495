//! Steps that bring an older store up to date. A store of any earlier version is copied first and changed in one transaction.

use std::path::{Path, PathBuf};

use serde_json::json;
use sha2::{Digest as _, Sha384};

use super::Store;
use super::cases::NewCase;
use super::packages::PackageRow;
use super::row::{Insert as _, read_row};
use super::sums::{Part, parts};
use crate::workspace::journal::{MIGRATE, canonical};
use crate::workspace::{Operation, Problem};

/// A step of the schema. A step that was released is never changed.
struct Step {
    version: i64,
    name: &'static str,
    sql: &'static str,
}

const STEPS: [Step; 4] = [
    Step { version: 1, name: "workspace", sql: include_str!("migrations/0001_workspace.sql") },
    Step { version: 2, name: "clinics", sql: include_str!("migrations/0002_clinics.sql") },
    Step { version: 3, name: "objects", sql: include_str!("migrations/0003_objects.sql") },
    Step { version: 4, name: "cases", sql: include_str!("migrations/0004_cases.sql") },
];

/// The version of the schema that this program uses.
pub(in crate::workspace) const VERSION: i64 = STEPS[STEPS.len() - 1].version;

/// Tables of any version; those that a store has are copied before it is changed. The database may hold tables of other programs too.
const TABLES: [&str; 15] = [
    "packages",
    "cases",
    "findings",
    "stock",
    "registries",
    "members",
    "sanctions",
    "answers",
    "outbox",
    "journal",
    "journal_before",
    "days",
    "counters",
    "blocks",
    "_sqlx_migrations",
];

/// Tables of version 1 whose rows go into the tables of version 2 one to one.
const COPIED: [&str; 8] = ["packages", "cases", "findings", "registries", "members", "sanctions", "answers", "outbox"];

/// What the sums of cases and packages covered before version 4.
const CASE_COLUMNS: [&str; 19] = [
    "id",
    "package",
    "kind",
    "payer",
    "subdivision",
    "n_zap",
    "idcase",
    "sl_id",
    "id_pac",
    "date_from",
    "date_to",
    "sum",
    "pr_nov",
    "errors",
    "identity",
    "identity_rest",
    "resemblance",
    "content",
    "place",
];
const PACKAGE_COLUMNS: [&str; 25] = [
    "id",
    "main_object",
    "main_entry",
    "main_index",
    "main_name",
    "persons_object",
    "persons_entry",
    "persons_index",
    "persons_name",
    "letters",
    "family",
    "edition",
    "persons_edition",
    "period",
    "receiver",
    "payer",
    "account_no",
    "account_date",
    "cases",
    "sum",
    "verdict",
    "blocked",
    "loaded_at",
    "loaded_by",
    "binding",
];

/// The version of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::workspace) enum Version {
    /// There is no schema.
    None,
    /// An earlier version than this program's.
    Older(i64),
    /// The version of this program.
    Current,
    /// A version that only a later program knows.
    Newer(i64),
}

/// Where the copy of a store is that was made before it was brought up to date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreCopy {
    /// A SQLite file.
    File(PathBuf),
    /// A schema of the same PostgreSQL database.
    Schema(String),
}

/// A store that was brought up to date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migrated {
    /// The version that it had.
    pub from: i64,
    /// The version that it has now.
    pub to: i64,
    /// The copy of what it was.
    pub copy: StoreCopy,
}

read_row! {
    struct CounterRow {
        name: String,
        value: i64,
    }
}

impl Store {
    /// The version of the schema.
    ///
    /// # Errors
    /// The store does not answer.
    pub(in crate::workspace) fn version(&mut self) -> Result<Version, Problem> {
        let table = if self.shared {
            "SELECT CASE WHEN to_regclass('_sqlx_migrations') IS NULL THEN CAST(0 AS BIGINT) ELSE CAST(1 AS BIGINT) END"
        } else {
            "SELECT COUNT(*) FROM sqlite_master WHERE name = '_sqlx_migrations'"
        };
        if self.number(table, &[])? == 0 {
            return Ok(Version::None);
        }
        Ok(match self.number("SELECT CAST(COALESCE(MAX(version), 0) AS BIGINT) FROM _sqlx_migrations", &[])? {
            0 => Version::None,
            VERSION => Version::Current,
            older if older < VERSION => Version::Older(older),
            newer => Version::Newer(newer),
        })
    }

    /// Fails unless the store is of this program's version; another program may have brought it up to a later one since it was opened.
    ///
    /// # Errors
    /// [`Problem::Newer`].
    pub(in crate::workspace) fn must_be_current(&mut self) -> Result<(), Problem> {
        match self.number("SELECT CAST(COALESCE(MAX(version), 0) AS BIGINT) FROM _sqlx_migrations", &[])? {
            VERSION => Ok(()),
            other => Err(Problem::Newer(other, VERSION)),
        }
    }

    /// Makes the schema of an empty store.
    ///
    /// # Errors
    /// A statement fails; the store then stays empty.
    pub(in crate::workspace) fn create(&mut self) -> Result<(), Problem> {
        self.transaction(|store| {
            if store.version()? == Version::None {
                // The form of this table is that of sqlx: earlier programs made it.
                let (moment, bytes) = if store.shared { ("TIMESTAMPTZ", "BYTEA") } else { ("TIMESTAMP", "BLOB") };
                store.execute(
                    format!(
                        "CREATE TABLE IF NOT EXISTS _sqlx_migrations (version BIGINT PRIMARY KEY, description TEXT NOT NULL, \
                         installed_on {moment} NOT NULL DEFAULT CURRENT_TIMESTAMP, success BOOLEAN NOT NULL, checksum {bytes} NOT NULL, \
                         execution_time BIGINT NOT NULL)"
                    ),
                    &[],
                )?;
                for step in &STEPS {
                    store.take(step)?;
                }
                store.compare_copies()?;
                store.raw("DROP TABLE old_counters")?;
            }
            Ok(())
        })
    }

    /// Copies an older store and brings it up to date, unless another program has done it meanwhile. `copy` is the path of the copy of a SQLite
    /// file.
    ///
    /// # Errors
    /// The copy cannot be made or a statement fails; the store then stays as it was.
    pub(in crate::workspace) fn update(&mut self, operation: &Operation<'_>, copy: &Path) -> Result<Option<Migrated>, Problem> {
        let Version::Older(from) = self.version()? else { return Ok(None) };
        let copy = if self.shared { StoreCopy::Schema(self.free_schema(from)?) } else { StoreCopy::File(copy.to_owned()) };
        if let StoreCopy::File(file) = &copy {
            self.copy_file(file)?;
        }
        self.transaction(|store| {
            if store.shared {
                // Changes of other programs ask for the version first; those at work are waited for.
                store.raw("LOCK TABLE _sqlx_migrations IN ACCESS EXCLUSIVE MODE")?;
            }
            if store.version()? != Version::Older(from) {
                return Ok(None);
            }
            if let StoreCopy::Schema(schema) = &copy {
                store.execute(format!("CREATE SCHEMA {schema}"), &[])?;
                for table in TABLES {
                    let is_there = "SELECT CAST(COUNT(*) AS BIGINT) FROM pg_class WHERE oid = to_regclass($1)";
                    if store.number(is_there, &[table.into()])? > 0 {
                        store.execute(format!("CREATE TABLE {schema}.{table} AS TABLE {table}"), &[])?;
                    }
                }
            }
            for step in STEPS.iter().filter(|step| step.version > from) {
                operation.check()?;
                store.take(step)?;
                if step.version == 2 {
                    store.compare_copies()?;
                }
            }
            // The entries of the journal state the rows as they are now.
            if from < 2 {
                store.begin_chains(operation)?
            } else {
                store.go_on(from, operation)?
            }
            Ok(Some(Migrated { from, to: VERSION, copy }))
        })
    }

    /// A name for the schema of a copy that no schema of the database has.
    fn free_schema(&mut self, version: i64) -> Result<String, Problem> {
        let mut name = format!("puomp_{version}");
        for number in 2.. {
            if self.number("SELECT CAST(COUNT(*) AS BIGINT) FROM pg_namespace WHERE nspname = $1", &[(&name).into()])? == 0 {
                break;
            }
            name = format!("puomp_{version}_{number}");
        }
        Ok(name)
    }

    /// Writes a consistent copy of a SQLite store, completely or not at all.
    fn copy_file(&mut self, target: &Path) -> Result<(), Problem> {
        let io = |error| Problem::Io(target.to_owned(), error);
        let half = target.with_extension("half");
        // What a stopped program left.
        match std::fs::remove_file(&half) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(io(error)),
            _ => {}
        }
        crate::sys::private_file(&half, crate::sys::Access::Private).map_err(io)?;
        self.copy_into(&half)?;
        // SQLite does not write such a copy to the disk by itself.
        crate::sys::private_file(&half, crate::sys::Access::Private).and_then(|file| file.sync_all()).map_err(io)?;
        crate::sys::rename(&half, target).map_err(io)
    }

    fn take(&mut self, step: &Step) -> Result<(), Problem> {
        let clustered = if self.shared { "" } else { "WITHOUT ROWID" };
        self.raw_owned(step.sql.replace("/* clustered */", clustered))?;
        let digest = super::row::Value::Text(crate::values::hex(&Sha384::digest(step.sql)).into());
        let bytes = if self.shared { "decode($3, 'hex')" } else { "unhex($3)" };
        self.execute(
            format!("INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES ($1, $2, TRUE, {bytes}, 0)"),
            &[step.version.into(), step.name.into(), digest],
        )?;
        Ok(())
    }

    /// Makes sure that no row was lost on the way into the tables of version 2, and removes those of version 1.
    fn compare_copies(&mut self) -> Result<(), Problem> {
        for table in COPIED {
            let count = |name: &str| format!("(SELECT CAST(COUNT(*) AS BIGINT) FROM {name})");
            let lost = self.number(format!("SELECT {} - {}", count(&format!("old_{table}")), count(table)), &[])?;
            if lost != 0 {
                return Err(Problem::Orphans(table.to_owned(), lost));
            }
            self.execute(format!("DROP TABLE old_{table}"), &[])?;
        }
        Ok(())
    }

    /// Ends the journal of a store of version 1 and begins the journal of each clinic with the hash of its last entry. Divides the counters among
    /// the clinics.
    fn begin_chains(&mut self, operation: &Operation<'_>) -> Result<(), Problem> {
        let clinics = self.clinics_in(&["packages", "registries"])?;
        let counters: Vec<CounterRow> = self.select("SELECT name, value FROM old_counters", &[])?;
        for CounterRow { name, value } in &counters {
            if name == "registries" {
                self.execute("INSERT INTO blocks (name, value) VALUES ($1, $2)", &[name.into(), value.into()])?;
                continue;
            }
            // Ids of all clinics go on from the same number, beyond those that each has.
            let of: Vec<&String> = match name.strip_prefix("packet/M") {
                Some(rest) => clinics.iter().filter(|mo| rest.strip_prefix(mo.as_str()).is_some_and(|rest| rest.starts_with('/'))).collect(),
                None => clinics.iter().collect(),
            };
            for mo in of {
                self.of(mo).execute("INSERT INTO counters (mo, name, value) VALUES ($1, $2, $3)", &[name.into(), value.into()])?;
            }
        }
        self.raw("DROP TABLE old_counters")?;
        let last = self.last_before()?;
        if last.is_some() {
            self.append_before(last.as_ref(), operation.draft(MIGRATE, canonical(&json!({ "from": 1, "to": VERSION, "clinics": clinics }))))?;
        }
        for mo in &clinics {
            operation.check()?;
            let rows = self.count_rows(mo)?;
            self.of(mo).counters().take_registries()?;
            self.of(mo).journal().append(None, operation.draft(MIGRATE, canonical(&json!({ "from": 1, "to": VERSION, "rows": rows.json() }))))?;
        }
        Ok(())
    }

    /// Notes in the journal of each clinic the sums of its rows with the columns that they have now. What differed from the journal before differs
    /// afterwards: the sums of the former columns are taken from what the journal states, and those of all columns are added.
    fn go_on(&mut self, from: i64, operation: &Operation<'_>) -> Result<(), Problem> {
        for mo in self.clinics_in(&["journal"])? {
            operation.check()?;
            let Some(last) = self.of(&mo).journal().last()? else { continue };
            let mut rows = last.rows.clone();
            for (table, columns) in [(NewCase::TABLE, NewCase::COLUMNS), (<&PackageRow>::TABLE, <&PackageRow>::COLUMNS)] {
                rows.take_back(&self.count_table(&mo, table, &former_parts(table))?);
                rows.merge(&self.count_table(&mo, table, &parts(table, columns))?);
            }
            let details = canonical(&json!({ "from": from, "to": VERSION, "rows": rows.json() }));
            self.of(&mo).journal().append(Some(&last), operation.draft(MIGRATE, details))?;
        }
        Ok(())
    }
}

/// The parts of a table that had sums before version 4.
fn former_parts(table: &str) -> Vec<Part> {
    let part = |name, columns: &[&'static str], unless_zero| Part { name, columns: columns.to_vec(), unless_zero };
    match table {
        "cases" => vec![
            part("cases", &CASE_COLUMNS, None),
            part("states", &["id", "state", "registry"], None),
            part("versions", &["id", "replaces"], Some("replaces")),
        ],
        _ => vec![part("packages", &PACKAGE_COLUMNS, None)],
    }
}
