"""``make doctor``: every part of the path broken in turn, and the line that says so."""

import json
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import pytest
from conftest import PATIENCE_SECONDS, Deployment, deployed
from doctor import CHECKS, RIGHT, UNSEEN, WRONG, Finding, Stack, examine, load, rules
from emulator import ROOT, Emulator, wait_until
from stack import Subscriber

BUCKET = "examined-trail-bucket"
NAME = "examined"


@dataclass(frozen=True)
class Patient:
    """A healthy deployment, and what belongs to it."""

    deployment: Deployment
    subscription: Subscriber

    def client(self, service: str):  # noqa: ANN201
        """Return a client for one service."""
        return self.deployment.emulator.client(service)

    @property
    def stack(self) -> Stack:
        """The stack as it is now."""
        return load(NAME, self.client)


@pytest.fixture(scope="module")
def patient(emulator: Emulator, deliveries: dict[str, bytes], main_delivery: str) -> Patient:
    """Return a stack beside a trail's bucket, which has read a delivery and has a subscriber."""
    s3, trails = emulator.client("s3"), emulator.client("cloudtrail")
    s3.create_bucket(Bucket=BUCKET)
    on = {"EventBridgeConfiguration": {}}
    s3.put_bucket_notification_configuration(Bucket=BUCKET, NotificationConfiguration=on)
    writes = {
        "Effect": "Allow",
        "Principal": {"Service": "cloudtrail.amazonaws.com"},
        "Action": ["s3:PutObject", "s3:GetBucketAcl"],
        "Resource": [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"],
    }
    s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps({"Version": "2012-10-17", "Statement": [writes]}))
    trails.create_trail(Name=NAME, S3BucketName=BUCKET)
    trails.start_logging(Name=NAME)
    deployment = deployed(emulator, NAME, TrailBucketName=BUCKET, TrailPrefix="AWSLogs/", RealTime="true")
    subscription = Subscriber(emulator, deployment.outputs["TopicArn"])
    deployment.put(main_delivery, deliveries[main_delivery])
    wait_until(lambda: bool(deployment.logged("invocation finished")), PATIENCE_SECONDS, "the first invocation")
    cloudwatch = emulator.client("cloudwatch")
    for name in alarm_names(load(NAME, emulator.client)):
        cloudwatch.set_alarm_state(AlarmName=name, StateValue="OK", StateReason="a test")
    return Patient(deployment, subscription)


def alarm_names(stack: Stack) -> list[str]:
    """Return the names of the stack's alarms."""
    return [physical for logical, physical in stack.resources.items() if logical.endswith("Alarm")]


def wrong(stack: Stack) -> list[Finding]:
    """Return what is wrong."""
    return [finding for finding in examine(stack) if finding.state == WRONG]


def test_a_stack_that_works_has_a_right_line_for_every_part_and_nothing_wrong(patient: Patient) -> None:
    found = list(examine(patient.stack))
    assert [finding.line() for finding in found if finding.state != RIGHT] == []
    subjects = {finding.text.partition(":")[0] for finding in found}
    assert subjects == {
        *("trail", "announcement", "rule", "queue", "access", "reading"),
        *("dead letters", "alarms", "rules", "subscriptions"),
    }


Break = Callable[[Patient], Callable[[], object]]


def stopped_trail(patient: Patient) -> Callable[[], object]:
    patient.client("cloudtrail").stop_logging(Name=NAME)
    return lambda: patient.client("cloudtrail").start_logging(Name=NAME)


def no_events(patient: Patient) -> Callable[[], object]:
    s3 = patient.client("s3")
    s3.put_bucket_notification_configuration(Bucket=BUCKET, NotificationConfiguration={})
    on = {"EventBridgeConfiguration": {}}
    return lambda: s3.put_bucket_notification_configuration(Bucket=BUCKET, NotificationConfiguration=on)


