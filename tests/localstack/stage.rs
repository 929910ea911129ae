//! A bucket, a topic and a queue of the emulator, and functions that use them.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use aws_config::SdkConfig;
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName, QueueAttributeName};
use cloudtrail_signals::invocation::{Handler, reply};
use cloudtrail_signals::rules;
use cloudtrail_signals::settings::Settings;
use cloudtrail_signals::trigger::Payload;
use serde_json::Value;

use super::{BUCKET, EXPECTED, emulator, json_file, signal};

/// A topic with a queue, and the clients of all.
pub struct Stage {
    pub name: String,
    pub config: SdkConfig,
    pub sns: aws_sdk_sns::Client,
    pub sqs: aws_sdk_sqs::Client,
    pub topic: String,
    pub queue: String,
}

impl Stage {
    /// Sets up the bucket with all sample deliveries, and a topic and a queue of this name, raw delivery between them.
    pub async fn new(name: &str) -> Self {
        let config = emulator::config("LOCALSTACK_ENDPOINT", "localstack");
        let (sns, sqs) = (aws_sdk_sns::Client::new(&config), aws_sdk_sqs::Client::new(&config));
        let mut topic = sns.create_topic().name(name);
        if is_fifo(name) {
            topic = topic.attributes("FifoTopic", "true");
        }
        let topic = topic.send().await.expect("a topic").topic_arn.expect("its ARN");
        let mut stage = Self { name: name.to_owned(), config, sns, sqs, topic, queue: String::new() };
        stage.fill_bucket().await;
        stage.queue = stage.subscribe(name, &[("RawMessageDelivery", "true")]).await;
        stage
    }

    async fn fill_bucket(&self) {
        let s3 = aws_sdk_s3::Client::new(&self.config);
        // Other tests use the same one.
        let _ = s3.create_bucket().bucket(BUCKET).send().await;
        for key in EXPECTED.keys() {
            let body = fs::read(Path::new("events/deliveries").join(key)).expect("a delivery");
            put(&s3, BUCKET, key, body).await;
        }
        let key = json_file("tests/data/truncated-expected.json")["key"].as_str().expect("a key").to_owned();
        put(&s3, BUCKET, &key, fs::read("tests/data/truncated.json.gz").expect("the truncated delivery"))
            .await;
    }

    /// Subscribes a queue to the topic.
    pub async fn subscribe(&self, queue: &str, attributes: &[(&str, &str)]) -> String {
        let mut create = self.sqs.create_queue().queue_name(queue);
        if is_fifo(queue) {
            create = create.attributes(QueueAttributeName::FifoQueue, "true");
        }
        let url = create.send().await.expect("a queue").queue_url.expect("its URL");
        let got =
            self.sqs.get_queue_attributes().queue_url(&url).attribute_names(QueueAttributeName::QueueArn);
        let attributes_of_queue = got.send().await.expect("attributes").attributes.expect("attributes");
        let mut subscribe = self
            .sns
            .subscribe()
            .topic_arn(&self.topic)
            .protocol("sqs")
            .endpoint(&attributes_of_queue[&QueueAttributeName::QueueArn]);
        for (name, value) in attributes {
            subscribe = subscribe.attributes(*name, *value);
        }
        subscribe.send().await.expect("a subscription");
        url
    }

    pub async fn handle(&self, payload: &Value) -> Result<Value, reply::Error> {
        self.handle_with(payload, &[]).await
    }

    pub async fn handle_with(
        &self,
        payload: &Value,
        variables: &[(&str, &str)],
    ) -> Result<Value, reply::Error> {
        let variable = |name: &str| {
            let topic = ("SIGNAL_TOPIC_ARN", self.topic.as_str());
            let mut all = variables.iter().copied().chain([topic]);
            all.find(|variable| variable.0 == name).map(|variable| variable.1.to_owned())
        };
        let settings = Settings::read(variable).expect("good settings");
        let rules = rules::load(&settings).expect("good rules").rules;
        self.handle_as(Handler::new(settings, rules, &self.config), payload).await
    }

    pub async fn handle_as(&self, handler: Handler, payload: &Value) -> Result<Value, reply::Error> {
        handler
            .handle(
                &Payload::from(payload.to_string()),
                SystemTime::now() + Duration::from_mins(1),
                &self.name,
            )
            .await
    }

    /// Receives this many messages of a queue, and checks that there are no more.
    pub async fn receive(&self, queue: &str, count: usize) -> Vec<Message> {
        let mut received = Vec::new();
        loop {
            let wait = if received.len() < count { 10 } else { 1 };
            let messages = self
                .sqs
                .receive_message()
                .queue_url(queue)
                .max_number_of_messages(10)
                .wait_time_seconds(wait)
                .message_attribute_names("All")
                .message_system_attribute_names(MessageSystemAttributeName::All);
            let messages = messages.send().await.expect("an answer").messages.unwrap_or_default();
            if messages.is_empty() {
                break;
            }
            for message in &messages {
                let handle = message.receipt_handle().expect("a handle");
                self.sqs
                    .delete_message()
                    .queue_url(queue)
                    .receipt_handle(handle)
                    .send()
                    .await
                    .expect("deleted");
            }
            received.extend(messages);
        }
        assert_eq!(received.len(), count, "{}: messages in {queue}", self.name);
        received
    }

    /// Receives this many signals, and checks them against the schema.
    pub async fn signals(&self, count: usize) -> Vec<Value> {
        let messages = self.receive(&self.queue, count).await;
        messages.iter().map(|message| signal(message.body().expect("a body"))).collect()
    }
}

fn is_fifo(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|extension| extension == "fifo")
}

async fn put(s3: &aws_sdk_s3::Client, bucket: &str, key: &str, body: Vec<u8>) {
    s3.put_object().bucket(bucket).key(key).body(body.into()).send().await.expect("an object");
}
