//! Who pays for a case: its insurer, or the fund of the clinic's territory for people insured elsewhere. `rules/forms/payers.csv` says which; a region may
//! change it.

use std::collections::HashMap;

use serde::Deserialize;

use crate::registry::name::{Party, PartyKind};
use crate::tables::{RuleFiles, TableError};

const TABLE: &str = "forms/payers.csv";
/// The book of territories: OKATO and the code of the fund.
const TERRITORIES: &str = "nsi/F010.csv";

/// Where a patient is insured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Insured {
    /// In the territory of the clinic, or it is not known where.
    Here,
    /// In another territory.
    Elsewhere,
}

/// Who gets the registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Goes {
    /// Each insurer its own.
    Insurer,
    /// The fund of the clinic's territory.
    Fund,
}

#[derive(Deserialize)]
struct PayerRow {
    insured: Insured,
    payer: Goes,
    #[serde(rename = "name_ru")]
    _ru: String,
    #[serde(rename = "name_en")]
    _en: String,
}

/// A territory: OKATO, code of the fund, name, first and last day.
type TerritoryRow = (String, String, String, String, String);

/// The table.
#[derive(Debug, Clone)]
pub(in crate::workspace) struct Payers {
    here: Goes,
    elsewhere: Goes,
    /// Codes of funds by the OKATO of their territories.
    territories: HashMap<String, String>,
}

/// What the export says about the insurance of a case; what it does not say is empty.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Insurance<'v> {
    /// The insurer of the patient.
    pub(super) insurer: &'v str,
    /// The OKATO of the territory where the patient is insured.
    pub(super) territory: &'v str,
    /// The payer of the account.
    pub(super) payer: &'v str,
}

impl Payers {
    /// Reads the table and the book of territories.
    ///
    /// # Errors
    /// An unknown word; a row twice or not at all.
    pub(in crate::workspace) fn load(files: &RuleFiles) -> Result<Self, TableError> {
        let (mut here, mut elsewhere) = (None, None);
        for (line, row) in files.rows::<PayerRow>(TABLE)? {
            let place = if row.insured == Insured::Here { &mut here } else { &mut elsewhere };
            if place.replace(row.payer).is_some() {
                return Err(TableError::new(TABLE, line, "this row stands twice"));
            }
        }
        let (Some(here), Some(elsewhere)) = (here, elsewhere) else { return Err(TableError::new(TABLE, 0, "here and elsewhere are due")) };
        let territories = files.rows::<TerritoryRow>(TERRITORIES)?.into_iter().map(|(_, (okato, fund, ..)): (_, TerritoryRow)| (okato, fund)).collect();
        Ok(Self { here, elsewhere, territories })
    }

    /// The fund of a clinic's territory, as a party such as `T14`; empty when the code of the clinic does not say.
    pub(in crate::workspace) fn fund(clinic: &str) -> String {
        let code = clinic.get(..PartyKind::Fund.digits()).unwrap_or_default().to_owned();
        Some(Party { kind: PartyKind::Fund, code }).filter(Party::is_sound).map_or_else(String::new, |fund| fund.to_string())
    }

    /// Whether a payer is the fund of a clinic's territory, which is its own receiver, and not the code of an insurer.
    pub(in crate::workspace) fn is_fund(payer: &str, clinic: &str) -> bool {
        !payer.is_empty() && payer == Self::fund(clinic)
    }

    /// The payer of a case: the code of an insurer, or `fund`, which [`Payers::fund`] gives for the clinic; empty when the export names nobody.
    pub(super) fn of<'v>(&self, insurance: Insurance<'v>, fund: &'v str) -> &'v str {
        let named = if insurance.insurer.is_empty() { insurance.payer } else { insurance.insurer };
        let goes = if self.is_elsewhere(insurance, fund) { self.elsewhere } else { self.here };
        match goes {
            Goes::Fund if !fund.is_empty() => fund,
            Goes::Fund | Goes::Insurer => named,
        }
    }

    fn is_elsewhere(&self, insurance: Insurance<'_>, fund: &str) -> bool {
        let Some(own) = Party::of(fund).map(|fund| fund.code) else { return false };
        if insurance.insurer.is_empty() {
            return self.territories.get(insurance.territory).is_some_and(|territory| *territory != own);
        }
        // Only a code that can be one of an insurer says where it is.
        let insurer = Party { kind: PartyKind::Insurer, code: insurance.insurer.to_owned() };
        insurer.is_sound() && !insurer.code.starts_with(&own)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payers(table: Option<&str>) -> Result<Payers, TableError> {
        let Some(table) = table else { return Payers::load(&RuleFiles::embedded()) };
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("forms")).expect("made");
        std::fs::write(folder.path().join(TABLE), format!("insured,payer,name_ru,name_en\n{table}")).expect("written");
        Payers::load(&RuleFiles::with_overlay(folder.path()))
    }

    fn insured<'v>(insurer: &'v str, territory: &'v str, payer: &'v str) -> Insurance<'v> {
        Insurance { insurer, territory, payer }
    }

    #[test]
    fn people_insured_elsewhere_go_to_the_own_fund() {
        let payers = payers(None).expect("sound");
        let of = |insurance| payers.of(insurance, "T14").to_owned();
        // The insurer of the patient comes before the payer of the account.
        assert_eq!(of(insured("14002", "", "14003")), "14002");
        assert_eq!(of(insured("", "", "14003")), "14003");
        assert_eq!(of(insured("", "", "")), "");
        assert_eq!((of(insured("77001", "", "")), of(insured("03101", "", ""))), ("T14".to_owned(), "T14".to_owned()));
        // Without an insurer the territory decides: 98000 is Yakutia, 45000 is Moscow.
        assert_eq!((of(insured("", "98000", "")), of(insured("", "45000", ""))), (String::new(), "T14".to_owned()));
        assert_eq!(of(insured("14002", "45000", "")), "14002");
        // What is no code says nothing.
        for odd in ["../..", "7700", "77OO1", "CON", "T77"] {
            assert_eq!(of(insured(odd, "", "")), odd);
        }
        assert_eq!(of(insured("", "00000", "14002")), "14002");
    }

    #[test]
    fn a_clinic_without_a_code_has_no_fund() {
        assert_eq!([Payers::fund("140001"), Payers::fund("../../"), Payers::fund("1"), Payers::fund(""), Payers::fund("я")], ["T14", "", "", "", ""]);
        assert_eq!(payers(None).expect("sound").of(insured("77001", "", ""), ""), "77001");
        assert!(Payers::is_fund("T14", "140001") && !Payers::is_fund("T99", "140001") && !Payers::is_fund("", "") && !Payers::is_fund("14002", "140001"));
    }

    #[test]
    fn a_region_may_change_the_table() {
        let each = payers(Some("here,insurer,,\nelsewhere,insurer,,\n")).expect("sound");
        assert_eq!(each.of(insured("77001", "", ""), "T14"), "77001");
        let all = payers(Some("here,fund,,\nelsewhere,fund,,\n")).expect("sound");
        assert_eq!(all.of(insured("14002", "", ""), "T14"), "T14");
        for broken in ["here,insurer,,\n", "here,insurer,,\nhere,fund,,\nelsewhere,fund,,\n", "here,insurer,,\nelsewhere,nobody,,\n", "there,fund,,\n"] {
            assert!(payers(Some(broken)).is_err(), "{broken}");
        }
    }
}
