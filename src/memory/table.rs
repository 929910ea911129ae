//! The DynamoDB table: items are read by key, and written only if no other process has written them since.

use std::collections::{HashMap, HashSet};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::Region;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes, ReturnValuesOnConditionCheckFailure};

use crate::failure::{Failure, Retry};
use crate::settings::MemoryTable;

/// DynamoDB looks up at most this many keys in one request.
pub(super) const MAX_KEYS: usize = 100;

// The attributes of an item.
const KEY: &str = "key";
const STATE: &str = "state";
const VERSION: &str = "version";
const EXPIRES: &str = "expires";

/// The table that keeps what rules remember.
#[derive(Debug, Clone)]
pub(super) struct Table {
    client: Client,
    name: String,
}

/// What the table holds under a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Item {
    /// What a rule remembers, in its own form.
    pub(super) state: String,
    /// A different number after every write.
    pub(super) version: u64,
}

/// The new content of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Write {
    pub(super) state: String,
    /// When the item is no longer needed, in seconds since 1970. Without it, the item stays.
    pub(super) expires: Option<i64>,
}

/// The outcome of a write.
#[derive(Debug)]
pub(super) enum Written {
    /// The item is written, with this version.
    Done(u64),
    /// Another process has written the item. This is what it holds now, if the response includes it.
    Conflict(Option<Result<Item, Trouble>>),
    /// The table did not write it, or did not say so.
    Refused(Trouble),
}

/// Why an item could not be read or written.
#[derive(Debug, Clone)]
pub(super) struct Trouble {
    pub(super) failure: Failure,
    /// Whether it may pass within the invocation. Anything that lasts longer, such as a missing permission, may still
    /// be fixed before the message comes again.
    pub(super) passes: bool,
}

impl Table {
    /// The table with this name or ARN. Requests go to the region that an ARN names, whatever region `client` is for.
    pub(super) fn new(client: Client, table: &MemoryTable) -> Self {
        let region = table.region.clone().map(Region::new);
        let client = if region.is_none() || region.as_ref() == client.config().region() {
            client
        } else {
            Client::from_conf(client.config().to_builder().region(region).build())
        };
        Self { client, name: table.name.clone() }
    }

    /// Looks up at most [`MAX_KEYS`] different keys in one request. Returns what it found out about each of them.
    pub(super) async fn read(&self, keys: &[String]) -> HashMap<String, Result<Option<Item>, Trouble>> {
        let wanted = keys
            .iter()
            .map(|key| HashMap::from([(KEY.to_owned(), AttributeValue::S(key.clone()))]))
            .collect();
        let request = KeysAndAttributes::builder().set_keys(Some(wanted)).consistent_read(true).build();
        // The keys are all that the builder requires.
        let request = request.expect("the keys are set");
        let none = |trouble: &Trouble| keys.iter().map(|key| (key.clone(), Err(trouble.clone()))).collect();
        let output = match self.client.batch_get_item().request_items(&self.name, request).send().await {
            Ok(output) => output,
            Err(error) => return none(&self.trouble(&error)),
        };
        // A response that names no table does not say that there are no items.
        let Some(tables) = output.responses() else {
            let failure = Failure::transient(format!("{}: DynamoDB did not say what it holds", self.name));
            return none(&Trouble { failure, passes: true });
        };
        let unprocessed: HashSet<_> = output
            .unprocessed_keys()
            .into_iter()
            .flat_map(HashMap::values)
            .flat_map(KeysAndAttributes::keys)
            .filter_map(key_of)
            .collect();
        let mut items: HashMap<_, _> = tables
            .values()
            .flatten()
            .filter_map(|attributes| Some((key_of(attributes)?, attributes)))
            .collect();
        let answer = |key: &String| match items.remove(key.as_str()) {
            Some(attributes) => self.item(key, attributes).map(Some),
            None if unprocessed.contains(key.as_str()) => Err(Trouble {
                failure: Failure::transient(format!("{}: DynamoDB did not get to every item", self.name)),
                passes: true,
            }),
            None => Ok(None),
        };
        keys.iter().zip(keys.iter().map(answer)).map(|(key, answer)| (key.clone(), answer)).collect()
    }

