//! What a version of a case was before it came into a state in which it keeps that: the column `was`.

use std::borrow::Cow;

use crate::cases::CaseState;

/// Divides the states in the column `was`, the last one first.
pub(super) const STEP: char = '/';

/// What a case was when it comes into a state, after it was `before` and, before that, `was`.
pub(super) fn former<'c>(state: CaseState, before: &str, was: &'c str) -> Cow<'c, str> {
    match (state.keeps_former(), was) {
        (false, _) => "".into(),
        (true, was) if before == state.as_str() => was.into(),
        (true, "") => before.to_owned().into(),
        (true, was) => format!("{before}{STEP}{was}").into(),
    }
}

/// A condition: a case of the table `of` neither is in a state nor was before it was dropped, set aside, replaced or taken back.
pub(super) fn was_never(of: &str, state: CaseState) -> String {
    format!("({of}.state || '{STEP}' || {of}.was) NOT LIKE '%{state}%'")
}
