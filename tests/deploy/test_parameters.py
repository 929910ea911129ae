"""The parameters of ``make deploy``: carried byte for byte, and listed where the stack keeps them."""

import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest
from conftest import make_deploy
from emulator import ROOT, Emulator
from parameters import defaults, kept, parse, report, session, write
from samcli.cli.types import CfnParameterOverridesType
from stack import outputs

PAGE = (ROOT / "docs/deploy.md").read_text()
STACK = "byte-for-byte"
# One of each character that a shell, make, sam or YAML gives a meaning to.
EVERYTHING = r"""user.name: ("it's"  or 'a "b"') and x: S3*,y\ and z=\"$HOME $(shell false) $$ ${A} `b` \\ \' # % [c] {d: &e} !f ~"""
VALUES = [
    *(EVERYTHING, "user.name: deploy-pipeline and source.ip: 198.51.100.0/24", '"user.name: deploy-pipeline"'),
    *("'user.name'", '"', "'", "\\", '\\"', "\\ \\\\ ", "  a  b  ", "a\n b\t c", "größe 😀 \x7f", "$("),
    *("true", "0123", "1e3", "2026-01-01", "null", "~", "", "- a", "a: b", "file://x"),
]


def variable(emulator: Emulator, name: str = "EXCEPTION_QUERY") -> str:
    function = outputs(emulator.client("cloudformation"), STACK)["FunctionName"]
    answer = emulator.client("lambda").get_function_configuration(FunctionName=function)
    return answer["Environment"]["Variables"][name]


def test_make_deploy_carries_every_value_byte_for_byte_and_names_what_it_keeps(emulator: Emulator) -> None:
    printed = make_deploy(emulator, STACK, f"PARAMETERS=LogLevel=DEBUG ExceptionQuery={shlex.quote(EVERYTHING)}")
    assert variable(emulator) == EVERYTHING
    assert f"{STACK} keeps no value" in printed

    # Nothing is named, so everything stays.
    printed = make_deploy(emulator, STACK, "PARAMETERS=")
    assert variable(emulator) == EVERYTHING
    kept, _, asked = printed.partition("sam deploy")
    assert f"  ExceptionQuery={shlex.quote(EVERYTHING)}    (default: '')\n" in kept
    assert "  LogLevel=DEBUG    (default: INFO)\n" in kept
    assert "MemorySize" not in kept
    assert "Deploy this changeset?" in asked or "No changes to deploy" in asked

    # Naming a default returns to it. The other value is wrapped in its own quotes.
    printed = make_deploy(emulator, STACK, """PARAMETERS=LogLevel=INFO ExceptionQuery='"user.name: a b"'""")
    assert variable(emulator) == '"user.name: a b"'
    assert f"{STACK} keeps no value" in printed

    make_deploy(emulator, STACK, "PARAMETERS=ExceptionQuery=")
    assert variable(emulator) == ""


def test_plain_sam_deploy_reads_the_file_that_the_page_shows(tmp_path: Path) -> None:
    (shown,) = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    file = tmp_path / "params.yaml"
    file.write_text(shown)
    values = read_by_sam(file)
    assert values["ExceptionQuery"] == "user.name: deploy-pipeline and source.ip: 198.51.100.0/24"
    assert values.keys() <= defaults().keys()


def read_by_sam(file: Path) -> dict[str, str]:
    return CfnParameterOverridesType().convert((f"file://{file}",), None, None)


@pytest.mark.parametrize("value", VALUES)
def test_sam_reads_each_value_from_the_file_as_it_was_written(tmp_path: Path, value: str) -> None:
    write(tmp_path / "parameters.yaml", {"ExceptionQuery": value, "LogLevel": "INFO"})
    assert read_by_sam(tmp_path / "parameters.yaml") == {"ExceptionQuery": value, "LogLevel": "INFO"}


@pytest.mark.parametrize("value", VALUES)
def test_each_value_that_a_shell_quotes_is_parsed_as_it_is(value: str) -> None:
    text = f"LogLevel=DEBUG ExceptionQuery={shlex.quote(value)} AlarmEmail=a@example.com"
    assert parse(text, defaults()) == {"LogLevel": "DEBUG", "ExceptionQuery": value, "AlarmEmail": "a@example.com"}


def test_values_are_split_at_blanks_and_quotes_group_them() -> None:
    text = r"""A=1  B="two  words" C='$x \ "y"' D=a\ b\\c "E=whole word" F="say \"hi\"" """
    known = dict.fromkeys("ABCDEF", "")
    values = {"A": "1", "B": "two  words", "C": '$x \\ "y"', "D": "a b\\c", "E": "whole word", "F": 'say "hi"'}
    assert parse(text, known) == values
    assert parse("", known) == {}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("ExceptionQuery=user.name: deploy and x", "'deploy' is not of the form Key=value"),
        ("ExceptionQuery=user.name: source.ip=1.2.3.4", "'source.ip=1.2.3.4' is not of the form Key=value"),
        ("ExceptionQuery='a", "no closing quotation"),
        ('ExceptionQuery="user.name: "a b" or x"', "a quote ends inside a value, before 'a'"),
        ("TrailBucketname=my-trail", "no parameter TrailBucketname; is it TrailBucketName?"),
        ("LogLevel=INFO LogLevel=DEBUG", "LogLevel is named twice"),
    ],
)
def test_what_would_lose_a_part_of_a_value_is_refused_with_the_reason(text: str, problem: str) -> None:
    with pytest.raises(SystemExit, match=re.escape(problem)):
        parse(text, defaults())


@pytest.mark.parametrize(
    ("parameters", "problem"),
    [
        ("ExceptionQuery=a b", "'b' is not of the form Key=value"),
        ("Architecture=arm64", "the function is built for x86_64; say ARCHITECTURE=arm64"),
        ("LogLevel=INFO", "No AWS region is set"),
    ],
)
def test_make_deploy_ends_before_it_compiles_if_parameters_are_wrong(parameters: str, problem: str) -> None:
    unwanted = ("MAKEFLAGS", "MAKELEVEL", "AWS_DEFAULT_REGION", "AWS_PROFILE")
    environment = {name: value for name, value in os.environ.items() if name not in unwanted}
    environment["AWS_CONFIG_FILE"] = os.devnull
    command = ["make", "deploy", f"PARAMETERS={parameters}"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert problem in done.stderr
    assert "cargo" not in done.stdout


def test_a_value_is_kept_if_it_is_deployed_not_named_and_not_the_default() -> None:
    usual = {"A": "", "B": "x", "C": "1", "D": "2"}
    present = {"A": "kept", "B": "x", "C": "named", "Gone": "with the update"}
    assert kept(present, {"C": "3"}, usual) == {"A": "kept"}
    assert "  A=kept    (default: '')" in report("stack", {"A": "kept"}, usual)


@pytest.mark.parametrize(
    ("text", "region"),
    [
        ('version = 0.1\n[default.deploy.parameters]\nstack_name = "x"\n', "us-east-1"),
        ('[default.global.parameters]\nregion = "eu-west-1"\n[default.deploy.parameters]\n', "eu-west-1"),
        ('[default.global.parameters]\nregion = "x"\n[default.deploy.parameters]\nregion = "eu-west-2"\n', "eu-west-2"),
    ],
)
def test_the_stack_is_looked_up_in_the_region_that_sam_deploys_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, region: str
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    config = tmp_path / "samconfig.toml"
    config.write_text(text)
    assert session(config).region_name == region
