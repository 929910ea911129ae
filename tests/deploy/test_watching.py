"""What shows that something is wrong: alarms, dashboard, log lines and the queries of the operator's page."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.client import BaseClient
from conftest import PATIENCE_SECONDS, Deployment, Sample
from emulator import ROOT, wait_until
from pages import anchors
from stack import Subscriber

PAGE = (ROOT / "docs/operate.md").read_text()
QUERIES = re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL)
# What trips each alarm, and what does not.
ALARMS = {
    "DeadLetterAlarm": (1, 0),
    "ErrorAlarm": (1, 0),
    "ThrottleAlarm": (1, 0),
    "AgeAlarm": (1801, 1799),
    "SilenceAlarm": (0, 1),
    "LatencyAlarm": (901, 899),
    "UndeliveredAlarm": (1, 0),
    "ArchiveAlarm": (1, 0),
}
# The emulator ignores dimensions, so this one, of the same metric of another topic, is tripped with UndeliveredAlarm.
TWIN = "UndeliveredNoticeAlarm"


def alarms(deployment: Deployment) -> dict[str, dict[str, Any]]:
    """Return the deployment's alarms by logical id."""
    found = deployment.client("cloudwatch").describe_alarms(AlarmNamePrefix=f"{deployment.name}-")
    return {alarm["AlarmName"].split("-")[-2]: alarm for alarm in found["MetricAlarms"]}


def measure(cloudwatch: BaseClient, alarm: dict[str, Any], value: float) -> None:
    """Put one value of the metric an alarm looks at; the emulator takes it for AWS's own metrics as well."""
    datum = {"MetricName": alarm["MetricName"], "Dimensions": alarm["Dimensions"], "Value": value}
    cloudwatch.put_metric_data(Namespace=alarm["Namespace"], MetricData=[datum])


@pytest.mark.parametrize("name", ALARMS)
def test_each_alarm_sounds_beyond_its_threshold_and_notifies_the_alarm_topic(
    existing_topic: Deployment, name: str
) -> None:
    cloudwatch = existing_topic.client("cloudwatch")
    alarm = alarms(existing_topic)[name]
    # The emulator judges all values of a period together: each half of this test starts without any.
    bad, good = ALARMS[name]
    (topic,) = alarm["AlarmActions"]
    listener = Subscriber(existing_topic.emulator, topic)
    measure(cloudwatch, alarm, bad)
    assert alarms(existing_topic)[name]["StateValue"] == "ALARM"
    tripped = [name, TWIN] if name == "UndeliveredAlarm" else [name]
    told = sorted(message.signal["AlarmName"] for message in listener.receive())
    assert told == sorted(alarms(existing_topic)[each]["AlarmName"] for each in tripped)
    twin = alarm | {"AlarmName": f"twin-{name}", "MetricName": f"{alarm['MetricName']}-again"}
    settable = cloudwatch.meta.service_model.operation_model("PutMetricAlarm").input_shape.members.keys()
    cloudwatch.put_metric_alarm(**{key: twin[key] for key in twin.keys() & settable})
    measure(cloudwatch, twin, good)
    (state,) = cloudwatch.describe_alarms(AlarmNames=[twin["AlarmName"]])["MetricAlarms"]
    assert state["StateValue"] == "OK"


def widgets(deployment: Deployment) -> list[dict[str, Any]]:
    answer = deployment.client("cloudwatch").get_dashboard(DashboardName=deployment.outputs["DashboardName"])
    return json.loads(answer["DashboardBody"])["widgets"]


def metrics_shown(deployment: Deployment) -> Iterator[tuple[str, str]]:
    """Yield namespace and name of every metric on the dashboard, with CloudWatch's shorthands resolved."""
    for widget in widgets(deployment):
        last: list[str] = []
        for row in widget["properties"].get("metrics", []):
            words = [word for word in row if isinstance(word, str)]
            last = last if words == ["..."] else [last[i] if word == "." else word for i, word in enumerate(words)]
            yield last[0], last[1]


@pytest.fixture(scope="module")
def emitted(own_bucket: Deployment, main: Sample) -> dict[str, Any]:
    """Return the metrics document that the function logs for an invocation with signals."""
    own_bucket.settle()
    before = len(own_bucket.log())
    own_bucket.deliver(main)
    return metrics(own_bucket, before, "Published")


def metrics(deployment: Deployment, since: int, name: str) -> dict[str, Any]:
    """Return the first metrics document after this many log lines that counts something under a name."""

    def found() -> list[dict[str, Any]]:
        return [line for line in deployment.log()[since:] if "_aws" in line and line.get(name)]

    return wait_until(found, PATIENCE_SECONDS, f"a log line that counts {name}")[0]


