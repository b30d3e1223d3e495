//! A typical value of a type, if nothing better is known.

use super::calendar::{append_iso, day};
use super::rng::Rng;
use crate::registry::format::ValueType;
use crate::registry::format::value::Base;

/// A value that fits a type, as ASCII where the type allows it.
pub(super) fn value(kind: &ValueType, rng: &mut Rng) -> String {
    if !kind.list().is_empty() {
        return kind.list()[rng.below(kind.list().len() as u64) as usize].to_string();
    }
    let (shortest, longest) = kind.lengths();
    if let Some(mask) = kind.mask() {
        let keep = rng.below(2) == 0;
        return mask.sample(|| keep, |bound| rng.below(bound.into()) as u8);
    }
    if let Some((_, fraction, _)) = kind.decimal() {
        return format!("1.{}", "0".repeat(fraction.into()));
    }
    match kind.base() {
        Base::Date => {
            let mut out = Vec::new();
            append_iso(day(2019, 1, 1) + rng.below(28) as i32, &mut out);
            String::from_utf8_lossy(&out).into_owned()
        }
        Base::Number => (0..shortest.max(longest.min(2))).map(|_| char::from(b'1' + rng.below(9) as u8)).collect(),
        Base::Text => {
            let length = shortest.max(longest.min(6));
            match kind.charset() {
                Some(set) if !set.holds('0') => {
                    let letters: Vec<char> = set.ranges.iter().map(|(first, _)| *first).collect();
                    (0..length).map(|i| letters[i % letters.len()]).collect()
                }
                _ => (0..length).map(|_| char::from(b'0' + rng.below(10) as u8)).collect(),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::encoding::Encoding;
    use crate::registry::format::Formats;
    use crate::tables::RuleFiles;

    #[test]
    fn fits_every_type_of_every_format() {
        let formats = Formats::load(&RuleFiles::embedded()).expect("sound tables");
        let mut rng = Rng::new(1, 1);
        for node in formats.all().flat_map(|f| f.nodes()) {
            if let Some(kind) = node.value_type() {
                for _ in 0..5 {
                    let value = value(kind, &mut rng);
                    assert!(kind.fits(value.as_bytes(), Encoding::Utf8), "{}: «{value}» is not {}", node.path, kind.spec());
                }
            }
        }
    }
}
