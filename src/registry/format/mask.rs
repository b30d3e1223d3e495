//! The mask language of the format tables, and its matcher.
//!
//! `9` is a digit, `A` a Latin capital, `[` and `]` enclose an optional group (groups may nest); any other character means itself: `A99[.9[9]]`
//! accepts `I10`, `I10.9` and `I10.91`.

use std::fmt;

/// A compiled mask: a deterministic finite automaton over ASCII.
#[derive(Clone)]
pub struct Mask {
    text: Box<str>,
    /// The transitions, `next[state * 128 + byte]`; 0 means that the byte does not fit. State 1 is the start.
    next: Box<[u8]>,
    accepting: u64,
    shortest: usize,
    longest: usize,
}

impl fmt::Debug for Mask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mask({})", self.text)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Digit,
    Capital,
    Literal(u8),
    /// An optional group may be skipped; the index is the step after its end.
    MaySkipTo(usize),
}

impl Step {
    fn takes(self, byte: u8) -> bool {
        match self {
            Self::Digit => byte.is_ascii_digit(),
            Self::Capital => byte.is_ascii_uppercase(),
            Self::Literal(c) => c == byte,
            Self::MaySkipTo(_) => false,
        }
    }
}

impl Mask {
    /// Compiles a mask.
    ///
    /// # Errors
    /// Unbalanced brackets, a character outside ASCII, or more than 60 places.
    pub fn compile(text: &str) -> Result<Self, String> {
        let steps = parse(text)?;
        // Subset construction: sets of at most 62 positions as bits.
        let closure = |mut set: u64| {
            for (i, step) in steps.iter().enumerate() {
                if set & (1 << i) != 0
                    && let Step::MaySkipTo(to) = step
                {
                    set |= 1 << (i + 1) | 1 << to;
                }
            }
            set
        };
        // Bytes that no step accepts have no transitions.
        let alphabet: Vec<u8> = (0..128).filter(|byte| steps.iter().any(|step| step.takes(*byte))).collect();
        let mut sets = vec![0, closure(1)];
        let mut next: Vec<u8> = vec![0; 256];
        let mut accepting = 0u64;
        let mut state = 1;
        while state < sets.len() {
            let set = sets[state];
            if set & (1 << steps.len()) != 0 {
                accepting |= 1 << state;
            }
            for &byte in &alphabet {
                let mut to = 0u64;
                for (i, step) in steps.iter().enumerate() {
                    if set & (1 << i) != 0 && step.takes(byte) {
                        to |= 1 << (i + 1);
                    }
                }
                if to != 0 {
                    let to = closure(to);
                    let known = sets.iter().position(|s| *s == to).unwrap_or_else(|| {
                        sets.push(to);
                        next.resize(sets.len() * 128, 0);
                        sets.len() - 1
                    });
                    next[state * 128 + usize::from(byte)] = u8::try_from(known).map_err(|_| "the mask has too many states".to_owned())?;
                }
            }
            state += 1;
        }
        if sets.len() > 64 {
            return Err("the mask has too many states".to_owned());
        }
        let (shortest, longest) = lengths(&steps);
        Ok(Self { text: text.into(), next: next.into(), accepting, shortest, longest })
    }

    /// Whether all bytes together fit the mask.
    #[inline]
    pub fn fits(&self, bytes: &[u8]) -> bool {
        let mut state = 1usize;
        for &byte in bytes {
            if byte >= 128 {
                return false;
            }
            state = usize::from(self.next[state * 128 + usize::from(byte)]);
            if state == 0 {
                return false;
            }
        }
        self.accepting & (1 << state) != 0
    }

    /// The mask as written in the table.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Lengths of the shortest and the longest fitting value.
    pub fn lengths(&self) -> (usize, usize) {
        (self.shortest, self.longest)
    }

    /// The mask as a regular expression of XML Schema 1.0.
    pub fn to_regex(&self) -> String {
        let mut out = String::new();
        for c in self.text.chars() {
            match c {
                '9' => out.push_str("[0-9]"),
                'A' => out.push_str("[A-Z]"),
                '[' => out.push('('),
                ']' => out.push_str(")?"),
                // XML Schema does not allow escaping characters that need no escape.
                '\\' | '.' | '?' | '*' | '+' | '(' | ')' | '{' | '}' | '|' | '^' => {
                    out.push('\\');
                    out.push(c);
                }
                c => out.push(c),
            }
        }
        out
    }

