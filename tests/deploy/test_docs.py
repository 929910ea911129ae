"""What the pages say: commands there are, and links that lead somewhere."""

import re
import shlex
import subprocess

import botocore.session
import pytest
from botocore import xform_name
from emulator import ROOT
from pages import PAGES, anchors, blocks
from parameters import defaults

# Options that every aws command has.
GLOBAL = {"--query", "--output"}
# What the aws command calls differently from the service's description.
RENAMED = {"s3api": "s3"}


def commands(page: str) -> list[list[str]]:
    """Return the words of every command in a page's shell blocks."""
    lines = [line for block in blocks(page) for line in block.commands]
    parts = [part for line in lines for part in line.split(" && ")]
    return [words for part in parts if (words := shlex.split(part, comments=True))]


ALL = [(name, command) for name in PAGES for command in commands(name)]
# What the aws command has beside the services' own operations.
CUSTOM = {("cloudformation", "deploy"), ("s3", "cp"), ("s3", "mb")}
AWS = [(name, command) for name, command in ALL if command[0] == "aws" and (command[1], command[2]) not in CUSTOM]
MAKE = [(name, command) for name, command in ALL if command[0] == "make"]


def test_there_are_commands_to_look_at() -> None:
    assert len(AWS) > 4
    assert len(MAKE) > 10


@pytest.mark.parametrize(("page", "command"), AWS, ids=[f"{page}: {' '.join(command)}" for page, command in AWS])
def test_every_aws_command_is_one_that_the_service_describes(page: str, command: list[str]) -> None:
    _, service, operation, *rest = command
    model = botocore.session.get_session().get_service_model(RENAMED.get(service, service))
    operations = {xform_name(name, "-"): name for name in model.operation_names}
    shape = model.operation_model(operations[operation]).input_shape
    known = {f"--{xform_name(name, '-')}" for name in shape.members}
    rest = ["--endpoint" if word == "--notification-endpoint" else word for word in rest]
    assert {word for word in rest if word.startswith("--")} - GLOBAL <= known
    required = {f"--{xform_name(name, '-')}" for name in shape.required_members}
    assert required <= set(rest)


@pytest.mark.parametrize(("page", "command"), MAKE, ids=[f"{page}: {' '.join(command)}" for page, command in MAKE])
def test_every_make_command_names_a_target_variables_and_parameters_that_there_are(
    page: str, command: list[str]
) -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = [word for word in command[1:] if "=" not in word]
    variables = dict(word.split("=", 1) for word in command[1:] if "=" in word)
    assert targets
    for target in targets:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), f"{page}: no target {target}"
    for variable in variables:
        assert re.search(rf"\$\((value )?{variable}\)", makefile), f"{page}: no variable {variable}"
    parameters = set(re.findall(r"(?:^|\s)([A-Z]\w+)=", variables.get("PARAMETERS", "")))
    assert parameters <= defaults().keys()


@pytest.mark.parametrize("name", PAGES)
def test_every_link_leads_to_a_file_and_a_heading_there(name: str) -> None:
    page = ROOT / name
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if target.startswith("https://"):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), f"{name}: {target}"
        assert not anchor or anchor in anchors(file.read_text()), f"{name}: {target}"


def test_make_help_lists_every_target_that_a_page_names() -> None:
    printed = subprocess.check_output(["make", "--no-print-directory", "help"], cwd=ROOT, text=True)
    listed = set(re.findall(r"^  make (\w+)", printed, re.MULTILINE))
    assert {command[1] for _, command in MAKE} <= listed


def test_no_target_is_mistaken_for_a_file_or_folder_of_its_name() -> None:
    makefile = (ROOT / "Makefile").read_text()
    (phony,) = re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE)) == set(phony.split())
