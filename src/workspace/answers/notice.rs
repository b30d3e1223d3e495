//! Reads a status notice: a short JSON document.

use std::io::Read;

use serde::Deserialize;

use super::{Answer, AnswerError, Decision, LARGEST_NOTICE};
use crate::registry::encoding::BOM;
use crate::registry::fault::Fault;
use crate::registry::source::Source;

const SCHEMA: u32 = 1;

#[derive(Deserialize)]
struct Notice {
    schema: u32,
    kind: Kind,
    number: String,
    date: String,
    action: Action,
    #[serde(default)]
    reason: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Notice,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Action {
    Accepted,
    Returned,
    Paid,
}

/// Reads a notice.
///
/// # Errors
/// The notice is too large, not JSON, of another schema, or lacks a value.
pub(super) fn read(source: &Source) -> Result<Answer, AnswerError> {
    let mut bytes = Vec::new();
    source.open().map_err(Fault::from)?.take(LARGEST_NOTICE + 1).read_to_end(&mut bytes).map_err(Fault::from)?;
    if bytes.len() as u64 > LARGEST_NOTICE {
        return Err(AnswerError::NoAnswer);
    }
    // The message of serde may quote the text, so only the line and the column are reported.
    let notice: Notice =
        serde_json::from_slice(bytes.strip_prefix(BOM).unwrap_or(&bytes)).map_err(|e| AnswerError::Notice(e.line() as u64, e.column() as u64))?;
    let Kind::Notice = notice.kind;
    if notice.schema != SCHEMA {
        return Err(AnswerError::Value("schema".to_owned(), 1));
    }
    if notice.number.trim().is_empty() {
        return Err(AnswerError::Lacks("number".to_owned()));
    }
    let decision = match notice.action {
        Action::Accepted => Decision::Accepted,
        Action::Returned => Decision::Returned,
        Action::Paid => Decision::Paid,
    };
    Ok(Answer { decision, is_notice: true, number: notice.number.trim().to_owned(), date: notice.date, reason: notice.reason, ..Answer::default() })
}
