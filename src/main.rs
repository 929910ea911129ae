//! The Lambda function: settings, clients, run.

use std::env;

use cloudtrail_signals::{aws, handler, handler::Handler, rule::Ruleset, settings::Settings, telemetry};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let variable = |name: &str| env::var(name).ok();
    telemetry::init(
        variable("AWS_LAMBDA_LOG_LEVEL").as_deref(),
        variable("AWS_LAMBDA_LOG_FORMAT").as_deref(),
    );
    let settings = Settings::read(variable).inspect_err(|error| {
        tracing::error!(reason = error.to_string(), "the function cannot start");
    })?;
    let config = aws::config().await;
    let handler = &Handler::new(settings, Ruleset::embedded(), aws::s3(&config), aws::sns(&config));

    lambda_runtime::run(service_fn(|event: LambdaEvent<Value>| async move {
        let deadline = handler::deadline(event.context.deadline);
        handler.handle(&event.payload, deadline, &event.context.request_id).await
    }))
    .await
}
