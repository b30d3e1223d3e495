//! `--format sarif`: the Static Analysis Results Interchange Format 2.1.0 (OASIS), for build systems and editors. It does not change with the language.
//!
//! Results are written as they come. What they refer to by number, rules and files, follows them.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use super::book::in_general;
use super::wire::{Entry, TOOL};
use super::{Ending, Report, RuleSet, shown};
use crate::finding::policy::Fingerprint;
use crate::finding::{Catalog, FileRole, RuleIx};
use crate::flk::PackageReport;
use crate::texts::{Lang, Severity};

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";
const VERSION: &str = "2.1.0";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SarifResult<'a> {
    rule_id: &'a str,
    rule_index: usize,
    level: &'static str,
    message: Message<'a>,
    locations: [Location<'a>; 1],
    partial_fingerprints: BTreeMap<&'static str, String>,
    properties: Properties<'a>,
}

#[derive(Serialize)]
struct Message<'a> {
    text: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Location<'a> {
    physical_location: PhysicalLocation<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    logical_locations: Option<[LogicalLocation<'a>; 1]>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PhysicalLocation<'a> {
    artifact_location: ArtifactLocation<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<Region>,
}

#[derive(Serialize)]
struct ArtifactLocation<'a> {
    uri: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<usize>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_column: Option<u32>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LogicalLocation<'a> {
    fully_qualified_name: &'a str,
    kind: &'static str,
}

/// What the format has no place of its own for; the names are those of JSON.
#[derive(Serialize)]
struct Properties<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    n_zap: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    idcase: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sl_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    idserv: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_pac: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    card: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    doctor: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Artifact {
    location: OwnLocation,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_index: Option<usize>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    hashes: BTreeMap<&'static str, String>,
}

#[derive(Serialize)]
struct OwnLocation {
    uri: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor<'a> {
    id: &'a str,
    short_description: OwnText,
    help: OwnText,
    default_configuration: Configuration,
}

#[derive(Serialize)]
struct OwnText {
    text: String,
}

#[derive(Serialize)]
struct Configuration {
    level: &'static str,
}

#[derive(Serialize)]
struct Tool<'a> {
    driver: Driver<'a>,
}

#[derive(Serialize)]
struct Driver<'a> {
    name: &'static str,
    version: &'static str,
    rules: Vec<Descriptor<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Invocation {
    execution_successful: bool,
    exit_code: u8,
}

/// Writes the log.
#[derive(Debug)]
pub struct Sarif<'a, W> {
    out: W,
    set: &'a RuleSet,
    catalog: &'a Catalog,
    show_personal: bool,
    results: u64,
    artifacts: Vec<(String, Option<usize>, Option<String>)>,
    rules: Vec<RuleIx>,
    numbers: BTreeMap<RuleIx, usize>,
}

impl<'a, W: Write> Sarif<'a, W> {
    /// Begins the log.
    ///
    /// # Errors
    /// The target cannot be written.
    pub fn new(mut out: W, set: &'a RuleSet, catalog: &'a Catalog, show_personal: bool) -> io::Result<Self> {
        write!(out, "{{\"$schema\":\"{SCHEMA}\",\"version\":\"{VERSION}\",\"runs\":[{{\"columnKind\":\"unicodeCodePoints\",\n\"results\":[")?;
        Ok(Self { out, set, catalog, show_personal, results: 0, artifacts: Vec::new(), rules: Vec::new(), numbers: BTreeMap::new() })
    }

    fn artifact(&mut self, uri: String, parent: Option<usize>, sha256: Option<String>) -> usize {
        self.artifacts.push((uri, parent, sha256));
        self.artifacts.len() - 1
    }

