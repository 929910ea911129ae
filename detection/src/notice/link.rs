//! The event in CloudTrail's event history, in the console of its partition.

use super::grouping::Event;

/// The console's domain, by the prefix of the partition's region names. Isolated partitions have no public console.
const DOMAINS: [(&str, Option<&str>); 5] = [
    ("cn-", Some("console.amazonaws.cn")),
    ("us-gov-", Some("console.amazonaws-us-gov.com")),
    ("us-iso", None),
    ("eu-isoe", None),
    ("eusc-", Some("console.amazonaws-eusc.eu")),
];
const DOMAIN: &str = "console.aws.amazon.com";

/// The link, unless the event has no identifier, or is of a kind that the event history does not hold.
pub(super) fn console(event: &Event) -> Option<String> {
    let is_plain = |text: &&String| {
        text.len() <= 64
            && !text.is_empty()
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    if event.category.as_deref().is_some_and(|category| category != "Management") {
        return None;
    }
    let (id, region) = (event.id.as_ref().filter(is_plain)?, event.region.as_ref().filter(is_plain)?);
    let known = DOMAINS.iter().find(|(start, _)| region.starts_with(start));
    let domain = known.map_or(Some(DOMAIN), |(_, domain)| *domain)?;
    Some(format!("https://{region}.{domain}/cloudtrailv2/home?region={region}#/events/{id}"))
}
