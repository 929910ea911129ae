//! S3 object keys, and whether a key names a delivery.

use percent_encoding::percent_decode_str;

/// A decoded S3 object key.
///
/// S3's own notifications and batch jobs form-encode keys; everything else leaves them plain. Choose the constructor by
/// the source of the key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key(String);

impl Key {
    /// Takes a plain key: from EventBridge, from CloudTrail's notices, from a user, or a path with `/` between its parts.
    #[must_use]
    pub fn plain(key: impl Into<String>) -> Self {
        Self(key.into())
    }

    /// Decodes a form-encoded key, from an S3 notification or a batch job: `+` is a space, `%2B` a plus sign.
    ///
    /// # Errors
    /// The decoded bytes are not UTF-8, as every S3 key is.
    pub fn form_encoded(key: &str) -> Result<Self, std::str::Utf8Error> {
        let spaced = key.replace('+', " ");
        percent_decode_str(&spaced).decode_utf8().map(|key| Self(key.into_owned()))
    }

    /// The decoded key.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Why the object is not a CloudTrail delivery, if its key shows that it is not.
    ///
    /// AWS services that write to a bucket put their name in the segment after the account: `AWSLogs/111122223333/`,
    /// with or without organization ids and other segments before the account. The last `AWSLogs` counts, because a
    /// trail's prefix can itself look like a key. A key that names no service may be a delivery, so the object is read.
    #[must_use]
    pub fn skip_reason(&self) -> Option<&'static str> {
        let segments: Vec<_> = self.0.split('/').collect();
        let name = *segments.last()?;
        if name.is_empty() && segments.len() > 1 {
            return Some("a folder");
        }
        if MARKERS.contains(&name) || name.ends_with("_$folder$") {
            return Some("a marker, not a log");
        }
        let logs = segments.iter().rposition(|segment| *segment == "AWSLogs")?;
        let behind = &segments[logs + 1..];
        if behind.iter().any(|segment| segment.starts_with("aws-service=")) {
            return Some(OTHER_SERVICE);
        }
        let account = behind.iter().position(|segment| is_account(segment))?;
        // The key of a file directly under the account names no service.
        let [service, _, ..] = behind[account + 1..] else { return None };
        match service {
            "CloudTrail" | "CloudTrail-NetworkActivity" => None,
            service => Some(beside_deliveries(service).unwrap_or(OTHER_SERVICE)),
        }
    }

    /// The same for a file in a copy of a part of a bucket, without `AWSLogs`: the folder below an account, or the file's
    /// own name, may show that it lay beside the deliveries. Any other folder may be the user's own.
    #[must_use]
    pub fn skip_reason_in_part(&self) -> Option<&'static str> {
        let segments: Vec<_> = self.0.split('/').collect();
        let name: Vec<_> = segments.last()?.split('_').collect();
        let mut pairs = segments.windows(2).chain(name.windows(2).take(1));
        pairs.find_map(|pair| beside_deliveries(pair[1]).filter(|_| is_account(pair[0])))
    }

    /// A delivery's account, region and time (to the hour, as RFC 3339), if the key has CloudTrail's form:
    /// `…/<account>/CloudTrail/<region>/…/<account>_CloudTrail_<region>_<YYYYMMDDTHHmmZ>_….json.gz`.
    pub(crate) fn delivery(&self) -> Option<(&str, &str, String)> {
        let segments: Vec<_> = self.0.split('/').collect();
        let logs = segments.iter().rposition(|segment| *segment == "AWSLogs")?;
        let behind = &segments[logs + 1..];
        let account = behind.iter().position(|segment| is_account(segment))?;
        let [account, "CloudTrail", region, .., name] = behind[account..] else { return None };
        let mut parts =
            name.strip_prefix(account)?.strip_prefix("_CloudTrail_")?.strip_prefix(region)?.split('_');
        let (Some(""), Some(time)) = (parts.next(), parts.next()) else { return None };
        let is_region = (1..=32).contains(&region.len())
            && region.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        let is_time = time.len() == 14 && time.is_ascii() && is_region;
        let (date, time) = is_time.then(|| time.split_at(8))?;
        let hour = time.strip_prefix('T')?.get(..2)?;
        Some((account, region, format!("{}-{}-{}T{hour}:00:00Z", &date[..4], &date[4..6], &date[6..])))
    }
}

const OTHER_SERVICE: &str = "another service's log";
/// Names of the files without records that AWS services write to test a bucket.
const MARKERS: [&str; 3] = ["aws-logs-write-test", "ELBAccessLogTestFile", "ConfigWritabilityCheckFile"];

/// What lies in a folder beside that of the deliveries, if AWS names it so in every bucket.
fn beside_deliveries(service: &str) -> Option<&'static str> {
    match service {
        "CloudTrail-Digest" => Some("a digest of CloudTrail deliveries"),
        "CloudTrail-Insight" => Some("CloudTrail Insights events"),
        "CloudTrail-Aggregated" => Some("aggregated CloudTrail events"),
        "Config" => Some(OTHER_SERVICE),
        _ => None,
    }
}

/// Whether this is the id of an account: twelve digits.
#[must_use]
pub fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}
