//! Route files.

use toml::Spanned;

use super::Route;
use super::keys::Keys;
use crate::query;
use crate::signal;

const KEYS: &str = "query, topic or stop";
const TOPIC: &str = "arn:aws:sns:<region>:<account>:<topic>";

/// Reads one file.
pub(super) fn read(file: &str, text: &str) -> Result<Route, Vec<query::Error>> {
    let mut keys = Keys::new(text);
    let query = keys.query(signal::field);
    let topic = keys.text("topic", &format!("topic = \"{TOPIC}\""));
    if let Some(topic) = topic.as_ref().filter(|topic| !is_topic(topic.get_ref())) {
        let reason =
            format!("topic must be the ARN of a standard topic, {TOPIC}: notices go to no FIFO topic");
        keys.refuse(topic.span(), reason);
    }
    let stop = keys.value("stop").is_some_and(|stop| {
        let flag = stop.get_ref().as_bool();
        if flag.is_none() {
            keys.refuse(stop.span(), "stop must be true or false");
        }
        flag.unwrap_or_default()
    });
    let route = query.zip(topic).map(|((query, _), topic)| Route {
        file: file.to_owned(),
        query: query.into_inner(),
        topic: Spanned::into_inner(topic),
        stop,
    });
    let mistakes = keys.finish(KEYS);
    // If anything is missing, there is a mistake.
    if mistakes.is_empty() { route.ok_or(mistakes) } else { Err(mistakes) }
}

fn is_topic(arn: &str) -> bool {
    let parts: Vec<_> = arn.split(':').collect();
    match parts[..] {
        ["arn", partition, "sns", region, account, topic] => {
            partition.starts_with("aws")
                && !region.is_empty()
                && account.len() == 12
                && account.bytes().all(|byte| byte.is_ascii_digit())
                && !topic.is_empty()
                && topic.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        }
        _ => false,
    }
}
