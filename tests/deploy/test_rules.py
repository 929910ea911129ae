"""Rules without a compiler: docs/rules.md from an empty folder to a signal, the starter pack, and two bundles at once.

The emulator attaches a layer, but a function that is a program of its own does not find it at /opt. So what the layer
holds is put beside the program, after a look at the attachment.
"""

import gzip
import io
import json
import re
import shlex
import ssl
import urllib.request
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pages
import pytest
import release
from conftest import Deployment, bucket_with_events, deployed
from emulator import ROOT, SCAN, Emulator, ministack
from sandbox import write_aws
from stack import Received, Subscriber, answered, mend

PAGE = (ROOT / "docs/rules.md").read_text()
# A rule and its cases, which the page has the reader write.
WRITTEN, CASES = re.findall(r"<<'END'\n(.*?)^END$", PAGE, re.DOTALL | re.MULTILINE)[:2]
ROUND = PAGE.partition("\n## Quick start\n")[2].partition("\n## ")[0]
STACK, ACCOUNT = "cloudtrail-signals", "111122223333"
TRAIL, CODE_BUCKET, CODE_KEY = "my-trail", "my-code-bucket", "function.zip"
RULE = "8f0d9c1e-5b1a-4c55-9a37-0d6f5f0c2a11"
BOOTSTRAP = ROOT / ".aws-sam/build/Function/bootstrap"


@dataclass(frozen=True)
class Step:
    """A command of the page, and the pieces of output that are shown below it, in order."""

    command: str
    shown: list[str]


def steps() -> Iterator[Step]:
    """Yield the commands of the round: a block is one, or one begins at every prompt."""
    for kind, block in re.findall(r"^```(sh|console)\n(.*?)^```$", ROUND, re.DOTALL | re.MULTILINE):
        if kind == "sh":
            yield Step(block, [])
            continue
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, shown = part.partition("\n")
            yield Step(command, [piece.strip("\n") for piece in shown.split("…\n") if piece])


@dataclass(frozen=True)
class Reader:
    """Somebody with a clone, a released ``cloudtrail-scan`` and a stack of a release, and without Rust."""

    emulator: Emulator
    folder: Path

    def run(self, command: str, code: int = 0) -> str:
        """Run a command that ends with this code, with no cargo on the path; return what it printed."""
        path = f"{self.folder}/bin:/usr/bin:/bin"
        ended, printed = answered(self.emulator, ["sh", "-c", command], folder=self.folder, PATH=path)
        assert ended == code, f"{command}\n{printed}"
        return printed


