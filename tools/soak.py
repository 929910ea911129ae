"""Thousands of deliveries at once through the deployed stack, while the function is killed; then every signal is counted.

The function is killed fewer times than the queue lets a message be received, so that only poisoned deliveries may end
in the dead-letter queue. What must arrive is worked out here, from the records alone: a signal for every match, and an
alert for every user, since the stack's rule on signals remembers whom it has seen. All calls have the same time, so
that any match of a user may be the one that makes the user new, and no other after it.
"""

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
from typing import Any, NamedTuple

from emulator import Emulator, ministack, run
from stack import Subscriber, all_taken, deploy

RULE_ID = "1251b98a-ff45-11ee-89a1-f661ea17fbce"
ALERT_RULE_ID = "5f0c9d0e-6f0b-4d7e-9d55-1b7f5a6c2e31"
ACCOUNT = "111122223333"
DELIVERIES = 2000
SEED = 1
USERS = 40
KILLS = 4
VISIBILITY_SECONDS = 15
PATIENCE_SECONDS = 900
UPLOADS_AT_ONCE = 16


@dataclass
class Plan:
    """What is uploaded, and what must come from it."""

    objects: dict[str, bytes] = field(default_factory=dict)
    poisoned: set[str] = field(default_factory=set)
    # The users of the matches, by the ids of the signals.
    expected: dict[str, str] = field(default_factory=dict)
    # The same for matches that can be read in a poisoned delivery before its cut.
    possible: dict[str, str] = field(default_factory=dict)


class Row(NamedTuple):
    """A row of the table of expected and found."""

    name: str
    expected: int
    found: int
    missing: int
    unexpected: int


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
            # A match whose deliveries are all poisoned may or may not come before the cut.
            made.possible |= matches_of(before_the_cut(body))
        else:
            made.expected |= matches_of(records)
        made.objects[key] = body
    return made


def record(chance: random.Random, *, matching: bool) -> dict[str, Any]:
    """Make a record as CloudTrail writes it, shortened."""
    user = f"user-{chance.randrange(USERS)}"
    return {
        "eventVersion": "1.11",
        "userIdentity": {"type": "IAMUser", "userName": user, "accountId": ACCOUNT},
        "eventTime": "2026-11-23T10:00:00Z",
        "eventSource": "lambda.amazonaws.com",
        "eventName": "CreateFunction20150331" if matching else "ListFunctions20150331",
        "eventID": str(uuid.UUID(int=chance.getrandbits(128), version=4)),
        "awsRegion": "us-east-1",
        "recipientAccountId": ACCOUNT,
    }


def matches_of(records: list[dict[str, Any]]) -> dict[str, str]:
    """Return the users of the records that match, by the ids of the signals."""
    matches = [item for item in records if item["eventName"].startswith("CreateFunction")]
    return {signal_id(item): item["userIdentity"]["userName"] for item in matches}


def before_the_cut(body: bytes) -> list[dict[str, Any]]:
    """Return the records of a delivery that are whole before its cut."""
    text = zlib.decompressobj(31).decompress(body).decode(errors="ignore")
    records = []
    for part in text.split('{"eventVersion"')[1:]:
        with contextlib.suppress(ValueError):
            records.append(json.JSONDecoder().raw_decode('{"eventVersion"' + part)[0])
    return records


def signal_id(item: dict[str, Any]) -> str:
    return sha256(f"{RULE_ID}/{item['recipientAccountId']}/{item['eventID']}")


def alert_id(parent: str, user: str) -> str:
    """Return the id of the alert that a user is new, by the signal that makes the user new."""
    terms = json.dumps([ACCOUNT, user], separators=(",", ":"))
    return sha256(f"{ALERT_RULE_ID}/{parent}/{terms}")


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def compare(made: Plan, received: set[str]) -> list[Row]:
    """Compare the ids that were received with what must and what may come."""
    matches = made.possible | made.expected
    parents = {alert_id(parent, user): parent for parent, user in matches.items()}
    signals, alerts = received - parents.keys(), received & parents.keys()
    seen, users = signals & matches.keys(), set(made.expected.values())
    new = Counter(matches[parents[alert]] for alert in alerts)
    # One of a user's matches makes the user new, and memory holds back all others.
    known = len(seen - {parents[alert] for alert in alerts})
    held = len(seen) - len({matches[parent] for parent in seen})
    return [
        Row("signals", len(made.expected), len(signals), len(made.expected.keys() - seen), len(signals - seen)),
        Row("alerts", len(users), len(alerts), len(users - new.keys()), new.total() - len(new)),
        Row("known", held, known, max(held - known, 0), max(known - held, 0)),
    ]


def upload(emulator: Emulator, bucket: str, objects: dict[str, bytes]) -> None:
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
    """Kill every running copy of the function, this many times, while there is work; return how many processes died."""
    died = 0
    for _ in range(times):
        if stop.wait(3):
            break
        for process in functions():
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
                died += 1
    return died


def dead_letters(emulator: Emulator, url: str) -> list[str]:
    """Return the keys that the messages in the dead-letter queue name."""
    bodies = (json.loads(message["Body"]) for message in all_taken(emulator.client("sqs"), url))
    return [item["s3"]["object"]["key"] for body in bodies for item in body["Records"]]


def soak(emulator: Emulator) -> int:
    """Upload, kill, count; return the exit code."""
    made = plan(DELIVERIES, SEED)
    outputs = deploy(emulator, "soak", LearningDays="0")
    visible = {"VisibilityTimeout": str(VISIBILITY_SECONDS)}
    emulator.client("sqs").set_queue_attributes(QueueUrl=outputs["QueueUrl"], Attributes=visible)
    subscriber = Subscriber(emulator, outputs["TopicArn"])

    wanted = len(made.expected) + len(set(made.expected.values()))
    started, stop = time.monotonic(), threading.Event()
    with ThreadPoolExecutor(2) as pool:
        killed = pool.submit(kill_at_work, KILLS, stop)
        uploaded = pool.submit(upload, emulator, outputs["BucketName"], made.objects)
        signals = subscriber.collect(outputs["QueueUrl"], wanted, PATIENCE_SECONDS)
        received = Counter(item.attributes["signal_id"] for item in signals)
        uploaded.result()
        stop.set()
    seconds = time.monotonic() - started

    rows, lost = compare(made, set(received)), dead_letters(emulator, outputs["DeadLetterQueueUrl"])
    again = sum(received.values()) - len(received)
    print(f"{DELIVERIES} deliveries, {len(made.poisoned)} of them poisoned, in {seconds:.0f} s, seed {SEED}")
    print(f"{killed.result()} processes killed in {KILLS} rounds, {again} signals and alerts published again")
    print(f"{'':10}{'expected':>10}{'found':>10}{'missing':>10}{'unexpected':>12}")
    for row in rows:
        print("{:10}{:10}{:10}{:10}{:12}".format(*row))
    print(f"{len(lost)} messages in the dead-letter queue, {len(made.poisoned)} expected")
    good = not any(row.missing or row.unexpected for row in rows)
    good = good and sorted(lost) == sorted(made.poisoned) and killed.result() > 0
    print("passed" if good else "FAILED")
    return 0 if good else 1


def main() -> int:
    with ministack() as emulator:
        return soak(emulator)


if __name__ == "__main__":
    run(main)
