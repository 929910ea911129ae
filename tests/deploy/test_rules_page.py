"""docs/rules.md followed from the first file to the layer, with what the page shows compared with what is printed."""

import gzip
import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from emulator import ROOT, ministack
from pages import Block, Reader, tried

PAGE = "docs/rules.md"
TEXT = (ROOT / PAGE).read_text()
RULE = re.findall(r"^```toml\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)[0]
CASES = re.findall(r"^```json\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)[0]
MISTAKE = "the query can never match"


def shown(block: Block) -> str:
    """Return what the page shows below a block's command."""
    below = "\n".join(TEXT.splitlines()[block.line :]).partition("```")[0]
    return "\n".join(line for line in below.splitlines() if not line.startswith("$ "))


def refused_calls() -> bytes:
    """Return a delivery whose record 3, counted from 0, is the one that the page asks about."""
    refused: dict[str, object] = json.loads(CASES.splitlines()[1])["records"][0]
    events = [{"eventSource": "s3.amazonaws.com", "eventName": "GetObject"}] * 3
    asked = refused | {"eventID": "00000000-0000-4000-8000-000000000001"}
    return gzip.compress(json.dumps({"Records": [*events, asked]}).encode())


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    """Return somebody who has written the page's rule and its cases into two folders, and has copied a delivery."""
    for folder in ("rules", "my-rules"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "trail.toml").write_text(RULE)
        (tmp_path / folder / "trail.cases.jsonl").write_text(CASES)
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs/a.json.gz").write_bytes(refused_calls())
    with ministack(enforcing=True) as emulator:
        yield Reader(replace(emulator, account="111122223333"), tmp_path)


def test_the_commands_of_the_page_work_as_they_stand_and_print_what_it_shows(reader: Reader) -> None:
    rule = reader.folder / "rules/trail.toml"
    compared, everything = 0, ""
    for block in tried(PAGE):
        expected = shown(block)
        if MISTAKE in expected:
            query = expected.splitlines()[1].strip()
            rule.write_text(re.sub(r"'''\n.*'''", f"'''\n{query}\n'''", RULE, flags=re.DOTALL))
            reader.codes = {shlex.join(shlex.split(command)): 1 for command in block.commands}
        printed = reader.follow([block])
        everything += printed
        rule.write_text(RULE)
        reader.codes = {}
        if expected:
            assert expected in printed
            compared += 1
    assert compared == 3
    layer = "arn:aws:lambda:us-east-1:111122223333:layer:cloudtrail-signals-rules:1"
    assert f"make deploy PARAMETERS=RulesLayerArn={layer}" in everything
