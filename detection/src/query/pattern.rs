/// A value with wildcards: the strings between its stars, with the first and last anchored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    pieces: Vec<String>,
}

impl Pattern {
    /// The pattern with a star between each pair of adjacent `pieces`.
    #[must_use]
    pub fn new(pieces: Vec<String>) -> Self {
        Self { pieces }
    }

    /// The strings between the stars.
    #[must_use]
    pub fn pieces(&self) -> &[String] {
        &self.pieces
    }

    /// Returns whether the pattern matches the whole value. A star matches zero or more characters.
    #[must_use]
    pub fn matches(&self, value: &str) -> bool {
        let [first, middle @ .., last] = self.pieces.as_slice() else {
            return self.pieces.first().is_some_and(|only| only == value);
        };
        let Some(mut rest) = value.strip_prefix(first.as_str()) else { return false };
        for piece in middle {
            // The leftmost match leaves the most for the pieces that follow.
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

    /// Returns whether this pattern matches every value that `other` matches. `true` is certain, `false` is not.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        // A character that only a star of this pattern can match can stand in for a star of the other.
        const STAR: &str = "\u{10fffe}";
        let is_free = !self.pieces.iter().any(|piece| piece.contains(STAR));
        is_free && self.matches(&other.pieces.join(STAR))
    }
}
