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

# Every command of the pages, as words, and whether test_pages.py or a test of the page's own runs it.
ALL = [
    (shlex.split(part, comments=True), block.tried)
    for page in PAGES
    for block in blocks(page)
    for line in block.commands
    for part in line.split(" && ")
]
AWS = [command for command, tried in ALL if command[:1] == ["aws"] and not tried]
MAKE = [command for command, _ in ALL if command[:1] == ["make"]]


def test_there_are_commands_to_look_at() -> None:
    assert len(AWS) > 1
    assert len(MAKE) > 10


@pytest.mark.parametrize("command", AWS, ids=" ".join)
def test_every_aws_command_that_was_not_tried_is_one_that_the_service_describes(command: list[str]) -> None:
    _, service, operation, *rest = command
    model = botocore.session.get_session().get_service_model(service)
    operations = {xform_name(name, "-"): name for name in model.operation_names}
    shape = model.operation_model(operations[operation]).input_shape
    known = {f"--{xform_name(name, '-')}" for name in shape.members}
    assert {word for word in rest if word.startswith("--")} <= known
    required = {f"--{xform_name(name, '-')}" for name in shape.required_members}
    assert required <= set(rest)


@pytest.mark.parametrize("command", MAKE, ids=" ".join)
def test_every_make_command_names_a_target_variables_and_parameters_that_there_are(command: list[str]) -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = [word for word in command[1:] if "=" not in word]
    variables = dict(word.split("=", 1) for word in command[1:] if "=" in word)
    assert targets
    for target in targets:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
    for variable in variables:
        assert re.search(rf"\$\((value )?{variable}\)", makefile), variable
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
    assert {command[1] for command in MAKE} <= listed


def test_no_target_is_mistaken_for_a_file_or_folder_of_its_name() -> None:
    makefile = (ROOT / "Makefile").read_text()
    (phony,) = re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE)) == set(phony.split())