def rule_off(logical: str) -> Break:
    def act(patient: Patient) -> Callable[[], object]:
        events, name = patient.client("events"), patient.stack.resources[logical].rpartition("/")[2]
        events.disable_rule(Name=name)
        return lambda: events.enable_rule(Name=name)

    return act


def rule_without_target(patient: Patient) -> Callable[[], object]:
    events, name = patient.client("events"), patient.stack.resources["ObjectCreatedRule"].rpartition("/")[2]
    targets = events.list_targets_by_rule(Rule=name)["Targets"]
    events.remove_targets(Rule=name, Ids=[each["Id"] for each in targets])
    return lambda: events.put_targets(Rule=name, Targets=targets)


def mapping_off(patient: Patient) -> Callable[[], object]:
    functions = patient.client("lambda")
    name = patient.deployment.outputs["FunctionName"]
    (found,) = functions.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]
    functions.update_event_source_mapping(UUID=found["UUID"], Enabled=False)
    return lambda: functions.update_event_source_mapping(UUID=found["UUID"], Enabled=True)


def role_without_reading(patient: Patient) -> Callable[[], object]:
    iam, role = patient.client("iam"), patient.deployment.outputs["FunctionRoleArn"].rpartition("/")[2]
    held = {"RoleName": role, "PolicyName": "read-deliveries-publish-signals"}
    whole = iam.get_role_policy(**held)["PolicyDocument"]
    rest = [each for each in whole["Statement"] if each["Sid"] != "ReadDeliveries"]
    iam.put_role_policy(**held, PolicyDocument=json.dumps(whole | {"Statement": rest}))
    return lambda: iam.put_role_policy(**held, PolicyDocument=json.dumps(whole))


def dead_letter(patient: Patient) -> Callable[[], object]:
    url = patient.deployment.outputs["DeadLetterQueueUrl"]
    patient.client("sqs").send_message(QueueUrl=url, MessageBody="x")
    return patient.deployment.take_dead_letters


def alarm_sounds(patient: Patient) -> Callable[[], object]:
    cloudwatch, name = patient.client("cloudwatch"), alarm_names(patient.stack)[0]
    state = {"AlarmName": name, "StateReason": "a test"}
    cloudwatch.set_alarm_state(**state, StateValue="ALARM")
    return lambda: cloudwatch.set_alarm_state(**state, StateValue="OK")


def unsubscribed(patient: Patient) -> Callable[[], object]:
    sns, topic = patient.client("sns"), patient.deployment.outputs["TopicArn"]
    (found,) = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    sns.unsubscribe(SubscriptionArn=found["SubscriptionArn"])
    return lambda: sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=found["Endpoint"])


BREAKS: dict[str, tuple[Break, str]] = {
    "the trail": (stopped_trail, "trail: examined does not log"),
    "the bucket's events": (no_events, f"announcement: {BUCKET} does not send its events to EventBridge"),
    "the rule": (rule_off("ObjectCreatedRule"), "is off"),
    "the rule for real time": (rule_off("ApiCallRule"), "is off"),
    "the rule's target": (rule_without_target, "does not lead to the queue"),
    "the mapping": (mapping_off, "queue: the function takes no messages from it"),
    "the role": (role_without_reading, "access: the role may not read"),
    "a delivery": (dead_letter, "dead letters: 1"),
    "an alarm": (alarm_sounds, "alarm: "),
    "the subscription": (unsubscribed, "subscriptions: nobody hears of signals"),
}


@pytest.fixture(params=BREAKS)
def broken(request: pytest.FixtureRequest, patient: Patient) -> Iterator[str]:
    """Break one part; return what the doctor should say; mend it."""
    act, text = BREAKS[request.param]
    mend = act(patient)
    yield text
    mend()


def test_what_is_broken_is_named_with_what_to_do_and_nothing_else_is(patient: Patient, broken: str) -> None:
    (finding,) = wrong(patient.stack)
    assert broken in finding.text
    assert finding.advice


