"""The deliveries: which records are in which file, and under which S3 key it lies."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from _lambda_records import create, matches, update_code
from _near_misses import near_misses
from _noise import everyday
from _oddities import oddities, sign_ins
from _shapes import (
    BOTO,
    CLI,
    MAIN_ACCOUNT,
    ORGANIZATION,
    OTHER_ACCOUNT,
    Entry,
    Json,
    Recorder,
    digest,
    role,
    service,
    user,
)

BUCKET = "example-trail-bucket"


@dataclass(frozen=True)
class Delivery:
    """One file that CloudTrail wrote."""

    key: str
    entries: list[Entry]

    def text(self) -> str:
        """What the gzip file holds: one line."""
        return '{"Records":[' + ",".join(entry.text() for entry in self.entries) + "]}"

    def expected(self) -> Json:
        """How many records there are, how many are meant to match, and the eventID of each that is."""
        marked = [entry.record["eventID"] for entry in self.entries if entry.matches]
        return {"records": len(self.entries), "matched": len(marked), "event_ids": marked}


def recorder(name: str, account: str, region: str, ready: str) -> Recorder:
    """Records of the eight minutes that end two minutes before the delivery is `ready` (HH:MM)."""
    written = datetime.fromisoformat(f"2026-11-23T{ready}:00").replace(tzinfo=UTC)
    return Recorder(name, account, region, written - timedelta(minutes=10), 8 * 60)


def key(prefix: str, account: str, region: str, ready: str, unique: str) -> str:
    """The S3 key of a delivery; `prefix` is what stands before the account, with its slash."""
    stamp = f"20261123T{ready.replace(':', '')}Z"
    return f"{prefix}{account}/CloudTrail/{region}/2026/11/23/{account}_CloudTrail_{region}_{stamp}_{unique}.json.gz"


def shuffled(entries: list[Entry]) -> list[Entry]:
    """CloudTrail does not order the records of a file; neither do we, the same way each time."""
    return sorted(entries, key=lambda entry: digest("order", entry.record["eventID"]))


def deliveries() -> list[Delivery]:
    """Everything below events/deliveries/; the main delivery is the first."""
    organization = f"AWSLogs/{ORGANIZATION}/"
    main = recorder("main", MAIN_ACCOUNT, "us-east-1", "10:05")
    planned = matches(main)
    foreign = next(entry for entry in planned if entry.record["userIdentity"]["type"] == "AWSAccount")
    return [
        Delivery(
            key(organization, MAIN_ACCOUNT, "us-east-1", "10:05", "Qx7LmN2pVb9sTk4d"),
            shuffled(planned + near_misses(main) + sign_ins(main) + oddities(main) + everyday(main, 5)),
        ),
        Delivery(key(organization, OTHER_ACCOUNT, "eu-central-1", "10:10", "hR3wZc8YfJ1uEa6o"), _second(foreign)),
        Delivery(key(organization, MAIN_ACCOUNT, "us-east-1", "10:15", "t5GkB0nXqM7iWd2S"), _without_match()),
        Delivery(
            key("team logs+audit/AWSLogs/", MAIN_ACCOUNT, "us-west-2", "10:20", "Vy4oPj9eHs6LrC1x"), _odd_prefix()
        ),
    ]


def _second(repeated: Entry) -> list[Entry]:
    """Another account and region, and an event the main delivery holds too, as a second trail would repeat it."""
    at = recorder("second", OTHER_ACCOUNT, "eu-central-1", "10:10")
    own = at.record(
        "own",
        role("deploy-pipeline", "GitHubActions", account=OTHER_ACCOUNT),
        "lambda",
        "CreateFunction20150331",
        *create(at, "billing-export"),
        ip="198.51.100.24",
        agent=BOTO,
        apiVersion="2015-03-31",
    )
    return shuffled([Entry(own, matches=True), repeated, *everyday(at, 1)[:6]])


def _without_match() -> list[Entry]:
    """Nothing to see, which is how most deliveries are."""
    at = recorder("quiet", MAIN_ACCOUNT, "us-east-1", "10:15")
    reader = at.record(
        "read",
        role("inventory", "inventory"),
        "lambda",
        "GetFunction20150331v2",
        {"functionName": "orders-api"},
        None,
        read_only=True,
        ip="203.0.113.5",
        apiVersion="2015-03-31",
    )
    renamed = at.record(
        "concurrency",
        user("alice"),
        "lambda",
        "PutFunctionConcurrency20171031",
        {"functionName": "orders-api", "reservedConcurrentExecutions": 20},
        {"reservedConcurrentExecutions": 20},
        ip="203.0.113.17",
        agent=CLI + "lambda.put-function-concurrency",
        apiVersion="2017-10-31",
    )
    return shuffled([Entry(reader), Entry(renamed), *everyday(at, 1)[:6]])


def _odd_prefix() -> list[Entry]:
    """A trail of one account whose prefix holds a space and a plus sign."""
    at = recorder("prefix", MAIN_ACCOUNT, "us-west-2", "10:20")
    update = at.record(
        "update",
        user("bob"),
        "lambda",
        "UpdateFunctionCode20150331v2",
        *update_code(at, "mail-relay"),
        ip="2001:db8:2f::8a1",
        agent=CLI + "lambda.update-function-code",
        apiVersion="2015-03-31",
    )
    scaling = at.record(
        "scaling",
        service("autoscaling"),
        "sts",
        "AssumeRole",
        {"roleArn": f"arn:aws:iam::{MAIN_ACCOUNT}:role/scaling", "roleSessionName": "scaling"},
        None,
        ip="autoscaling.amazonaws.com",
        agent="autoscaling.amazonaws.com",
        read_only=True,
    )
    return [Entry(scaling), Entry(update, matches=True)]


def cut_short() -> Delivery:
    """The delivery behind tests/data/truncated.json.gz: a match near its start, then enough to be cut after it."""
    at = recorder("truncated", MAIN_ACCOUNT, "us-east-1", "10:25")
    first = at.record(
        "create",
        user("alice"),
        "lambda",
        "CreateFunction20150331",
        *create(at, "half-delivered"),
        ip="203.0.113.17",
        agent=CLI + "lambda.create-function",
        apiVersion="2015-03-31",
    )
    noise = everyday(at, 30)
    place = key(f"AWSLogs/{ORGANIZATION}/", MAIN_ACCOUNT, "us-east-1", "10:25", "d1OwK6zUgN8bXv3R")
    return Delivery(place, [*noise[:2], Entry(first, matches=True), *noise[2:]])
