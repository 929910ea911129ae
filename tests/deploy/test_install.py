"""The ways of installing on docs/install.md, one after the other, and an upgrade from 0.1.0 and back."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import parameters
import pytest
import release
from conftest import Deployment, Sample, bucket_with_events
from emulator import ROOT, SCAN, ministack
from pages import STACK, Block, Reader, tried

PAGE = "docs/install.md"
ACCOUNT = "111122223333"
BUCKET = "my-trail"
ZIP = f"cloudtrail-signals-{release.version()}-x86_64.zip"
OLD = ROOT / "tests/deploy/versions/0.1.0.yaml"
# What an upgrade leaves unchanged.
STAYS = ("BucketName", "QueueUrl", "DeadLetterQueueUrl", "TopicArn", "ArchiveBucketName")


def of(*headings: str) -> list[Block]:
    return [block for block in tried(PAGE) if block.heading in headings]


def download(folder: Path) -> None:
    """Write what a release holds, of the programs that this test's own build has left."""
    program = (ROOT / ".aws-sam/build/Function/bootstrap").read_bytes()
    (folder / ZIP).write_bytes(release.zipped({"bootstrap": (program, 0o755)}))
    (folder / "template.yaml").write_text(release.packaged((ROOT / "template.yaml").read_text(), release.version()))
    name = f"cloudtrail-scan-{release.version()}-{release.TRIPLES['x86_64']}"
    (folder / f"{name}.tar.gz").write_bytes(release.tarred(name, {"cloudtrail-scan": (SCAN.read_bytes(), 0o755)}))
    files = [each for each in folder.iterdir() if each.is_file()]
    (folder / "SHA256SUMS").write_text(release.checksums(files))


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    """Return a reader with a downloaded release, whose account has a bucket for code and a trail bucket."""
    download(tmp_path)
    (tmp_path / "params.yaml").write_text(f"TrailBucketName: '{BUCKET}'\n")
    with ministack(enforcing=True) as emulator:
        # Nothing is delivered yet, and nobody has subscribed: the doctor says so, and make fails.
        reader = Reader(replace(emulator, account=ACCOUNT), tmp_path, codes={"make doctor": 2})
        reader.emulator.client("s3").create_bucket(Bucket="my-code-bucket")
        bucket_with_events(reader.emulator, BUCKET)
        yield reader


def deployment(reader: Reader) -> Deployment:
    return Deployment.of(reader.emulator, STACK)


def test_every_way_of_installing_works_as_it_stands_and_none_takes_more_than_five_commands(
    reader: Reader, main: Sample
) -> None:
    done = {block.heading for block in tried(PAGE)} - {"Upgrade, and back"}
    assert {"make deploy", "Plain SAM", "The zip"} <= done
    for heading in done:
        assert sum(len(block.commands) for block in of(heading)) <= 5
    printed = reader.follow([block for block in tried(PAGE) if block.heading in done])
    assert f"{ZIP}: OK" in printed
    assert f"cloudtrail-scan {release.version()}" in printed

    stack = deployment(reader)
    code = stack.client("lambda").get_function(FunctionName=stack.outputs["FunctionName"])["Configuration"]
    assert code["CodeSize"] == (reader.folder / ZIP).stat().st_size
    listener = stack.subscribe()
    stack.deliver(main)
    assert listener.collect_ids(main.ids.total()) == main.ids


def test_an_upgrade_from_0_1_0_and_back_keeps_queue_topic_subscriptions_buckets_and_archive(
    reader: Reader, main: Sample
) -> None:
    (reader.folder / "old.yaml").write_text(release.packaged(OLD.read_text(), "0.1.0"))
    old_zip = "cloudtrail-signals-0.1.0-x86_64.zip"
    (reader.folder / old_zip).write_bytes((reader.folder / ZIP).read_bytes())
    deploy_old = (
        f"aws cloudformation deploy --stack-name {STACK} --template-file old.yaml --s3-bucket my-code-bucket "
        f"--capabilities CAPABILITY_NAMED_IAM --parameter-overrides CodeBucket=my-code-bucket CodeKey={old_zip} "
    )
    reader.run(f"aws s3 cp {old_zip} s3://my-code-bucket/")
    reader.run(f"{deploy_old} TrailBucketName={BUCKET} ArchiveSignals=true TrailBucketOwner={ACCOUNT} SilenceHours=3")
    before = deployment(reader)
    listener = before.subscribe()

    def signals_come() -> None:
        stack = deployment(reader)
        stack.forget_signals()
        stack.deliver(main)
        assert listener.collect_ids(main.ids.total()) == main.ids
        assert stack.dead_letters() == 0

    signals_come()
    reader.follow(of("Upgrade, and back"))
    upgraded = deployment(reader)
    assert {name: upgraded.outputs[name] for name in STAYS} == {name: before.outputs[name] for name in STAYS}
    assert {"MemoryTableName", "NoticeTopicArn"} <= upgraded.outputs.keys() - before.outputs.keys()
    kept = parameters.deployed(upgraded.client("cloudformation"), STACK)
    assert (kept["TrailBucketOwner"], kept["SilenceHours"]) == (ACCOUNT, "3")
    signals_come()

    reader.run(deploy_old)
    again = deployment(reader)
    assert again.outputs == before.outputs
    signals_come()
    tables = reader.emulator.client("dynamodb").list_tables()["TableNames"]
    assert upgraded.outputs["MemoryTableName"] in tables
