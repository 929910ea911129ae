//! What people want to know about a signal, read from its alert document.

use serde_json::{Map, Value};

use crate::ecs;
use crate::rule::Severity;

const REQUEST: &str = "aws.cloudtrail.flattened.request_parameters";
/// The request parameters that name what a call is about. The first one present counts.
const TARGETS: [&str; 26] = [
    "functionName",
    "bucketName",
    "userName",
    "roleName",
    "groupName",
    "secretId",
    "keyId",
    "instanceId",
    "snapshotId",
    "imageId",
    "volumeId",
    "groupId",
    "dBInstanceIdentifier",
    "dBSnapshotIdentifier",
    "dBClusterIdentifier",
    "tableName",
    "topicArn",
    "queueUrl",
    "clusterName",
    "repositoryName",
    "detectorId",
    "roleArn",
    "policyArn",
    "trailName",
    "resourceArn",
    "name",
];
/// Parameters that end like the name of a target but are not targets.
const NO_TARGETS: [&str; 4] = ["roleSessionName", "clientToken", "clientRequestToken", "marker"];

/// An alert document, with answers to what people ask.
#[derive(Debug, Clone, Copy)]
pub struct Alert<'a>(&'a Value);

/// The principal of an alert: fields of the ECS document and their values. Usually one; the group of a threshold rule
/// may have several.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Principal(pub Vec<(String, String)>);

impl Principal {
    /// The values, in one text.
    #[must_use]
    pub fn name(&self) -> String {
        let values: Vec<_> = self.0.iter().map(|(_, value)| value.as_str()).collect();
        if values.is_empty() { "an unnamed caller".to_owned() } else { values.join(", ") }
    }

    /// The caller by name, else the service, else the id, else the group of the rule, else the account.
    pub(crate) fn of<'a>(
        text: impl Fn(&str) -> Option<&'a str>,
        terms: impl FnOnce() -> Vec<(String, String)>,
    ) -> Self {
        let one = |field: &str| Some(vec![(field.to_owned(), text(field)?.to_owned())]);
        let fields = one("user.name")
            .or_else(|| one("service.name"))
            .or_else(|| one("user.id"))
            .or_else(|| Some(terms()).filter(|terms| !terms.is_empty()))
            .or_else(|| one("cloud.account.id"))
            .or_else(|| one("aws.cloudtrail.recipient_account_id"));
        Self(fields.unwrap_or_default())
    }
}

impl<'a> Alert<'a> {
    /// Looks at a document.
    #[must_use]
    pub fn new(document: &'a Value) -> Self {
        Self(document)
    }

