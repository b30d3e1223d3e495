//! The functions of the rule language: one list for the compiler's messages, the wording of rules and the page for analysts.

/// Every function that a rule may call. A test fails if one lacks a row in `rules/flk/words.csv` or an example in `rules/flk/README.md`.
pub const FUNCTIONS: &[&str] = &[
    "PRESENT",
    "ABSENT",
    "EXISTS",
    "FORALL",
    "AGE",
    "AGE_YEARS",
    "YEAR",
    "MONTH",
    "PERIOD",
    "TODAY",
    "ADDYEARS",
    "LASTCHAR",
    "MAIN",
    "MAINFILE_TYPE",
    "SUM",
    "COUNT",
    "LEN",
    "MASK",
    "CHARSET",
    "DIGITS",
    "DECIMAL",
    "DATE",
    "NEWBORN",
    "CHECKDIGIT",
    "TIDY",
    "ENDS",
    "FIRST",
    "UNIQUE",
    "USUAL",
    "DAYS",
    "BOOK",
    "INBOOK",
    "BOOKROW",
    "BOOK1",
    "REGIONAL_BOOK",
    "IS_EKO_STAGE_WITH_KSLP_1",
];

/// The words of a list that are most similar to a word, at most `most` of them, nearest first; empty if none is similar.
pub fn nearest<'l>(word: &str, list: impl IntoIterator<Item = &'l str>, most: usize) -> Vec<&'l str> {
    let mut found: Vec<(usize, &str)> = list.into_iter().map(|known| (distance(word, known), known)).collect();
    found.retain(|(distance, known)| *distance * 2 <= known.chars().count());
    found.sort_unstable();
    found.into_iter().take(most).map(|(_, known)| known).collect()
}

/// The message for an unknown call, with the function that was probably meant.
pub(super) fn unknown(name: &str, count: usize, gives: &str) -> String {
    let hint = if FUNCTIONS.contains(&name) { None } else { nearest(name, FUNCTIONS.iter().copied(), 1).first().copied() };
    let hint = hint.map_or_else(String::new, |h| format!("; {h}?"));
    format!("no function {name} with {count} arguments that {gives}{hint}")
}

/// Number of edits (insertions, deletions, replacements) between two words.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, cb) in b.iter().enumerate() {
            let above = row[j + 1];
            row[j + 1] = (corner + usize::from(ca != *cb)).min(above + 1).min(row[j] + 1);
            corner = above;
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_is_suggested() {
        assert_eq!(nearest("BOKROW", FUNCTIONS.iter().copied(), 1), ["BOOKROW"]);
        assert_eq!(nearest("FRIDAY_THE_13TH", FUNCTIONS.iter().copied(), 1), [""; 0]);
        assert_eq!((distance("abc", "abc"), distance("", "abc"), distance("kitten", "sitting")), (0, 3, 3));
        assert!(unknown("AGES", 1, "has a value").ends_with("; AGE?"));
    }
}