    /// A fitting value. `keep` decides for each optional group whether it is included; `pick` chooses digits and letters, from 0 up to but not
    /// including the given bound.
    pub fn sample(&self, mut keep: impl FnMut() -> bool, mut pick: impl FnMut(u8) -> u8) -> String {
        let mut out = String::new();
        let mut skipping = 0;
        for c in self.text.bytes() {
            match c {
                b'[' if skipping > 0 || !keep() => skipping += 1,
                b'[' => {}
                b']' if skipping > 0 => skipping -= 1,
                b']' => {}
                _ if skipping > 0 => {}
                b'9' => out.push(char::from(b'0' + pick(10))),
                b'A' => out.push(char::from(b'A' + pick(26))),
                other => out.push(char::from(other)),
            }
        }
        out
    }
}

fn parse(text: &str) -> Result<Vec<Step>, String> {
    let mut steps = Vec::new();
    let mut open = Vec::new();
    for c in text.chars() {
        match c {
            '9' => steps.push(Step::Digit),
            'A' => steps.push(Step::Capital),
            '[' => {
                open.push(steps.len());
                steps.push(Step::MaySkipTo(0));
            }
            ']' => {
                let start = open.pop().ok_or("«]» without «[»")?;
                steps[start] = Step::MaySkipTo(steps.len());
            }
            c if c.is_ascii() && !c.is_ascii_control() => steps.push(Step::Literal(c as u8)),
            c => return Err(format!("«{c}» cannot stand in a mask")),
        }
    }
    if !open.is_empty() {
        return Err("«[» without «]»".to_owned());
    }
    if steps.is_empty() || steps.len() > 60 {
        return Err(format!("{} places; 1 to 60 are allowed", steps.len()));
    }
    Ok(steps)
}

fn lengths(steps: &[Step]) -> (usize, usize) {
    let longest = steps.iter().filter(|s| !matches!(s, Step::MaySkipTo(_))).count();
    let (mut shortest, mut i) = (0, 0);
    while i < steps.len() {
        match steps[i] {
            Step::MaySkipTo(to) => i = to,
            _ => {
                shortest += 1;
                i += 1;
            }
        }
    }
    (shortest, longest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn optional_tails() {
        let icd = Mask::compile("A99[.9[9]]").expect("a mask");
        assert_eq!(
            ["I10", "I10.9", "I10.91", "I10.", "I1", "i10", "I10.911", "Я10"].map(|v| icd.fits(v.as_bytes())),
            [true, true, true, false, false, false, false, false]
        );
        assert_eq!(icd.lengths(), (3, 6));
        assert_eq!(icd.to_regex(), r"[A-Z][0-9][0-9](\.[0-9]([0-9])?)?");
        assert_eq!(Mask::compile("9-9/9 9").expect("a mask").to_regex(), "[0-9]-[0-9]/[0-9] [0-9]");
    }

    #[test]
    fn optional_heads_are_tried_both_ways() {
        let sum = Mask::compile("[9[9[9]]]999.99").expect("a mask");
        assert_eq!(["100.00", "123456.00", "12.00", "1234567.00"].map(|v| sum.fits(v.as_bytes())), [true, true, false, false]);
    }

    #[test]
    fn broken_masks_are_refused() {
        for bad in ["", "[9", "9]", "Ж9"] {
            assert!(Mask::compile(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn samples_fit() {
        let mask = Mask::compile("A99.99[9].999[.9[9[9]]]").expect("a mask");
        let mut seed = 7u32;
        for _ in 0..200 {
            let mut roll = |bound: u32| {
                seed = seed.wrapping_mul(1_103_515_245).wrapping_add(12_345);
                (seed >> 16) % bound
            };
            let keep = roll(2) == 0;
            let sample = mask.sample(|| keep, |bound| roll(u32::from(bound)) as u8);
            assert!(mask.fits(sample.as_bytes()), "{sample}");
        }
    }
}
