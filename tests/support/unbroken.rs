//! Texts as they were before they were laid out for a console.

/// Joins lines that were broken because their next word would not have fit 80 columns, so that a test can look for a whole sentence.
pub(crate) fn unbroken(text: &str) -> String {
    let mut lines: Vec<(String, usize)> = Vec::new();
    for line in text.split('\n') {
        let words = line.trim_start_matches(' ');
        let indent = line.len() - words.len();
        // A command is one word.
        let first = if words.starts_with("puomp ") { words } else { words.split(' ').next().unwrap_or_default() };
        let next = first.chars().count();
        let is_command = |line: &str| line.trim_start().starts_with("puomp ");
        match lines
            .last_mut()
            .filter(|(last, taken)| !(is_command(last) && is_command(words)) && indent >= 2 && next > 0 && *taken > 0 && *taken <= 80 && *taken + 1 + next > 80)
        {
            Some((last, taken)) => {
                last.push(' ');
                last.push_str(words);
                *taken = line.chars().count();
            }
            None => lines.push((line.to_owned(), line.chars().count())),
        }
    }
    lines.into_iter().map(|(line, _)| line).collect::<Vec<_>>().join("\n")
}
