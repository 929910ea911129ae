"""Scanning the past, up to the service itself, which the emulator lacks: here the test stands in for it."""

import csv
import gzip
import hashlib
import json
import re
from collections import Counter
from datetime import date
from pathlib import Path

import boto3
import pytest
from botocore.stub import Stubber
from conftest import Deployment, Sample
from emulator import REGION, ROOT
from history import Selection, inventoried, job, manifest_key, start, write_manifest
from keys import DELIVERY, FOLDER, MARKER, OTHER, SERVICES, UNKNOWN, day, verdict

ACCOUNT = "111122223333"
OTHERS = [
    "AWSLogs/111122223333/CloudTrail-Digest/us-east-1/2026/11/23/digest.json.gz",
    "AWSLogs/111122223333/elasticloadbalancing/us-east-1/2026/11/23/access.log",
    "AWSLogs/111122223333/CloudTrail/us-east-1/2026/11/22/the-day-before.json.gz",
    "AWSLogs/moved/2026/11/23/a.json.gz",
]
JUDGED = {row["key"]: row["verdict"] for row in json.loads((ROOT / "events/keys.json").read_text())}


def manifest(printed: str) -> Path:
    """Return the manifest that the tool's output names."""
    (name,) = re.findall(r"^manifest: (.*)$", printed, re.MULTILINE)
    return ROOT / name


def rows(printed: str) -> list[list[str]]:
    return list(csv.reader(manifest(printed).read_text().splitlines()))


@pytest.fixture(scope="module")
def past(existing_bucket: Deployment, samples: list[Sample]) -> Deployment:
    """Return the deployment with the sample deliveries, and objects that are none, in its bucket."""
    existing_bucket.deliver(*samples)
    for key in OTHERS:
        existing_bucket.put(key, gzip.compress(b'{"Records":[]}'))
    return existing_bucket


@pytest.fixture(scope="module")
def readable(samples: list[Sample]) -> list[Sample]:
    """Return what the deployed stack may read: its TrailPrefix leaves out the delivery in another folder."""
    return [each for each in samples if each.key.startswith("AWSLogs/")]


def test_a_dry_run_writes_the_manifest_shows_the_request_and_changes_nothing(
    past: Deployment, readable: list[Sample]
) -> None:
    done = past.run("history.py", "--since", "2026-11-23")
    assert done.returncode == 0, done.stderr
    assert sorted(key for _, key in rows(done.stdout)) == sorted(each.key for each in readable)
    assert done.stdout.startswith("3 deliveries of 1 day, ")
    reasons = [line for line in done.stdout.splitlines() if line.startswith("  left out: ")]
    assert reasons == [
        "  left out: 1 × a delivery of another day",
        "  left out: 1 × a digest of CloudTrail deliveries",
        "  left out: 1 × an object whose key says nothing",
        "  left out: 1 × another service's log",
    ]
    assert "dry run" in done.stdout
    s3, archive = past.client("s3"), past.outputs["ArchiveBucketName"]
    assert "Contents" not in s3.list_objects_v2(Bucket=archive, Prefix="history/")


def test_keys_are_encoded_as_the_service_wants_them(tmp_path: Path) -> None:
    key = "team logs+audit/größe/AWSLogs/111122223333/CloudTrail/us-east-1/2026/11/23/a.json.gz"
    selection = Selection(date.min, date.max)
    write_manifest(tmp_path / "manifest.csv", "bucket", iter([(key, 7)]), selection)
    encoded = "team%20logs%2Baudit/gr%C3%B6%C3%9Fe/AWSLogs/111122223333/CloudTrail/us-east-1/2026/11/23/a.json.gz"
    assert (tmp_path / "manifest.csv").read_bytes().decode() == f"bucket,{encoded}\n"
    assert (selection.chosen, selection.bytes, selection.left_out) == (1, 7, {})


@pytest.mark.parametrize(
    ("options", "key"),
    [
        ("--until 2026-11-22 --prefix AWSLogs/111122223333/", OTHERS[2]),
        # A prefix also names objects whose keys say nothing.
        ("--since 2026-11-23 --prefix AWSLogs/moved/", OTHERS[3]),
    ],
)
def test_days_and_prefix_narrow_what_is_scanned(past: Deployment, options: str, key: str) -> None:
    done = past.run("history.py", *options.split())
    assert [key for _, key in rows(done.stdout)] == [key]


@pytest.mark.parametrize(
    ("deployment", "options", "problem"),
    [
        ("past", "--prefix elsewhere/", "existing-bucket may read only what lies below AWSLogs/\n"),
        ("past", "--bucket elsewhere", "name one of existing-trail-bucket with BUCKET=\n"),
        ("past", "--prefix AWSLogs/999999999999/ --run", "nothing to scan\n"),
        ("own_bucket", "", "set ArchiveSignals=true\n"),
    ],
)
def test_what_cannot_be_scanned_is_refused_with_the_reason(
    request: pytest.FixtureRequest, deployment: str, options: str, problem: str
) -> None:
    done = request.getfixturevalue(deployment).run("history.py", *options.split())
    assert done.returncode == 1
    assert done.stderr.endswith(problem)