@pytest.fixture(scope="module")
def reader(emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Reader:
    """Return a reader who has deployed a release, and has no rules yet."""
    folder = tmp_path_factory.mktemp("clone")
    for name in ("Makefile", "requirements", ".venv"):
        (folder / name).symlink_to(ROOT / name)
    (folder / "bin").mkdir()
    (folder / "bin/cloudtrail-scan").symlink_to(SCAN)
    write_aws(folder / "bin")
    (folder / "template.yaml").write_text(release.packaged((ROOT / "template.yaml").read_text(), release.version()))

    account = replace(emulator, account=ACCOUNT)
    bucket_with_events(account, TRAIL)
    s3 = account.client("s3")
    s3.create_bucket(Bucket=CODE_BUCKET)
    s3.put_object(Bucket=CODE_BUCKET, Key=CODE_KEY, Body=release.zipped({"bootstrap": program()}))
    reader = Reader(account, folder)
    reader.run(
        f"aws cloudformation deploy --stack-name {STACK} --template-file template.yaml --s3-bucket {CODE_BUCKET}"
        " --capabilities CAPABILITY_NAMED_IAM"
        f" --parameter-overrides CodeBucket={CODE_BUCKET} CodeKey={CODE_KEY} TrailBucketName={TRAIL}"
    )
    mend(account, Deployment.of(account, STACK).outputs)
    return reader


def program() -> tuple[bytes, int]:
    return BOOTSTRAP.read_bytes(), 0o755


def configuration(deployment: Deployment) -> dict[str, Any]:
    return deployment.client("lambda").get_function_configuration(FunctionName=deployment.outputs["FunctionName"])


def layer_file(deployment: Deployment, layer: str, name: str) -> bytes:
    emulator = deployment.emulator
    location = emulator.client("lambda").get_layer_version_by_arn(Arn=layer)["Content"]["Location"]
    # The emulator gives its own address without TLS, although TLS is on.
    location = emulator.endpoint + re.sub(r"^https?://[^/]+", "", location)
    trust = ssl.create_default_context(cafile=emulator.certificate)
    with urllib.request.urlopen(location, context=trust) as answer:
        return zipfile.ZipFile(io.BytesIO(answer.read())).read(name)


def put_beside_the_program(deployment: Deployment, bundle: bytes) -> None:
    """Let the function read this bundle."""
    functions, name = deployment.client("lambda"), deployment.outputs["FunctionName"]
    code = release.zipped({"bootstrap": program(), "rules.json": (bundle, 0o644)})
    functions.update_function_code(FunctionName=name, ZipFile=code)
    variables = configuration(deployment)["Environment"]["Variables"] | {"RULES_BUNDLE": "rules.json"}
    functions.update_function_configuration(FunctionName=name, Environment={"Variables": variables})


@pytest.fixture(scope="module")
def followed(reader: Reader) -> tuple[Deployment, list[Received]]:
    """Follow the page to its end; return the stack, and the signals of what the last command uploads."""
    received: list[Received] = []
    for step in steps():
        is_upload = step.command.startswith("cat > stopped.json")
        if is_upload:
            listener = Deployment.of(reader.emulator, STACK).subscribe()
        printed = reader.run(step.command, int(any("mistake" in piece for piece in step.shown)))
        place = 0
        for piece in step.shown:
            assert piece in printed[place:], f"{step.command}\n{printed}\nshows not, or not here:\n{piece}"
            place = printed.index(piece, place) + len(piece)
        if "cloudformation deploy" in step.command:
            deployment = Deployment.of(reader.emulator, STACK)
            mend(reader.emulator, deployment.outputs)
            now = configuration(deployment)
            (layer,) = (each["Arn"] for each in now["Layers"])
            assert step.command.rstrip().endswith(f"RulesLayerArn={layer}")
            assert now["Environment"]["Variables"]["RULES_BUNDLE"] == "/opt/rules.json"
            put_beside_the_program(deployment, layer_file(deployment, layer, "rules.json"))
        if is_upload:
            received = listener.collect(at_least=1)
    return Deployment.of(reader.emulator, STACK), received


def test_the_page_leads_from_an_empty_folder_to_a_signal_without_rust(
    followed: tuple[Deployment, list[Received]],
) -> None:
    deployment, received = followed
    (signal,) = (message.signal for message in received)
    assert signal["kibana"]["alert"]["rule"]["rule_id"] == RULE
    assert signal["event"]["action"] == "StopLogging"
    started = deployment.logged("started")[-1]
    assert (started["embedded_rules"], started["bundle"], started["bundled"]) == ("seed", "rules.json", 1)
    # The parameters that the page does not name are unchanged.
    assert signal["aws"]["s3"]["bucket"]["name"] == TRAIL


def test_from_a_rule_file_to_a_deployed_function_it_is_three_commands_at_most() -> None:
    commands = [step.command for step in steps()]
    published = next(index for index, command in enumerate(commands) if command.startswith("make rules"))
    deployed_by = next(index for index, command in enumerate(commands) if "cloudformation deploy" in command)
    assert deployed_by - published < 3
    assert not any("cargo" in command for command in commands)


def test_two_functions_with_bundles_of_different_versions_run_side_by_side(
    followed: tuple[Deployment, list[Received]], reader: Reader
) -> None:
    deployment, received = followed
    functions = reader.emulator.client("lambda")
    rule = (reader.folder / "my-rules/trail.toml").read_text()
    newer = reader.folder / "newer-rules"
    newer.mkdir()
    (newer / "trail.toml").write_text(rule.replace('severity = "high"', 'severity = "critical"'))
    another = rule.replace(RULE, "another-rule").replace("CloudTrail Trail", "The Same").replace(" or DeleteTrail", "")
    (newer / "another.toml").write_text(another)
    reader.run(f"cloudtrail-scan --rules '{newer}' --bundle other.json")
    bundle = (reader.folder / "other.json").read_bytes(), 0o644
    now = configuration(deployment)
    same = {name: now[name] for name in ("Role", "Runtime", "Handler", "MemorySize", "Timeout", "Environment")}
    code = release.zipped({"bootstrap": program(), "rules.json": bundle})
    functions.create_function(FunctionName="newer", **same, Code={"ZipFile": code})
    key = received[0].signal["aws"]["s3"]["object"]["key"]
    where = {"bucket": {"name": TRAIL}, "object": {"key": key}}
    payload = json.dumps({"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": where}]})

    def published(name: str) -> dict[str, dict[str, Any]]:
        """Invoke a function, and return what it publishes, by rule."""
        subscriber = Subscriber(reader.emulator, deployment.outputs["TopicArn"])
        answer = functions.invoke(FunctionName=name, Payload=payload)
        assert "FunctionError" not in answer, answer["Payload"].read()
        alerts = [message.signal["kibana"]["alert"] for message in subscriber.drain()]
        return {alert["rule"]["rule_id"]: alert for alert in alerts}

    older = deployment.outputs["FunctionName"]
    before, between, after = published(older), published("newer"), published(older)
    assert {rule: alert["severity"] for rule, alert in between.items()} == {RULE: "critical", "another-rule": "high"}
    for found in (before, after):
        assert {rule: alert["severity"] for rule, alert in found.items()} == {RULE: "high"}
        # A subscriber sees that it is the same signal.
        assert found[RULE]["uuid"] == between[RULE]["uuid"]


