//! What PCRE regular expressions, which Sigma is written for, have and ours lack.

/// The first construct in an expression that would not be understood or would mean something else, in words.
pub(super) fn unsupported(expression: &str) -> Option<&'static str> {
    let mut characters = expression.chars().peekable();
    let mut in_class = false;
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some('1'..='9' | 'k' | 'g') if !in_class => return Some("a back-reference"),
                Some('Q' | 'E') => return Some("\\Q…\\E"),
                _ => {}
            },
            '[' => in_class = true,
            ']' => in_class = false,
            '(' if !in_class && characters.next_if_eq(&'?').is_some() => {
                match (characters.next(), characters.peek()) {
                    (Some('=' | '!'), _) | (Some('<'), Some('=' | '!')) => {
                        return Some("looking ahead or behind");
                    }
                    (Some('>'), _) => return Some("an atomic group"),
                    _ => {}
                }
            }
            '*' | '+' | '?' | '}' if !in_class && characters.peek() == Some(&'+') => {
                return Some("a possessive quantifier");
            }
            _ => {}
        }
    }
    None
}
