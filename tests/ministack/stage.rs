//! A bucket, a table, a topic and a queue of the emulator, and functions that use them.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::time::{Duration, SystemTime};

use aws_config::SdkConfig;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};
use aws_sdk_sqs::types::QueueAttributeName;
use cloudtrail_signals::invocation::Handler;
use cloudtrail_signals::settings::Settings;
use cloudtrail_signals::trigger::Payload;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use super::{Call, emulator, key, model, rules};

/// A bucket, a table, and a topic with a queue.
pub struct Stage {
    pub config: SdkConfig,
    pub name: String,
    pub topic: String,
    pub queue: String,
}

impl Stage {
    pub async fn new(name: &str) -> Self {
        let config = emulator::config("MINISTACK_ENDPOINT", "ministack");
        let (sns, sqs) = (aws_sdk_sns::Client::new(&config), aws_sdk_sqs::Client::new(&config));
        aws_sdk_s3::Client::new(&config).create_bucket().bucket(name).send().await.expect("a bucket");
        aws_sdk_dynamodb::Client::new(&config)
            .create_table()
            .table_name(name)
            .billing_mode(BillingMode::PayPerRequest)
            .attribute_definitions(
                AttributeDefinition::builder()
                    .attribute_name("key")
                    .attribute_type(ScalarAttributeType::S)
                    .build()
                    .expect("a name and a type"),
            )
            .key_schema(
                KeySchemaElement::builder()
                    .attribute_name("key")
                    .key_type(KeyType::Hash)
                    .build()
                    .expect("a name and a type"),
            )
            .send()
            .await
            .expect("a table");
        let topic = sns.create_topic().name(name).send().await.expect("a topic").topic_arn.expect("its ARN");
        let queue = sqs.create_queue().queue_name(name).send().await.expect("a queue");
        let queue = queue.queue_url.expect("its URL");
        let arn = sqs.get_queue_attributes().queue_url(&queue).attribute_names(QueueAttributeName::QueueArn);
        let arn = arn.send().await.expect("attributes").attributes.expect("attributes");
        let subscribe = sns.subscribe().topic_arn(&topic).protocol("sqs");
        let subscribe = subscribe.endpoint(&arn[&QueueAttributeName::QueueArn]);
        subscribe.attributes("RawMessageDelivery", "true").send().await.expect("a subscription");
        Self { config, name: name.to_owned(), topic, queue }
    }

    pub fn function(&self) -> Handler {
        self.function_that_learns("0")
    }

    pub fn function_that_learns(&self, days: &str) -> Handler {
        let variables = BTreeMap::from([
            ("SIGNAL_TOPIC_ARN", self.topic.as_str()),
            ("MEMORY_TABLE", self.name.as_str()),
            ("LEARNING_DAYS", days),
        ]);
        let read = |name: &str| variables.get(name).map(|value| (*value).to_owned());
        Handler::new(Settings::read(read).expect("good settings"), rules(), &self.config)
    }

    pub async fn put(&self, name: &str, calls: &[Call]) {
        let records: Vec<_> = calls.iter().map(Call::record).collect();
        let mut body = GzEncoder::new(Vec::new(), Compression::default());
        body.write_all(json!({ "Records": records }).to_string().as_bytes()).expect("memory");
        let put = aws_sdk_s3::Client::new(&self.config).put_object().bucket(&self.name).key(key(name));
        put.body(body.finish().expect("memory").into()).send().await.expect("an object");
    }

    /// Invokes a function with a message for each of these deliveries; returns those that failed.
    pub async fn invoke(&self, function: &Handler, deliveries: &[String]) -> Vec<String> {
        let message = |name: &String| {
            let entity = json!({ "bucket": { "name": self.name }, "object": { "key": key(name) } });
            let record = json!({ "eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": entity });
            json!({
                "messageId": name, "eventSource": "aws:sqs", "body": json!({ "Records": [record] }).to_string(),
            })
        };
        let payload = json!({ "Records": deliveries.iter().map(message).collect::<Vec<_>>() });
        let deadline = SystemTime::now() + Duration::from_mins(1);
        let reply = function.handle(&Payload::from(payload.to_string()), deadline, &self.name).await;
        let reply = reply.expect("a reply");
        let failed = reply["batchItemFailures"].as_array().expect("failures").iter();
        failed.map(|failed| failed["itemIdentifier"].as_str().expect("an id").to_owned()).collect()
    }

    /// Checks that the published signals are those of the model.
    pub async fn check(&self, calls: &[Call]) {
        let (found, expected) = (self.ids().await, model(calls));
        let missing: Vec<_> =
            expected.iter().filter(|(id, _)| !found.contains(*id)).map(|(_, event)| event).collect();
        let extra = found.iter().filter(|id| !expected.contains_key(*id)).count();
        assert!(missing.is_empty() && extra == 0, "{}: missing {missing:?}, and {extra} too many", self.name);
    }

    /// The ids of all signals that were published.
    pub async fn ids(&self) -> BTreeSet<String> {
        let messages = self.messages().await;
        let id = |signal: &Value| signal["kibana"]["alert"]["uuid"].as_str().expect("an id").to_owned();
        messages.iter().map(id).collect()
    }

    /// What the topic took since the last time.
    pub async fn messages(&self) -> Vec<Value> {
        let sqs = aws_sdk_sqs::Client::new(&self.config);
        let mut taken = Vec::new();
        loop {
            let receive = sqs.receive_message().queue_url(&self.queue).max_number_of_messages(10);
            let messages = receive.send().await.expect("an answer").messages.unwrap_or_default();
            if messages.is_empty() {
                return taken;
            }
            for message in messages {
                let body = message.body().expect("a body");
                // A notice is text.
                taken.push(serde_json::from_str(body).unwrap_or_else(|_| body.into()));
                let handle = message.receipt_handle().expect("a handle");
                let delete = sqs.delete_message().queue_url(&self.queue).receipt_handle(handle);
                delete.send().await.expect("deleted");
            }
        }
    }
}
