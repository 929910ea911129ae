"""One emulator for all deployment tests, with IAM enforced and the template deployed in each of its modes."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import pytest
from botocore.client import BaseClient
from emulator import ROOT, SCAN, Emulator, ministack, wait_until
from jsonschema import Draft202012Validator
from stack import (
    Received,
    Subscriber,
    all_taken,
    allowed,
    answered,
    deploy,
    every,
    log_lines,
    mend,
    outputs,
    policy,
    sample_deliveries,
    waiting,
)

PATIENCE_SECONDS = 60
ROLE_POLICY = "read-deliveries-publish-signals"


@dataclass(frozen=True)
class Sample:
    """A sample delivery, and how often it has each building block that ``cloudtrail-scan`` prints for it, by id.

    The rule on building blocks only learns in a new stack.
    """

    key: str
    body: bytes
    ids: Counter[str]


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

    def client(self, service: str) -> BaseClient:
        return self.emulator.client(service)

    def put(self, key: str, body: bytes) -> None:
        """Write an object to the trail bucket, as CloudTrail does."""
        self.client("s3").put_object(Bucket=self.outputs["BucketName"], Key=key, Body=body)

    def deliver(self, *samples: Sample) -> None:
        for sample in samples:
            self.put(sample.key, sample.body)

    def send(self, body: str) -> None:
        self.client("sqs").send_message(QueueUrl=self.outputs["QueueUrl"], MessageBody=body)

    def settle(self) -> None:
        """Return when every message in the queue has been worked off, or has gone to the dead-letter queue."""
        wait_until(lambda: waiting(self.emulator, self.outputs["QueueUrl"]) == 0, PATIENCE_SECONDS, "an empty queue")

    def dead_letters(self) -> int:
        return waiting(self.emulator, self.outputs["DeadLetterQueueUrl"])

    def wait_for_dead_letter(self) -> None:
        """Return when the dead-letter queue holds one message."""
        wait_until(lambda: self.dead_letters() == 1, PATIENCE_SECONDS, "the arrival of a dead letter")

    def take_dead_letters(self) -> list[str]:
        """Return the bodies of the dead letters, and leave none."""
        return [each["Body"] for each in all_taken(self.client("sqs"), self.outputs["DeadLetterQueueUrl"])]

    def forget_signals(self) -> None:
        """Make the archive forget every signal."""
        s3, archive = self.client("s3"), self.outputs["ArchiveBucketName"]
        for item in every(s3, "list_objects_v2", "Contents", Bucket=archive, Prefix="signals/"):
            s3.delete_object(Bucket=archive, Key=item["Key"])

    def subscribe(self, **attributes: str) -> "Listener":
        """Subscribe to the topic, from now on, with attributes of the subscription such as a filter policy."""
        self.settle()
        return Listener(self, Subscriber(self.emulator, self.outputs["TopicArn"], **attributes))

    def log(self) -> list[dict[str, Any]]:
        """Return every JSON line the function has logged, in order."""
        return log_lines(self.client("logs"), self.outputs["LogGroupName"])

    def logged(self, message: str, since: int = 0) -> list[dict[str, Any]]:
        """Return the lines with this message, leaving out the first ``since`` lines of the log."""
        return [line for line in self.log()[since:] if line.get("message") == message]

    def wait_for(self, message: str, since: int = 0) -> list[dict[str, Any]]:
        """Return the lines with this message as soon as there are some."""
        return wait_until(lambda: self.logged(message, since), PATIENCE_SECONDS, f"a log line {message!r}")

    def run(self, tool: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a program of tools/ on this stack as a user would on one in AWS."""
        command = [sys.executable, ROOT / "tools" / tool, self.name, *arguments]
        return subprocess.run(command, env=self.emulator.environment, capture_output=True, text=True, check=False)

    @contextmanager
    def quick_retries(self) -> Iterator[None]:
        """Let a failed message come back after a second; the template's six minutes, five times, are half an hour."""
        sqs, url = self.client("sqs"), self.outputs["QueueUrl"]
        before = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])["Attributes"]
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "1"})
        try:
            yield
        finally:
            sqs.set_queue_attributes(QueueUrl=url, Attributes=before)

    @contextmanager
    def role_policy(self, name: str, change: Callable[[list[dict]], list[dict]]) -> Iterator[None]:
        """Change the statements of one policy of the function's role for as long as the block lasts."""
        iam = self.client("iam")
        held = {"RoleName": self.outputs["FunctionRoleArn"].rpartition("/")[2], "PolicyName": name}
        whole = iam.get_role_policy(**held)["PolicyDocument"]
        iam.put_role_policy(**held, PolicyDocument=policy(*change(whole["Statement"])))
        try:
            yield
        finally:
            iam.put_role_policy(**held, PolicyDocument=json.dumps(whole))

    def without(self, sid: str) -> AbstractContextManager[None]:
        """Take one statement out of what the function's role allows for as long as the block lasts."""
        return self.role_policy(ROLE_POLICY, lambda statements: [each for each in statements if each["Sid"] != sid])


