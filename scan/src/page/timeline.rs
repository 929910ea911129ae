//! The number of signals over time, by severity, as bars.

use std::collections::BTreeMap;
use std::io::{self, Write};

use detection::rule::Severity;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

const HOUR: i64 = 3_600;
const BARS: i64 = 100;

/// The signals of each hour.
#[derive(Default)]
pub struct Timeline {
    hours: BTreeMap<i64, [u64; 4]>,
}

impl Timeline {
    /// Counts a signal, unless its time is none.
    pub fn add(&mut self, time: &str, severity: Severity) {
        let time = time.parse::<DateTime>().and_then(|time| time.to_zoned(TimeZone::UTC));
        if let Ok(time) = time {
            let hour = time.timestamp().as_second().div_euclid(HOUR);
            self.hours.entry(hour).or_default()[severity as usize] += 1;
        }
    }

    /// Writes at most a hundred bars of equal length in time.
    pub fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let (Some((first, _)), Some((last, _))) = (self.hours.first_key_value(), self.hours.last_key_value())
        else {
            return Ok(());
        };
        let length = (last - first) / BARS + 1;
        let mut bars = BTreeMap::<i64, [u64; 4]>::new();
        for (hour, counts) in &self.hours {
            let bar = bars.entry((hour - first) / length).or_default();
            bar.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
        }
        let highest = bars.values().map(|bar| bar.iter().sum::<u64>()).max().unwrap_or_default().max(1);
        writeln!(out, "<section>\n<h2>When</h2>\n<div class=\"time\">")?;
        for index in 0..=(last - first) / length {
            let start = first + index * length;
            let counts = bars.get(&index).copied().unwrap_or_default();
            write!(out, "<div title=\"{}: {}\">", hour(start), words(counts))?;
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
        writeln!(
            out,
            "</div>\n<div class=\"ends\"><span>{}</span><span>{}</span></div>",
            hour(*first),
            hour(*last)
        )?;
        let bars = if length == 1 { "an hour".to_owned() } else { format!("{length} hours") };
        writeln!(out, "<p>A bar is {bars}, in UTC; the highest has {highest}.</p>\n</section>")
    }
}

fn words(counts: [u64; 4]) -> String {
    let words = Severity::ALL.into_iter().rev().filter(|severity| counts[*severity as usize] > 0);
    let words: Vec<_> =
        words.map(|severity| format!("{} {}", counts[severity as usize], severity.as_str())).collect();
    if words.is_empty() { "none".to_owned() } else { words.join(", ") }
}

fn hour(hour: i64) -> String {
    let time = Timestamp::from_second(hour.saturating_mul(HOUR)).unwrap_or_default();
    time.strftime("%Y-%m-%d %H:00").to_string()
}
