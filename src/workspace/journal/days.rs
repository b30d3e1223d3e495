//! The content of daily entries: the heads of the chains of all clinics.
//!
//! A daily entry has the action [`DAY`], the day as its subject (`2026-11-25`) and the heads in its details, as [`day_details`] writes them. It
//! proves every clinic's chain up to that day, so a tail that was cut off later is missed without an exported head.

use serde::{Deserialize, Serialize};

use super::{Digest, canonical};

/// The action of a daily entry.
pub const DAY: &str = "day";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct HeadOfClinic {
    hash: Digest,
    mo: String,
    seq: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Heads {
    heads: Vec<HeadOfClinic>,
}

/// The details of a daily entry: code of the clinic, number and hash of the last entry of its chain, for every clinic that has entries. The order
/// of the list does not matter; a clinic stands in it once.
///
/// The text is canonical JSON with the clinics in the order of their codes: `{"heads":[{"hash":"…","mo":"140001","seq":12}]}`.
pub fn day_details(heads: &[(String, u64, Digest)]) -> String {
    let mut heads: Vec<HeadOfClinic> = heads.iter().map(|(mo, seq, hash)| HeadOfClinic { hash: *hash, mo: mo.clone(), seq: *seq }).collect();
    heads.sort_by(|a, b| a.mo.cmp(&b.mo));
    // Codes, numbers and hashes can always be written as JSON.
    serde_json::to_value(Heads { heads }).map_or_else(|_| String::new(), |value| canonical(&value))
}

/// The heads in the details of a daily entry, in the order of the clinics' codes; `None` if [`day_details`] does not write such a text.
pub fn day_heads(details: &str) -> Option<Vec<(String, u64, Digest)>> {
    let Heads { heads } = serde_json::from_str(details).ok()?;
    let heads: Vec<_> = heads.into_iter().map(|head| (head.mo, head.seq, head.hash)).collect();
    let sound = heads.iter().all(|(_, seq, hash)| *seq > 0 && *hash != Digest::NONE) && heads.is_sorted_by(|a, b| a.0 < b.0);
    (sound && day_details(&heads) == details).then_some(heads)
}