    /// The value at a dotted path.
    #[must_use]
    pub fn value(self, path: &str) -> Option<&'a Value> {
        path.split('.').try_fold(self.0, |value, key| value.as_object()?.get(key))
    }

    /// The text at a dotted path, if there is one that is not empty.
    #[must_use]
    pub fn text(self, path: &str) -> Option<&'a str> {
        self.value(path)?.as_str().filter(|text| !text.is_empty())
    }

    /// The texts of the array at a dotted path.
    pub fn texts(self, path: &str) -> impl Iterator<Item = &'a str> + use<'a> {
        self.value(path).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
    }

    /// The signal's id.
    #[must_use]
    pub fn id(self) -> &'a str {
        self.text("kibana.alert.uuid").unwrap_or_default()
    }

    /// The rule's id.
    #[must_use]
    pub fn rule_id(self) -> &'a str {
        self.text("kibana.alert.rule.rule_id").unwrap_or_default()
    }

    /// The rule's name.
    #[must_use]
    pub fn rule_name(self) -> &'a str {
        self.text("kibana.alert.rule.name").unwrap_or_default()
    }

    /// Its severity.
    #[must_use]
    pub fn severity(self) -> Severity {
        let word = self.text("kibana.alert.severity").unwrap_or_default();
        Severity::ALL.into_iter().find(|severity| severity.as_str() == word).unwrap_or(Severity::Low)
    }

    /// Whether the rule is a building block: a signal to correlate, not an alert by itself.
    #[must_use]
    pub fn is_building_block(self) -> bool {
        self.value("kibana.alert.building_block_type").is_some()
    }

    /// The tactics that the rule names.
    pub fn tactics(self) -> impl Iterator<Item = &'a str> + use<'a> {
        let threats = self.value("kibana.alert.rule.threat").and_then(Value::as_array);
        threats.into_iter().flatten().filter_map(|threat| threat.get("tactic")?.get("name")?.as_str())
    }

    /// The principal that it is about.
    #[must_use]
    pub fn principal(self) -> Principal {
        Principal::of(|field| self.text(field), || self.terms())
    }

    /// The principal for display. Root has no name except its account number.
    #[must_use]
    pub fn who(self) -> String {
        let is_root = self.text("aws.cloudtrail.user_identity.type") == Some("Root");
        if is_root && self.text("user.name").is_none() { "root".to_owned() } else { self.principal().name() }
    }

    /// The fields of a threshold rule's group, and their values.
    fn terms(self) -> Vec<(String, String)> {
        let terms = self.value("kibana.alert.threshold_result.terms").and_then(Value::as_array);
        let term =
            |term: &Value| Some((term.get("field")?.as_str()?.to_owned(), as_text(term.get("value")?)));
        terms.into_iter().flatten().filter_map(term).collect()
    }

    /// The name given to the session.
    #[must_use]
    pub fn session(self) -> Option<&'a str> {
        let kind = self.text("aws.cloudtrail.user_identity.type")?;
        ecs::session_name(kind, self.text("aws.cloudtrail.user_identity.arn")?)
    }

    /// The account that owns the called resource, else the caller's.
    #[must_use]
    pub fn account(self) -> Option<&'a str> {
        self.text("aws.cloudtrail.recipient_account_id").or_else(|| self.text("cloud.account.id"))
    }

    /// Where the call came from. A group of events may have only an IP address.
    #[must_use]
    pub fn source(self) -> Option<&'a str> {
        self.text("source.address").or_else(|| self.text("source.ip"))
    }

    /// When the call was made.
    #[must_use]
    pub fn time(self) -> Option<&'a str> {
        self.text("kibana.alert.original_time")
    }

    /// The identifier of the event, or of the last one that the signal is made of.
    #[must_use]
    pub fn event_id(self) -> Option<&'a str> {
        self.text("event.id").or_else(|| {
            let ancestors = self.value("kibana.alert.ancestors")?.as_array()?;
            let events =
                ancestors.iter().filter(|ancestor| ancestor.get("type").is_some_and(|kind| kind == "event"));
            events.filter_map(|event| event.get("id")?.as_str()).next_back()
        })
    }

    /// What the call was about: the name, ARN or id of a resource.
    #[must_use]
    pub fn target(self) -> Option<String> {
        let request = self.value(REQUEST).and_then(Value::as_object);
        let of_request = request.and_then(|request| {
            let named = TARGETS.iter().find_map(|key| target_text(request, key));
            named.or_else(|| {
                let keys = || request.keys().filter(|key| !NO_TARGETS.contains(&key.as_str()));
                ["Name", "Arn", "Identifier", "Id"].iter().find_map(|end| {
                    keys().find_map(|key| target_text(request, key).filter(|_| key.ends_with(end)))
                })
            })
        });
        let of_resources = || {
            let resources = self.value("aws.cloudtrail.resources")?.as_array()?;
            resources.iter().find_map(|resource| Some(resource.get("arn")?.as_str()?.to_owned()))
        };
        let of_event =
            || self.text("user.target.name").or_else(|| self.text("group.name")).map(str::to_owned);
        of_request.or_else(of_resources).or_else(of_event)
    }
}

fn target_text(request: &Map<String, Value>, key: &str) -> Option<String> {
    request.get(key)?.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

/// A text as it is, any other value as JSON.
pub(super) fn as_text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
