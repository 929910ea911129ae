//! Where notices go.

use serde_json::Value;

use crate::query::{self, Query};
use crate::signal::{self, AlertDocument};

/// The topics of notices, and the queries that choose among them. The first topic gets what no route takes.
#[derive(Debug, Clone)]
pub struct Routes {
    topics: Vec<String>,
    routes: Vec<Route>,
}

#[derive(Debug, Clone)]
struct Route {
    query: Query,
    topic: usize,
    stop: bool,
}

impl Routes {
    /// Sends everything to this topic.
    #[must_use]
    pub fn to(topic: String) -> Self {
        Self { topics: vec![topic], routes: Vec::new() }
    }

    /// Adds a route after the existing ones: signals that satisfy `query`, KQL over the alert document, go to `topic`;
    /// with `stop`, later routes do not see them.
    ///
    /// # Errors
    /// The mistakes in the query.
    pub fn add(&mut self, query: &str, topic: &str, stop: bool) -> Result<(), Vec<query::Error>> {
        let query = Query::parse_satisfiable(query, signal::field)?;
        let known = self.topics.iter().position(|known| known == topic);
        if known.is_none() {
            self.topics.push(topic.to_owned());
        }
        self.routes.push(Route { query, topic: known.unwrap_or(self.topics.len() - 1), stop });
        Ok(())
    }

    /// The ARNs of all topics.
    #[must_use]
    pub fn topics(&self) -> &[String] {
        &self.topics
    }

    /// The topics that a signal goes to, as indices into [`Routes::topics`].
    #[must_use]
    pub fn of(&self, document: &Value) -> Vec<usize> {
        let mut topics = Vec::new();
        for route in &self.routes {
            if route.query.evaluate(&AlertDocument(document)) == Some(true) {
                if !topics.contains(&route.topic) {
                    topics.push(route.topic);
                }
                if route.stop {
                    break;
                }
            }
        }
        if topics.is_empty() { vec![0] } else { topics }
    }
}
