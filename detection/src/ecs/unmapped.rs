//! Why a field cannot be queried.

/// Fields that Elastic's stack fills and that are left out here, by the start of their names.
const UNMAPPED: &[(&str, &str)] = &[
    ("actor", "Elastic writes it only on request"),
    ("entity", "Elastic writes it only on request"),
    ("target", "Elastic writes it only on request"),
    ("related.entity", "Elastic writes it only on request"),
    ("host.target", "Elastic writes it only on request"),
    ("service.target", "Elastic writes it only on request"),
    ("user.entity", "Elastic writes it only on request"),
    ("user.target.entity", "Elastic writes it only on request"),
    ("aws.cloudtrail.digest", "digests are not read"),
    ("aws.cloudtrail.flattened.digest", "digests are not read"),
    ("aws.cloudtrail.insight_details", "Insights events are not read"),
    ("aws.cloudtrail.flattened.insight_details", "Insights events are not read"),
    ("event.created", "it is the time of reading, not part of the record"),
    ("event.ingested", "it is the time of indexing, and nothing is indexed"),
    ("event.original", "it is kept in signals, but not indexed by Elastic either"),
    ("file", "digests are not read"),
    ("message", "Elastic leaves it empty for CloudTrail"),
    ("related.hash", "digests are not read"),
    ("source.geo", "it needs a GeoIP database"),
    ("source.as", "it needs a database of autonomous systems"),
    ("user_agent", "it needs a parser of user agents; user_agent.original is there"),
    ("host", "CloudTrail records no host"),
    ("process", "CloudTrail records no process"),
];

/// A human-readable reason that names the field.
pub(super) fn reason(field: &str) -> String {
    let is_below = |start: &str| {
        let rest = field.strip_prefix(start);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    match UNMAPPED.iter().find(|(start, _)| is_below(start)) {
        Some((_, why)) => format!("the field {field} is not mapped here: {why}"),
        None => format!("the field {field} is not mapped here; docs/fields.md lists the fields that are"),
    }
}
