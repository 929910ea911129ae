//! Rules on signals in the function: their alerts come with the signals below them, or with the retry.

use detection::bundle::Exception;
use serde_json::{Value, json};

use crate::server::Script;
use crate::sns::Batch;
use crate::stage::{NEW_USER, Stage, WINDOW, id_of_new, new_user, rule, seen, sha256};
use crate::world::{RULE, log_with, matching};

const ALERT: &str = "11111111-0000-4000-8000-0000000000a1";

/// A rule on the signals of another rule.
fn above(below: &str, memory: Option<&Value>) -> Value {
    let mut above = rule(ALERT, "", memory.unwrap_or(&json!({ "query": {} })));
    above["query"] = format!("kibana.alert.rule.rule_id: \"{below}\"").into();
    above["on_signals"] = true.into();
    if memory.is_none() {
        above.as_object_mut().expect("a rule").remove("memory");
    }
    above
}

fn id_of_seed(event: &str) -> String {
    sha256(&format!("{RULE}/111122223333/{event}"))
}

#[tokio::test]
async fn a_signal_that_fails_takes_the_alert_above_it_along_and_both_come_once_with_the_retry() {
    for memory in [None, Some(json!({ "new_terms": { "fields": ["event.action"], "window": WINDOW } }))] {
        let name = format!("above: fails, {}", memory.is_some());
        let stage = Stage::new(&name).await.rules(vec![above(RULE, memory.as_ref())]);
        let refused = Batch::Fails { event: "e1", sender_fault: true, code: "InvalidParameter" };
        stage.server.state().batch_faults = Script::once(vec![refused; 2]);
        let first = stage.deliver("a", &[matching("e1")]).await;
        assert_eq!((first.counter("published"), first.counter("failed")), (0, 2), "{name}");
        assert_eq!(first.failures().len(), 1, "{:?}", first.failures());

        stage.server.state().batch_faults = Script::default();
        let second = stage.deliver("a", &[matching("e1")]).await;
        assert_eq!((second.counter("published"), second.counter("failed")), (2, 0), "{name}");
        let parent = id_of_seed("e1");
        let terms = if memory.is_some() { "/[\"UpdateFunctionCode20150331v2\"]" } else { "" };
        let alert = sha256(&format!("{ALERT}/{parent}{terms}"));
        let mut expected = vec![parent, alert];
        expected.sort();
        assert_eq!(stage.ids(), expected);
        assert_eq!(stage.published().len(), 2, "each once");
    }
}

#[tokio::test]
async fn an_exception_takes_out_the_alert_above_a_signal_that_memory_has_decided_on() {
    let exception = Exception {
        rules: Some(vec![ALERT.to_owned()]),
        ..Exception::of_setting(
            "exceptions/ana.toml",
            "user.name: ana and kibana.alert.severity: medium".to_owned(),
        )
    };
    let stage =
        Stage::new("above: exception").await.rules(vec![new_user(), above(NEW_USER, None)]).except(exception);
    let run = stage.deliver("a", &[seen("ana", "10:00:00", "e1"), seen("bob", "10:01:00", "e2")]).await;
    assert_eq!((run.counter("published"), run.counter("suppressed"), run.counter("signals")), (3, 1, 4));
    let lines = log_with("exceptions/ana.toml");
    let [line] = lines.as_slice() else { panic!("{lines:?}") };
    assert_eq!(line["message"], "suppressed by an exception");
    assert_eq!((&line["exception"], &line["caller"]), (&json!("exceptions/ana.toml"), &json!("ana")));
    assert_eq!(line["signal_id"], json!(sha256(&format!("{ALERT}/{}", id_of_new("e1", "ana")))));
    let alerts: Vec<_> = stage.published().into_iter().filter(|(rule, _)| rule == ALERT).collect();
    assert_eq!(alerts, [(ALERT.to_owned(), sha256(&format!("{ALERT}/{}", id_of_new("e2", "bob"))))]);
}
