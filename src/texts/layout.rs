//! Texts and tables in lines that a console of 80 columns shows whole.

/// Columns of a console.
pub const COLUMNS: usize = 80;
/// Spaces between the columns of a table.
const GAP: usize = 2;
/// A longer word of a table may be divided behind a sign.
const LONG_WORD: usize = 14;
/// The word with which a command begins that is to be copied.
const PROGRAM: &str = "puomp";

/// The columns that a text takes: escape sequences of colours take none.
pub fn width(text: &str) -> usize {
    let (mut columns, mut is_escape) = (0, false);
    for c in text.chars() {
        match c {
            '\u{1b}' => is_escape = true,
            'm' if is_escape => is_escape = false,
            _ if is_escape => {}
            _ => columns += 1,
        }
    }
    columns
}

/// A text as indented lines of at most 80 columns, each with its line break. The lines in which a line goes on are indented by two more.
pub fn wrapped(text: &str, indent: usize) -> String {
    let mut out = String::new();
    for (number, line) in text.lines().enumerate() {
        let own = if number == 0 { indent } else { indent + 2 };
        hang(&mut out, &format!("{:own$}{line}", ""), own + 2);
    }
    out
}

/// A text whose lines keep the spaces before them, in lines of at most 80 columns. The lines in which a line goes on are indented by two more. A text that fits
/// stays as it is.
pub fn fit(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        let own = line.len() - line.trim_start_matches(' ').len();
        hang(&mut out, line, own + 2);
    }
    if !text.ends_with('\n') {
        out.truncate(out.trim_end_matches('\n').len());
    }
    out
}

/// Appends a line, which keeps its beginning; the lines in which it goes on are indented by `further`. Only what is wider than a line by itself is wider.
pub fn hang(out: &mut String, line: &str, further: usize) {
    if width(line) <= COLUMNS {
        out.push_str(line);
        out.push('\n');
        return;
    }
    let own = line.len() - line.trim_start_matches(' ').len();
    out.push_str(&line[..own]);
    let (mut taken, mut is_first) = (own, true);
    for piece in pieces(&line[own..]) {
        let long = width(&piece);
        if !is_first && taken + 1 + long > COLUMNS {
            out.truncate(out.trim_end_matches(' ').len());
            out.push('\n');
            out.push_str(&" ".repeat(further));
            taken = further;
        } else if !is_first {
            out.push(' ');
            taken += 1;
        }
        out.push_str(&piece);
        taken += long;
        is_first = false;
    }
    out.push('\n');
}

/// The words of a line; a command is one piece, because it is to be copied.
fn pieces(line: &str) -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    // Words of the command that the last piece is; `None` outside of one.
    let mut command: Option<usize> = None;
    for word in line.split(' ') {
        let is_end = |word: &str| word.ends_with([';', ':', ',', ')', '»', '.']);
        let goes_on = match command {
            // A command has a verb and perhaps a second one; then come names, options and paths, which are told from the words of a sentence by their signs.
            Some(0) => true,
            Some(_) => !word.chars().all(|c| c.is_lowercase() || is_end(&c.to_string())) || word.is_empty(),
            None => false,
        };
        match pieces.last_mut().filter(|_| goes_on) {
            Some(last) => {
                last.push(' ');
                last.push_str(word);
                command = if is_end(word) { None } else { command.map(|words| words + 1) };
            }
            None => {
                pieces.push(word.to_owned());
                command = (word.trim_start_matches(['(', '«']) == PROGRAM).then_some(0);
            }
        }
    }
    pieces
}

