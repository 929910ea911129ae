"""Thousands of deliveries at once through the deployed stack, while the function is killed; then every signal is counted.

The function is killed fewer times than the queue lets a message be received, so that nothing but what is poisoned may end
in the dead-letter queue. What must arrive is worked out here, from the records alone.
"""

import argparse
import contextlib
import gzip
import hashlib
import json
import os
import random
import signal
import threading
import time
import uuid
import zlib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from emulator import Emulator, ministack, run
from stack import Subscriber, deploy, waiting

RULE_ID = "1251b98a-ff45-11ee-89a1-f661ea17fbce"
ACCOUNT = "111122223333"
KILLS = 4
VISIBILITY_SECONDS = 15
PATIENCE_SECONDS = 900
UPLOADS_AT_ONCE = 16


@dataclass
class Plan:
    """What is uploaded, and what must come of it."""

    objects: dict[str, bytes] = field(default_factory=dict)
    expected: set[str] = field(default_factory=set)
    poisoned: set[str] = field(default_factory=set)


def plan(deliveries: int, seed: int) -> Plan:
    """Make deliveries of 1 to 40 records; a few match, one in five repeats an event, one in a hundred is poisoned."""
    chance = random.Random(seed)
    made, matches = Plan(), []
    for number in range(deliveries):
        records = [record(chance, matching=False) for _ in range(chance.randint(1, 40))]
        if chance.random() < 0.5:
            matches.append(record(chance, matching=True))
            records.insert(chance.randint(0, len(records)), matches[-1])
        if matches and chance.random() < 0.2:
            # A second trail into the same bucket repeats events.
            records.append(chance.choice(matches))
        body = gzip.compress(json.dumps({"Records": records}, separators=(",", ":")).encode(), mtime=0)
        name = f"{ACCOUNT}_CloudTrail_us-east-1_20261123T1000Z_{number:016d}.json.gz"
        key = f"AWSLogs/{ACCOUNT}/CloudTrail/us-east-1/2026/11/23/{name}"
        if number % 100 == 50:
            made.poisoned.add(key)
            body = body[: len(body) // 2]
        made.objects[key] = body
    # A match whose every delivery is poisoned may or may not stand before the cut.
    for key, body in made.objects.items():
        if key not in made.poisoned:
            records = json.loads(gzip.decompress(body))["Records"]
            made.expected |= {signal_id(item) for item in records if item["eventName"].startswith("CreateFunction")}
    return made


def record(chance: random.Random, matching: bool) -> dict[str, str]:
    """Make a record as CloudTrail writes it, shortened."""
    return {
        "eventVersion": "1.11",
        "eventTime": "2026-11-23T10:00:00Z",
        "eventSource": "lambda.amazonaws.com",
        "eventName": "CreateFunction20150331" if matching else "ListFunctions20150331",
        "eventID": str(uuid.UUID(int=chance.getrandbits(128), version=4)),
        "awsRegion": "us-east-1",
        "recipientAccountId": ACCOUNT,
    }


def signal_id(item: dict[str, str]) -> str:
    """Return the id of the signal of a record."""
    return hashlib.sha256(f"{RULE_ID}/{item['recipientAccountId']}/{item['eventID']}".encode()).hexdigest()


def upload(emulator: Emulator, bucket: str, objects: dict[str, bytes]) -> None:
    """Upload everything as fast as it goes."""
    s3 = emulator.client("s3")
    with ThreadPoolExecutor(UPLOADS_AT_ONCE) as pool:
        list(pool.map(lambda item: s3.put_object(Bucket=bucket, Key=item[0], Body=item[1]), objects.items()))


def functions() -> list[int]:
    """Return the processes of this user that run a function: the emulator starts them by this name."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            command = (process / "cmdline").read_bytes().split(b"\0")[0]
            if process.stat().st_uid == os.getuid() and command.endswith(b"/bootstrap"):
                found.append(int(process.name))
    return found


def kill_at_work(times: int, stop: threading.Event) -> int:
    """Kill every running copy of the function, so many times, while there is work; return how many processes died."""
    died = 0
    for _ in range(times):
        if stop.wait(3):
            break
        for process in functions():
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
                died += 1
    return died


def collect(emulator: Emulator, outputs: dict[str, str], subscriber: Subscriber, wanted: int) -> Counter[str]:
    """Receive signals until the queue is empty and everything wanted has come, or patience ends."""
    received: Counter[str] = Counter()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        batch = subscriber.receive()
        received.update(item.signal["kibana"]["alert"]["uuid"] for item in batch)
        if not batch and len(received) >= wanted and waiting(emulator, outputs["QueueUrl"]) == 0:
            break
    received.update(item.signal["kibana"]["alert"]["uuid"] for item in subscriber.drain())
    return received


def dead_letters(emulator: Emulator, url: str) -> list[str]:
    """Return the keys that the messages in the dead-letter queue name."""
    sqs, keys = emulator.client("sqs"), []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            keys += [item["s3"]["object"]["key"] for item in json.loads(message["Body"])["Records"]]
    return keys


def soak(emulator: Emulator, deliveries: int, seed: int) -> int:
    """Upload, kill, count; return the exit code."""
    made = plan(deliveries, seed)
    outputs = deploy(emulator, "soak", LearningDays="0")
    visible = {"VisibilityTimeout": str(VISIBILITY_SECONDS)}
    emulator.client("sqs").set_queue_attributes(QueueUrl=outputs["QueueUrl"], Attributes=visible)
    subscriber = Subscriber(emulator, outputs["TopicArn"])

    started, stop = time.monotonic(), threading.Event()
    with ThreadPoolExecutor(2) as pool:
        killed = pool.submit(kill_at_work, KILLS, stop)
        uploaded = pool.submit(upload, emulator, outputs["BucketName"], made.objects)
        received = collect(emulator, outputs, subscriber, len(made.expected))
        uploaded.result()
        stop.set()
    seconds = time.monotonic() - started

    missing, lost = made.expected - received.keys(), dead_letters(emulator, outputs["DeadLetterQueueUrl"])
    extra = {item for item in received.keys() - made.expected if item not in may_be_before_the_cut(made)}
    again = sum(received.values()) - len(received)
    print(f"{deliveries} deliveries, {len(made.poisoned)} of them poisoned, in {seconds:.0f} s, seed {seed}")
    print(f"{killed.result()} processes killed in {KILLS} rounds")
    print(
        f"{len(made.expected)} signals expected: {len(missing)} missing, {len(extra)} unexpected, {again} published again"
    )
    print(f"{len(lost)} messages in the dead-letter queue, {len(made.poisoned)} expected")
    good = not missing and not extra and sorted(lost) == sorted(made.poisoned) and killed.result() > 0
    print("passed" if good else "FAILED")
    return 0 if good else 1


def may_be_before_the_cut(made: Plan) -> set[str]:
    """Return the ids of matches that can be read in a poisoned delivery before the place where it is cut."""
    ids = set()
    for key in made.poisoned:
        text = zlib.decompressobj(31).decompress(made.objects[key]).decode(errors="ignore")
        for part in text.split('{"eventVersion"')[1:]:
            with contextlib.suppress(ValueError):
                item, _ = json.JSONDecoder().raw_decode('{"eventVersion"' + part)
                ids |= {signal_id(item)} if item["eventName"].startswith("CreateFunction") else set()
    return ids


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--deliveries", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with ministack() as emulator:
        return soak(emulator, arguments.deliveries, arguments.seed)


if __name__ == "__main__":
    run(main)
