/// One part of a [`Glob`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Token {
    /// This character.
    Literal(char),
    /// Any one character.
    One,
    /// Zero or more characters.
    Many,
}

/// A string with wildcards that must match a whole value, with or without regard to case.
///
/// Case is ignored by Unicode's simple case folding: one character at a time, whatever the language. `ß` is not `ss`,
/// and the Turkish dotless `ı` is not `i`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glob {
    /// Folded if case is ignored.
    tokens: Vec<Token>,
    any_case: bool,
}

impl Glob {
    /// A glob made of `tokens`.
    pub fn new(tokens: impl IntoIterator<Item = Token>, any_case: bool) -> Self {
        let mut folded: Vec<Token> = Vec::new();
        for token in tokens {
            match token {
                Token::Literal(character) if any_case => folded.push(Token::Literal(fold(character))),
                // Two stars in a row count as one.
                Token::Many if folded.last() == Some(&Token::Many) => {}
                other => folded.push(other),
            }
        }
        Self { tokens: folded, any_case }
    }

    /// A glob for the text itself.
    #[must_use]
    pub fn text(text: &str, any_case: bool) -> Self {
        Self::new(text.chars().map(Token::Literal), any_case)
    }

    /// The same with a star before it.
    #[must_use]
    pub fn after_anything(self) -> Self {
        Self::new(std::iter::once(Token::Many).chain(self.tokens), self.any_case)
    }

    /// The same with a star after it.
    #[must_use]
    pub fn before_anything(self) -> Self {
        Self::new(self.tokens.into_iter().chain([Token::Many]), self.any_case)
    }

    /// The parts; literals are folded if case is ignored.
    #[must_use]
    pub fn tokens(&self) -> &[Token] {
        &self.tokens
    }

    /// Whether case is ignored.
    #[must_use]
    pub const fn any_case(&self) -> bool {
        self.any_case
    }

    /// Returns whether the glob matches the whole value.
    #[must_use]
    pub fn matches(&self, value: &str) -> bool {
        let (mut at, mut rest) = (0, value);
        // Where to resume after a mismatch: the token after the last star, and the text at which it was last tried.
        let mut last_star: Option<(usize, &str)> = None;
        loop {
            match self.tokens.get(at) {
                Some(Token::Many) => {
                    at += 1;
                    if at == self.tokens.len() {
                        return true;
                    }
                    last_star = Some((at, rest));
                    continue;
                }
                Some(token) => {
                    let mut characters = rest.chars();
                    if characters.next().is_some_and(|character| self.fits(*token, character)) {
                        rest = characters.as_str();
                        at += 1;
                        continue;
                    }
                }
                None if rest.is_empty() => return true,
                None => {}
            }
            // Let the last star take one more character.
            let Some((behind, from)) = last_star else { return false };
            let mut characters = from.chars();
            if characters.next().is_none() {
                return false;
            }
            (at, rest) = (behind, characters.as_str());
            last_star = Some((at, rest));
        }
    }

    fn fits(&self, token: Token, character: char) -> bool {
        match token {
            Token::Literal(wanted) if self.any_case => fold(character) == wanted,
            Token::Literal(wanted) => character == wanted,
            Token::One | Token::Many => true,
        }
    }

    /// Whether every string matches.
    pub(super) fn is_any(&self) -> bool {
        self.tokens == [Token::Many]
    }

    /// The strings between the stars, if there is no more to the glob: case matters, and there is no `?`.
    pub(super) fn as_pieces(&self) -> Option<Vec<String>> {
        let mut pieces = vec![String::new()];
        for token in &self.tokens {
            match token {
                Token::Literal(character) => pieces.last_mut()?.push(*character),
                Token::Many => pieces.push(String::new()),
                Token::One => return None,
            }
        }
        (!self.any_case).then_some(pieces)
    }

    /// The strings before, between and after the wildcards, folded if case is ignored.
    pub(crate) fn pieces(&self) -> impl Iterator<Item = String> {
        let literal =
            |token: &Token| if let Token::Literal(character) = token { Some(*character) } else { None };
        let pieces = self.tokens.split(move |token| literal(token).is_none());
        pieces.map(move |piece| piece.iter().filter_map(literal).collect())
    }
}

/// The character that represents all cases of a character.
fn fold(character: char) -> char {
    if character.is_ascii() {
        return character.to_ascii_lowercase();
    }
    // In language-independent folding, it is a letter of its own.
    if character == 'ı' {
        return character;
    }
    let upper = single(character.to_uppercase()).unwrap_or(character);
    single(upper.to_lowercase()).unwrap_or(upper)
}

fn single(mut characters: impl Iterator<Item = char>) -> Option<char> {
    let first = characters.next()?;
    characters.next().is_none().then_some(first)
}

/// A string in the form that all of its uppercase and lowercase spellings share.
pub(super) fn folded(text: &str) -> String {
    text.chars().map(fold).collect()
}