/// Rows in columns two spaces apart, without spaces at the ends of lines. Where a line would not fit the console, the cells of the widest columns are broken
/// at their words.
pub fn columns(rows: &[Vec<String>]) -> String {
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let most =
        |of: &dyn Fn(&str) -> usize| -> Vec<usize> { (0..count).map(|i| rows.iter().filter_map(|r| r.get(i)).map(|c| of(c)).max().unwrap_or(0)).collect() };
    let mut widths = most(&width);
    let least = most(&|cell| words(cell).iter().map(|w| width(w.trim_end_matches(' '))).max().unwrap_or(0));
    let mut total: usize = widths.iter().sum::<usize>() + GAP * count.saturating_sub(1);
    while total > COLUMNS {
        let Some(widest) = (0..count).filter(|i| widths[*i] > least[*i]).max_by_key(|i| widths[*i]) else { break };
        widths[widest] -= 1;
        total -= 1;
    }
    let mut out = String::new();
    for row in rows {
        let cells: Vec<Vec<String>> = row.iter().zip(&widths).map(|(cell, width)| broken(cell, *width)).collect();
        for at in 0..cells.iter().map(Vec::len).max().unwrap_or(1) {
            let mut line = String::new();
            for (cell, wide) in cells.iter().zip(&widths) {
                let piece = cell.get(at).map_or("", String::as_str);
                line.push_str(piece);
                line.push_str(&" ".repeat(wide.saturating_sub(width(piece)) + GAP));
            }
            out.push_str(line.trim_end());
            out.push('\n');
        }
    }
    out
}

/// The pieces of a cell between which it may be broken. Each has the space that follows it; a very long word may be divided behind a sign.
fn words(cell: &str) -> Vec<String> {
    let mut words = Vec::new();
    for word in cell.split_inclusive(' ') {
        // A path is to be copied.
        let is_path = word.starts_with(['/', '.', '\\']) || word.contains(":\\");
        if is_path || width(word) <= LONG_WORD {
            words.push(word.to_owned());
        } else {
            words.extend(word.split_inclusive(['/', '-']).map(str::to_owned));
        }
    }
    words
}

fn broken(cell: &str, wide: usize) -> Vec<String> {
    if width(cell) <= wide {
        return vec![cell.to_owned()];
    }
    let mut lines = vec![String::new()];
    for word in words(cell) {
        let last = lines.last_mut().expect("there is always a line");
        if !last.is_empty() && width(last) + width(word.trim_end_matches(' ')) > wide {
            lines.push(word);
        } else {
            last.push_str(&word);
        }
    }
    lines.iter().map(|line| line.trim_end().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_narrow(text: &str) -> bool {
        text.lines().all(|line| width(line) <= COLUMNS)
    }

    #[test]
    fn lines_fit_the_console_and_commands_stay_whole() {
        let long = "слово ".repeat(40);
        let text = wrapped(&format!("{}\nи ещё: puomp validate {} и так далее", long.trim_end(), "X".repeat(70)), 2);
        let lines: Vec<&str> = text.lines().collect();
        assert!(is_narrow(&lines[..lines.len() - 2].join("\n")), "{text}");
        assert!(lines[0].starts_with("  слово") && lines[1].starts_with("    слово"), "{text}");
        assert!(text.contains(&format!("\n      puomp validate {}\n      и так", "X".repeat(70))), "{text}");
        assert_eq!(text.matches("слово").count(), 40);
        assert_eq!(wrapped("a b", 0), "a b\n");
    }

    #[test]
    fn what_fits_stays_as_it_is_and_what_was_broken_is_not_broken_again() {
        let text = format!("  начало {}\n\nконец", "слово ".repeat(30).trim_end());
        let once = fit(&text);
        assert!(is_narrow(&once) && once.starts_with("  начало") && once.ends_with("\n\nконец"), "{once}");
        assert_eq!(fit(&once), once);
        assert_eq!((fit("a\n"), fit("")), ("a\n".to_owned(), String::new()));
    }

    #[test]
    fn colours_take_no_columns() {
        assert_eq!(width("\u{1b}[31mошибка\u{1b}[0m"), 6);
    }

    #[test]
    fn cells_are_broken_where_a_row_is_too_wide() {
        let row = |first: &str, second: &str| vec![first.to_owned(), second.to_owned(), "конец".to_owned()];
        assert_eq!(columns(&[row("a", "b b"), row("длинно", "")]), "a       b b  конец\nдлинно       конец\n");
        let text = columns(&[row("номер", "слово ".repeat(20).trim_end()), row("2", "nikitkadev/HealthInvoice-Hub-API")]);
        assert!(is_narrow(&text) && text.lines().count() > 2, "{text}");
        assert!(text.starts_with("номер  слово слово"), "{text}");
        assert_eq!(text.matches("слово").count(), 20);
    }
}
