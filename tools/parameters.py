"""Carry the parameters of ``make deploy`` to ``sam deploy`` byte for byte, and list those that the stack keeps.

``parameters.py write FILE`` splits the text in STACK_PARAMETERS as a POSIX shell would, without expanding anything, and
writes a file for ``sam deploy --parameter-overrides file://FILE``.

``parameters.py kept FILE STACK`` prints the parameters that FILE does not name and that the deployed stack holds at
another value than the template's default: ``sam deploy`` keeps each of them. It looks where ``sam deploy`` will: with the AWS
credentials and endpoint of its environment, in the region that samconfig.toml or the environment names.
"""

import difflib
import os
import re
import shlex
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

import boto3
import yaml
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError
from emulator import ROOT

TEMPLATE = ROOT / "template.yaml"
SAM_CONFIG = ROOT / "samconfig.toml"
EXAMPLE = """PARAMETERS='ExceptionQuery="user.name: deploy and not user_agent.original: *"'"""
# A part in quotes, or an escaped character outside of quotes.
QUOTED = re.compile(r"""\\.|"(?:\\.|[^"\\])*"|'[^']*'""", re.DOTALL)
# sam removes quotes that enclose a value, and a backslash before a blank or a quote, even in a file. It does so twice:
# once for the file and once for what it got from the file.
CHANGED_BY_SAM = re.compile(r"""(["']).*\1|["']|.*\\[ "'].*""", re.DOTALL)
TIMES_CHANGED = 2


class Loader(yaml.SafeLoader):
    """Reads YAML with CloudFormation's short forms, each as a mapping such as ``{"GetAtt": "Queue.Arn"}``."""


def short_form(loader: Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    """Return the value behind a tag, under the tag's name."""
    if isinstance(node, yaml.ScalarNode):
        return {suffix: node.value}
    return {suffix: loader.construct_sequence(node, deep=True)}


Loader.add_multi_constructor("!", short_form)


def defaults() -> dict[str, str]:
    declared: dict[str, dict[str, Any]] = yaml.load(TEMPLATE.read_text(), Loader)["Parameters"]
    return {name: str(each["Default"]) for name, each in declared.items()}


def parse(text: str, known: Mapping[str, str]) -> dict[str, str]:
    """Split ``Key=value Key2="value with blanks"`` into values by name; exit with the reason if that cannot be done."""
    try:
        words = shlex.split(text)
    except ValueError as error:
        sys.exit(f"PARAMETERS: {str(error).lower()}; quote each value that holds a quote, as in {EXAMPLE}")
    for quoted in QUOTED.finditer(text):
        behind = text[quoted.end() : quoted.end() + 1]
        # Quoted text may continue in other quotes, as shells write a quote inside quotes.
        if behind.strip(" \t\n\"'") and not quoted[0].startswith("\\"):
            sys.exit(f'PARAMETERS: a quote ends inside a value, before {behind!r}; write a quote inside a value as \\"')
    values: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name.isalnum():
            sys.exit(f"PARAMETERS: {word!r} is not of the form Key=value; quote values with blanks, as in {EXAMPLE}")
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            sys.exit(f"PARAMETERS: the template has no parameter {name}" + (f"; is it {near[0]}?" if near else ""))
        if name in values:
            sys.exit(f"PARAMETERS: {name} is named twice")
        values[name] = value
    return values


def write(file: Path, values: Mapping[str, str]) -> None:
    """Write a file from which ``sam deploy`` reads exactly these values."""
    file.parent.mkdir(parents=True, exist_ok=True)
    escaped = {name: escaped_for_sam(value) for name, value in values.items()}
    # Quote every value: a YAML reader would take some for numbers, dates or booleans, which CloudFormation takes as text.
    file.write_text(yaml.safe_dump(escaped, default_style='"', sort_keys=False), encoding="ascii")


def escaped_for_sam(value: str) -> str:
    """Return what sam turns into ``value``; that is ``value`` itself, unless sam would change it."""
    if CHANGED_BY_SAM.fullmatch(value):
        for _ in range(TIMES_CHANGED):
            value = '"' + re.sub(r"""([ "'])""", r"\\\1", value) + '"'
    return value


def read(file: Path) -> dict[str, str]:
    return yaml.safe_load(file.read_text())


def kept(present: Mapping[str, str], named: Mapping[str, str], usual: Mapping[str, str]) -> dict[str, str]:
    """Return the deployed values that an update keeps although they are not the template's defaults.

    A parameter that is no longer in the template is left out: the update removes it.
    """
    return {
        name: present[name]
        for name, default in usual.items()
        if name in present and name not in named and present[name] != default
    }


def deployed(cloudformation: BaseClient, stack: str) -> dict[str, str]:
    """Return the parameters that a stack was deployed with, defaults included; none if there is no such stack."""
    try:
        (found,) = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    except ClientError as error:
        if "does not exist" in error.response["Error"]["Message"]:
            return {}
        raise
    return {each["ParameterKey"]: each["ParameterValue"] for each in found.get("Parameters", [])}


def session(config: Path = SAM_CONFIG) -> boto3.Session:
    """Return a session for the region and the profile that ``sam deploy`` uses, if its configuration names them."""
    commands = tomllib.loads(config.read_text()).get("default", {})
    options: dict[str, str] = {}
    for command in ("global", "deploy"):
        options |= commands.get(command, {}).get("parameters", {})
    return boto3.Session(region_name=options.get("region"), profile_name=options.get("profile"))


def report(stack: str, values: Mapping[str, str], usual: Mapping[str, str]) -> str:
    """Return the text about the values that a stack keeps."""
    if not values:
        return f"{stack} keeps no value that is not named in PARAMETERS, other than defaults."
    lines = [f"{stack} keeps these values, which are not the defaults and are not named in PARAMETERS:"]
    lines += [
        f"  {name}={shlex.quote(value)}    (default: {shlex.quote(usual[name])})" for name, value in values.items()
    ]
    lines.append("To go back to a default, name the parameter with it.")
    return "\n".join(lines)


def main() -> NoReturn:
    usual = defaults()
    match sys.argv[1:]:
        case ["write", file]:
            values = parse(os.environ["STACK_PARAMETERS"], usual)
            built = os.environ["ARCHITECTURE"]
            if values.setdefault("Architecture", built) != built:
                sys.exit(f"PARAMETERS: the function is built for {built}; say ARCHITECTURE={values['Architecture']}")
            if not session().region_name:
                sys.exit("No AWS region is set: set AWS_DEFAULT_REGION, or run aws configure")
            write(Path(file), values)
        case ["kept", file, stack]:
            try:
                present = deployed(session().client("cloudformation"), stack)
            except (BotoCoreError, ClientError) as error:
                sys.exit(f"{stack}: cannot read which values it keeps: {error}")
            print(report(stack, kept(present, read(Path(file)), usual), usual), flush=True)
        case _:
            print(__doc__, file=sys.stderr)
            sys.exit(2)
    sys.exit(0)


if __name__ == "__main__":
    main()
