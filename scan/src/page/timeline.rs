//! The number of signals over time, by severity, as bars.

use std::collections::BTreeMap;
use std::io::{self, Write};

use detection::rule::Severity;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// At most this many bars.
const BARS: i64 = 100;
/// Bar lengths that are easy to read, in minutes; beyond these, whole days.
const LENGTHS: [i64; 10] = [1, 2, 5, 10, 15, 30, 60, 180, 360, 720];
const DAY: i64 = 24 * 60;

/// The signals of each minute.
#[derive(Default)]
pub struct Timeline {
    minutes: BTreeMap<i64, [u64; 4]>,
}

impl Timeline {
    /// Counts a signal, unless its time is not valid.
    pub fn add(&mut self, time: &str, severity: Severity) {
        let time = time.parse::<DateTime>().and_then(|time| time.to_zoned(TimeZone::UTC));
        if let Ok(time) = time {
            let minute = time.timestamp().as_second().div_euclid(60);
            self.minutes.entry(minute).or_default()[severity as usize] += 1;
        }
    }

    /// Writes bars of equal length in time.
    pub fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let (Some((first, _)), Some((last, _))) =
            (self.minutes.first_key_value(), self.minutes.last_key_value())
        else {
            return Ok(());
        };
        let least = (last - first) / BARS + 1;
        let usual = LENGTHS.into_iter().find(|length| *length >= least);
        let length = usual.unwrap_or_else(|| (least + DAY - 1) / DAY * DAY);
        let (first, last) = (first.div_euclid(length), last.div_euclid(length));
        let mut bars = BTreeMap::<i64, [u64; 4]>::new();
        for (minute, counts) in &self.minutes {
            let bar = bars.entry(minute.div_euclid(length)).or_default();
            bar.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
        }
        let highest = bars.values().map(|bar| bar.iter().sum::<u64>()).max().unwrap_or_default().max(1);
        writeln!(out, "<section>\n<h2>When</h2>\n<div class=\"time\">")?;
        for index in first..=last {
            let counts = bars.get(&index).copied().unwrap_or_default();
            write!(out, "<div title=\"{}: {}\">", minute(index * length), words(counts))?;
            for severity in Severity::ALL {
                let count = counts[severity as usize];
                if count > 0 {
                    // Thousandths, so that no float is needed.
                    let height = (count * 1000).div_ceil(highest);
                    let (word, whole, tenth) = (severity.as_str(), height / 10, height % 10);
                    write!(out, "<i class=\"{word}\" style=\"height:{whole}.{tenth}%\"></i>")?;
                }
            }
            writeln!(out, "</div>")?;
        }
        let (from, to) = (minute(first * length), minute((last + 1) * length));
        writeln!(out, "</div>\n<div class=\"ends\"><span>{from}</span><span>{to}</span></div>")?;
        let bar = duration(length);
        writeln!(out, "<p>Times are UTC. A bar is {bar}; the highest has {highest}.</p>\n</section>")
    }
}

/// A number of minutes in words.
fn duration(minutes: i64) -> String {
    let (number, unit) = match minutes {
        minutes if minutes % DAY == 0 => (minutes / DAY, "day"),
        minutes if minutes % 60 == 0 => (minutes / 60, "hour"),
        minutes => (minutes, "minute"),
    };
    format!("{number} {unit}{}", if number == 1 { "" } else { "s" })
}

fn words(counts: [u64; 4]) -> String {
    let words = Severity::ALL.into_iter().rev().filter(|severity| counts[*severity as usize] > 0);
    let words: Vec<_> =
        words.map(|severity| format!("{} {}", counts[severity as usize], severity.as_str())).collect();
    if words.is_empty() { "none".to_owned() } else { words.join(", ") }
}

fn minute(minute: i64) -> String {
    let time = Timestamp::from_second(minute.saturating_mul(60)).unwrap_or_default();
    time.strftime("%Y-%m-%d %H:%M").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(times: &[&str]) -> String {
        let mut timeline = Timeline::default();
        for time in times {
            timeline.add(time, Severity::High);
        }
        let mut out = Vec::new();
        timeline.write(&mut out).expect("memory can be written");
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn there_are_at_most_a_hundred_and_one_bars_of_a_readable_length() {
        let rows = [
            ("2026-11-23 10:05:59", "1 minute", 1),
            ("2026-11-23 11:44:00", "1 minute", 100),
            ("2026-11-23 12:00:00", "2 minutes", 59),
            ("2026-11-24 10:05:00", "15 minutes", 97),
            ("2026-12-23 10:05:00", "12 hours", 61),
            ("2027-11-23 10:05:00", "4 days", 92),
            ("9000-01-01 00:00:00", "25469 days", 101),
        ];
        for (last, length, bars) in rows {
            let text = written(&["2026-11-23 10:05:00", last]);
            assert!(text.contains(&format!("A bar is {length};")), "{last}: {text}");
            assert_eq!(text.matches("<div title=").count(), bars, "{last}");
        }
    }

    #[test]
    fn a_time_that_is_none_is_in_no_bar() {
        assert_eq!(written(&["yesterday", ""]), "");
        assert!(written(&["yesterday", "2026-11-23 10:05:00"]).contains("2026-11-23 10:05: 1 high"));
    }
}
