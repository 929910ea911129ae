"""The command blocks of the pages, and a reader who types them, in order, into a terminal whose AWS is an emulator."""

import os
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from conftest import make_deploy
from emulator import ROOT, SCAN, Emulator
from sandbox import write_aws
from stack import answered, mend, outputs

PAGES = sorted(
    file.relative_to(ROOT).as_posix()
    for pattern in ("*.md", "docs/*.md", "deploy/**/*.md", "rules/**/*.md")
    for file in ROOT.glob(pattern)
)
# What the paragraph above a block says if its commands were not run.
MARK = re.compile(r"\bnot (tried|run by a test)\b", re.IGNORECASE)
STACK = "cloudtrail-signals"
# The same programs without optimization: a test recompiles nothing that another has compiled.
COMPILED = {
    "cargo run --release -p cloudtrail-scan --": "cloudtrail-scan",
    "make demo": "make --old-file=package demo",
}
# Commands that "make test" itself runs, or that have their own test.
RUN_ELSEWHERE = {
    "make localstack": "is a part of make test",
    "make test": "runs this test",
    "make sandbox": "test_sandbox.py",
    "cargo lambda": "test_cargo_lambda.py",
}


@dataclass(frozen=True)
class Block:
    """A block of commands on a page."""

    page: str
    line: int
    heading: str
    # The paragraph above it.
    above: str
    commands: list[str]

    @property
    def tried(self) -> bool:
        """Whether the page claims that the commands work as they stand."""
        return not MARK.search(self.above)


def anchors(text: str) -> set[str]:
    """Return the anchors that the headings of a page have."""
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def blocks(page: str) -> Iterator[Block]:
    """Yield the shell blocks of a page, in order."""
    text = (ROOT / page).read_text()
    for found in re.finditer(r"^ *```(sh|console)\n(.*?)^ *```", text, re.DOTALL | re.MULTILINE):
        before = text[: found.start()]
        # Without the here-documents of commands.
        block = re.sub(r"<<'END'\n.*?^END$", "", found[2], flags=re.DOTALL | re.MULTILINE)
        lines = [line.strip() for line in block.splitlines() if line.strip()]
        if found[1] == "console":
            lines = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
        headings = re.findall(r"^#+ (.*)$", before, re.MULTILINE)
        above = before.rstrip().rpartition("\n\n")[2]
        yield Block(page, before.count("\n") + 1, headings[-1], above, lines)


def tried(page: str) -> list[Block]:
    """Return the blocks of a page that are not marked as not tried."""
    return [block for block in blocks(page) if block.tried]


def run_elsewhere(command: str) -> bool:
    words = [word for word in shlex.split(command, comments=True) if not re.match(r"[A-Z_]+=", word)]
    return any(words[: len(each.split())] == each.split() for each in RUN_ELSEWHERE)


@dataclass
class Reader:
    """Somebody with a clone, whose AWS is an emulator."""

    emulator: Emulator
    # Holds what the pages take for granted: files that a command names, and the folder of programs.
    folder: Path
    # The values of words in angle brackets that are not outputs of the stack deployed last.
    known: dict[str, str] = field(default_factory=dict)
    # The exit codes of commands that do not succeed here.
    codes: Mapping[str, int] = field(default_factory=dict)
    stack: str = STACK

    def __post_init__(self) -> None:
        """Lay the clone into the folder, link by link, so that what a command writes is not written into the clone."""
        for file in ROOT.iterdir():
            if not (self.folder / file.name).exists():
                (self.folder / file.name).symlink_to(file)
        programs = self.folder / "programs"
        programs.mkdir()
        write_aws(programs)
        (programs / "cloudtrail-scan").symlink_to(SCAN)

    def follow(self, page: list[Block]) -> str:
        """Run every command of these blocks that nothing else runs, and return what they printed."""
        commands = [command for block in page for command in block.commands if not run_elsewhere(command)]
        return "".join(self.run(command) for command in commands)

    def run(self, text: str) -> str:
        """Run a command, answer every question with yes, and return what it printed; fail as it fails."""
        command = self.filled(text)
        words = shlex.split(command, comments=True)
        if words[:2] == ["make", "deploy"]:
            self.stack = dict(word.split("=", 1) for word in words[2:]).get("STACK", STACK)
            kept = [word for word in words[2:] if not word.startswith("STACK=")]
            return make_deploy(self.emulator, self.stack, *kept)
        path = f"{self.folder / 'programs'}{os.pathsep}{self.emulator.environment['PATH']}"
        environment = {"PATH": path, "AWS_PAGER": ""} | ({"HOME": str(self.folder)} if "~/" in command else {})
        folder = ROOT if words[0] == "make" or words[:2] == ["sam", "build"] else self.folder
        code, printed = answered(self.emulator, ["sh", "-ec", command], "y\n" * 5, folder, **environment)
        assert code == self.codes.get(shlex.join(words), 0), f"{command}\n{printed}"
        if words[1:3] in (["deploy", "--stack-name"], ["cloudformation", "deploy"]):
            self.stack = words[words.index("--stack-name") + 1]
            found = outputs(self.emulator.client("cloudformation"), self.stack)
            if "FunctionName" in found:
                mend(self.emulator, found)
        return printed

    def filled(self, text: str) -> str:
        """Return a command with what stands for the words in angle brackets."""
        for short, typed in COMPILED.items():
            text = text.replace(short, typed)
        names = re.findall(r"<([A-Za-z][\w ]*)>", text)
        if not names:
            return text
        found = self.known
        if not set(names) <= found.keys():
            found = outputs(self.emulator.client("cloudformation"), self.stack) | found
        return re.sub(r"<([A-Za-z][\w ]*)>", lambda name: found[name[1]], text)
