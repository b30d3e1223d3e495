//! Reads books in CSV with a header, separated by commas, semicolons or tabs.

use super::Refusal;
use super::raw::{Label, RawTable};

const SEPARATORS: [u8; 3] = [b',', b';', b'\t'];

/// Reads decoded text.
pub(super) fn read(text: &str) -> Result<RawTable, Refusal> {
    let head = text.lines().next().unwrap_or_default();
    let count = |separator: &u8| head.bytes().filter(|b| b == separator).count();
    let separator = SEPARATORS.into_iter().max_by_key(count).filter(|s| count(s) > 0).ok_or(Refusal::NotABook)?;
    let mut reader = csv::ReaderBuilder::new().delimiter(separator).from_reader(text.as_bytes());
    let header = reader.headers().map_err(|e| broken(&e))?.clone();
    let mut table = RawTable::new(Label::default());
    let mut fields = Vec::with_capacity(header.len());
    for name in &header {
        let name = name.trim();
        let known = table.fields().len();
        let field = table.field(name).map_err(|_| Refusal::NotABook)?;
        // A column with an empty, repeated or impossible name shows that the first line is text and not a header.
        let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if !is_name || usize::from(field) < known {
            return Err(Refusal::NotABook);
        }
        fields.push(field);
    }
    let mut record = csv::StringRecord::new();
    while reader.read_record(&mut record).map_err(|e| broken(&e))? {
        for (field, value) in fields.iter().zip(&record) {
            table.put(*field, value);
        }
        table.end_row();
    }
    Ok(table)
}

fn broken(error: &csv::Error) -> Refusal {
    Refusal::Broken { at: error.position().map_or(0, csv::Position::byte), what: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_separator_and_keeps_quoted_text() {
        for text in ["A,B\n1,\"x, y\"\n2,\n", "A;B\n1;\"x, y\"\n2;\n", "A\tB\r\n1\tx, y\r\n2\t\r\n"] {
            let table = read(text).expect("a table");
            assert_eq!((table.len(), table.value(0, 1), table.value(1, 0)), (2, "x, y", "2"), "{text}");
        }
    }

    #[test]
    fn a_row_of_another_width_is_damage() {
        assert!(matches!(read("A,B\n1,2\n3"), Err(Refusal::Broken { .. })));
        assert!(matches!(read("A,B\n1,2,3\n"), Err(Refusal::Broken { .. })));
    }

    #[test]
    fn a_list_is_no_book() {
        for text in ["", "st02.001\nst02.002\n", "A,A\n1,2\n", "A,,B\n1,2,3\n", "Список: а, б\nв\n"] {
            assert_eq!(read(text).map(|t| t.len()), Err(Refusal::NotABook), "{text}");
        }
    }
}
