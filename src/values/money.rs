//! Money: whole kopecks in an `i64`, so that sums are exact.

/// Splits an amount at its decimal point: the whole part, and the decimals; `None` without a point.
#[inline]
pub(crate) fn split_decimal(value: &[u8]) -> (&[u8], Option<&[u8]>) {
    match value.iter().position(|b| *b == b'.') {
        Some(point) => (&value[..point], Some(&value[point + 1..])),
        None => (value, None),
    }
}

/// Kopecks of a non-negative amount in roubles with at most two decimals (`1204330.50`); `None` when the text is not such an amount.
#[inline]
pub fn kopecks(value: &[u8]) -> Option<i64> {
    let (head, tail) = split_decimal(value);
    if head.is_empty() || head.len() > 15 {
        return None;
    }
    let mut sum = 0i64;
    for &b in head {
        sum = sum * 10 + i64::from(b.is_ascii_digit().then(|| b - b'0')?);
    }
    let tail = tail.unwrap_or(b"00");
    let (tens, units) = match *tail {
        [tens] => (tens, b'0'),
        [tens, units] => (tens, units),
        _ => return None,
    };
    (tens.is_ascii_digit() && units.is_ascii_digit()).then(|| sum * 100 + i64::from(tens - b'0') * 10 + i64::from(units - b'0'))
}

/// An amount of kopecks as the formats write it, in roubles: `1204330.50`.
pub fn money(kopecks: i64) -> String {
    format!("{}{}.{:02}", if kopecks < 0 { "-" } else { "" }, kopecks.unsigned_abs() / 100, kopecks.unsigned_abs() % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_both_ways() {
        assert_eq!(kopecks(b"1204330.50"), Some(120_433_050));
        assert_eq!(kopecks(b"7"), Some(700));
        assert_eq!(kopecks(b"7.5"), Some(750));
        assert_eq!([b"".as_slice(), b"7.", b".5", b"1,50", b"7.555", b"1234567890123456"].map(kopecks), [None; 6]);
        assert_eq!(money(-705), "-7.05");
    }
}
