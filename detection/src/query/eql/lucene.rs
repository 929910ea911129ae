//! Lucene's regular expressions, rewritten so that `regex-lite` accepts them with the same meaning.
//!
//! Lucene matches the whole value, so `^` and `$` are plain characters and laziness has no effect; a string in double
//! quotes stands for itself. Lucene's operators that other engines lack are refused by name.

/// What Lucene has and `regex-lite` lacks.
const OPERATORS: [(char, &str); 5] = [
    ('~', "a complement (~)"),
    ('&', "an intersection (&)"),
    ('<', "an interval (<1-5>)"),
    ('@', "any string (@)"),
    ('#', "the empty language (#)"),
];

/// The expression for `regex-lite`.
///
/// # Errors
/// The operator that `regex-lite` lacks, or the incomplete part.
pub(super) fn translate(text: &str) -> Result<String, String> {
    let mut translation = Translation { rest: text, out: String::new(), atom: None, groups: Vec::new() };
    while let Some(character) = translation.next() {
        translation.character(character)?;
    }
    if translation.groups.is_empty() {
        Ok(translation.out)
    } else {
        Err("a ( in the regular expression is not closed".to_owned())
    }
}

struct Translation<'a> {
    rest: &'a str,
    out: String,
    /// The offset in `out` of the part that a quantifier would repeat.
    atom: Option<Atom>,
    /// Where the open groups start.
    groups: Vec<usize>,
}

#[derive(Clone, Copy)]
struct Atom {
    start: usize,
    is_repeated: bool,
}

impl Translation<'_> {
    fn next(&mut self) -> Option<char> {
        let character = self.rest.chars().next()?;
        self.rest = &self.rest[character.len_utf8()..];
        Some(character)
    }

    fn character(&mut self, character: char) -> Result<(), String> {
        match character {
            '?' | '*' | '+' => self.repeat(&character.to_string()),
            '{' => {
                let (count, rest) =
                    self.rest.split_once('}').ok_or("a { in the regular expression is not closed")?;
                self.rest = rest;
                self.repeat(&format!("{{{count}}}"))
            }
            '|' => {
                self.out.push('|');
                self.atom = None;
                Ok(())
            }
            '(' => {
                if self.rest.starts_with('?') {
                    return Err(
                        "Lucene has no (?…) in regular expressions: write ( ), and regex~ to ignore case"
                            .to_owned(),
                    );
                }
                self.groups.push(self.out.len());
                // No rule uses the text that a group captures.
                self.out.push_str("(?:");
                self.atom = None;
                Ok(())
            }
            ')' => {
                let start = self.groups.pop().ok_or("a ) in the regular expression closes nothing")?;
                self.out.push(')');
                self.atom = Some(Atom { start, is_repeated: false });
                Ok(())
            }
            '[' => {
                let class = self.class()?;
                self.push(&class);
                Ok(())
            }
            '"' => {
                let (text, rest) =
                    self.rest.split_once('"').ok_or("a \" in the regular expression is not closed")?;
                self.rest = rest;
                self.push(&format!("(?:{})", regex_lite::escape(text)));
                Ok(())
            }
            '.' => {
                self.push(".");
                Ok(())
            }
            '\\' => {
                let escaped = self.escaped()?;
                self.push(&escaped);
                Ok(())
            }
            operator if OPERATORS.iter().any(|(found, _)| *found == operator) => {
                let name =
                    OPERATORS.iter().find(|(found, _)| *found == operator).map_or("", |(_, name)| name);
                Err(format!(
                    "the regular expression has Lucene's operator for {name}, which is not supported: write \\{operator} for the character"
                ))
            }
            literal => {
                self.push(&escape(literal));
                Ok(())
            }
        }
    }

    fn push(&mut self, text: &str) {
        self.atom = Some(Atom { start: self.out.len(), is_repeated: false });
        self.out.push_str(text);
    }

    fn repeat(&mut self, quantifier: &str) -> Result<(), String> {
        let Some(Atom { start, is_repeated }) = self.atom else {
            return Err(format!(
                "{quantifier} in the regular expression repeats nothing: write \\ before it for the character"
            ));
        };
        // Two quantifiers in a row would mean laziness.
        if is_repeated {
            self.out.insert_str(start, "(?:");
            self.out.push(')');
        }
        self.out.push_str(quantifier);
        self.atom = Some(Atom { start, is_repeated: true });
        Ok(())
    }

    /// What follows a backslash: a character class, or the character itself.
    fn escaped(&mut self) -> Result<String, String> {
        let escaped = self.next().ok_or("the regular expression ends in a backslash")?;
        Ok(match escaped {
            'd' | 'D' | 'w' | 'W' => format!("\\{escaped}"),
            's' => "[ \\t\\n\\r]".to_owned(),
            'S' => "[^ \\t\\n\\r]".to_owned(),
            literal => escape(literal),
        })
    }

    fn class(&mut self) -> Result<String, String> {
        const UNCLOSED: &str = "a [ in the regular expression is not closed";
        let mut class = String::from("[");
        if self.rest.starts_with('^') {
            self.next();
            class.push('^');
        }
        let mut is_first = true;
        loop {
            let character = self.next().ok_or(UNCLOSED)?;
            if character == ']' && !is_first {
                class.push(']');
                return Ok(class);
            }
            is_first = false;
            if character == '\\' && self.rest.starts_with(['d', 'D', 'w', 'W', 's', 'S']) {
                class.push('\\');
                class.extend(self.next());
                continue;
            }
            class.push_str(&self.member(character)?);
            if self.rest.starts_with('-') && !self.rest.starts_with("-]") {
                self.next();
                let end = self.next().ok_or(UNCLOSED)?;
                class.push('-');
                class.push_str(&self.member(end)?);
            }
        }
    }

    fn member(&mut self, character: char) -> Result<String, String> {
        let literal = match character {
            '\\' => self.next().ok_or("the regular expression ends in a backslash")?,
            other => other,
        };
        Ok(escape(literal))
    }
}

fn escape(character: char) -> String {
    regex_lite::escape(character.encode_utf8(&mut [0; 4]))
}
