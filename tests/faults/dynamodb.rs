//! The DynamoDB of the fault server: items by key, in batches, and written under a condition.

use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::server::{Answer, Request, State, Wire};

/// What one request gets instead of a good answer.
#[derive(Debug, Clone)]
pub enum Table {
    /// A refusal.
    Status(u16, &'static str),
    /// Trouble on the wire before anything is done.
    Wire(Wire),
    /// It is done, and then there is trouble on the wire.
    DoneThen(Wire),
    /// A good answer, after a while.
    Delay(Duration),
    /// This many of the keys are not looked up.
    Unprocessed(usize),
    /// Another process first writes these attributes of the item, with another version.
    Overtaken(Value),
    /// Another process first rewrites the item unchanged, and the answer does not say what it holds.
    OvertakenInSilence,
}

/// What DynamoDB bills on demand.
#[derive(Debug, Default, Clone, Copy)]
pub struct Billed {
    /// Items that were looked up.
    pub lookups: usize,
    /// A consistent read for every 4 kB or part of it; one for a missing item.
    pub reads: usize,
    /// A write for every kilobyte or part of it.
    pub writes: usize,
}

/// The size of an item as DynamoDB counts it.
fn size(item: &Value) -> usize {
    let attributes = item.as_object().expect("attributes").iter();
    let value = |value: &Value| match (value["S"].as_str(), value["N"].as_str()) {
        (Some(text), _) => text.len(),
        (_, Some(number)) => number.len().div_ceil(2) + 1,
        _ => 0,
    };
    attributes.map(|(name, content)| name.len() + value(content)).sum()
}

/// What the request wants done.
pub fn operation(request: &Request) -> Option<&str> {
    request.headers.get("x-amz-target")?.strip_prefix("DynamoDB_20120810.")
}

pub fn answer(request: &Request, state: &mut State) -> (Duration, Answer) {
    let body: Value = serde_json::from_slice(&request.body).expect("a request is JSON");
    let is_read = operation(request) == Some("BatchGetItem");
    let fault = if is_read { state.read_faults.next() } else { state.write_faults.next() };
    let mut delay = Duration::ZERO;
    let mut wire = Wire::Good;
    match &fault {
        Some(Table::Status(status, code)) => return (delay, refusal(*status, code, &json!({}))),
        Some(Table::Wire(wire)) => return (delay, Answer { status: 200, wire: *wire, ..Answer::default() }),
        Some(Table::DoneThen(trouble)) => wire = *trouble,
        Some(Table::Delay(time)) => delay = *time,
        _ => {}
    }
    let mut answer = match operation(request) {
        Some("BatchGetItem") => batch_get(&body, state, fault.as_ref()),
        Some("PutItem") => put(&body, state, fault.as_ref()),
        other => panic!("the function has no use for {other:?}"),
    };
    answer.wire = wire;
    (delay, answer)
}

fn batch_get(body: &Value, state: &mut State, fault: Option<&Table>) -> Answer {
    let (table, wanted) = body["RequestItems"].as_object().expect("tables").iter().next().expect("a table");
    let mut keys = wanted["Keys"].as_array().expect("keys").clone();
    assert_eq!(wanted["ConsistentRead"], true, "what was just written must be seen");
    let names: Vec<_> = keys.iter().map(key).collect();
    if keys.len() > 100 || (1..names.len()).any(|index| names[..index].contains(&names[index])) {
        state.broken_limits.push("ValidationException");
        return refusal(400, "ValidationException", &json!({}));
    }
    let left = match fault {
        Some(Table::Unprocessed(count)) => keys.split_off(keys.len() - (*count).min(keys.len())),
        _ => Vec::new(),
    };
    let found: Vec<_> = keys.iter().filter_map(|name| state.items.get(&key(name))).collect();
    state.billed.lookups += keys.len();
    state.billed.reads += keys.len() - found.len();
    state.billed.reads += found.iter().map(|item| size(item).div_ceil(4096)).sum::<usize>();
    let unprocessed = if left.is_empty() { json!({}) } else { json!({ table: { "Keys": left } }) };
    good(&json!({ "Responses": { table: found }, "UnprocessedKeys": unprocessed }))
}

fn put(body: &Value, state: &mut State, fault: Option<&Table>) -> Answer {
    let item = body["Item"].as_object().expect("an item").clone();
    let name = key(&body["Item"]);
    match fault {
        Some(Table::Overtaken(other)) => {
            let mut first = item.clone();
            first.extend(other.as_object().expect("attributes").clone());
            first.insert("version".to_owned(), json!({ "N": "77" }));
            state.items.insert(name.clone(), Value::Object(first));
        }
        Some(Table::OvertakenInSilence) => {
            let mut first = state.items.get(&name).cloned().unwrap_or_else(|| Value::Object(item.clone()));
            first["version"] = json!({ "N": "78" });
            state.items.insert(name.clone(), first);
        }
        _ => {}
    }
    state.billed.writes += size(&body["Item"]).div_ceil(1024);
    let there = state.items.get(&name);
    let holds = match body["ConditionExpression"].as_str().expect("nothing may ever be overwritten blindly") {
        "attribute_not_exists(#key)" => there.is_none(),
        "#version = :read" => {
            there.is_some_and(|item| item["version"]["N"] == body["ExpressionAttributeValues"][":read"]["N"])
        }
        other => panic!("a condition that this server does not know: {other}"),
    };
    if !holds {
        let silent = matches!(fault, Some(Table::OvertakenInSilence));
        let told = there.filter(|_| !silent).map_or(json!({}), |item| json!({ "Item": item }));
        return refusal(400, "ConditionalCheckFailedException", &told);
    }
    state.items.insert(name, Value::Object(item));
    good(&json!({}))
}

/// The key of an item.
fn key(attributes: &Value) -> String {
    attributes["key"]["S"].as_str().expect("the key is a text").to_owned()
}

fn good(body: &Value) -> Answer {
    let headers = vec![("content-type", "application/x-amz-json-1.0".to_owned())];
    Answer { status: 200, headers, body: body.to_string().into_bytes(), ..Answer::default() }
}

fn refusal(status: u16, code: &str, more: &Value) -> Answer {
    let mut body = Map::from_iter([
        ("__type".to_owned(), format!("com.amazonaws.dynamodb.v20120810#{code}").into()),
        ("message".to_owned(), "on order".into()),
    ]);
    body.extend(more.as_object().expect("members").clone());
    Answer { status, ..good(&Value::Object(body)) }
}
