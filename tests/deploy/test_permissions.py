"""Least privilege: the emulator enforces IAM, and without each single statement something named here breaks."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from conftest import PATIENCE_SECONDS, Deployment
from emulator import wait_until

POLICY = "read-deliveries-publish-signals"
# The emulator checks its own permission where AWS checks this one.
ONLY_IN_THE_EMULATOR = {"PublishSignals": "what-only-the-emulator-asks-for"}


@contextmanager
def without(deployment: Deployment, sid: str) -> Iterator[None]:
    """Take one statement out of what the function's role allows."""
    iam, role = deployment.emulator.client("iam"), deployment.outputs["FunctionRoleArn"].rpartition("/")[2]
    name = ONLY_IN_THE_EMULATOR.get(sid, POLICY)
    whole = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
    rest = [each for each in whole["Statement"] if name == POLICY and each["Sid"] != sid]
    assert name != POLICY or len(rest) == len(whole["Statement"]) - 1, f"the role has no statement {sid}"
    if rest:
        iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(whole | {"Statement": rest}))
    else:
        iam.delete_role_policy(RoleName=role, PolicyName=name)
    try:
        yield
    finally:
        iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(whole))


def complaint(deployment: Deployment, message: str, act: Callable[[], None]) -> str:
    """Do something and return the reason in the first line that then says ``message``."""
    before = len(deployment.log())
    act()
    lines: list[dict] = []

    def complained() -> bool:
        lines[:] = deployment.logged(message, since=before)
        return bool(lines)

    wait_until(complained, PATIENCE_SECONDS, f"a log line {message!r}")
    return lines[0]["reason"]


@pytest.fixture
def forgiving(existing_bucket: Deployment) -> Iterator[Deployment]:
    """Return the deployment with an archive; what a test makes fail is tried again, and succeeds, before the next."""
    with existing_bucket.quick_retries():
        yield existing_bucket
        existing_bucket.settle()
    existing_bucket.take_dead_letters()


def test_without_reading_deliveries_the_log_names_the_object_and_the_refusal(
    forgiving: Deployment, deliveries: dict[str, bytes], main_delivery: str
) -> None:
    with without(forgiving, "ReadDeliveries"):
        reason = complaint(forgiving, "failed", lambda: forgiving.put(main_delivery, deliveries[main_delivery]))
    assert main_delivery in reason
    assert "AccessDenied" in reason
    assert "s3:GetObject" in reason


def test_without_publishing_the_log_names_the_topic_and_the_refusal(
    forgiving: Deployment, deliveries: dict[str, bytes]
) -> None:
    # Its signals are not in the archive yet, under this key's name or any other.
    (key,) = (key for key in deliveries if key.startswith("team logs"))
    with without(forgiving, "PublishSignals"):
        reason = complaint(forgiving, "failed", lambda: forgiving.put(f"AWSLogs/{key}", deliveries[key]))
    assert forgiving.outputs["TopicArn"] in reason
    assert "AuthorizationError" in reason


def test_when_the_topic_is_gone_the_log_names_it(forgiving: Deployment, deliveries: dict[str, bytes]) -> None:
    (key,) = (key for key in deliveries if "444455556666" in key)
    forgiving.forget_signals()
    topic, sns = forgiving.outputs["TopicArn"], forgiving.emulator.client("sns")
    policy = sns.get_topic_attributes(TopicArn=topic)["Attributes"]["Policy"]
    sns.delete_topic(TopicArn=topic)
    try:
        reason = complaint(forgiving, "failed", lambda: forgiving.put(key, deliveries[key]))
    finally:
        sns.create_topic(Name=topic.rpartition(":")[2], Attributes={"Policy": policy})
    assert topic in reason
    assert "NotFound" in reason


def test_without_keeping_signals_they_are_published_and_the_log_says_that_they_are_not_kept(
    forgiving: Deployment, deliveries: dict[str, bytes]
) -> None:
    (key,) = (key for key in deliveries if "444455556666" in key)
    forgiving.forget_signals()
    listener = forgiving.subscribe()
    before = len(forgiving.log())
    with without(forgiving, "KeepSignals"):
        reason = complaint(
            forgiving, "signals are published and not archived", lambda: forgiving.put(key, deliveries[key])
        )
        assert len(listener.collect(at_least=2)) == 2
    assert "403" in reason
    assert "check s3:GetObject, s3:PutObject" in reason
    assert sum(line["unarchived"] for line in forgiving.logged("invocation finished", since=before)) == 2
    assert forgiving.dead_letters() == 0


def test_every_other_statement_of_the_role_is_one_that_the_emulator_does_not_ask_for(
    existing_bucket: Deployment,
) -> None:
    # It polls the queue and writes the log by itself, and says "not found" without s3:ListBucket. The template's
    # comments say what each of these is for.
    tried = {"ReadDeliveries", "PublishSignals", "KeepSignals", "PublishNotices"}
    # No embedded rule remembers; the Rust tests try a table that denies.
    untried = {"TakeFromQueue", "TellMissingFromForbidden", "TellNewFromForbidden", "Remember", "WriteLog"}
    iam, role = existing_bucket.emulator.client("iam"), existing_bucket.outputs["FunctionRoleArn"].rpartition("/")[2]
    whole = iam.get_role_policy(RoleName=role, PolicyName=POLICY)["PolicyDocument"]
    assert {each["Sid"] for each in whole["Statement"]} == tried | untried


def test_a_topic_that_the_template_does_not_name_cannot_put_messages_into_the_queue(own_bucket: Deployment) -> None:
    sns, sqs = own_bucket.emulator.client("sns"), own_bucket.emulator.client("sqs")
    queue = own_bucket.outputs["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    topic = sns.create_topic(Name="intruder")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    own_bucket.settle()
    before = len(own_bucket.log())
    nothing = json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent"})
    sns.publish(TopicArn=topic, Message=nothing)
    own_bucket.send(nothing)
    wait_until(lambda: own_bucket.logged("invocation finished", since=before) != [], PATIENCE_SECONDS, "an invocation")
    own_bucket.settle()
    assert [line["skipped"] for line in own_bucket.logged("invocation finished", since=before)] == [1]
