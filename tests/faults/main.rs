//! Every fault that can be provoked, with the real clients: nothing is lost, nothing is invented, and the reply says what
//! happened.

mod above;
mod archive;
mod cost;
mod deadlines;
mod dynamodb;
mod hostile;
mod isolation;
mod learning;
mod logs;
mod notices;
mod passing;
mod publishing;
mod quiet;
mod reading;
mod remembering;
mod replies;
mod s3;
mod server;
mod silence;
mod sns;
mod stage;
mod table;
mod world;

use std::future::Future;
use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use futures_util::stream::{self, StreamExt};

/// Runs all rows of a table, several at a time; fails with the names of those that did.
async fn all<R, F: Future<Output = ()>>(
    rows: impl IntoIterator<Item = R>,
    name: fn(&R) -> &str,
    run: fn(R) -> F,
) {
    let runs = stream::iter(rows).map(|row| {
        let name = name(&row).to_owned();
        AssertUnwindSafe(run(row)).catch_unwind().map(move |result| result.err().map(|_| name))
    });
    let failed: Vec<_> = runs.buffer_unordered(12).filter_map(|name| async { name }).collect().await;
    assert!(failed.is_empty(), "{} rows failed (see above): {failed:#?}", failed.len());
}
