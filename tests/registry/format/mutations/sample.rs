//! Values of a type, right and wrong, made from the type's description and not by the matcher under test.

use puomp::registry::format::ValueType;
use puomp::registry::format::value::Base;

/// How long a sample is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Size {
    /// As short as the type allows.
    Shortest,
    /// As people write it.
    Usual,
    /// As long as the type allows.
    Longest,
}

/// Free text with what tends to break: letters of both alphabets, marks of windows-1251, characters that XML escapes.
const FREE: &str = "Яё Ъ№ «b» & <9>-";

fn digits(length: usize) -> String {
    "1234567890".chars().cycle().take(length).collect()
}

/// Every character of a type's set but the space, which people put inside only.
fn alphabet(kind: &ValueType) -> Vec<char> {
    match kind.charset() {
        None => FREE.chars().collect(),
        Some(set) => set.ranges.iter().flat_map(|(first, last)| *first..=*last).filter(|c| *c != ' ').collect(),
    }
}

fn text(kind: &ValueType, length: usize) -> String {
    alphabet(kind).iter().cycle().take(length).collect()
}

/// A value that fits.
pub(crate) fn value(kind: &ValueType, size: Size) -> String {
    if let [first, .., last] | [first @ last] = kind.list() {
        return if size == Size::Longest { last.to_string() } else { first.to_string() };
    }
    let (min, max) = kind.lengths();
    if let Some(mask) = kind.mask() {
        return mask.sample(|| size != Size::Shortest, |bound| bound - 1);
    }
    if let Some((whole, fraction, fixed)) = kind.decimal() {
        let (whole, fraction) = (usize::from(whole), usize::from(fraction));
        return match size {
            Size::Shortest if fixed => format!("1.{}", digits(fraction)),
            Size::Shortest => digits(1),
            Size::Usual => format!("{}.{}", digits(whole.min(4)), digits(fraction)),
            Size::Longest => format!("{}.{}", digits(whole), digits(fraction)),
        };
    }
    let length = match size {
        Size::Shortest => min,
        Size::Usual => max.min(min.max(9)),
        Size::Longest => max,
    };
    match kind.base() {
        Base::Date => if size == Size::Shortest { "2020-02-29" } else { "2019-12-31" }.to_owned(),
        Base::Number => digits(length),
        Base::Text => text(kind, length),
    }
}

/// A value one character too long.
pub(crate) fn too_long(kind: &ValueType) -> String {
    let max = kind.lengths().1;
    match (kind.list(), kind.mask(), kind.decimal()) {
        ([.., last], ..) => {
            // No listed value is that long.
            let longest = kind.list().iter().map(|v| v.chars().count()).max().expect("the list has values");
            format!("{last}{}", "0".repeat(longest + 1 - last.chars().count().min(longest)))
        }
        (_, Some(_), _) => format!("{}9", value(kind, Size::Longest)),
        (_, _, Some((whole, fraction, _))) => format!("{}.{}", digits(usize::from(whole) + 1), digits(usize::from(fraction))),
        _ => match kind.base() {
            Base::Date => "2019-12-310".to_owned(),
            Base::Number => digits(max + 1),
            Base::Text => text(kind, max + 1),
        },
    }
}

/// A value one character too short, where the shortest has two or more.
pub(crate) fn too_short(kind: &ValueType) -> Option<String> {
    let shortest = value(kind, Size::Shortest);
    let length = shortest.chars().count();
    (length >= 2 && kind.list().is_empty()).then(|| shortest.chars().take(length - 1).collect())
}

/// A value of the right length and the wrong kind; free text takes anything.
pub(crate) fn wrong_type(kind: &ValueType) -> Option<String> {
    let usual = value(kind, Size::Usual);
    if kind.base() == Base::Date {
        return Some("31.12.2019".to_owned());
    }
    if kind.decimal().is_some() {
        return Some(usual.replace('.', ","));
    }
    let free = kind.base() == Base::Text && kind.charset().is_none() && kind.mask().is_none() && kind.list().is_empty();
    // `~` stands in no set, mask or list of the tables.
    (!free).then(|| usual.chars().take(usual.chars().count() - 1).chain(['~']).collect())
}

/// Numbers with a fraction: a digit more after the point, and one less where their number is fixed.
pub(crate) fn wrong_decimals(kind: &ValueType) -> Vec<String> {
    let Some((whole, fraction, fixed)) = kind.decimal() else { return Vec::new() };
    // No longer in all than the longest, so that the decimals alone are wrong.
    let whole = digits(usize::from(whole).saturating_sub(1).max(1));
    let mut wrong = vec![format!("{whole}.{}", digits(usize::from(fraction) + 1)), format!("{whole}.")];
    if fixed {
        wrong.push(format!("{whole}.{}", digits(usize::from(fraction) - 1)));
        wrong.push(whole);
    }
    wrong
}

/// A fitting value with one to three characters changed, left out or put in at random.
pub(crate) fn scribbled(kind: &ValueType, seed: &mut u64) -> String {
    let mut roll = |bound: usize| {
        *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (*seed >> 33) as usize % bound
    };
    let size = [Size::Shortest, Size::Usual, Size::Longest][roll(3)];
    let mut text: Vec<char> = value(kind, size).chars().collect();
    for _ in 0..=roll(3) {
        // Half of the characters are those of the type, so that many results still fit.
        let strange: Vec<char> = "0123456789.-AZaЯяё~/ №,_|\\+".chars().collect();
        let pool = if roll(2) == 0 { strange } else { text.clone() };
        let at = roll(text.len() + 1);
        match roll(3) {
            0 if text.len() > 1 => drop(text.remove(at.min(text.len() - 1))),
            1 => text.insert(at, pool[roll(pool.len())]),
            _ => {
                let at = at.min(text.len() - 1);
                text[at] = pool[roll(pool.len())];
            }
        }
    }
    let text: String = text.into_iter().collect();
    // Spaces around a date are the one difference in values; they have a fault of their own.
    if kind.base() == Base::Date { text.replace(' ', "-") } else { text }
}
