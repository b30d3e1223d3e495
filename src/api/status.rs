//! The answer about registries and cases of a workspace.

use serde::{Deserialize, Serialize};

/// The status of a workspace, or of one registry.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// The registries.
    pub registries: Vec<Registry>,
    /// Counts of cases outside registries.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cases: Vec<Stock>,
    /// Journal entries of the registry that was asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<Step>,
    /// What is held against the cases of the registry that was asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sanctions: Vec<Sanction>,
}

/// A sanction of a case, or a refusal of it by ФЛК.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sanction {
    /// How many times the registry had been formed when it was sent.
    pub revision: i64,
    /// N_ZAP of the case in the registry.
    pub n_zap: i64,
    /// IDCASE of the case in the registry.
    pub idcase: i64,
    /// Code of F014; of a protocol, the error code; empty if none was stated.
    pub code: String,
    /// Kopecks taken off.
    pub sum_kopecks: i64,
    /// What the payer says; of a protocol, the wrong element and the text about it. All but the last four digits of a long number are hidden.
    pub comment: String,
    /// Name of the file that states it.
    pub source: String,
}

/// A registry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registry {
    /// Its number, such as `2102-1`.
    pub number: String,
    /// Id of its status.
    pub status: String,
    /// Name of its status in the language of the user.
    pub status_name: String,
    /// The moment since when it has this status, in UTC.
    pub since: String,
    /// Ids of the roles that act now.
    pub acts: Vec<String>,
    /// How many times it was formed.
    pub revision: i64,
    /// Its reporting month, `YYYY-MM`.
    pub period: String,
    /// Code of the clinic.
    pub mo: String,
    /// Code of the payer; empty for the fund itself.
    pub payer: String,
    /// Code of the receiver of the file.
    pub receiver: String,
    /// Id of the kind of care.
    pub kind: String,
    /// Code of the subdivision; empty for the whole clinic.
    pub subdivision: String,
    /// Letter of the family.
    pub family: String,
    /// Edition of the format.
    pub edition: String,
    /// Date of the account, `YYYY-MM-DD`.
    pub account_date: String,
    /// Name of its file without extension.
    pub file: String,
    /// Completed cases.
    pub cases: i64,
    /// Persons.
    pub persons: i64,
    /// Billed sum, kopecks.
    pub sum_kopecks: i64,
    /// Completed cases that the payer accepted.
    pub accepted_cases: i64,
    /// What the payer accepted, kopecks.
    pub accepted_sum_kopecks: i64,
    /// The moment when it was last formed, in UTC.
    pub formed_at: String,
    /// The moment when it was last sent, in UTC; empty if never.
    pub sent_at: String,
}

/// Number and sum of the cases outside registries with the same month, clinic, payer, kind of care and state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stock {
    /// Their reporting month, `YYYY-MM`.
    pub period: String,
    /// Code of the clinic.
    pub mo: String,
    /// Code of the payer.
    pub payer: String,
    /// Id of the kind of care.
    pub kind: String,
    /// Id of their state: `free`, `waiting`, `refused`, `question` or `aside`.
    pub state: String,
    /// Whether findings keep them out of registries.
    pub blocked: bool,
    /// How many there are.
    pub cases: i64,
    /// Sum of the cases, kopecks.
    pub sum_kopecks: i64,
}

/// An entry of the journal about a registry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Number of the entry, from 1.
    pub seq: u64,
    /// The moment of the action, in UTC.
    pub at: String,
    /// Name of the account.
    pub user: String,
    /// Name of the machine.
    pub host: String,
    /// Id of the role.
    pub role: String,
    /// Id of the action.
    pub action: String,
    /// Id of the status before; empty for none.
    pub before: String,
    /// Id of the status after; empty for none.
    pub after: String,
    /// Further facts as JSON.
    pub details: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Answer;

    #[test]
    fn a_client_reads_what_is_written() {
        let text = r#"{"schema":1,"tool":{"name":"puomp","version":"0.1.0"},"registries":[],"cases":[{"period":"2021-02","mo":"140001","payer":"14002","kind":"inpatient","state":"free","blocked":false,"cases":7,"sum_kopecks":120433050}]}"#;
        let answer: Answer<Status> = serde_json::from_str(text).expect("an answer");
        assert_eq!((answer.schema, answer.body.cases[0].cases, answer.body.history.len()), (1, 7, 0));
        assert_eq!(serde_json::to_string(&answer).expect("written"), text);
    }
}