    /// Writes an item, if its version is still the one that was read: `None` if there was no item.
    pub(super) async fn write(&self, key: &str, write: &Write, read: Option<u64>) -> Written {
        // A recreated item must not have a version that some process still remembers: begin anywhere.
        let version = read.map_or_else(|| fastrand::u64(1..1 << 40), |version| version.wrapping_add(1));
        let number = |number: u64| AttributeValue::N(number.to_string());
        let mut put = self
            .client
            .put_item()
            .table_name(&self.name)
            .item(KEY, AttributeValue::S(key.to_owned()))
            .item(STATE, AttributeValue::S(write.state.clone()))
            .item(VERSION, number(version))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        if let Some(expires) = write.expires {
            put = put.item(EXPIRES, AttributeValue::N(expires.to_string()));
        }
        // Attribute names may be reserved words of DynamoDB, so expressions use other names for them.
        put = match read {
            Some(read) => put
                .condition_expression("#version = :read")
                .expression_attribute_names("#version", VERSION)
                .expression_attribute_values(":read", number(read)),
            None => {
                put.condition_expression("attribute_not_exists(#key)").expression_attribute_names("#key", KEY)
            }
        };
        match put.send().await {
            Ok(_) => Written::Done(version),
            Err(error) => match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(conflict)) => {
                    Written::Conflict(conflict.item().map(|attributes| self.item(key, attributes)))
                }
                _ => Written::Refused(self.trouble(&error)),
            },
        }
    }

    fn item(&self, key: &str, attributes: &HashMap<String, AttributeValue>) -> Result<Item, Trouble> {
        let state = attributes.get(STATE).and_then(|state| state.as_s().ok());
        let version = attributes.get(VERSION).and_then(|version| version.as_n().ok()?.parse().ok());
        match (state, version) {
            (Some(state), Some(version)) => Ok(Item { state: state.clone(), version }),
            _ => Err(self.damaged(key, "it lacks a text `state` or a whole number `version`")),
        }
    }

    /// An item whose content cannot be used.
    pub(super) fn damaged(&self, key: &str, why: &str) -> Trouble {
        let failure = Failure::permanent(format!(
            "{}: the item {key:?} cannot be used: {why}; delete it, and the rule learns this anew",
            self.name
        ));
        Trouble { failure, passes: false }
    }

    /// No answer in time.
    pub(super) fn late(&self) -> Trouble {
        let failure =
            Failure::transient(format!("{}: DynamoDB did not answer before the deadline", self.name));
        Trouble { failure, passes: false }
    }

    /// An item that other processes wrote again and again.
    pub(super) fn contested(&self, key: &str) -> Failure {
        Failure::transient(format!(
            "{}: other functions wrote the item {key:?} until there was no time left",
            self.name
        ))
    }

    fn trouble<E>(&self, error: &SdkError<E>) -> Trouble
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let code = error.code().unwrap_or_default();
        let failure = Failure::from_sdk(error).advised(advice(code));
        let passes = failure.retry == Retry::Transient;
        Trouble { failure: Failure::transient(format!("{}: {failure}", self.name)), passes }
    }
}

fn key_of(attributes: &HashMap<String, AttributeValue>) -> Option<&str> {
    Some(attributes.get(KEY)?.as_s().ok()?.as_str())
}

/// What to do when DynamoDB refuses a request.
fn advice(code: &str) -> &'static str {
    match code {
        "ResourceNotFoundException" => {
            "set MEMORY_TABLE to a table that exists in this region, or deploy the stack again"
        }
        "AccessDeniedException" => {
            "check dynamodb:BatchGetItem and dynamodb:PutItem of the function's role, and the table's key"
        }
        "ValidationException" => "the table needs the hash key `key`, a string, and no sort key",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::config::BehaviorVersion;

    use super::*;

    #[test]
    fn requests_go_to_the_region_in_the_arn_of_the_table_else_to_the_region_of_the_function() {
        let config = aws_sdk_dynamodb::Config::builder().behavior_version(BehaviorVersion::latest());
        let client = Client::from_conf(config.region(Region::new("us-east-1")).build());
        for (region, expected) in [(Some("eu-central-1"), "eu-central-1"), (None, "us-east-1")] {
            let table = MemoryTable { name: "memory".to_owned(), region: region.map(str::to_owned) };
            let table = Table::new(client.clone(), &table);
            assert_eq!(table.client.config().region().map(Region::as_ref), Some(expected));
        }
    }
}
