"""One emulator for all deployment tests, with IAM enforced and the template deployed in each of its modes."""

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import pytest
from emulator import ROOT, Emulator, ministack, wait_until
from jsonschema import Draft202012Validator
from stack import Received, Subscriber, deploy, log_lines, mend, outputs, sample_deliveries, taken, waiting

PATIENCE_SECONDS = 60
COMMAND_SECONDS = 900


@dataclass(frozen=True)
class Deployment:
    """A deployed stack."""

    emulator: Emulator
    name: str
    outputs: dict[str, str]

    @classmethod
    def of(cls, emulator: Emulator, name: str) -> Self:
        """Return a stack that somebody else has deployed."""
        return cls(emulator, name, outputs(emulator.client("cloudformation"), name))

    def put(self, key: str, body: bytes) -> None:
        """Write an object to the trail bucket, as CloudTrail does."""
        self.emulator.client("s3").put_object(Bucket=self.outputs["BucketName"], Key=key, Body=body)

    def send(self, body: str) -> None:
        """Put a message into the queue."""
        self.emulator.client("sqs").send_message(QueueUrl=self.outputs["QueueUrl"], MessageBody=body)

    def settle(self) -> None:
        """Return when every message in the queue has been worked off, or has gone to the dead-letter queue."""
        wait_until(lambda: waiting(self.emulator, self.outputs["QueueUrl"]) == 0, PATIENCE_SECONDS, "an empty queue")

    def dead_letters(self) -> int:
        """Return how many messages the dead-letter queue holds."""
        return waiting(self.emulator, self.outputs["DeadLetterQueueUrl"])

    def take_dead_letters(self) -> list[str]:
        """Return the bodies of the dead letters, and leave none."""
        sqs, url = self.emulator.client("sqs"), self.outputs["DeadLetterQueueUrl"]
        bodies = []
        while messages := taken(sqs, url):
            bodies += [message["Body"] for message in messages]
        return bodies

    def forget_signals(self) -> None:
        """Make the archive forget every signal."""
        s3, archive = self.emulator.client("s3"), self.outputs["ArchiveBucketName"]
        for item in s3.list_objects_v2(Bucket=archive, Prefix="signals/").get("Contents", []):
            s3.delete_object(Bucket=archive, Key=item["Key"])

    def subscribe(self, **attributes: str) -> "Listener":
        """Subscribe to the topic, from now on, with attributes of the subscription such as a filter policy."""
        self.settle()
        return Listener(self, attributes)

    def log(self) -> list[dict[str, Any]]:
        """Return every JSON line the function has logged, in order."""
        return log_lines(self.emulator.client("logs"), self.outputs["LogGroupName"])

    def logged(self, message: str, since: int = 0) -> list[dict[str, Any]]:
        """Return the lines with this message, leaving out the first ``since`` lines of the log."""
        return [line for line in self.log()[since:] if line.get("message") == message]

    @contextmanager
    def quick_retries(self) -> Iterator[None]:
        """Let a failed message come back after a second; the template's six minutes, five times, are half an hour."""
        sqs, url = self.emulator.client("sqs"), self.outputs["QueueUrl"]
        before = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])["Attributes"]
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "1"})
        try:
            yield
        finally:
            sqs.set_queue_attributes(QueueUrl=url, Attributes=before)


class Listener:
    """A subscriber that waits for what a test expects and then for what it does not."""

    def __init__(self, deployment: Deployment, attributes: dict[str, str]) -> None:
        """Subscribe to the deployment's topic."""
        self._deployment = deployment
        self._subscriber = Subscriber(deployment.emulator, deployment.outputs["TopicArn"], attributes)

    def collect(self, at_least: int) -> list[Received]:
        """Return every signal published until the queue is empty, waiting for ``at_least`` so many."""
        received: list[Received] = []
        deadline = time.monotonic() + PATIENCE_SECONDS
        while len(received) < at_least and time.monotonic() < deadline:
            received += self._subscriber.receive()
        self._deployment.settle()
        return received + list(self._subscriber.drain())


def deployed(emulator: Emulator, name: str, **parameters: str) -> Deployment:
    """Deploy the template."""
    return Deployment(emulator, name, deploy(emulator, name, **parameters))


