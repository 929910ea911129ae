"""Scan the past: run the function over deliveries that were made before it was deployed.

Makes a manifest of the deliveries under a prefix, or in an S3 inventory, and hands it to S3 Batch Operations, which
invokes the function for each and writes a report. Without ``--run`` it stops before that: the manifest is on this disk
and the request on the terminal. It works with the AWS credentials, region and endpoint of its environment.
"""

import argparse
import csv
import gzip
import json
import sys
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote_plus, urlsplit

import boto3
from botocore.client import BaseClient
from emulator import ROOT
from keys import DELIVERY, UNKNOWN, day, verdict
from parameters import deployed
from stack import every, outputs

FOLDER = ROOT / "target" / "history"


@dataclass
class Selection:
    """What a scan covers, counted while it is written down."""

    since: date
    until: date
    # Whether to take objects whose keys are not of the form that AWS services write.
    unknown: bool = False
    chosen: int = 0
    bytes: int = 0
    days: set[date | None] = field(default_factory=set)
    left_out: Counter[str] = field(default_factory=Counter)

    def takes(self, key: str, size: int) -> bool:
        """Return whether the object is one to scan, and count it."""
        reason = self._reason_against(key)
        if reason:
            self.left_out[reason] += 1
            return False
        self.chosen += 1
        self.bytes += size
        self.days.add(day(key))
        return True

    def _reason_against(self, key: str) -> str | None:
        judged = verdict(key)
        if judged == UNKNOWN and not self.unknown:
            return "an object whose key says nothing"
        if judged not in (DELIVERY, UNKNOWN):
            # The function would skip it; leaving it out here saves the invocation.
            return judged
        when = day(key)
        if when is None:
            every_day = (self.since, self.until) == (date.min, date.max)
            return None if every_day else "an object without a day in its key"
        return None if self.since <= when <= self.until else "a delivery of another day"

    def summary(self) -> str:
        """Return what is covered and what is left out, for a person."""
        days = len(self.days - {None})
        deliveries = f"{self.chosen:,} deliver{'y' if self.chosen == 1 else 'ies'}"
        first = f"{deliveries} of {days:,} day{'' if days == 1 else 's'}, {self.bytes:,} bytes"
        left_out = [f"  left out: {number:,} × {reason}" for reason, number in sorted(self.left_out.items())]
        return "\n".join([first, *left_out])


def inventoried(s3: BaseClient, manifest: str, bucket: str, prefix: str) -> Iterator[tuple[str, int]]:
    """Yield key and size of every current object under a prefix that an S3 inventory in CSV holds."""
    place = urlsplit(manifest)
    head = json.load(s3.get_object(Bucket=place.netloc, Key=place.path.lstrip("/"))["Body"])
    if head["fileFormat"] != "CSV" or head["sourceBucket"] != bucket:
        raise SystemExit(f"{manifest}: expected an inventory of {bucket} in CSV")
    columns = [name.strip() for name in head["fileSchema"].split(",")]
    for part in head["files"]:
        body = s3.get_object(Bucket=place.netloc, Key=part["key"])["Body"]
        with gzip.open(body, "rt", encoding="utf-8", newline="") as lines:
            for row in csv.DictReader(lines, fieldnames=columns):
                key = unquote_plus(row["Key"])
                is_current = row.get("IsLatest", "true") == "true" and row.get("IsDeleteMarker", "false") == "false"
                if is_current and key.startswith(prefix):
                    yield key, int(row.get("Size") or 0)


