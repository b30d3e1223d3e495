//! A package of one record that uses every element of its formats, for developers of a MIS and as a base for tests.

use super::rng::Rng;
use super::{Choice, Error, Names, typical};
use crate::registry::encoding::Encoding;
use crate::registry::format::{Content, Family, Format, Formats, NodeId, PERSONS, Role};
use crate::registry::name::{FileName, Party, PartyKind};
use crate::registry::writer::{Layout, Writer};
use crate::values::{Month, money};

/// Both files of a package with every element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Everything {
    /// Names without extension.
    pub names: Names,
    /// The main file.
    pub main: Vec<u8>,
    /// The person file.
    pub persons: Vec<u8>,
}

/// Makes a package with every element of an edition once and every repeatable one twice: structurally valid, but without meaning.
///
/// # Errors
/// The family or the edition does not exist.
pub fn everything(formats: &Formats, family: Family, edition: &str, encoding: Encoding, layout: Layout) -> Result<Everything, Error> {
    let unknown = |what, given: String, known: Vec<String>| Error::Unknown { what, given, known };
    let known = || formats.editions(family).iter().map(|f| f.edition.id.clone()).collect();
    let main = formats.get(family, edition).ok_or_else(|| unknown(Choice::Edition, format!("{family} {edition}"), known()))?;
    let period = main.edition.from.or(main.edition.until).ok_or_else(|| unknown(Choice::Period, format!("{family} {edition}"), Vec::new()))?;
    let (persons, _) = formats.choose(PERSONS, None, Some(period)).ok_or_else(|| unknown(Choice::Family, PERSONS.to_string(), Vec::new()))?;
    let prefix = formats.prefixes().iter().find(|p| p.family == family).ok_or_else(|| unknown(Choice::Letters, family.to_string(), Vec::new()))?;
    let name = |letters: &str, is_persons: bool| FileName {
        letters: letters.to_owned(),
        family: Some(family),
        is_persons,
        sender: Party { kind: PartyKind::Clinic, code: CLINIC.to_owned() },
        receiver: Party { kind: PartyKind::Insurer, code: INSURER.to_owned() },
        year: period.year,
        month: period.month,
        number: "1".to_owned(),
    };
    let names = Names { main: name(&prefix.letters, false).to_string(), persons: name(&prefix.persons, true).to_string() };
    let file = |format, own: &str| -> Result<Vec<u8>, Error> {
        let filler = Filler { format, period, own, main: &names.main, rng: Rng::new(0, 0), keys: 0 };
        Ok(filler.fill(encoding, layout)?)
    };
    Ok(Everything { main: file(main, &names.main)?, persons: file(persons, &names.persons)?, names: names.clone() })
}

/// Codes that no organisation has, so that every lookup reports them.
const CLINIC: &str = "999999";
const INSURER: &str = "99999";
/// Value of each summand in kopecks.
const SUMMAND: i64 = 10_000;

struct Filler<'a> {
    format: &'a Format,
    period: Month,
    own: &'a str,
    main: &'a str,
    rng: Rng,
    /// Number of keys given out so far; no key repeats.
    keys: u32,
}

impl Filler<'_> {
    fn fill(mut self, encoding: Encoding, layout: Layout) -> std::io::Result<Vec<u8>> {
        let mut writer = Writer::new(self.format, encoding, layout, Vec::new());
        self.element(self.format.root(), &mut writer)?;
        writer.finish()
    }

    /// How often an element occurs in its parent.
    fn times(&self, node: NodeId) -> i64 {
        let is_record = self.format.role(Role::Record) == Some(node);
        if self.format.node(node).obligation.repeatable && !is_record { 2 } else { 1 }
    }

    /// How often an element of a role occurs within the element of another role, or in the file.
    fn within(&self, role: Role, scope: Option<Role>) -> i64 {
        let (Some(mut at), scope) = (self.format.role(role), scope.and_then(|s| self.format.role(s))) else { return 0 };
        let mut times = 1;
        while Some(at) != scope {
            times *= self.times(at);
            match self.format.node(at).parent {
                Some(parent) => at = parent,
                None => break,
            }
        }
        times
    }

    fn element(&mut self, id: NodeId, writer: &mut Writer<'_, Vec<u8>>) -> std::io::Result<()> {
        let format = self.format;
        let node = format.node(id);
        for _ in 0..self.times(id) {
            match &node.content {
                Content::Value(kind) => {
                    let text = match node.role.and_then(|role| self.of_role(role)) {
                        Some(text) => text,
                        None => typical::value(kind, &mut self.rng),
                    };
                    writer.value(id, &text)?;
                }
                Content::Block => {
                    writer.open(id)?;
                    for child in &node.children {
                        self.element(*child, writer)?;
                    }
                    writer.close()?;
                }
            }
        }
        Ok(())
    }

    /// The text of an element that must agree with others; `None` for other elements.
    fn of_role(&mut self, role: Role) -> Option<String> {
        Some(match role {
            Role::Version => self.format.edition.version.clone(),
            Role::FileName => self.own.to_owned(),
            Role::MainName => self.main.to_owned(),
            Role::CodeMo => CLINIC.to_owned(),
            Role::Payer => INSURER.to_owned(),
            Role::Year => self.period.year.to_string(),
            Role::Month => self.period.month.to_string(),
            Role::CasesDeclared => self.within(Role::Case, None).to_string(),
            Role::Total => money(self.within(Role::CaseSum, None) * self.case_sum()),
            Role::CaseSum => money(self.case_sum()),
            Role::PartSum => money(SUMMAND),
            Role::NZap | Role::IdPac => "1".to_owned(),
            Role::IdCase | Role::SlId | Role::IdServ => {
                self.keys += 1;
                self.keys.to_string()
            }
            _ => return None,
        })
    }

    /// Sum of a case in kopecks, over its parts if the edition has parts.
    fn case_sum(&self) -> i64 {
        SUMMAND * self.within(Role::PartSum, Some(Role::Case)).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::RuleFiles;

    #[test]
    fn every_element_stands_in_it() {
        let formats = Formats::load(&RuleFiles::embedded()).expect("sound tables");
        for format in formats.all().filter(|f| f.family != PERSONS) {
            let package = everything(&formats, format.family, &format.edition.id, Encoding::Utf8, Layout::Lines).expect("written");
            let text = String::from_utf8(package.main).expect("UTF-8");
            for node in format.nodes() {
                let times = text.matches(&format!("<{}>", node.name)).count();
                assert!(times >= 1 && (times >= 2 || !node.obligation.repeatable || node.role == Some(Role::Record)), "{}", node.path);
            }
        }
    }
}