def test_the_starter_pack_is_on_by_a_parameter(emulator: Emulator) -> None:
    stack = deployed(emulator, "starter", StarterRules="true", Memory="true")
    record = json.loads(re.findall(r"^(\{\"Records\".*)$", ROUND, re.MULTILINE)[0])
    listener = stack.subscribe()
    stack.put(f"AWSLogs/{ACCOUNT}/CloudTrail/us-east-1/2026/11/26/stopped.json.gz", json.dumps(record).encode())
    names = [message.signal["kibana"]["alert"]["rule"]["name"] for message in listener.collect(at_least=1)]
    assert any("trail" in name.lower() for name in names), names
    started = stack.logged("started")[-1]
    assert started["embedded_rules"] == "starter"
    assert started["rules"] == started["embedded"] == len([*(ROOT / "rules").rglob("*.toml")])


def shown(block: pages.Block) -> str:
    """Return what the page shows below a block's command."""
    below = "\n".join(PAGE.splitlines()[block.line :]).partition("```")[0]
    return "\n".join(line for line in below.splitlines() if not line.startswith("$ "))


def refused_calls() -> bytes:
    """Return a delivery whose record 3, counted from 0, is the one that the page asks about."""
    refused: dict[str, object] = json.loads(CASES.splitlines()[1])["records"][0]
    events = [{"eventSource": "s3.amazonaws.com", "eventName": "GetObject"}] * 3
    asked = refused | {"eventID": "00000000-0000-4000-8000-000000000001"}
    return gzip.compress(json.dumps({"Records": [*events, asked]}).encode())


def test_the_commands_beside_the_quick_start_work_as_they_stand_and_print_what_the_page_shows(tmp_path: Path) -> None:
    for name in ("rules", "logs"):
        (tmp_path / name).mkdir()
    rule = tmp_path / "rules/trail.toml"
    (tmp_path / "rules/trail.cases.jsonl").write_text(CASES)
    (tmp_path / "logs/a.json.gz").write_bytes(refused_calls())
    compared = 0
    with ministack(enforcing=True) as emulator:
        reader = pages.Reader(replace(emulator, account=ACCOUNT), tmp_path)
        for block in (block for block in pages.tried("docs/rules.md") if block.heading != "Quick start"):
            rule.write_text(WRITTEN)
            reader.codes, expected = {}, shown(block)
            if "the query can never match" in expected:
                query = expected.splitlines()[1].strip()
                rule.write_text(re.sub(r"'''\n.*'''", f"'''\n{query}\n'''", WRITTEN, flags=re.DOTALL))
                reader.codes = {shlex.join(shlex.split(command)): 1 for command in block.commands}
            assert expected in reader.follow([block])
            compared += bool(expected)
    assert compared == 2