def write_manifest(file: Path, bucket: str, objects: Iterator[tuple[str, int]], selection: Selection) -> None:
    """Write what the selection takes as a manifest for S3 Batch Operations, which wants keys encoded as in a URL."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", encoding="ascii", newline="") as lines:
        writer = csv.writer(lines, lineterminator="\n")
        for key, size in objects:
            if selection.takes(key, size):
                writer.writerow([bucket, quote(key, safe="/")])


def job(stack: dict[str, str], account: str, name: str, etag: str, *, learn: bool) -> dict[str, Any]:
    """Return the request that creates the job. With ``learn`` rules only learn from it, and nothing is published."""
    partition = stack["HistoryRoleArn"].split(":")[1]
    invoke: dict[str, Any] = {"FunctionArn": stack["FunctionArn"], "InvocationSchemaVersion": "1.0"}
    if learn:
        # Arguments came with schema 2.0.
        invoke |= {"InvocationSchemaVersion": "2.0", "UserArguments": {"learn": "true"}}
    archive = f"arn:{partition}:s3:::{stack['ArchiveBucketName']}"
    return {
        "AccountId": account,
        "ClientRequestToken": name,
        "Description": "cloudtrail-signals: a scan of the past",
        "ConfirmationRequired": False,
        "Priority": 10,
        "RoleArn": stack["HistoryRoleArn"],
        "Operation": {"LambdaInvoke": invoke},
        "Manifest": {
            "Spec": {"Format": "S3BatchOperations_CSV_20180820", "Fields": ["Bucket", "Key"]},
            "Location": {"ObjectArn": f"{archive}/{manifest_key(name)}", "ETag": etag},
        },
        "Report": {
            "Enabled": True,
            "Bucket": archive,
            "Prefix": "history/reports",
            "Format": "Report_CSV_20180820",
            "ReportScope": "AllTasks",
        },
    }


def manifest_key(name: str) -> str:
    return f"history/manifests/{name}.csv"


def start(
    s3: BaseClient, s3control: BaseClient, stack: dict[str, str], account: str, file: Path, *, learn: bool
) -> str:
    """Upload the manifest, create the job, and return its id."""
    key = manifest_key(file.stem)
    answer = s3.put_object(Bucket=stack["ArchiveBucketName"], Key=key, Body=file.read_bytes())
    return s3control.create_job(**job(stack, account, file.stem, answer["ETag"].strip('"'), learn=learn))["JobId"]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stack", help="the deployed stack")
    only = "only keys that begin with this, whatever form they have; the default is TrailPrefix, and only keys of deliveries"
    parser.add_argument("--prefix", default="", help=only)
    parser.add_argument("--bucket", default="", help="one of the stack's buckets; needed where it reads several")
    parser.add_argument("--inventory", default="", help="s3://bucket/path/manifest.json; the default is to list")
    parser.add_argument("--since", type=date.fromisoformat, default=date.min, help="first day, YYYY-MM-DD")
    parser.add_argument("--until", type=date.fromisoformat, default=date.max, help="last day, YYYY-MM-DD")
    teach = "teach the rules that remember, and publish nothing: the second step after deploying"
    parser.add_argument("--learn", action="store_true", help=teach)
    parser.add_argument("--run", action="store_true", help="create the job")
    return parser.parse_args()


def main() -> None:
    asked = arguments()
    stack = outputs(boto3.client("cloudformation"), asked.stack)
    if "HistoryRoleArn" not in stack:
        known = "a scan would publish again what is known"
        sys.exit(f"{asked.stack} keeps no archive, so {known}: set ArchiveSignals=true")
    if asked.learn and "MemoryTableName" not in stack:
        sys.exit(f"{asked.stack} has no memory, so there is nothing to teach: set Memory=true")
    readable = deployed(boto3.client("cloudformation"), asked.stack)["TrailPrefix"]
    prefix = asked.prefix or readable
    if not prefix.startswith(readable):
        sys.exit(f"{asked.stack} may read only what lies below {readable}")
    s3, s3control = boto3.client("s3"), boto3.client("s3control")
    account = boto3.client("sts").get_caller_identity()["Account"]
    buckets = stack["BucketName"].split(",")
    bucket = asked.bucket or buckets[0]
    if bucket not in buckets or (len(buckets) > 1 and not asked.bucket):
        sys.exit(f"{asked.stack} reads several buckets or others: name one of {', '.join(buckets)} with BUCKET=")
    if asked.inventory:
        objects = inventoried(s3, asked.inventory, bucket, prefix)
    else:
        listed = every(s3, "list_objects_v2", "Contents", Bucket=bucket, Prefix=prefix)
        objects = ((item["Key"], item["Size"]) for item in listed)

    file = FOLDER / f"{uuid.uuid4()}.csv"
    # A user who names a prefix knows what lies below it; without one, the bucket may hold anything.
    selection = Selection(asked.since, asked.until, unknown=bool(asked.prefix))
    write_manifest(file, bucket, objects, selection)
    print(selection.summary())
    print(f"manifest: {file.relative_to(ROOT)}")
    if selection.chosen == 0:
        sys.exit("nothing to scan")
    print(json.dumps(job(stack, account, file.stem, "the upload's", learn=asked.learn), indent=2))
    if not asked.run:
        print("dry run: nothing was uploaded and no job was created")
        return
    print(f"job: {start(s3, s3control, stack, account, file, learn=asked.learn)}")
    print(f"report: s3://{stack['ArchiveBucketName']}/history/reports/, when the job is done")


if __name__ == "__main__":
    main()
