"""The template deployed to an emulator, the sample deliveries, and a subscriber that shows what comes out."""

import argparse
import json
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from botocore.client import BaseClient
from emulator import ROOT, Emulator
from parameters import write

DELIVERIES = ROOT / "events" / "deliveries"
COMMAND_SECONDS = 900
# The policy of the function's role that AWS does not need.
ONLY_IN_THE_EMULATOR = "what-only-the-emulator-asks-for"


def sample_deliveries() -> dict[str, Path]:
    """Return the sample deliveries by object key, which is their path below ``events/deliveries``."""
    files = sorted(DELIVERIES.rglob("*.json.gz"))
    return {file.relative_to(DELIVERIES).as_posix(): file for file in files}


def upload_samples(emulator: Emulator, bucket: str) -> None:
    s3 = emulator.client("s3")
    for key, file in sample_deliveries().items():
        s3.put_object(Bucket=bucket, Key=key, Body=file.read_bytes())
        print(f"delivered s3://{bucket}/{key} ({file.stat().st_size:,} bytes)")


def deploy(emulator: Emulator, name: str, **parameters: str) -> dict[str, str]:
    """Deploy what ``sam build`` left, as a user would to AWS, and return the stack's outputs."""
    command = ["sam", "deploy", "--stack-name", name, "--no-confirm-changeset", "--no-progressbar"]
    with tempfile.TemporaryDirectory(prefix="parameters-") as folder:
        if parameters:
            file = Path(folder, "parameters.yaml")
            write(file, parameters)
            command += ["--parameter-overrides", f"file://{file}"]
        code, printed = answered(emulator, command)
    if code != 0:
        raise RuntimeError(f"sam deploy failed:\n{printed}")
    found = outputs(emulator.client("cloudformation"), name)
    mend(emulator, found)
    return found


def answered(
    emulator: Emulator, command: list[str], answers: str = "", folder: Path = ROOT, **environment: str
) -> tuple[int, str]:
    """Run a command with these answers typed in; return its exit code, and everything it printed."""
    kept = {key: value for key, value in emulator.environment.items() if key not in ("MAKEFLAGS", "MAKELEVEL")}
    both = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "timeout": COMMAND_SECONDS, "text": True}
    done = subprocess.run(command, cwd=folder, env=kept | environment, input=answers, check=False, **both)
    return done.returncode, done.stdout


def mend(emulator: Emulator, found: dict[str, str]) -> None:
    """Give the stack with these outputs what only the emulator requires, and AWS does not.

    The emulator passes the mapping's limit on as text and then cannot compare it, and it checks a permission
    ``sns:PublishBatch`` (for AWS, ``sns:Publish`` is enough).
    """
    topics = [found[name] for name in ("TopicArn", "NoticeTopicArn") if name in found]
    allow = {"Effect": "Allow", "Action": "sns:PublishBatch", "Resource": topics}
    emulator.client("iam").put_role_policy(
        RoleName=found["FunctionRoleArn"].rpartition("/")[2],
        PolicyName=ONLY_IN_THE_EMULATOR,
        PolicyDocument=policy(allow),
    )
    # Last, since it lets the function start.
    functions = emulator.client("lambda")
    for mapping in functions.list_event_source_mappings(FunctionName=found["FunctionName"])["EventSourceMappings"]:
        scaling = {"MaximumConcurrency": int(mapping["ScalingConfig"]["MaximumConcurrency"])}
        functions.update_event_source_mapping(UUID=mapping["UUID"], ScalingConfig=scaling)


def named(description: str | None) -> str:
    """Return the one argument of a command line, the name of a stack."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stack", help="the deployed stack")
    return parser.parse_args().stack


def outputs(cloudformation: BaseClient, name: str) -> dict[str, str]:
    return outputs_of(cloudformation.describe_stacks(StackName=name)["Stacks"][0])


def outputs_of(stack: Mapping[str, Any]) -> dict[str, str]:
    """Return the outputs of a stack that was described."""
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}


def every(client: BaseClient, operation: str, part: str, **which: Any) -> Iterator[dict[str, Any]]:
    """Yield the items of this part of every page of an operation's answer; ``which`` is what the operation takes."""
    return client.get_paginator(operation).paginate(**which).search(f"{part} || `[]`")