def test_a_stack_that_reads_nothing_is_wrong(patient: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Stack, "log", lambda *_: [])
    assert "reading: no delivery was read in 1 h" in [finding.text for finding in wrong(patient.stack)]


def test_a_failed_delivery_is_named_with_its_reason(patient: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = {'"failed"': [{"message": "failed", "reason": "s3://b/k: AccessDenied"}]}
    real = Stack.log
    monkeypatch.setattr(Stack, "log", lambda stack, words, hours: lines.get(words) or real(stack, words, hours))
    (finding,) = (finding for finding in wrong(patient.stack) if finding.text.startswith("reading"))
    assert finding.text.endswith("the last one: s3://b/k: AccessDenied")


@pytest.mark.parametrize(("memory", "state"), [("true", WRONG), ("false", RIGHT)])
def test_rules_that_are_off_are_named_and_are_wrong_unless_it_was_asked_for(
    patient: Patient, monkeypatch: pytest.MonkeyPatch, memory: str, state: str
) -> None:
    said = [{"level": "WARN", "message": "rules that remember are off: set MEMORY_TABLE", "rules": "A; B"}]
    monkeypatch.setattr(Stack, "log", lambda *_: said)
    stack = replace(patient.stack, parameters={**patient.stack.parameters, "Memory": memory})
    assert [(found.state, found.text) for found in rules(stack)] == [(state, "rules: off, since they remember: A; B")]


def test_rules_that_learn_are_named(patient: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    said = [{"level": "INFO", "message": "rules that remember", "on": "A", "learning": "B until 2026-12-01"}]
    monkeypatch.setattr(Stack, "log", lambda *_: said)
    (found,) = rules(patient.stack)
    assert (found.state, found.text) == (RIGHT, "rules: on: A; learning, and silent so far: B until 2026-12-01")


def test_what_cannot_be_seen_is_said_and_is_not_wrong(patient: Patient) -> None:
    elsewhere = replace(patient.stack, outputs={**patient.stack.outputs, "BucketName": "a-bucket-without-a-trail"})
    (first, *_) = examine(elsewhere)
    assert first.state == UNSEEN
    assert "none that this account and region see" in first.text


def test_a_mailbox_that_has_not_confirmed_is_named(patient: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    # The emulator takes every subscription as confirmed; AWS shows one that waits like this.
    waits = {"Endpoint": "somebody@example.com", "SubscriptionArn": "PendingConfirmation"}
    sns = patient.client("sns")
    pages = type("Pages", (), {"paginate": lambda *_, **__: [{"Subscriptions": [waits]}]})
    monkeypatch.setattr(sns, "get_paginator", lambda _: pages())
    stack = replace(patient.stack, client=lambda name: sns if name == "sns" else patient.client(name))
    found = [finding.text for finding in wrong(stack)]
    assert "subscriptions: somebody@example.com has not confirmed signals" in found


def test_own_bucket_and_topic_are_looked_at_in_their_modes(own_bucket: Deployment, existing_topic: Deployment) -> None:
    for deployment, text in ((own_bucket, "notifies the queue"), (existing_topic, "the queue is subscribed to")):
        found = list(CHECKS[1](load(deployment.name, deployment.emulator.client)))
        assert [finding.state for finding in found] == [RIGHT], found
        assert text in found[0].text


def test_the_command_prints_a_line_each_and_fails_only_if_something_is_wrong(patient: Patient) -> None:
    def run(stack: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["make", "--no-print-directory", "doctor", f"STACK={stack}"],
            cwd=ROOT,
            env=patient.deployment.emulator.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    mend = stopped_trail(patient)
    sick = run(NAME)
    mend()
    assert sick.returncode != 0
    assert "wrong  trail: examined does not log -> aws cloudtrail start-logging" in sick.stdout
    assert run("no-such-stack").returncode != 0