def test_every_metric_of_the_alarms_and_the_dashboard_is_one_that_somebody_emits(
    own_bucket: Deployment, emitted: dict[str, Any]
) -> None:
    (directive,) = emitted["_aws"]["CloudWatchMetrics"]
    ours = {(directive["Namespace"], metric["Name"]) for metric in directive["Metrics"]}
    assert directive["Dimensions"] == [["FunctionName"]]
    assert emitted["FunctionName"] == own_bucket.outputs["FunctionName"]
    amazons = {
        *(("AWS/Lambda", name) for name in ("Duration", "Errors", "Throttles")),
        *(("AWS/SQS", name) for name in ("ApproximateAgeOfOldestMessage", "ApproximateNumberOfMessagesVisible")),
        ("AWS/SNS", "NumberOfNotificationsFailed"),
    }
    looked_at = {(alarm["Namespace"], alarm["MetricName"]) for alarm in alarms(own_bucket).values()}
    assert looked_at | set(metrics_shown(own_bucket)) == ours | amazons


def test_a_deployment_without_a_topic_for_alarms_has_its_alarms_all_the_same(own_bucket: Deployment) -> None:
    found = alarms(own_bucket)
    assert found.keys() == ALARMS.keys() | {TWIN}
    assert [alarm["AlarmActions"] for alarm in found.values()] == [[]] * len(found)


def test_every_alarm_names_its_entry_in_the_runbook(own_bucket: Deployment) -> None:
    headings = anchors(PAGE)
    for alarm in alarms(own_bucket).values():
        page, _, anchor = alarm["AlarmDescription"].rpartition(" ")[2].partition("#")
        assert page == "docs/operate.md"
        assert anchor in headings, alarm["AlarmDescription"]


def test_every_field_of_the_summary_line_is_documented(own_bucket: Deployment, emitted: dict[str, Any]) -> None:
    assert emitted
    line = own_bucket.logged("invocation finished")[-1]
    sections = [PAGE.partition(heading)[2].partition("\n## ")[0] for heading in ("## Log", "## Counters")]
    assert set(line) <= set(re.findall(r"`([a-z_]+)`", "".join(sections)))


def test_a_stack_whose_role_may_not_read_gets_the_silence_alarm(existing_bucket: Deployment, main: Sample) -> None:
    cloudwatch = existing_bucket.client("cloudwatch")
    alarm = alarms(existing_bucket)["SilenceAlarm"]

    def deliver(name: str) -> dict[str, Any]:
        """Bring a delivery and return the metrics of the invocation that opened it."""
        before = len(existing_bucket.log())
        existing_bucket.put(f"{main.key}-{name}", main.body)
        return metrics(existing_bucket, before, "Deliveries")

    # The emulator does not read metrics from the log: each value goes where CloudWatch would put it.
    with existing_bucket.quick_retries():
        with existing_bucket.without("ReadDeliveries"):
            unreadable = deliver("unreadable")
        measure(cloudwatch, alarm, unreadable[alarm["MetricName"]])
        assert alarms(existing_bucket)["SilenceAlarm"]["StateValue"] == "ALARM"
        existing_bucket.settle()
        readable = deliver("readable")
        measure(cloudwatch, alarm, readable[alarm["MetricName"]])
        assert alarms(existing_bucket)["SilenceAlarm"]["StateValue"] == "OK"
    existing_bucket.take_dead_letters()


@pytest.fixture(scope="module")
def fields(own_bucket: Deployment, emitted: dict[str, Any]) -> dict[str, set[str]]:
    """Return the fields of each kind of line that the function logs when something succeeds and something fails."""
    assert emitted
    with own_bucket.quick_retries():
        own_bucket.send("no envelope")
        own_bucket.wait_for_dead_letter()
    own_bucket.take_dead_letters()
    # Nothing is suppressed in this deployment; the function's own tests hold what that line says.
    suppressed = set("signal_id rule_id rule_name exception event_action event_id caller account region object".split())
    found = {f"suppressed by {what}": set(suppressed) for what in ("EXCEPTION_QUERY", "an exception")}
    for line in own_bucket.log():
        found.setdefault(line.get("message", ""), set()).update(line)
    return found


# The emulator accepts every query and runs none, so this checks only that each names existing lines and fields.
WORDS = set("filter stats fields sort limit as by or and asc desc count sum bin ispresent h".split())


@pytest.mark.parametrize("query", QUERIES, ids=range(1, len(QUERIES) + 1))
def test_each_query_of_the_page_speaks_of_lines_and_fields_there_are(fields: dict[str, set[str]], query: str) -> None:
    messages = re.findall(r'message = "(.*?)"', query)
    assert set(messages) <= fields.keys()
    known = set().union(*(fields[message] for message in messages or fields))
    unquoted = re.sub(r'".*?"', "", query)
    named = set(re.findall(r"\bas ([a-z]+)", unquoted))
    assert set(re.findall(r"[@a-z_]+", unquoted)) <= WORDS | named | known | {"@timestamp", "message"}


def test_the_dashboard_s_query_is_one_of_the_page(own_bucket: Deployment) -> None:
    assert len(QUERIES) >= 3
    (query,) = (widget["properties"]["query"] for widget in widgets(own_bucket) if widget["type"] == "log")
    source, _, rest = query.partition(" | ")
    assert source == f"SOURCE '{own_bucket.outputs['LogGroupName']}'"
    assert rest in {one.strip().replace("\n", " ") for one in QUERIES}
