//! Any text is a file name or an error; a name writes itself and finds its way between main and person file.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use puomp::registry::format::Formats;
use puomp::registry::name::FileName;
use puomp::tables::RuleFiles;

static FORMATS: LazyLock<Formats> = LazyLock::new(|| Formats::load(&RuleFiles::embedded()).expect("the built-in tables are sound"));

fuzz_target!(|stem: &str| {
    let prefixes = FORMATS.prefixes();
    if let Ok(name) = FileName::parse(prefixes, stem) {
        assert_eq!(name.to_string(), stem.to_ascii_uppercase());
        if let Some(persons) = name.persons(prefixes) {
            assert_eq!(persons.main(prefixes).as_ref(), Some(&name));
        }
    }
});
