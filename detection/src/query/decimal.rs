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
    /// Reads a number such as `-12.5e3`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse().ok()?),
            None => (text, 0_i64),
        };
        let unsigned = mantissa.strip_prefix(['-', '+']).unwrap_or(mantissa);
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
        let are_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if !are_digits(whole) || !are_digits(fraction) {
            return None;
        }
        let all = format!("{whole}{fraction}");
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
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.negative { "-" } else { "" };
        if self.digits.is_empty() {
            f.write_str("0")
        } else {
            write!(f, "{sign}0.{}e{}", self.digits, self.magnitude)
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
        for (one, other) in [("1", "1.0"), ("100", "1e2"), ("-0", "0.000"), ("0.5", "5E-1"), ("+7", "007")] {
            assert_eq!(Decimal::parse(one), Decimal::parse(other), "{one} {other}");
        }
        for text in
            ["", "-", "1.", ".5", "0x10", "1_0", "inf", "NaN", "1e", "1e99999999999999999999", "ten", "1 "]
        {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
    }
}
