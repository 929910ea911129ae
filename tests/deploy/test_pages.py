"""Every command of every page, run on an emulator as it stands, unless the page says that it was not tried."""

import gzip
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import bucket_with_events
from emulator import ROOT, ministack
from pages import PAGES, RUN_ELSEWHERE, Block, Reader, tried
from stack import sample_deliveries

ACCOUNT = "111122223333"
# Pages that their own test follows, from start to end.
ELSEWHERE = {
    "docs/control-tower.md": "test_large_estate.py",
    "docs/install.md": "test_install.py",
    "docs/large-estate.md": "test_large_estate.py",
    "docs/rules.md": "test_rules.py",
}
# Pages whose commands work on an existing stack.
BESIDE_A_STACK = {"docs/history.md", "docs/memory.md", "docs/operate.md", "docs/receive.md", "docs/sandbox.md"}
FOLLOWED = [page for page in PAGES if tried(page) and page not in ELSEWHERE]
INVENTORY = "org-trail/daily/2026-11-23T01-00Z/manifest.json"


def write_files(folder: Path) -> None:
    """Write the files that commands name: past deliveries, parameters, a filter policy, a bucket's notifications."""
    for name in ("trail", "logs"):
        (folder / name).symlink_to(ROOT / "events/deliveries")
    (parameters,) = re.findall(r"^```yaml\n(.*?)^```", (ROOT / "docs/deploy.md").read_text(), re.DOTALL | re.MULTILINE)
    (folder / "params.yaml").write_text(parameters)
    policy = {"FilterPolicy": json.dumps({"severity": ["high"]}), "FilterPolicyScope": "MessageAttributes"}
    (folder / "policy.json").write_text(json.dumps(policy))
    (folder / "with-eventbridge.json").write_text(json.dumps({"EventBridgeConfiguration": {}}))


def fill_buckets(reader: Reader) -> None:
    """Make the trail's bucket, with deliveries of the days that the pages name, and an inventory of it."""
    bucket_with_events(reader.emulator, "my-trail")
    s3 = reader.emulator.client("s3")
    body = next(iter(sample_deliveries().values())).read_bytes()
    key = f"AWSLogs/{ACCOUNT}/CloudTrail/eu-central-1/2026/11/22/{ACCOUNT}_CloudTrail_eu-central-1_20261122T1005Z_a.json.gz"
    s3.put_object(Bucket="my-trail", Key=key, Body=body)
    s3.create_bucket(Bucket="my-inventories")
    row = f'"my-trail","{key}","{len(body)}"\n'
    s3.put_object(Bucket="my-inventories", Key="data.csv.gz", Body=gzip.compress(row.encode()))
    head = {
        **{"sourceBucket": "my-trail", "fileFormat": "CSV", "fileSchema": "Bucket, Key, Size"},
        "files": [{"key": "data.csv.gz"}],
    }
    s3.put_object(Bucket="my-inventories", Key=INVENTORY, Body=json.dumps(head).encode())


@pytest.fixture
def reader(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Reader]:
    """Return a reader who has everything that a page assumes, in an emulator of their own."""
    page = request.getfixturevalue("page")
    write_files(tmp_path)
    with ministack(enforcing=True) as emulator:
        # The sandbox's page names the emulator's own account.
        account = "000000000000" if page == "docs/sandbox.md" else ACCOUNT
        known = {"QueueUrl of mine": f"{emulator.endpoint}/{account}/mine", "the key": "a rule/a hash/[]"}
        # A stack that has read nothing yet does not satisfy the doctor.
        reader = Reader(replace(emulator, account=account), tmp_path, known, {"make doctor": 2})
        fill_buckets(reader)
        if page in BESIDE_A_STACK:
            reader.run('make deploy PARAMETERS="TrailBucketName=my-trail ArchiveSignals=true"')
        yield reader


@pytest.mark.parametrize("page", FOLLOWED)
def test_the_commands_of_a_page_work_as_they_stand(page: str, reader: Reader) -> None:
    reader.follow(tried(page))


def test_every_page_with_commands_is_followed_by_one_test() -> None:
    assert {page for page in PAGES if tried(page)} == {*FOLLOWED, *ELSEWHERE}
    assert set(FOLLOWED) & set(ELSEWHERE) == set()
    for page, test in ELSEWHERE.items():
        assert Path(page).name in (ROOT / "tests/deploy" / test).read_text()


def test_what_runs_a_command_elsewhere_is_there() -> None:
    commands = [command for page in PAGES for block in tried(page) for command in block.commands]
    for each, test in RUN_ELSEWHERE.items():
        assert any(each in command for command in commands), each
        if test.endswith(".py"):
            assert (ROOT / "tests/deploy" / test).exists()


def test_a_block_without_a_mark_is_run_and_a_marked_one_is_not() -> None:
    def block(above: str) -> Block:
        return Block("a.md", 1, "", above, ["true"])

    assert block("Then run this:").tried
    assert not block("Not tried:").tried
    assert not block("Not tried, for want\nof an emulator:").tried
    assert not block("It compiles everything. Not run by a test:").tried
