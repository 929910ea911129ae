/// A regular expression, bounded in size: it compiles in a few milliseconds, and matching takes time proportional to
/// the length of the value.
///
/// The syntax is that of `regex-lite`: classes such as `\d` and `\w`, and the flag `i`, cover ASCII only.
#[derive(Debug, Clone)]
pub struct Regex {
    text: String,
    flags: String,
    whole: bool,
    compiled: regex_lite::Regex,
}

/// How many a rule may have in total: each takes memory once it is compiled.
pub(super) const MAX_PER_RULE: usize = 64;
/// The error for the first one over the limit.
pub(super) const TOO_MANY: &str =
    "a rule can have at most 64 regular expressions: join some with |, or use wildcards";
/// Longer expressions are refused before they are compiled; no rule has one.
const MAX_BYTES: usize = 4096;
/// The maximum size of the compiled form.
const MAX_COMPILED_BYTES: usize = 256 * 1024;

impl Regex {
    /// The expression, which may match anywhere in a value. `flags` are any of `i` (any case), `m` (`^` and `$` at
    /// lines) and `s` (`.` matches line breaks too).
    ///
    /// # Errors
    /// What is wrong with the expression.
    pub fn searched(text: &str, flags: &str) -> Result<Self, String> {
        Self::new(text, flags, false)
    }

    /// The expression, which must match the whole value.
    ///
    /// # Errors
    /// What is wrong with the expression.
    pub fn whole(text: &str, flags: &str) -> Result<Self, String> {
        Self::new(text, flags, true)
    }

    fn new(text: &str, flags: &str, whole: bool) -> Result<Self, String> {
        if text.len() > MAX_BYTES {
            return Err(format!("the regular expression is longer than {MAX_BYTES} bytes"));
        }
        let build = |text: &str| {
            regex_lite::RegexBuilder::new(text)
                .case_insensitive(flags.contains('i'))
                .multi_line(flags.contains('m'))
                .dot_matches_new_line(flags.contains('s'))
                .size_limit(MAX_COMPILED_BYTES)
                .build()
                .map_err(|error| format!("the regular expression is not understood: {error}"))
        };
        let mut compiled = build(text)?;
        if whole {
            compiled = build(&format!("\\A(?:{text})\\z"))?;
        }
        Ok(Self { text: text.to_owned(), flags: flags.to_owned(), whole, compiled })
    }

    /// Returns whether the expression matches.
    #[must_use]
    pub fn matches(&self, value: &str) -> bool {
        self.compiled.is_match(value)
    }

    /// The expression as it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Its flags.
    #[must_use]
    pub fn flags(&self) -> &str {
        &self.flags
    }

    /// Whether it must match the whole value.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        self.whole
    }
}

impl PartialEq for Regex {
    fn eq(&self, other: &Self) -> bool {
        (&self.text, &self.flags, self.whole) == (&other.text, &other.flags, other.whole)
    }
}
