//! Text for people: untrusted text made harmless, and lines of a limited width.
//!
//! Whoever makes a call chooses much of its record: names, user agents, parameters. Such text must neither steer the
//! program that shows it, nor lead its reader anywhere, nor push the rest out of sight.

use std::fmt::Write;

/// The width of a mail, in columns.
pub(super) const WIDTH: usize = 80;
const REPLACEMENT: char = '\u{fffd}';

/// Makes text of a record or of a rule harmless: one line, without invisible characters and without anything that HTML,
/// Slack or Markdown could take for markup. Keeps at most `limit` characters and says how many are missing.
#[must_use]
pub fn plain(text: &str, limit: usize) -> String {
    let mut plain = String::with_capacity(text.len().min(limit));
    // The limit applies to the original text: a longer replacement must not hide that something is missing.
    let mut left = limit;
    let mut characters = text.chars();
    while left > 0 {
        let Some(character) = characters.next() else { break };
        left -= 1;
        match character {
            '\t' | '\n' | '\r' | ' ' => {
                if !plain.ends_with(' ') {
                    plain.push(' ');
                }
            }
            '<' => plain.push('‹'),
            '>' => plain.push('›'),
            '`' => plain.push('\''),
            character if is_invisible(character) => plain.push(REPLACEMENT),
            character => plain.push(character),
        }
    }
    let missing = characters.count();
    plain.truncate(plain.trim_end().len());
    if missing > 0 {
        // Writing to a string cannot fail.
        _ = write!(plain, "… ({missing} more characters)");
    }
    plain.trim_start().to_owned()
}

/// The same for text that only the caller chose: links in it are broken up, so that no program makes them clickable.
pub(super) fn foreign(text: &str, limit: usize) -> String {
    plain(text, limit).replace("://", "[:]//").replace("www.", "www[.]")
}

/// Control characters, characters that reorder text, and characters without width.
fn is_invisible(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{fffe}' | '\u{ffff}' | '\u{e0000}'..='\u{e0fff}' | '\u{e000}'..='\u{f8ff}')
}

/// Printable ASCII, and `?` for everything else.
pub(super) fn ascii(text: &str) -> String {
    text.chars()
        .map(|character| match character {
            '‹' => '(',
            '›' => ')',
            '…' => '.',
            ' '..='~' => character,
            _ => '?',
        })
        .collect()
}

/// The first `limit` characters; the last three are dots if something is missing.
pub(super) fn cut(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    let kept: String = text.chars().take(limit.saturating_sub(3)).collect();
    format!("{}...", kept.trim_end())
}

/// The columns of a text. A non-ASCII character may be wide, and counts as two.
pub(super) fn columns(text: &str) -> usize {
    text.chars().map(|character| if character.is_ascii() { 1 } else { 2 }).sum()
}

/// Whether this is a link that a reader may follow: one from a rule, never from a record.
pub(super) fn is_link(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let is_plain = |character: char| character.is_ascii_graphic() && !"<>\"'`\\^{|}".contains(character);
    text.len() <= 500 && rest.is_some_and(|rest| !rest.is_empty() && rest.chars().all(is_plain))
}

/// Breaks text into lines of at most [`WIDTH`] columns. The first line begins with `first`, the others with as many
/// spaces. A link goes on a line of its own and is never broken; any other word that is too long is.
pub(super) fn wrap(out: &mut String, first: &str, text: &str) {
    let indent = columns(first);
    let mut line = first.to_owned();
    let mut is_empty = true;
    let mut end = |line: &mut String, is_empty: &mut bool| {
        if !*is_empty {
            out.push_str(line.trim_end());
            out.push('\n');
            *line = " ".repeat(indent);
            *is_empty = true;
        }
    };
    for word in text.split_whitespace() {
        let link = word.trim_start_matches('(').trim_end_matches([')', '.', ',', ';']);
        if is_link(link) {
            end(&mut line, &mut is_empty);
            line.push_str(link);
            is_empty = false;
            end(&mut line, &mut is_empty);
            continue;
        }
        if !is_empty && columns(&line) + 1 + columns(word) > WIDTH {
            end(&mut line, &mut is_empty);
        }
        if !is_empty {
            line.push(' ');
        }
        for character in word.chars() {
            if columns(&line) + columns(character.encode_utf8(&mut [0; 4])) > WIDTH {
                end(&mut line, &mut is_empty);
            }
            line.push(character);
            is_empty = false;
        }
    }
    end(&mut line, &mut is_empty);
}