@dataclass(frozen=True)
class Listener:
    """A subscriber that waits for what a test expects and then for what it does not."""

    deployment: Deployment
    subscriber: Subscriber

    def collect(self, at_least: int = 0) -> list[Received]:
        """Return every signal published until the queue is empty, waiting for ``at_least`` this many."""
        received = list(self.subscriber.collect(self.deployment.outputs["QueueUrl"], at_least, PATIENCE_SECONDS))
        self.deployment.settle()
        return received

    def collect_ids(self, at_least: int = 0) -> Counter[str]:
        """Return how often each id was published, as ``collect`` does."""
        return ids(self.collect(at_least))


def ids(received: Iterable[Received]) -> Counter[str]:
    return Counter(message.attributes["signal_id"] for message in received)


def bucket_with_events(emulator: Emulator, name: str) -> None:
    s3 = emulator.client("s3")
    s3.create_bucket(Bucket=name)
    s3.put_bucket_notification_configuration(Bucket=name, NotificationConfiguration={"EventBridgeConfiguration": {}})


def deployed(emulator: Emulator, name: str, **parameters: str) -> Deployment:
    return Deployment(emulator, name, deploy(emulator, name, **parameters))


def make_deploy(emulator: Emulator, name: str, *arguments: str) -> str:
    """Run ``make deploy`` as a user does, except that nothing is compiled again; answer yes; return what it printed."""
    code, printed = answered(emulator, ["make", "--old-file=package", "deploy", f"STACK={name}", *arguments], "y\n")
    assert code == 0, printed
    mend(emulator, outputs(emulator.client("cloudformation"), name))
    return printed


def create_stack(cloudformation: BaseClient, name: str, template: str, parameters: dict[str, str]) -> None:
    """Begin to make a stack of a template that needs no sam."""
    given = [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()]
    capabilities = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
    cloudformation.create_stack(StackName=name, TemplateBody=template, Parameters=given, Capabilities=capabilities)


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
    bucket_with_events(emulator, "existing-trail-bucket")
    parameters = {"TrailPrefix": "AWSLogs/", "RealTime": "true", "ArchiveSignals": "true"}
    return deployed(emulator, "existing-bucket", TrailBucketName="existing-trail-bucket", **parameters)


@pytest.fixture(scope="session")
def existing_topic(emulator: Emulator) -> Deployment:
    """Return the stack behind a topic, with a FIFO topic, a key of its own for both, and alarms by mail."""
    bucket, sns = "notifying-trail-bucket", emulator.client("sns")
    topic = sns.create_topic(Name="deliveries")["TopicArn"]
    allow = policy(allowed("s3", "sns:Publish", topic, f"arn:aws:s3:::{bucket}"))
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=allow)
    s3 = emulator.client("s3")
    s3.create_bucket(Bucket=bucket)
    announced = {"Key": {"FilterRules": [{"Name": "prefix", "Value": "announced-by-s3/"}]}}
    told = {"TopicArn": topic, "Events": ["s3:ObjectCreated:*"], "Filter": announced}
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={"TopicConfigurations": [told]})
    key = emulator.client("kms").create_key()["KeyMetadata"]["Arn"]
    parameters = {"FifoTopic": "true", "SignalKmsKeyArn": key, "AlarmEmail": "security@example.com"}
    stack = deployed(emulator, "existing-topic", TrailBucketName=bucket, DeliveryTopicArn=topic, **parameters)
    # Recreated as the FIFO topic that its name says it is: the emulator's CloudFormation ignores that.
    signals = stack.outputs["TopicArn"]
    held = sns.get_topic_attributes(TopicArn=signals)["Attributes"]["Policy"]
    sns.delete_topic(TopicArn=signals)
    sns.create_topic(Name=signals.rpartition(":")[2], Attributes={"FifoTopic": "true", "Policy": held})
    return stack


@pytest.fixture(scope="session")
def samples() -> list[Sample]:
    return [Sample(key, file.read_bytes(), scanned(file)) for key, file in sample_deliveries().items()]


def scanned(file: Path) -> Counter[str]:
    """Return the ids of the building blocks that ``cloudtrail-scan`` prints for a delivery."""
    printed = subprocess.check_output([SCAN, file], text=True)
    alerts = [json.loads(line)["kibana"]["alert"] for line in printed.splitlines()]
    return Counter(alert["uuid"] for alert in alerts if "building_block_type" in alert)


def sample(samples: list[Sample], part: str) -> Sample:
    """Return the one sample delivery that has this part in its key."""
    (found,) = (each for each in samples if part in each.key)
    return found


@pytest.fixture(scope="session")
def main(samples: list[Sample]) -> Sample:
    return max(samples, key=lambda each: each.ids.total())


@pytest.fixture(scope="session")
def schema() -> Draft202012Validator:
    document = json.loads((ROOT / "docs/signal.schema.json").read_text())
    Draft202012Validator.check_schema(document)
    return Draft202012Validator(document, format_checker=Draft202012Validator.FORMAT_CHECKER)
