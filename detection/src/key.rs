//! What the key of an S3 object says about it.

use percent_encoding::percent_decode_str;

/// The key of an S3 object, decoded.
///
/// S3's own notifications and batch jobs encode keys like web forms, everything else leaves them plain. A key says at
/// its making which of the two it comes from, and is the same ever after.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key(String);

impl Key {
    /// A key as it is: from EventBridge, from CloudTrail's notices, from a user.
    #[must_use]
    pub fn plain(key: impl Into<String>) -> Self {
        Self(key.into())
    }

    /// A form-encoded key, from an S3 notification or a batch job: `+` is a space, `%2B` a plus sign.
    ///
    /// # Errors
    /// The decoded bytes are not UTF-8, which no S3 key is.
    pub fn form_encoded(key: &str) -> Result<Self, std::str::Utf8Error> {
        let spaced = key.replace('+', " ");
        percent_decode_str(&spaced).decode_utf8().map(|key| Self(key.into_owned()))
    }

    /// The decoded key.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Says why the object is none of CloudTrail's deliveries, if its key says so.
    ///
    /// AWS services that write to a bucket name themselves in the segment behind `AWSLogs/[o-…/]<account>/`. Only
    /// CloudTrail itself is a trail; a key that is not of this form may be anything, and is tried.
    #[must_use]
    pub fn skip_reason(&self) -> Option<&'static str> {
        if self.0.ends_with('/') {
            return Some("a folder");
        }
        match self.service() {
            None | Some("CloudTrail") => None,
            Some("CloudTrail-Digest") => Some("a digest of CloudTrail deliveries"),
            Some("CloudTrail-Insight") => Some("CloudTrail Insights events"),
            Some("CloudTrail-NetworkActivity") => Some("CloudTrail network activity events"),
            Some("CloudTrail-Aggregated") => Some("aggregated CloudTrail events"),
            Some(_) => Some("another service's log"),
        }
    }

    /// The segment that names the service, if the key is of the form that AWS services write.
    fn service(&self) -> Option<&str> {
        let mut segments = self.0.split('/').skip_while(|segment| *segment != "AWSLogs").skip(1).peekable();
        segments.next_if(|segment| segment.starts_with("o-"));
        let account = segments.next()?;
        let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
        let service = segments.next().filter(|_| is_account)?;
        // A file directly below the account names no service.
        segments.next().map(|_| service)
    }
}
