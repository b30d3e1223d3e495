//! Translates masks of the published rule book into the mask language of the tables.
//!
//! `9` is a digit, a Latin `A` a capital, `X` an optional digit; every other character stands for itself. A separator that only optional digits
//! follow is optional too.

/// The meaning of a mask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Shape {
    /// A number of digits, from and to.
    Digits(u32, u32),
    /// A number: at most so many digits before the point, exactly so many after it.
    Decimal(u32, u32),
    /// A mask in the mask language of the tables.
    Mask(String),
    /// A mask that another expression gives.
    Of(String),
}

/// Translates a mask; `None` if it cannot be read, `Some(None)` if it is empty.
pub(super) fn translate(text: &str, is_optional: impl Fn(char) -> bool) -> Option<Option<Shape>> {
    if text.is_empty() {
        return Some(None);
    }
    let places: Vec<char> = text.chars().map(|c| if is_optional(c) { 'X' } else { c }).collect();
    if places.iter().any(|c| !c.is_ascii() || c.is_ascii_lowercase() || (c.is_ascii_uppercase() && !matches!(c, 'A' | 'X')) || matches!(c, '[' | ']')) {
        return None;
    }
    let count = |part: &[char]| u32::try_from(part.len()).ok();
    let head = places.iter().take_while(|c| **c == 'X').count();
    let rest = &places[head..];
    if !rest.is_empty() && rest.iter().all(|c| *c == '9') {
        return Some(Some(Shape::Digits(count(rest)?, count(&places)?)));
    }
    if let ['9', '.', fraction @ ..] = rest
        && !fraction.is_empty()
        && fraction.iter().all(|c| *c == '9')
    {
        return Some(Some(Shape::Decimal(count(&places[..=head])?, count(fraction)?)));
    }
    Some(Some(Shape::Mask(groups(&places))))
}

/// Writes optional places as nested groups; a separator followed only by optional places belongs to their group.
fn groups(places: &[char]) -> String {
    let mut out = String::new();
    let mut i = 0;
    while i < places.len() {
        let run = places[i..].iter().take_while(|c| **c == 'X').count();
        if run > 0 {
            out.push_str(&"[9".repeat(run));
            out.push_str(&"]".repeat(run));
            i += run;
            continue;
        }
        let tail = &places[i + 1..];
        if !matches!(places[i], '9' | 'A') && !tail.is_empty() && tail.iter().all(|c| *c == 'X') {
            let more = tail.len() - 1;
            out.push('[');
            out.push(places[i]);
            out.push('9');
            out.push_str(&"[9".repeat(more));
            out.push_str(&"]".repeat(more + 1));
            return out;
        }
        out.push(places[i]);
        i += 1;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::format::mask::Mask;

    fn shape(text: &str) -> Option<Option<Shape>> {
        translate(text, |c| matches!(c, 'X' | 'Х'))
    }

    #[test]
    fn masks_of_the_book() {
        let mask = |text: &str| Some(Some(Shape::Mask(text.to_owned())));
        for (text, is) in [
            ("", Some(None)),
            ("9", Some(Some(Shape::Digits(1, 1)))),
            ("XХХ9", Some(Some(Shape::Digits(1, 4)))),
            ("X99", Some(Some(Shape::Digits(2, 3)))),
            ("ХХ9.99", Some(Some(Shape::Decimal(3, 2)))),
            ("9.99999", Some(Some(Shape::Decimal(1, 5)))),
            ("Х9.9Х", mask("[9]9.9[9]")),
            ("A99.ХX", mask("A99[.9[9]]")),
            ("A99.99X.999.XXX", mask("A99.99[9].999[.9[9[9]]]")),
            ("ХХХ999.99", mask("[9[9[9]]]999.99")),
            ("999-999-999 99", mask("999-999-999 99")),
            ("A999", mask("A999")),
            ("по справочнику", None),
            ("[9]", None),
        ] {
            assert_eq!(shape(text), is, "{text}");
            if let Some(Some(Shape::Mask(mask))) = shape(text) {
                Mask::compile(&mask).unwrap_or_else(|e| panic!("{text}: {e}"));
            }
        }
    }

    #[test]
    fn optional_places_are_optional_one_by_one() {
        let Some(Some(Shape::Mask(mask))) = shape("A99.99X.999.XXX") else { panic!("a mask") };
        let mask = Mask::compile(&mask).expect("a mask");
        assert_eq!(mask.lengths(), (10, 15));
        assert!(["A16.20.035", "A16.20.035.001", "A16.200.035.01"].iter().all(|v| mask.fits(v.as_bytes())));
    }
}
