//! The answers about cases of a workspace.

use serde::{Deserialize, Serialize};

/// A list of cases.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cases {
    /// The cases, by clinic in the order in which they came.
    pub cases: Vec<Case>,
}

/// A version of a case. Card number and doctor are hidden but for their end if they look like the number of a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    /// What the case is called in commands, such as `c17`.
    pub case: String,
    /// Code of the clinic.
    pub mo: String,
    /// Id of its state.
    pub state: String,
    /// Why it has this state.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<Reason>,
    /// What happened to it since the day that was asked for: `new`, `changed` or `gone`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<String>,
    /// Number of the registry that holds it; empty for none.
    pub registry: String,
    /// Reporting month of its package, `YYYY-MM`.
    pub period: String,
    /// Code of the payer.
    pub payer: String,
    /// Id of the kind of care.
    pub kind: String,
    /// Number of the medical card or case history.
    pub card: String,
    /// Code of the doctor.
    pub doctor: String,
    /// Code of the department.
    pub unit: String,
    /// Code of the subdivision.
    pub subdivision: String,
    /// Profile of care.
    pub profile: String,
    /// Conditions of care.
    pub conditions: String,
    /// First day, `YYYY-MM-DD`; empty for none.
    pub from: String,
    /// Last day, `YYYY-MM-DD`; empty for none.
    pub to: String,
    /// Kopecks.
    pub sum_kopecks: i64,
    /// N_ZAP in its file.
    pub n_zap: i64,
    /// IDCASE in its file.
    pub idcase: i64,
    /// Name of its file.
    pub file: String,
    /// The moment at which the file was loaded, in UTC.
    pub loaded_at: String,
}

/// Why a case has its state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// `rules`, `package`, `refused`, `said`, or what makes a match doubtful: `twice`, `other-key`, `person`, `family`, `month`, `of-paid`, `of-dropped`, `several`.
    pub kind: String,
    /// Ids of rules, codes of refusals, what a user said, or what the other case is called.
    pub values: Vec<String>,
}

/// All that is known of a case.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Story {
    /// Its versions, the oldest first.
    pub versions: Vec<Case>,
    /// Their findings.
    pub findings: Vec<Finding>,
    /// The registries in which they stood.
    pub registries: Vec<Member>,
    /// What was held against them.
    pub decisions: Vec<Decision>,
    /// What users did with them.
    pub actions: Vec<Action>,
    /// Cases that may be the same.
    pub alike: Vec<Case>,
}

/// A finding of a version, or of its whole package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The version; empty for the whole package.
    pub case: String,
    /// Id of the rule.
    pub rule: String,
    /// Its severity.
    pub severity: String,
    /// `main` or `persons`.
    pub file: String,
    /// Line of the first place.
    pub line: i64,
    /// Path of the element there.
    pub path: String,
    /// How many places.
    pub count: i64,
}

/// A version in a registry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// The version.
    pub case: String,
    /// Number of the registry.
    pub registry: String,
    /// Id of its status.
    pub status: String,
    /// How many times it had been formed.
    pub revision: i64,
    /// N_ZAP there.
    pub n_zap: i64,
    /// IDCASE there.
    pub idcase: i64,
}

/// What was held against a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// The version.
    pub case: String,
    /// Number of the registry.
    pub registry: String,
    /// How many times it had been formed.
    pub revision: i64,
    /// Code of F014, or the error code of a protocol.
    pub code: String,
    /// Kopecks taken off.
    pub sum_kopecks: i64,
    /// What the payer says, without long numbers.
    pub comment: String,
    /// Name of the file that states it.
    pub source: String,
}

/// What a user did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Action {
    /// The moment in UTC.
    pub at: String,
    /// `user@host`.
    pub by: String,
    /// Id of the action.
    pub action: String,
    /// The reason, without long numbers.
    pub reason: String,
}
