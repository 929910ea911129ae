"""Least privilege: the emulator enforces IAM, and without each single statement something named here breaks."""

import json
from collections.abc import Iterator

import pytest
from conftest import ROLE_POLICY, Deployment, Sample, sample
from stack import ONLY_IN_THE_EMULATOR, queue_arn


@pytest.fixture
def forgiving(existing_bucket: Deployment) -> Iterator[Deployment]:
    """Return the deployment with an archive; what a test makes fail is tried again, and succeeds, before the next."""
    with existing_bucket.quick_retries():
        yield existing_bucket
        existing_bucket.settle()
    existing_bucket.take_dead_letters()


def test_without_reading_deliveries_the_log_names_the_object_and_the_refusal(
    forgiving: Deployment, main: Sample
) -> None:
    before = len(forgiving.log())
    with forgiving.without("ReadDeliveries"):
        forgiving.deliver(main)
        reason = forgiving.wait_for("failed", before)[0]["reason"]
    assert main.key in reason
    assert "AccessDenied" in reason
    assert "s3:GetObject" in reason


def test_without_publishing_the_log_names_the_topic_and_the_refusal(
    forgiving: Deployment, samples: list[Sample]
) -> None:
    # Its signals are not in the archive yet, under this key's name or any other.
    found = sample(samples, "team logs")
    before = len(forgiving.log())
    # The emulator checks its own permission where AWS checks "PublishSignals".
    elsewhere = {"Resource": "arn:aws:sns:us-east-1:111122223333:elsewhere"}
    with forgiving.role_policy(ONLY_IN_THE_EMULATOR, lambda allowed: [allowed[0] | elsewhere]):
        forgiving.put(f"AWSLogs/{found.key}", found.body)
        reason = forgiving.wait_for("failed", before)[0]["reason"]
    assert forgiving.outputs["TopicArn"] in reason
    assert "AuthorizationError" in reason


def test_when_the_topic_is_gone_the_log_names_it(forgiving: Deployment, samples: list[Sample]) -> None:
    forgiving.forget_signals()
    before = len(forgiving.log())
    topic, sns = forgiving.outputs["TopicArn"], forgiving.client("sns")
    held = sns.get_topic_attributes(TopicArn=topic)["Attributes"]["Policy"]
    sns.delete_topic(TopicArn=topic)
    try:
        forgiving.deliver(sample(samples, "444455556666"))
        reason = forgiving.wait_for("failed", before)[0]["reason"]
    finally:
        sns.create_topic(Name=topic.rpartition(":")[2], Attributes={"Policy": held})
    assert topic in reason
    assert "NotFound" in reason


def test_without_keeping_signals_they_are_published_and_the_log_says_that_they_are_not_kept(
    forgiving: Deployment, samples: list[Sample]
) -> None:
    forgiving.forget_signals()
    listener = forgiving.subscribe()
    before = len(forgiving.log())
    with forgiving.without("KeepSignals"):
        forgiving.deliver(sample(samples, "444455556666"))
        reason = forgiving.wait_for("signals are published and not archived", before)[0]["reason"]
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
    iam, role = existing_bucket.client("iam"), existing_bucket.outputs["FunctionRoleArn"].rpartition("/")[2]
    whole = iam.get_role_policy(RoleName=role, PolicyName=ROLE_POLICY)["PolicyDocument"]
    assert {each["Sid"] for each in whole["Statement"]} == tried | untried


def test_a_topic_that_the_template_does_not_name_cannot_put_messages_into_the_queue(own_bucket: Deployment) -> None:
    sns, queue = own_bucket.client("sns"), own_bucket.outputs["QueueUrl"]
    topic = sns.create_topic(Name="intruder")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue_arn(own_bucket.client("sqs"), queue))
    own_bucket.settle()
    before = len(own_bucket.log())
    nothing = json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent"})
    sns.publish(TopicArn=topic, Message=nothing)
    own_bucket.send(nothing)
    own_bucket.wait_for("invocation finished", before)
    own_bucket.settle()
    assert [line["skipped"] for line in own_bucket.logged("invocation finished", since=before)] == [1]