def test_an_inventory_names_the_current_objects_as_a_listing_does(past: Deployment) -> None:
    s3 = past.client("s3")
    s3.create_bucket(Bucket="inventories")
    bucket = past.outputs["BucketName"]
    table = f'''"{bucket}","team+logs%2Baudit/AWSLogs/a.json.gz","v2","true","false","7"
"{bucket}","team+logs%2Baudit/AWSLogs/a.json.gz","v1","false","false","6"
"{bucket}","AWSLogs/deleted.json.gz","v1","true","true",""
'''
    columns = "Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size"
    head = {"sourceBucket": bucket, "fileFormat": "CSV", "fileSchema": columns, "files": [{"key": "data/1.csv.gz"}]}
    s3.put_object(Bucket="inventories", Key="data/1.csv.gz", Body=gzip.compress(table.encode()))
    s3.put_object(Bucket="inventories", Key="manifest.json", Body=json.dumps(head).encode())
    found = inventoried(s3, "s3://inventories/manifest.json", bucket, "")
    assert list(found) == [("team logs+audit/AWSLogs/a.json.gz", 7)]


@pytest.mark.parametrize("learn", [False, True])
def test_a_run_uploads_the_manifest_and_then_asks_for_the_job(past: Deployment, learn: bool) -> None:
    done = past.run("history.py", "--since", "2026-11-23")
    file = manifest(done.stdout)
    s3 = past.client("s3")
    s3control = boto3.client("s3control", region_name=REGION, aws_access_key_id="test", aws_secret_access_key="test")
    etag = hashlib.md5(file.read_bytes(), usedforsecurity=False).hexdigest()
    expected = job(past.outputs, ACCOUNT, file.stem, etag, learn=learn)
    # The client checks the request against the service's own model.
    with Stubber(s3control) as stub:
        stub.add_response("create_job", {"JobId": "the-job"}, expected)
        assert start(s3, s3control, past.outputs, ACCOUNT, file, learn=learn) == "the-job"
        stub.assert_no_pending_responses()
    kept = s3.get_object(Bucket=past.outputs["ArchiveBucketName"], Key=manifest_key(file.stem))["Body"].read()
    assert kept == file.read_bytes()


def test_a_job_that_teaches_says_so_by_an_argument(past: Deployment) -> None:
    done = past.run("history.py", "--learn")
    assert done.returncode == 0, done.stderr
    learning = {"InvocationSchemaVersion": "2.0", "UserArguments": {"learn": "true"}}
    invoke = {"FunctionArn": past.outputs["FunctionArn"], **learning}
    request = job(past.outputs, ACCOUNT, "name", "etag", learn=True)
    assert request["Operation"] == {"LambdaInvoke": invoke}
    assert json.dumps(invoke, indent=2).replace("\n", "\n    ") in done.stdout


def test_the_function_answers_each_task_of_a_manifest_and_publishes_what_it_finds(
    past: Deployment, readable: list[Sample]
) -> None:
    past.forget_signals()
    tasks = [
        {"taskId": str(number), "s3BucketArn": f"arn:aws:s3:::{bucket}", "s3Key": key, "s3VersionId": None}
        for number, (bucket, key) in enumerate(rows(past.run("history.py").stdout))
    ]
    payload = {"invocationSchemaVersion": "1.0", "invocationId": "i", "job": {"id": "j"}, "tasks": tasks}
    listener = past.subscribe()
    answer = past.client("lambda").invoke(FunctionName=past.outputs["FunctionName"], Payload=json.dumps(payload))
    reply = json.load(answer["Payload"])
    assert [result["resultCode"] for result in reply["results"]] == ["Succeeded"] * len(tasks)
    wanted = set().union(*(each.ids for each in readable))
    assert listener.collect_ids(len(wanted)) == Counter(wanted)


def test_the_table_of_keys_holds_every_verdict_and_no_other() -> None:
    assert len(JUDGED) >= 30
    assert set(JUDGED.values()) == {*SERVICES.values(), DELIVERY, UNKNOWN, FOLDER, MARKER, OTHER}


@pytest.mark.parametrize(("key", "expected"), JUDGED.items())
def test_a_key_is_judged_as_the_table_says_and_taken_if_it_is_a_delivery_or_below_a_prefix_unknown(
    key: str, expected: str
) -> None:
    assert verdict(key) == expected
    assert Selection(date.min, date.max).takes(key, 1) == (expected == DELIVERY)
    assert Selection(date.min, date.max, unknown=True).takes(key, 1) == (expected in (DELIVERY, UNKNOWN))


@pytest.mark.parametrize("place", ["", "us-east-1/2026/99/99/"])
def test_a_key_without_a_day_is_taken_only_if_no_days_are_asked_for(place: str) -> None:
    key = f"AWSLogs/111122223333/CloudTrail/{place}a.json.gz"
    assert day(key) is None
    assert Selection(date.min, date.max).takes(key, 1)
    for selection in (Selection(date(2026, 1, 1), date.max), Selection(date.min, date(2026, 1, 1))):
        assert not selection.takes(key, 1)
        assert selection.left_out == {"an object without a day in its key": 1}
