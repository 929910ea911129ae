//! The Lambda function: settings, clients, run.

use std::env;
use std::rc::Rc;
use std::time::SystemTime;

use cloudtrail_signals::invocation::{self, Handler};
use cloudtrail_signals::settings::variable::{LOG_FORMAT, LOG_LEVEL};
use cloudtrail_signals::settings::{self, Settings};
use cloudtrail_signals::trigger::Payload;
use cloudtrail_signals::{aws, rules, telemetry};
use lambda_runtime::{Error, LambdaEvent, service_fn};

#[tokio::main(flavor = "local")]
async fn main() -> Result<(), Error> {
    let variable = |name: &str| env::var(name).ok();
    telemetry::init(&LOG_LEVEL.value(variable), &LOG_FORMAT.value(variable));
    let start = async {
        let settings = Settings::read(variable)?;
        let loaded = rules::load(&settings)?;
        loaded.log(&settings, SystemTime::now());
        Ok((settings, loaded.rules, aws::config().await?))
    };
    let (settings, rules, config) =
        start.await.inspect_err(|error: &settings::Error| telemetry::cannot_start(error))?;
    let handler = Rc::new(Handler::new(settings, rules, &config));

    let run = lambda_runtime::run(service_fn(move |event: LambdaEvent<Payload>| {
        let handler = Rc::clone(&handler);
        async move {
            let deadline = invocation::deadline(event.context.deadline);
            handler.handle(&event.payload, deadline, &event.context.request_id).await
        }
    }));
    // Spawned as a task, since every wake of the main future costs a system call, and a request wakes it several times.
    tokio::task::spawn_local(run).await?
}
