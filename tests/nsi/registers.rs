//! Registers of МЭК: memory and time of large and hostile files.

use std::io::{self, Read};
use std::time::Instant;

use crate::support::process::{is_run_alone, peak};
use puomp::cases::PersonKeys;
use puomp::registers::{ImportError, Layouts, Taken, import, path_of};
use puomp::tables::RuleFiles;
use puomp::values::Date;

fn imported(id: &str, input: impl Read) -> Result<Taken, ImportError> {
    let folder = tempfile::tempdir().expect("a folder");
    let layouts = Layouts::load(&RuleFiles::embedded()).expect("sound");
    let keys = PersonKeys::new(&[7; 32]);
    import(layouts.get(id).expect("known"), input, &keys, &path_of(folder.path(), id), Date::new(2026, 12, 1).expect("a day"))
}

#[test]
fn hostile_files_of_a_gigabyte_end_within_32_megabytes() {
    if is_run_alone(hostile_files_of_a_gigabyte_end_within_32_megabytes) {
        return;
    }
    let header = &b"enp;death_date\n"[..];
    let filled = |head: &'static [u8], byte: u8| header.chain(head).chain(io::repeat(byte).take(1 << 30));
    for (head, byte, message) in [
        (&b"\"9900000000000001;2026-01-01\n"[..], b'x', "line 2: a quote is opened"),
        (b"\"", b'\n', "line 2: a quote is opened"),
        (b"\"", b'"', "line 2: "),
        (b"", b'x', "line 2: longer than"),
        (b"", b';', "line 2: longer than"),
        (b"", 0, "line 2: longer than"),
    ] {
        let error = imported("deaths", filled(head, byte)).expect_err(message).to_string();
        assert!(error.starts_with(message), "{error}");
    }
    // Empty lines are none.
    assert!(matches!(imported("deaths", filled(b"", b'\n')), Err(ImportError::NoRows)));
    if let Some(peak) = peak() {
        assert!(peak < 32 << 10, "{peak} KB");
    }
}

/// The rows of a register of insured persons, made as they are read.
struct Rows {
    next: u64,
    end: u64,
    is_named: bool,
    line: io::Cursor<Vec<u8>>,
}

impl Read for Rows {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            let count = self.line.read(into)?;
            if count > 0 || self.next == self.end {
                return Ok(count);
            }
            let from = self.next;
            self.next = (from + 1000).min(self.end);
            let row = |n: u64| {
                let enp = 9_900_000_000_000_000 + n.wrapping_mul(0x9e37_79b9) % 1_000_000_000_000;
                let names = if self.is_named { format!("Выдуманная{n};Имя;Отчество;1980-02-29") } else { ";;;".to_owned() };
                format!("{enp};3;;{enp};1400{};2012-05-01;;{names}\n", n % 10)
            };
            self.line = io::Cursor::new((from..self.next).map(row).collect::<String>().into_bytes());
        }
    }
}

#[test]
#[ignore = "a measurement"]
fn a_million_insured_persons() {
    if is_run_alone(a_million_insured_persons) {
        return;
    }
    for is_named in [false, true] {
        let header = b"enp;vpolis;spolis;npolis;smo;date_from;date_to;fam;im;ot;dr\n".to_vec();
        let begun = Instant::now();
        let rows = Rows { next: 0, end: 1_000_000, is_named, line: io::Cursor::new(header) };
        let taken = imported("insured", rows).expect("taken");
        crate::support::say::say(&format!("{} rows, named {is_named}: {:?}, peak {} MB", taken.rows, begun.elapsed(), peak().unwrap_or_default() >> 10));
        assert_eq!(taken.rows, 1_000_000);
    }
}
