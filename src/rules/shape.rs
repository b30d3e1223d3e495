//! The forms that values may be asked to have: length, characters, masks, check digits, blanks, ends.

use super::code::Shape;
use super::eval::Env;
use crate::registry::encoding::Encoding;
use crate::values::is_date_shape;

impl Env<'_> {
    /// Whether a text has a form.
    pub(super) fn fits(&self, shape: &Shape, text: &[u8]) -> bool {
        let encoding = self.facts.encoding;
        match shape {
            Shape::Length { min, max } => (*min..=*max).contains(&encoding.length(text)),
            Shape::Charset(set) => match encoding {
                Encoding::Windows1251 => text.iter().all(|b| set.holds_byte(*b)),
                Encoding::Utf8 => std::str::from_utf8(text).is_ok_and(|t| t.chars().all(|c| set.holds(c))),
            },
            Shape::Mask(mask) => mask.fits(text),
            Shape::Digits { min, max } => (*min..=*max).contains(&text.len()) && text.iter().all(u8::is_ascii_digit),
            Shape::Decimal { whole, fraction } => {
                let (head, tail) = text.split_at(text.iter().position(|b| *b == b'.').unwrap_or(text.len()));
                let digits = |part: &[u8]| part.iter().all(u8::is_ascii_digit);
                (1..=*whole).contains(&head.len()) && digits(head) && tail.len() == fraction + 1 && digits(&tail[1..])
            }
            // Only the form is tested: the structural checks report days that the calendar does not have.
            Shape::Date => is_date_shape(text),
            Shape::CheckDigit(numbering) => numbering.agrees(text),
            Shape::Tidy => is_tidy(text, encoding),
            Shape::Ends(ends) => ends.iter().any(|end| text.trim_ascii_end().ends_with(end.bytes(encoding))),
            Shape::BookMask(lookup, field) => {
                let (mut asked, mut good) = (false, false);
                self.book_rows(lookup, &mut |row| {
                    asked = true;
                    good = document_mask_fits(lookup.book.value(row, *field), &encoding.decode(text));
                    good
                });
                // Another rule reports a kind of document that the book does not have.
                !asked || good
            }
        }
    }
}

/// Whether each blank of a text stands between two other characters that are no hyphens. A no-break space is a blank too.
fn is_tidy(text: &[u8], encoding: Encoding) -> bool {
    let no_break: &[u8] = match encoding {
        Encoding::Windows1251 => b"\xA0",
        Encoding::Utf8 => "\u{a0}".as_bytes(),
    };
    let (mut rest, mut may_be_blank, mut was_blank) = (text, false, false);
    while let Some(first) = rest.first() {
        let blank = if matches!(first, b' ' | b'\t') { 1 } else { no_break.len() * usize::from(rest.starts_with(no_break)) };
        if blank > 0 && !may_be_blank || was_blank && *first == b'-' {
            return false;
        }
        may_be_blank = blank == 0 && *first != b'-';
        was_blank = blank > 0;
        rest = &rest[blank.max(1)..];
    }
    !was_blank
}

/// Whether a text fits a mask of book F011: `9` is a digit, `0` an optional digit, `R` a Roman numeral, `Б` a Russian capital, `S` any text; other
/// characters stand for themselves.
fn document_mask_fits(mask: &str, text: &str) -> bool {
    if mask.starts_with('S') {
        return mask != "S1" || !text.is_empty();
    }
    fn fits(mask: &str, text: &str) -> bool {
        let mut rest = mask.chars();
        let Some(m) = rest.next() else { return text.is_empty() };
        let rest = rest.as_str();
        let mut tail = text.chars();
        let first = tail.next();
        match m {
            '9' => first.is_some_and(|c| c.is_ascii_digit()) && fits(rest, tail.as_str()),
            '0' => fits(rest, text) || first.is_some_and(|c| c.is_ascii_digit()) && fits(rest, tail.as_str()),
            'R' => {
                let numeral = |c: &char| "IVXLC1УХЛС".contains(*c);
                let ends = text.char_indices().take(8).take_while(|(_, c)| numeral(c)).map(|(at, c)| at + c.len_utf8());
                ends.into_iter().any(|end| fits(rest, &text[end..]))
            }
            'Б' => first.is_some_and(|c| ('А'..='Я').contains(&c) || c == 'Ё') && fits(rest, tail.as_str()),
            other => first == Some(other) && fits(rest, tail.as_str()),
        }
    }
    fn head(text: &str, characters: usize) -> &str {
        text.char_indices().nth(characters).map_or(text, |(end, _)| &text[..end])
    }
    fits(head(mask, 40), head(text, 64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_of_a_tidy_text_stand_between_words() {
        for tidy in ["", "ИВАНОВА", "АЛИ ОГЛЫ", "ПЕТРОВА-ИВАНОВА", "-", "А"] {
            assert!(is_tidy(tidy.as_bytes(), Encoding::Utf8), "{tidy}");
        }
        for untidy in [" А", "А ", " ", "А  Б", "А -Б", "А- Б", "\u{a0}А", "А\u{a0}", "А \u{a0}Б", "А\t"] {
            assert!(!is_tidy(untidy.as_bytes(), Encoding::Utf8), "{untidy}");
        }
        assert!(!is_tidy(b"\xC0\xA0", Encoding::Windows1251) && is_tidy(b"\xC0", Encoding::Windows1251));
    }

    #[test]
    fn masks_of_documents() {
        assert!(document_mask_fits("99 99", "98 01"));
        assert!(document_mask_fits("R-ББ", "IV-АБ"));
        assert!(!document_mask_fits("R-ББ", "-АБ"));
        assert!(document_mask_fits("9999990", "123456"));
        assert!(document_mask_fits("9999990", "1234567"));
        assert!(!document_mask_fits("9999990", "12345678"));
        assert!(document_mask_fits("S", "ничего особенного"));
    }
}
