//! Numbers compared by their digits: no integer is too large, and no fraction is rounded.

use std::cmp::Ordering;
use std::fmt;

/// A decimal number: `0.digits × 10^magnitude`, with its sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decimal {
    negative: bool,
    magnitude: i64,
    /// Without zeros at either end; empty for zero.
    digits: String,
}

impl Decimal {
    /// Reads a number such as `-12.5e3`, `7.` or `.5`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse().ok()?),
            None => (text, 0_i64),
        };
        let unsigned = mantissa.strip_prefix(['-', '+']).unwrap_or(mantissa);
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        let all = format!("{whole}{fraction}");
        if all.is_empty() || !all.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let digits = all.trim_start_matches('0');
        let leading = i64::try_from(all.len() - digits.len()).ok()?;
        let magnitude = i64::try_from(whole.len()).ok()?.checked_sub(leading)?.checked_add(exponent)?;
        let digits = digits.trim_end_matches('0').to_owned();
        let is_zero = digits.is_empty();
        Some(Self {
            negative: mantissa.starts_with('-') && !is_zero,
            magnitude: if is_zero { 0 } else { magnitude },
            digits,
        })
    }

    /// The number with the opposite sign.
    #[must_use]
    pub fn negated(self) -> Self {
        Self { negative: !self.negative && !self.digits.is_empty(), ..self }
    }
}

/// Numbers of up to twenty digits in full, longer ones and tiny ones with an exponent.
impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { negative, magnitude, digits } = self;
        if *negative {
            f.write_str("-")?;
        }
        match usize::try_from(*magnitude) {
            Ok(0) if digits.is_empty() => f.write_str("0"),
            Ok(whole) if whole >= digits.len() && whole <= 20 => write!(f, "{digits:0<whole$}"),
            Ok(whole @ 1..=20) => write!(f, "{}.{}", &digits[..whole], &digits[whole..]),
            _ => write!(f, "0.{digits}e{magnitude}"),
        }
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        let size = |number: &Self| (!number.digits.is_empty()).then_some(number.magnitude);
        let unsigned = || size(self).cmp(&size(other)).then_with(|| self.digits.cmp(&other.digits));
        match (self.negative, other.negative) {
            (false, false) => unsigned(),
            (true, true) => unsigned().reverse(),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
        }
    }
}

/// A whole number.
impl From<usize> for Decimal {
    fn from(number: usize) -> Self {
        let all = number.to_string();
        let digits = all.trim_end_matches('0').to_owned();
        let magnitude = if digits.is_empty() { 0 } else { i64::try_from(all.len()).unwrap_or(i64::MAX) };
        Self { negative: false, magnitude, digits }
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_in_the_order_of_their_values() {
        let ordered = [
            "-1e400",
            "-10",
            "-9.5",
            "-1",
            "-0.01",
            "-1e-3",
            "0",
            "1e-400",
            "0.009",
            "0.01",
            "1",
            "1.5",
            "9",
            "10",
            "9007199254740992",
            "9007199254740993",
            "1e400",
        ];
        let numbers: Vec<_> = ordered.iter().map(|text| Decimal::parse(text).expect(text)).collect();
        assert!(numbers.is_sorted_by(|one, next| one < next), "{numbers:?}");
        for (one, other) in
            [("1", "1.0"), ("1", "1."), ("100", "1e2"), ("-0", "0.000"), (".5", "5E-1"), ("+7", "007")]
        {
            assert_eq!(Decimal::parse(one), Decimal::parse(other), "{one} {other}");
        }
        for number in [0, 7, 10, 900, 20_014] {
            assert_eq!(Decimal::parse(&number.to_string()), Some(Decimal::from(number)));
        }
        for text in [
            "",
            "-",
            ".",
            "-.",
            "1.2.3",
            "1.-2",
            "0x10",
            "1_0",
            "inf",
            "NaN",
            "1e",
            "1e99999999999999999999",
            "ten",
            "1 ",
        ] {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_number_is_printed_as_people_write_it() {
        for (text, printed) in [
            ("0", "0"),
            ("-0", "0"),
            ("7", "7"),
            ("9007199254740993", "9007199254740993"),
            ("-1.50", "-1.5"),
            ("1e3", "1000"),
            ("0.05", "0.5e-1"),
            ("0.5", "0.5e0"),
            ("1e400", "0.1e401"),
        ] {
            let number = Decimal::parse(text).expect(text);
            assert_eq!(number.to_string(), printed);
            assert_eq!(Decimal::parse(printed), Some(number));
        }
    }
}
