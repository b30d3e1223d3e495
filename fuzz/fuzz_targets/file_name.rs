//! The grammar of file names: never a panic; what is read is written back and read again the same.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use puomp::registry::format::Formats;
use puomp::registry::name::FileName;
use puomp::tables::RuleFiles;

static FORMATS: LazyLock<Formats> = LazyLock::new(|| Formats::load(&RuleFiles::embedded()).expect("the tests load the same tables"));

fuzz_target!(|stem: &str| {
    let prefixes = FORMATS.prefixes();
    let Ok(name) = FileName::parse(prefixes, stem) else { return };
    let written = name.to_string();
    assert_eq!(written, stem.to_ascii_uppercase(), "nothing is lost");
    assert_eq!(FileName::parse(prefixes, &written).as_ref(), Ok(&name));
    assert!((1..=12).contains(&name.month) && (2000..2100).contains(&name.year));
    assert_eq!((name.sender.code.len(), name.receiver.code.len()), (name.sender.kind.digits(), name.receiver.kind.digits()));
    if let Some(persons) = name.persons(prefixes) {
        assert!(persons.is_persons && !name.is_persons);
        assert_eq!(FileName::parse(prefixes, &persons.to_string()).as_ref(), Ok(&persons));
        assert_eq!(persons.main(prefixes).as_ref(), Some(&name), "the pair finds back");
    }
});
