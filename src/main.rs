//! The Lambda function: settings, clients, run.

use std::env;
use std::panic::resume_unwind;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::SystemTime;

use cloudtrail_signals::invocation::{self, Handler};
use cloudtrail_signals::settings::variable::{LOG_FORMAT, LOG_LEVEL};
use cloudtrail_signals::settings::{Error, Settings};
use cloudtrail_signals::trigger::Payload;
use cloudtrail_signals::{aws, rules, telemetry};
use lambda_runtime::{LambdaEvent, service_fn};

#[tokio::main(flavor = "local")]
async fn main() -> ExitCode {
    telemetry::init(&LOG_LEVEL.value(variable), &LOG_FORMAT.value(variable));
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        // If `main` returned the error, it would be printed once more, and not as a line of the log.
        Err(error) => {
            telemetry::cannot_start(&error);
            ExitCode::FAILURE
        }
    }
}

/// Starts the function, and handles events for as long as the process lives.
async fn run() -> Result<(), Error> {
    let settings = Settings::read(variable)?;
    let loaded = rules::load(&settings)?;
    loaded.log(&settings, SystemTime::now());
    let config = aws::config().await?;
    let handler = Rc::new(Handler::new(settings, loaded.rules, &config));

    let run = lambda_runtime::run(service_fn(move |event: LambdaEvent<Payload>| {
        let handler = Rc::clone(&handler);
        async move {
            let deadline = invocation::deadline(event.context.deadline);
            handler.handle(&event.payload, deadline, &event.context.request_id).await
        }
    }));
    // Spawned as a task, since every wake of the main future costs a system call, and a request wakes it several times.
    match tokio::task::spawn_local(run).await {
        Ok(result) => result.map_err(|error| Error {
            variable: "AWS_LAMBDA_RUNTIME_API",
            problem: format!("names a server that cannot be used: {error}"),
        }),
        // The log has the panic.
        Err(panic) => resume_unwind(panic.into_panic()),
    }
}

fn variable(name: &str) -> Option<String> {
    env::var(name).ok()
}
