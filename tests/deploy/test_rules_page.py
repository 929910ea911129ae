"""The commands of docs/rules.md beside its quick start, with what the page shows compared with what is printed."""

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
# test_rules.py runs it.
ROUND = "Quick start"
RULE, CASES = re.findall(r"<<'END'\n(.*?)^END$", TEXT, re.DOTALL | re.MULTILINE)[:2]
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
    """Return somebody who has written the page's rule and its cases, and has copied a delivery."""
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules/trail.toml").write_text(RULE)
    (tmp_path / "rules/trail.cases.jsonl").write_text(CASES)
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs/a.json.gz").write_bytes(refused_calls())
    with ministack(enforcing=True) as emulator:
        yield Reader(replace(emulator, account="111122223333"), tmp_path)


def test_the_commands_of_the_page_work_as_they_stand_and_print_what_it_shows(reader: Reader) -> None:
    rule = reader.folder / "rules/trail.toml"
    compared = 0
    for block in (block for block in tried(PAGE) if block.heading != ROUND):
        expected = shown(block)
        if MISTAKE in expected:
            query = expected.splitlines()[1].strip()
            rule.write_text(re.sub(r"'''\n.*'''", f"'''\n{query}\n'''", RULE, flags=re.DOTALL))
            reader.codes = {shlex.join(shlex.split(command)): 1 for command in block.commands}
        printed = reader.follow([block])
        rule.write_text(RULE)
        reader.codes = {}
        if expected:
            assert expected in printed
            compared += 1
    assert compared == 2
