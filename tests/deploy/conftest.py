"""One emulator for all deployment tests, with the template deployed in both of its modes."""

import json
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from emulator import ROOT, Emulator, ministack, wait_until
from jsonschema import Draft202012Validator
from stack import Received, Subscriber, deploy, sample_deliveries, waiting

PATIENCE_SECONDS = 60


@dataclass(frozen=True)
class Deployment:
    """A deployed stack."""

    emulator: Emulator
    outputs: dict[str, str]

    def put(self, key: str, body: bytes) -> None:
        """Write an object to the trail bucket, as CloudTrail does."""
        self.emulator.client("s3").put_object(Bucket=self.outputs["BucketName"], Key=key, Body=body)

    def settle(self) -> None:
        """Return when every message in the queue has been worked off, or has gone to the dead-letter queue."""
        wait_until(lambda: waiting(self.emulator, self.outputs["QueueUrl"]) == 0, PATIENCE_SECONDS, "an empty queue")

    def dead_letters(self) -> int:
        """Return how many messages the dead-letter queue holds."""
        return waiting(self.emulator, self.outputs["DeadLetterQueueUrl"])

    def subscribe(self) -> "Listener":
        """Subscribe to the topic, from now on."""
        self.settle()
        return Listener(self)


class Listener:
    """A subscriber that waits for what a test expects and then for what it does not."""

    def __init__(self, deployment: Deployment) -> None:
        """Subscribe to the deployment's topic."""
        self._deployment = deployment
        self._subscriber = Subscriber(deployment.emulator, deployment.outputs["TopicArn"])

    def collect(self, at_least: int) -> list[Received]:
        """Return every signal published until the queue is empty, waiting for ``at_least`` so many."""
        received: list[Received] = []
        deadline = time.monotonic() + PATIENCE_SECONDS
        while len(received) < at_least and time.monotonic() < deadline:
            received += self._subscriber.receive()
        self._deployment.settle()
        return received + list(self._subscriber.drain())


@pytest.fixture(scope="session")
def emulator(request: pytest.FixtureRequest) -> Iterator[Emulator]:
    """Return a running MiniStack; print its log, which holds the function's, when a test has failed."""
    with ministack() as running:
        yield running
        if request.session.testsfailed:
            print(running.log.read_text(errors="replace"))


@pytest.fixture(scope="session")
def own_bucket(emulator: Emulator) -> Deployment:
    """Return the stack as it is deployed without parameters: with a bucket that notifies the queue."""
    return Deployment(emulator, deploy(emulator, "own-bucket"))


@pytest.fixture(scope="session")
def existing_bucket(emulator: Emulator) -> Deployment:
    """Return the stack deployed beside a bucket that exists and sends its events to EventBridge."""
    s3 = emulator.client("s3")
    s3.create_bucket(Bucket="existing-trail-bucket")
    s3.put_bucket_notification_configuration(
        Bucket="existing-trail-bucket", NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    return Deployment(
        emulator,
        deploy(emulator, "existing-bucket", TrailBucketName="existing-trail-bucket", TrailPrefix="AWSLogs/"),
    )


@pytest.fixture(scope="session")
def deliveries() -> dict[str, bytes]:
    """Return the sample deliveries by object key."""
    return {key: file.read_bytes() for key, file in sample_deliveries().items()}


@pytest.fixture(scope="session")
def scanned() -> dict[str, list[str]]:
    """Return the signal ids that ``scan`` prints for each sample delivery, by object key."""
    scan = ROOT / "target/debug/examples/scan"
    ids = {}
    for key, file in sample_deliveries().items():
        printed = subprocess.run([scan, file], stdout=subprocess.PIPE, text=True, check=True).stdout
        ids[key] = [json.loads(line)["kibana"]["alert"]["uuid"] for line in printed.splitlines()]
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