def log_lines(logs: BaseClient, group: str, **which: Any) -> list[dict[str, Any]]:
    """Return the JSON lines of a log group, newest last; ``which`` is what FilterLogEvents takes."""
    events = every(logs, "filter_log_events", "events", logGroupName=group, **which)
    texts = (event["message"].strip() for event in sorted(events, key=lambda event: event["timestamp"]))
    return [json.loads(text) for text in texts if text.startswith("{")]


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def allowed(service: str, action: str, resource: str, source: str) -> dict[str, Any]:
    """Return the statement that lets a service do something for a source of its own."""
    principal, condition = {"Service": f"{service}.amazonaws.com"}, {"ArnEquals": {"aws:SourceArn": source}}
    return {"Effect": "Allow", "Principal": principal, "Action": action, "Resource": resource, "Condition": condition}


def queue_arn(sqs: BaseClient, url: str) -> str:
    return sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def taken(sqs: BaseClient, url: str, **how: Any) -> list[dict[str, Any]]:
    """Take up to ten messages out of a queue; ``how`` is what ReceiveMessage takes."""
    messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, **how).get("Messages", [])
    for message in messages:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return messages


def all_taken(sqs: BaseClient, url: str) -> Iterator[dict[str, Any]]:
    """Take messages out of a queue until it shows none."""
    while messages := taken(sqs, url):
        yield from messages


@dataclass(frozen=True)
class Received:
    """A message that reached a subscriber of the topic."""

    signal: dict[str, Any]
    attributes: dict[str, str]
    at: float = field(default_factory=time.monotonic)


class Subscription:
    """A new queue that is subscribed to a topic."""

    attributes: Mapping[str, str] = {}

    def __init__(self, emulator: Emulator, topic_arn: str, **attributes: str) -> None:
        """Subscribe with attributes of the subscription, such as a filter policy."""
        self._emulator, self._sqs = emulator, emulator.client("sqs")
        self._url = self._sqs.create_queue(QueueName=f"subscriber-{uuid.uuid4()}")["QueueUrl"]
        arn = queue_arn(self._sqs, self._url)
        allow = policy(allowed("sns", "sqs:SendMessage", arn, topic_arn))
        self._sqs.set_queue_attributes(QueueUrl=self._url, Attributes={"Policy": allow})
        emulator.client("sns").subscribe(
            TopicArn=topic_arn, Protocol="sqs", Endpoint=arn, Attributes={**self.attributes, **attributes}
        )

    def messages(self) -> list[dict[str, Any]]:
        """Take what is there, waiting up to a second for the first message."""
        return taken(self._sqs, self._url, WaitTimeSeconds=1, MessageAttributeNames=["All"])


class Subscriber(Subscription):
    """A queue with raw delivery, so that a message is the signal and keeps its attributes."""

    attributes: Mapping[str, str] = {"RawMessageDelivery": "true"}

    def receive(self) -> list[Received]:
        """Take what is there, waiting up to a second for the first signal."""
        received = []
        for message in self.messages():
            attributes = {name: value["StringValue"] for name, value in message.get("MessageAttributes", {}).items()}
            received.append(Received(json.loads(message["Body"]), attributes))
        return received

    def drain(self) -> Iterator[Received]:
        while batch := self.receive():
            yield from batch

    def collect(self, queue_url: str, at_least: int, seconds: float) -> Iterator[Received]:
        """Yield signals until there are this many and the delivery queue is empty, or time runs out."""
        seen: set[str] = set()
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            # Signals are published before their delivery leaves the queue.
            is_empty = waiting(self._emulator, queue_url) == 0
            batch = self.receive()
            yield from batch
            seen |= {received.attributes["signal_id"] for received in batch}
            if is_empty and not batch and len(seen) >= at_least:
                return


class Mailbox(Subscription):
    """A subscriber of a topic of notices.

    No mail leaves the emulator: this is a queue, which gets the text for "default", and that is the mail's.
    """

    def receive(self) -> list[dict[str, str]]:
        """Take the mails that are there, each with its ``Subject`` and ``Message``."""
        return [json.loads(message["Body"]) for message in self.messages()]


def waiting(emulator: Emulator, queue_url: str) -> int:
    """Return how many messages a queue holds, those being worked on included."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    answer = emulator.client("sqs").get_queue_attributes(QueueUrl=queue_url, AttributeNames=names)
    return sum(int(answer["Attributes"][name]) for name in names)


def readable(received: Received) -> str:
    """Return a signal as a few lines for a person."""
    alert = received.signal["kibana"]["alert"]
    attributes = "\n".join(f"    {name} = {value}" for name, value in sorted(received.attributes.items()))
    return (
        f"  {received.signal['message']}\n"
        f"  {alert['severity']} ({alert['risk_score']}): {alert['rule']['name']}\n"
        f"  id {alert['uuid']}\n"
        f"  message attributes\n{attributes}"
    )