def answered(
    emulator: Emulator, command: list[str], answers: str, folder: Path = ROOT, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run a command as somebody who gives these answers does, with all that it prints in one text."""
    kept = {key: value for key, value in emulator.environment.items() if key not in ("MAKEFLAGS", "MAKELEVEL")}
    return subprocess.run(
        command,
        cwd=folder,
        env=kept | {"SAM_CLI_POLL_DELAY": "0.2"} | environment,
        input=answers,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=COMMAND_SECONDS,
        check=False,
    )


def make_deploy(emulator: Emulator, name: str, *arguments: str) -> str:
    """Run ``make deploy`` as a user does, except that nothing is compiled again; answer yes; return what it printed."""
    done = answered(emulator, ["make", "--old-file=package", "deploy", f"STACK={name}", *arguments], "y\n")
    assert done.returncode == 0, done.stdout
    mend(emulator, outputs(emulator.client("cloudformation"), name))
    return done.stdout


@pytest.fixture(scope="session")
def emulator(request: pytest.FixtureRequest) -> Iterator[Emulator]:
    """Return a running MiniStack; print its log, which holds the function's, when a test has failed."""
    with ministack(enforcing=True) as running:
        yield running
        if request.session.testsfailed:
            print(running.log.read_text(errors="replace"))


@pytest.fixture(scope="session")
def own_bucket(emulator: Emulator) -> Deployment:
    """Return the stack as it is deployed without parameters: with a bucket that notifies the queue."""
    return deployed(emulator, "own-bucket")


@pytest.fixture(scope="session")
def existing_bucket(emulator: Emulator) -> Deployment:
    """Return the stack beside a bucket that sends its events to EventBridge, with the real-time path and an archive."""
    s3 = emulator.client("s3")
    s3.create_bucket(Bucket="existing-trail-bucket")
    s3.put_bucket_notification_configuration(
        Bucket="existing-trail-bucket", NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    return deployed(
        emulator,
        "existing-bucket",
        TrailBucketName="existing-trail-bucket",
        TrailPrefix="AWSLogs/",
        RealTime="true",
        ArchiveSignals="true",
    )


@pytest.fixture(scope="session")
def existing_topic(emulator: Emulator) -> Deployment:
    """Return the stack behind a topic, with a FIFO topic, a key of its own for both, and alarms by mail."""
    bucket = "notifying-trail-bucket"
    topic = emulator.client("sns").create_topic(Name="deliveries")["TopicArn"]
    allow = {
        "Effect": "Allow",
        "Principal": {"Service": "s3.amazonaws.com"},
        "Action": "sns:Publish",
        "Resource": topic,
        "Condition": {"ArnEquals": {"aws:SourceArn": f"arn:aws:s3:::{bucket}"}},
    }
    emulator.client("sns").set_topic_attributes(
        TopicArn=topic,
        AttributeName="Policy",
        AttributeValue=json.dumps({"Version": "2012-10-17", "Statement": [allow]}),
    )
    s3 = emulator.client("s3")
    s3.create_bucket(Bucket=bucket)
    s3.put_bucket_notification_configuration(
        Bucket=bucket,
        NotificationConfiguration={
            "TopicConfigurations": [
                {
                    "TopicArn": topic,
                    "Events": ["s3:ObjectCreated:*"],
                    "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": "announced-by-s3/"}]}},
                }
            ]
        },
    )
    key = emulator.client("kms").create_key()["KeyMetadata"]["Arn"]
    stack = deployed(
        emulator,
        "existing-topic",
        TrailBucketName=bucket,
        DeliveryTopicArn=topic,
        FifoTopic="true",
        SignalKmsKeyArn=key,
        AlarmEmail="security@example.com",
    )
    make_fifo(emulator, stack.outputs["TopicArn"])
    return stack


def make_fifo(emulator: Emulator, topic: str) -> None:
    """Make a topic again as the FIFO topic that its name says it is: the emulator's CloudFormation leaves that out."""
    sns = emulator.client("sns")
    policy = sns.get_topic_attributes(TopicArn=topic)["Attributes"]["Policy"]
    sns.delete_topic(TopicArn=topic)
    sns.create_topic(Name=topic.rpartition(":")[2], Attributes={"FifoTopic": "true", "Policy": policy})


@pytest.fixture(scope="session")
def deliveries() -> dict[str, bytes]:
    """Return the sample deliveries by object key."""
    return {key: file.read_bytes() for key, file in sample_deliveries().items()}


@pytest.fixture(scope="session")
def scanned() -> dict[str, list[str]]:
    """Return the ids of the building blocks that ``scan`` prints for each sample delivery, by object key.

    The rule on them only learns in a new stack.
    """
    scan = ROOT / "target/debug/cloudtrail-scan"
    ids = {}
    for key, file in sample_deliveries().items():
        printed = subprocess.run([scan, file], stdout=subprocess.PIPE, text=True, check=True).stdout
        alerts = [json.loads(line)["kibana"]["alert"] for line in printed.splitlines()]
        ids[key] = [alert["uuid"] for alert in alerts if "building_block_type" in alert]
    return ids


@pytest.fixture(scope="session")
def main_delivery(scanned: dict[str, list[str]]) -> str:
    """Return the key of the sample delivery with the most signals in it."""
    return max(scanned, key=lambda key: len(scanned[key]))


@pytest.fixture(scope="session")
def schema() -> Draft202012Validator:
    """Return the published schema of a signal."""
    document: dict[str, Any] = json.loads((ROOT / "docs/signal.schema.json").read_text())
    Draft202012Validator.check_schema(document)
    return Draft202012Validator(document, format_checker=Draft202012Validator.FORMAT_CHECKER)
