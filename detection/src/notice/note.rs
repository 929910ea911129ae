//! A rule's note, which is Markdown, as plain text.

use super::text::{plain, wrap};

/// A longer note continues in the rule's file.
const MAX_LINES: usize = 60;
const MAX_CHARS: usize = 2_000;

/// Appends the note in lines that are indented by two columns.
pub(super) fn write(out: &mut String, note: &str) {
    let mut text = String::new();
    let mut first = String::from("  ");
    let mut lines = String::new();
    let mut headings = Vec::new();
    let mut end = |text: &mut String, first: &mut String| {
        wrap(&mut lines, first, text);
        text.clear();
        "  ".clone_into(first);
    };
    for line in note.lines() {
        let line = line.trim().trim_start_matches("> ").trim_start_matches('>').trim_start();
        let heading = line.trim_start_matches('#');
        if line.is_empty() || line.starts_with("```") || line.starts_with("!{") {
            end(&mut text, &mut first);
        } else if heading.len() < line.len() && heading.starts_with(' ') {
            end(&mut text, &mut first);
            text = inline(heading).to_uppercase();
            headings.push(text.clone());
            end(&mut text, &mut first);
        } else if let Some((mark, item)) = item(line) {
            end(&mut text, &mut first);
            first = format!("  {mark} ");
            text = inline(item);
        } else {
            text.push(' ');
            text.push_str(&inline(line));
        }
    }
    end(&mut text, &mut first);
    let is_heading = |line: &str| headings.iter().any(|heading| heading == line.trim());
    let mut before = None;
    for line in lines.lines().take(MAX_LINES) {
        if is_heading(line) && before.is_some_and(|before| !is_heading(before)) {
            out.push('\n');
        }
        before = Some(line);
        out.push_str(line);
        out.push('\n');
    }
    if lines.lines().count() > MAX_LINES {
        out.push_str("  The rest of this note is in the rule's file.\n");
    }
}

/// The mark and the text of a list item.
fn item(line: &str) -> Option<(&str, &str)> {
    if let Some(text) = ["- ", "* ", "+ "].iter().find_map(|mark| line.strip_prefix(mark)) {
        return Some(("-", text));
    }
    let (number, text) = line.split_once(". ")?;
    let is_number =
        number.len() <= 2 && number.bytes().all(|byte| byte.is_ascii_digit()) && !number.is_empty();
    is_number.then(|| (&line[..=number.len()], text))
}

/// A line without Markdown markup. `[text](link)` becomes the text and the link.
fn inline(line: &str) -> String {
    let mut text = line.replace("**", "").replace('`', "");
    while let Some((start, middle, end)) = link(&text) {
        text = format!(
            "{}{} {}{}",
            &text[..start],
            &text[start + 1..middle],
            &text[middle + 2..end],
            &text[end + 1..]
        );
    }
    while let Some((start, end)) = emphasis(&text) {
        text = format!("{}{}{}", &text[..start], &text[start + 1..end], &text[end + 1..]);
    }
    plain(&text, MAX_CHARS)
}

/// The positions of the first two asterisks with words between them. One that only follows a word is a wildcard.
fn emphasis(text: &str) -> Option<(usize, usize)> {
    let is_word = |part: Option<char>| part.is_some_and(char::is_alphanumeric);
    let opens =
        |at: &usize| !is_word(text[..*at].chars().next_back()) && is_word(text[at + 1..].chars().next());
    let stars = || text.match_indices('*').map(|(at, _)| at);
    let start = stars().find(opens)?;
    let end = stars().find(|end| *end > start && !is_word(text[end + 1..].chars().next()))?;
    Some((start, end))
}

/// The positions of `[`, `](` and `)` of the first link.
fn link(text: &str) -> Option<(usize, usize, usize)> {
    let middle = text.find("](")?;
    let start = text[..middle].rfind('[')?;
    let end = middle + text[middle..].find(')')?;
    Some((start, middle, end))
}
