"""``make doctor``: every part of the path broken in turn, and the line that says so."""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace

import pytest
from conftest import Deployment, Sample, answered, bucket_with_events, deployed
from doctor import CHECKS, RIGHT, UNSEEN, WRONG, Finding, Stack, examine, load, rules
from emulator import Emulator
from stack import policy

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


Break = Callable[[Deployment], AbstractContextManager[None]]


@contextmanager
def stopped_trail(patient: Deployment) -> Iterator[None]:
    patient.client("cloudtrail").stop_logging(Name=NAME)
    yield
    patient.client("cloudtrail").start_logging(Name=NAME)


@contextmanager
def no_events(patient: Deployment) -> Iterator[None]:
    s3 = patient.client("s3")
    s3.put_bucket_notification_configuration(Bucket=BUCKET, NotificationConfiguration={})
    yield
    on = {"EventBridgeConfiguration": {}}
    s3.put_bucket_notification_configuration(Bucket=BUCKET, NotificationConfiguration=on)


def rule_name(patient: Deployment, logical: str) -> str:
    return load(NAME, patient.client).resources[logical].rpartition("/")[2]


def rule_off(logical: str) -> Break:
    @contextmanager
    def act(patient: Deployment) -> Iterator[None]:
        events, name = patient.client("events"), rule_name(patient, logical)
        events.disable_rule(Name=name)
        yield
        events.enable_rule(Name=name)

    return act


@contextmanager
def rule_without_target(patient: Deployment) -> Iterator[None]:
    events, name = patient.client("events"), rule_name(patient, "ObjectCreatedRule")
    targets = events.list_targets_by_rule(Rule=name)["Targets"]
    events.remove_targets(Rule=name, Ids=[each["Id"] for each in targets])
    yield
    events.put_targets(Rule=name, Targets=targets)


@contextmanager
def mapping_off(patient: Deployment) -> Iterator[None]:
    functions = patient.client("lambda")
    name = patient.outputs["FunctionName"]
    (found,) = functions.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]
    functions.update_event_source_mapping(UUID=found["UUID"], Enabled=False)
    yield
    functions.update_event_source_mapping(UUID=found["UUID"], Enabled=True)


@contextmanager
def dead_letter(patient: Deployment) -> Iterator[None]:
    patient.client("sqs").send_message(QueueUrl=patient.outputs["DeadLetterQueueUrl"], MessageBody="x")
    yield
    patient.take_dead_letters()


@contextmanager
def alarm_sounds(patient: Deployment) -> Iterator[None]:
    cloudwatch, name = patient.client("cloudwatch"), alarm_names(load(NAME, patient.client))[0]
    state = {"AlarmName": name, "StateReason": "a test"}
    cloudwatch.set_alarm_state(**state, StateValue="ALARM")
    yield
    cloudwatch.set_alarm_state(**state, StateValue="OK")


@contextmanager
def unsubscribed(patient: Deployment) -> Iterator[None]:
    sns, topic = patient.client("sns"), patient.outputs["TopicArn"]
    (found,) = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    sns.unsubscribe(SubscriptionArn=found["SubscriptionArn"])
    yield
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=found["Endpoint"])


BREAKS: dict[str, tuple[Break, str]] = {
    "the trail": (stopped_trail, "trail: examined does not log"),
    "the bucket's events": (no_events, f"announcement: {BUCKET} does not send its events to EventBridge"),
    "the rule": (rule_off("ObjectCreatedRule"), "is off"),
    "the rule for real time": (rule_off("ApiCallRule"), "is off"),
    "the rule's target": (rule_without_target, "does not lead to the queue"),
    "the mapping": (mapping_off, "queue: the function takes no messages from it"),
    "the role": (lambda patient: patient.without("ReadDeliveries"), "access: the role may not read"),
    "a delivery": (dead_letter, "dead letters: 1"),
    "an alarm": (alarm_sounds, "alarm: "),
    "the subscription": (unsubscribed, "subscriptions: nobody hears of signals"),
}


@pytest.mark.parametrize("part", BREAKS)
def test_what_is_broken_is_named_with_what_to_do_and_nothing_else_is(patient: Deployment, part: str) -> None:
    broken, text = BREAKS[part]
    with broken(patient):
        found = wrong(load(NAME, patient.client))
    (finding,) = found
    assert text in finding.text
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


@pytest.mark.parametrize(("memory", "state"), [("true", WRONG), ("false", RIGHT)])
def test_rules_that_are_off_are_named_and_are_wrong_unless_it_was_asked_for(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, memory: str, state: str
) -> None:
    said = [{"level": "WARN", "message": "rules that remember are off: set MEMORY_TABLE", "rules": "A; B"}]
    monkeypatch.setattr(Stack, "log", lambda *_: said)
    deployed = replace(stack, parameters={**stack.parameters, "Memory": memory})
    assert [(found.state, found.text) for found in rules(deployed)] == [
        (state, "rules: off, since they remember: A; B")
    ]


def test_rules_that_learn_are_named(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    said = [{"level": "INFO", "message": "rules that remember", "on": "A", "learning": "B until 2026-12-01"}]
    monkeypatch.setattr(Stack, "log", lambda *_: said)
    (found,) = rules(stack)
    assert (found.state, found.text) == (RIGHT, "rules: on: A; learning, and silent so far: B until 2026-12-01")


def test_what_cannot_be_seen_is_said_and_is_not_wrong(stack: Stack) -> None:
    elsewhere = replace(stack, outputs={**stack.outputs, "BucketName": "a-bucket-without-a-trail"})
    (first, *_) = examine(elsewhere)
    assert first.state == UNSEEN
    assert "none that this account and region see" in first.text


def test_a_mailbox_that_has_not_confirmed_is_named(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    # The emulator takes every subscription as confirmed; AWS shows one that waits like this.
    waits = {"Endpoint": "somebody@example.com", "SubscriptionArn": "PendingConfirmation"}
    sns = stack.client("sns")
    pages = type("Pages", (), {"paginate": lambda *_, **__: [{"Subscriptions": [waits]}]})
    monkeypatch.setattr(sns, "get_paginator", lambda _: pages())
    asked = replace(stack, client=lambda name: sns if name == "sns" else stack.client(name))
    found = [finding.text for finding in wrong(asked)]
    assert "subscriptions: somebody@example.com has not confirmed signals" in found


def test_own_bucket_and_topic_are_looked_at_in_their_modes(own_bucket: Deployment, existing_topic: Deployment) -> None:
    for deployment, text in ((own_bucket, "notifies the queue"), (existing_topic, "the queue is subscribed to")):
        found = list(CHECKS[1](load(deployment.name, deployment.client)))
        assert [finding.state for finding in found] == [RIGHT], found
        assert text in found[0].text


def test_the_command_prints_a_line_each_and_fails_only_if_something_is_wrong(patient: Deployment) -> None:
    def run(stack: str) -> subprocess.CompletedProcess[str]:
        return answered(patient.emulator, ["make", "--no-print-directory", "doctor", f"STACK={stack}"], "")

    with stopped_trail(patient):
        sick = run(NAME)
    assert sick.returncode != 0
    assert "wrong  trail: examined does not log -> aws cloudtrail start-logging" in sick.stdout
    assert run("no-such-stack").returncode != 0
