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

    /// Says whether the whole of `value` fits; a star stands for zero or more characters.
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
}