    /// The files of a package: the one at its path, the person file, the main file; files in an archive lie within the first.
    fn files(&mut self, report: &PackageReport) -> [usize; 3] {
        let container = report.file_name(FileRole::Container).to_owned();
        let folder = report.path.strip_suffix(&container).unwrap_or_default().to_owned();
        let is_plain = [&report.main, &report.persons].into_iter().any(|name| name.as_deref() == Some(&container));
        let own = self.artifact(uri(&report.path), None, report.sha256.clone());
        [FileRole::Container, FileRole::Persons, FileRole::Main].map(|role| match report.file_name(role) {
            name if name == container => own,
            name if is_plain => self.artifact(uri(&format!("{folder}{name}")), None, None),
            name => self.artifact(uri(name), Some(own), None),
        })
    }

    fn rule(&mut self, rule: RuleIx) -> usize {
        let Self { rules, numbers, catalog, .. } = self;
        // The format wants different descriptions, and a rule of two files may be two rows of one id and text.
        let said = |ix: RuleIx| {
            let rule = catalog.rule(ix);
            (&rule.id, rule.severity, &rule.text.ru, &rule.advice.ru)
        };
        *numbers.entry(rule).or_insert_with(|| {
            rules.iter().position(|known| said(*known) == said(rule)).unwrap_or_else(|| {
                rules.push(rule);
                rules.len() - 1
            })
        })
    }
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    }
}

