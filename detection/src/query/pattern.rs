/// A value with wildcards: the texts between its stars, the first and last of which are anchored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    pieces: Vec<String>,
}

impl Pattern {
    /// The pattern with a star between each two of `pieces`.
    #[must_use]
    pub fn new(pieces: Vec<String>) -> Self {
        Self { pieces }
    }

    /// The texts between the stars.
    #[must_use]
    pub fn pieces(&self) -> &[String] {
        &self.pieces
    }

    /// Says whether the pattern matches the whole value. A star matches zero or more characters.
    #[must_use]
    pub fn matches(&self, value: &str) -> bool {
        let [first, middle @ .., last] = self.pieces.as_slice() else {
            return self.pieces.first().is_some_and(|only| only == value);
        };
        let Some(mut rest) = value.strip_prefix(first.as_str()) else { return false };
        for piece in middle {
            // The leftmost find leaves the most for the pieces that follow.
            let Some(found) = rest.find(piece.as_str()) else { return false };
            rest = &rest[found + piece.len()..];
        }
        rest.ends_with(last.as_str())
    }

    /// The text before the first star.
    #[must_use]
    pub fn start(&self) -> &str {
        self.pieces.first().map_or("", String::as_str)
    }

    /// The text after the last star.
    #[must_use]
    pub fn end(&self) -> &str {
        self.pieces.last().map_or("", String::as_str)
    }

    /// Says whether this pattern matches every value that `other` matches. `true` is certain, `false` is not.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        // A character that this pattern has only a star for can stand for a star of the other's.
        const STAR: &str = "\u{10fffe}";
        let is_free = !self.pieces.iter().any(|piece| piece.contains(STAR));
        is_free && self.matches(&other.pieces.join(STAR))
    }
}
