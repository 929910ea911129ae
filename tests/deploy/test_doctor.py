"""``make doctor``: every part of the path broken in turn, and the line that says so."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from conftest import Deployment, Sample, bucket_with_events, deployed
from doctor import RIGHT, UNSEEN, WRONG, Finding, Stack, announcement, examine, load, rules, subscriptions
from emulator import Emulator
from stack import answered, policy

BUCKET = "examined-trail-bucket"
NAME = "examined"


@pytest.fixture(scope="module")
def patient(emulator: Emulator, main: Sample) -> Deployment:
    """Return a stack beside a trail's bucket, which has read a delivery and has a subscriber."""
    s3, trails = emulator.client("s3"), emulator.client("cloudtrail")
    bucket_with_events(emulator, BUCKET)
    writes = {
        "Effect": "Allow",
        "Principal": {"Service": "cloudtrail.amazonaws.com"},
        "Action": ["s3:PutObject", "s3:GetBucketAcl"],
        "Resource": [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"],
    }
    s3.put_bucket_policy(Bucket=BUCKET, Policy=policy(writes))
    trails.create_trail(Name=NAME, S3BucketName=BUCKET)
    trails.start_logging(Name=NAME)
    deployment = deployed(emulator, NAME, TrailBucketName=BUCKET, TrailPrefix="AWSLogs/", RealTime="true")
    deployment.subscribe()
    deployment.deliver(main)
    deployment.wait_for("invocation finished")
    cloudwatch = emulator.client("cloudwatch")
    for name in alarm_names(load(NAME, emulator.client)):
        cloudwatch.set_alarm_state(AlarmName=name, StateValue="OK", StateReason="a test")
    return deployment


@pytest.fixture
def stack(patient: Deployment) -> Stack:
    return load(NAME, patient.client)


def alarm_names(stack: Stack) -> list[str]:
    return [physical for logical, physical in stack.resources.items() if logical.endswith("Alarm")]


def wrong(stack: Stack) -> list[Finding]:
    return [finding for finding in examine(stack) if finding.state == WRONG]


def test_a_stack_that_works_has_a_right_line_for_every_part_and_nothing_wrong(stack: Stack) -> None:
    found = list(examine(stack))
    assert [finding.line() for finding in found if finding.state != RIGHT] == []
    subjects = {finding.text.partition(":")[0] for finding in found}
    assert subjects == {
        *("trail", "announcement", "rule", "queue", "access", "reading"),
        *("dead letters", "alarms", "rules", "subscriptions"),
    }


Breaks = dict[str, tuple[Callable[[], Any], Callable[[], Any]]]
# What the doctor says about each broken part.
SAID = {
    "the trail": "trail: examined does not log",
    "the bucket's events": f"announcement: {BUCKET} does not send its events to EventBridge",
    "the rule": "is off",
    "the rule for real time": "is off",
    "the rule's target": "does not lead to the queue",
    "the mapping": "queue: the function takes no messages from it",
    "the role": "access: the role may not read",
    "a delivery": "dead letters: 1",
    "an alarm": "alarm: ",
    "the subscription": "subscriptions: nobody hears of signals",
}


@pytest.fixture(scope="module")
def breaks(patient: Deployment) -> Breaks:
    """Return, for each part, what breaks it and what mends it."""
    trails, s3, events, functions = map(patient.client, ("cloudtrail", "s3", "events", "lambda"))
    cloudwatch, sqs, sns = map(patient.client, ("cloudwatch", "sqs", "sns"))
    stack, role, found = load(NAME, patient.client), ExitStack(), patient.outputs
    rule, call_rule = (stack.resources[name].rpartition("/")[2] for name in ("ObjectCreatedRule", "ApiCallRule"))
    targets = events.list_targets_by_rule(Rule=rule)["Targets"]
    targets_gone = partial(events.remove_targets, Rule=rule, Ids=[each["Id"] for each in targets])
    (fed,) = functions.list_event_source_mappings(FunctionName=found["FunctionName"])["EventSourceMappings"]
    mapping = partial(functions.update_event_source_mapping, UUID=fed["UUID"])
    told = partial(s3.put_bucket_notification_configuration, Bucket=BUCKET)
    alarm = partial(cloudwatch.set_alarm_state, AlarmName=alarm_names(stack)[0], StateReason="a test")
    (heard,) = sns.list_subscriptions_by_topic(TopicArn=found["TopicArn"])["Subscriptions"]
    subscribe = partial(sns.subscribe, TopicArn=found["TopicArn"], Protocol="sqs", Endpoint=heard["Endpoint"])
    letter = partial(sqs.send_message, QueueUrl=found["DeadLetterQueueUrl"], MessageBody="x")
    return {
        "the trail": (partial(trails.stop_logging, Name=NAME), partial(trails.start_logging, Name=NAME)),
        "the bucket's events": (
            partial(told, NotificationConfiguration={}),
            partial(told, NotificationConfiguration={"EventBridgeConfiguration": {}}),
        ),
        "the rule": (partial(events.disable_rule, Name=rule), partial(events.enable_rule, Name=rule)),
        "the rule for real time": (
            partial(events.disable_rule, Name=call_rule),
            partial(events.enable_rule, Name=call_rule),
        ),
        "the rule's target": (targets_gone, partial(events.put_targets, Rule=rule, Targets=targets)),
        "the mapping": (partial(mapping, Enabled=False), partial(mapping, Enabled=True)),
        "the role": (partial(role.enter_context, patient.without("ReadDeliveries")), role.close),
        "a delivery": (letter, patient.take_dead_letters),
        "an alarm": (partial(alarm, StateValue="ALARM"), partial(alarm, StateValue="OK")),
        "the subscription": (partial(sns.unsubscribe, SubscriptionArn=heard["SubscriptionArn"]), subscribe),
    }


@pytest.mark.parametrize("part", SAID)
def test_what_is_broken_is_named_with_what_to_do_and_nothing_else_is(
    patient: Deployment, breaks: Breaks, part: str
) -> None:
    act, mend = breaks[part]
    act()
    found = wrong(load(NAME, patient.client))
    mend()
    (finding,) = found
    assert SAID[part] in finding.text
    assert finding.advice


def test_a_stack_that_reads_nothing_is_wrong(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Stack, "log", lambda *_: [])
    assert "reading: no delivery was read in 1 h" in [finding.text for finding in wrong(stack)]


def test_a_failed_delivery_is_named_with_its_reason(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = {'"failed"': [{"message": "failed", "reason": "s3://b/k: AccessDenied"}]}
    real = Stack.log
    monkeypatch.setattr(Stack, "log", lambda stack, words, hours: lines.get(words) or real(stack, words, hours))
    (finding,) = (finding for finding in wrong(stack) if finding.text.startswith("reading"))
    assert finding.text.endswith("the last one: s3://b/k: AccessDenied")


OFF = {"message": "rules that remember are off: set MEMORY_TABLE", "rules": "A; B"}
LEARN = {"message": "rules that remember", "on": "A", "learning": "B until 2026-12-01"}


@pytest.mark.parametrize(
    ("said", "memory", "state", "text"),
    [
        (OFF, "true", WRONG, "rules: off, since they remember: A; B"),
        (OFF, "false", RIGHT, "rules: off, since they remember: A; B"),
        (LEARN, "true", RIGHT, "rules: on: A; learning, and silent so far: B until 2026-12-01"),
    ],
)
def test_rules_that_learn_or_are_off_are_named_and_are_wrong_unless_it_was_asked_for(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, said: dict[str, str], memory: str, state: str, text: str
) -> None:
    monkeypatch.setattr(Stack, "log", lambda *_: [said])
    (found,) = rules(replace(stack, parameters={**stack.parameters, "Memory": memory}))
    assert (found.state, found.text) == (state, text)


def test_what_cannot_be_seen_is_said_and_is_not_wrong(stack: Stack) -> None:
    elsewhere = replace(stack, outputs={**stack.outputs, "BucketName": "a-bucket-without-a-trail"})
    (first, *_) = examine(elsewhere)
    assert first.state == UNSEEN
    assert "none that this account and region see" in first.text


def test_a_mailbox_that_has_not_confirmed_is_named(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    # The emulator treats every subscription as confirmed; AWS shows a pending one like this.
    waits = {"Endpoint": "somebody@example.com", "SubscriptionArn": "PendingConfirmation"}
    monkeypatch.setattr("doctor.every", lambda *_, **__: [waits])
    found = [finding.text for finding in subscriptions(stack)]
    assert "subscriptions: somebody@example.com has not confirmed signals" in found


def test_own_bucket_and_topic_are_looked_at_in_their_modes(own_bucket: Deployment, existing_topic: Deployment) -> None:
    for deployment, text in ((own_bucket, "notifies the queue"), (existing_topic, "the queue is subscribed to")):
        found = list(announcement(load(deployment.name, deployment.client)))
        assert [finding.state for finding in found] == [RIGHT], found
        assert text in found[0].text


def test_the_command_prints_a_line_each_and_fails_only_if_something_is_wrong(
    patient: Deployment, breaks: Breaks
) -> None:
    def run(stack: str) -> tuple[int, str]:
        return answered(patient.emulator, ["make", "--no-print-directory", "doctor", f"STACK={stack}"])

    act, mend = breaks["the trail"]
    act()
    code, printed = run(NAME)
    mend()
    assert code != 0
    assert "wrong  trail: examined does not log -> aws cloudtrail start-logging" in printed
    assert run("no-such-stack")[0] != 0