/// A path as a relative reference, or as an address if it begins at the root or with a drive.
fn uri(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    let path = path.replace('\\', "/");
    let drive = path.as_bytes().get(1) == Some(&b':');
    match () {
        () if drive => out.push_str("file:///"),
        () if path.starts_with('/') => out.push_str("file://"),
        () => {}
    }
    for (at, byte) in path.bytes().enumerate() {
        let is_plain = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'/') || (drive && at == 1);
        if is_plain {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

impl<W: Write> Report for Sarif<'_, W> {
    fn package(&mut self, report: &PackageReport) -> io::Result<()> {
        let files = self.files(report);
        let package = report.main.as_deref().unwrap_or_else(|| report.file_name(FileRole::Container));
        for finding in report.findings.iter()? {
            let finding = finding?;
            // What follows from another finding goes with its cause.
            if finding.follows_from.is_some() {
                continue;
            }
            let rule_index = self.rule(finding.rule);
            let rule = self.catalog.rule(finding.rule);
            let print = Fingerprint::of(&finding, rule, package).to_string();
            let finding = shown(finding, self.show_personal);
            let entry = Entry::new(&finding, report, self.catalog);
            let index = files[match finding.file {
                FileRole::Container => 0,
                FileRole::Persons => 1,
                FileRole::Main => 2,
            }];
            let region = entry.line.map(|start_line| Region { start_line, start_column: entry.column.filter(|c| *c > 0) });
            let location = Location {
                physical_location: PhysicalLocation { artifact_location: ArtifactLocation { uri: &self.artifacts[index].0, index: Some(index) }, region },
                logical_locations: entry.path.map(|path| [LogicalLocation { fully_qualified_name: path, kind: "element" }]),
            };
            let result = SarifResult {
                rule_id: entry.rule,
                rule_index,
                level: level(rule.severity),
                message: Message { text: &entry.message },
                locations: [location],
                partial_fingerprints: BTreeMap::from([("puomp/v1", print)]),
                properties: Properties {
                    n_zap: entry.n_zap,
                    idcase: entry.idcase,
                    sl_id: entry.sl_id,
                    idserv: entry.idserv,
                    id_pac: entry.id_pac,
                    card: entry.card,
                    doctor: entry.doctor,
                },
            };
            self.out.write_all(if self.results == 0 { b"\n" } else { b",\n" })?;
            self.results += 1;
            serde_json::to_writer(&mut self.out, &result)?;
        }
        Ok(())
    }

    fn finish(&mut self, ending: &Ending<'_>) -> io::Result<()> {
        let artifacts: Vec<Artifact> = std::mem::take(&mut self.artifacts)
            .into_iter()
            .map(|(uri, parent_index, sha256)| Artifact {
                location: OwnLocation { uri },
                parent_index,
                hashes: sha256.into_iter().map(|digest| ("sha-256", digest)).collect(),
            })
            .collect();
        let rules = self.rules.iter().map(|ix| {
            let rule = self.catalog.rule(*ix);
            Descriptor {
                id: &rule.id,
                short_description: OwnText { text: in_general(rule.text.get(Lang::Ru)) },
                help: OwnText { text: in_general(rule.advice.get(Lang::Ru)) },
                default_configuration: Configuration { level: level(rule.severity) },
            }
        });
        let tool = Tool { driver: Driver { name: TOOL.name(), version: TOOL.version(), rules: rules.collect() } };
        let invocation = Invocation { execution_successful: true, exit_code: ending.code };
        write!(self.out, "],\n\"artifacts\":{},\n\"tool\":{},\n", serde_json::to_string(&artifacts)?, serde_json::to_string(&tool)?)?;
        let set = BTreeMap::from([("rule_set_version", &self.set.version), ("rule_set_date", &self.set.date)]);
        writeln!(self.out, "\"invocations\":[{}],\n\"properties\":{}}}]}}", serde_json::to_string(&invocation)?, serde_json::to_string(&set)?)?;
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{self, Desk};
    use super::*;

    fn log(packages: &[PackageReport]) -> serde_json::Value {
        let desk = Desk::new();
        let mut out = Vec::new();
        let mut report = Sarif::new(&mut out, &desk.rules, &desk.catalog, false).expect("begun");
        desk.run(&mut report, packages, None);
        drop(report);
        serde_json::from_slice(&out).expect("JSON")
    }

    /// What the schema demands of the parts that are written, by hand: the schema itself is not here.
    #[test]
    fn every_number_leads_to_what_it_means() {
        let desk = Desk::new();
        let log = log(&[samples::mixed(&desk), samples::clean(), samples::damaged(&desk)]);
        let run = &log["runs"][0];
        let list = |name: &str| run[name].as_array().unwrap_or_else(|| panic!("{name}")).clone();
        let (results, artifacts) = (list("results"), list("artifacts"));
        let rules = run["tool"]["driver"]["rules"].as_array().expect("rules");
        assert_eq!((&log["version"], results.len() as u64), (&VERSION.into(), samples::mixed(&desk).findings.len() + 1));
        for result in &results {
            let rule = &rules[result["ruleIndex"].as_u64().expect("a number") as usize];
            assert_eq!(rule["id"], result["ruleId"]);
            assert!(["error", "warning", "note"].contains(&result["level"].as_str().expect("a level")) && result["message"]["text"].is_string());
            let place = &result["locations"][0]["physicalLocation"];
            let artifact = &artifacts[place["artifactLocation"]["index"].as_u64().expect("a number") as usize];
            assert_eq!(artifact["location"]["uri"], place["artifactLocation"]["uri"]);
            assert!(place["region"].is_null() || place["region"]["startLine"].as_u64() > Some(0), "lines begin with 1");
            assert!(result["partialFingerprints"]["puomp/v1"].as_str().is_some_and(|print| print.len() == 32));
        }
        // The archive, and the two files in it, for each of two packages; the damaged archive alone.
        assert_eq!(artifacts.len(), 3 + 3 + 1);
        assert_eq!((artifacts[1]["parentIndex"].as_u64(), artifacts[4]["parentIndex"].as_u64()), (Some(0), Some(3)));
        assert!(artifacts[0]["location"]["uri"].as_str().is_some_and(|uri| uri.is_ascii() && uri.ends_with("/HM140001S14002_2103.zip")));
        assert!(!log.to_string().contains("Кириллов"));
    }

    #[test]
    fn paths_are_addresses() {
        for (path, due) in
            [("a b/ё.zip", "a%20b/%D1%91.zip"), ("/x/y", "file:///x/y"), (r"D:\x\y", "file:///D:/x/y"), ("a:b/c", "file:///a:b/c"), ("x%:y", "x%25%3Ay")]
        {
            assert_eq!(uri(path), due);
        }
    }
}
