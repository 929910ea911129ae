"""cargo-lambda's own commands, as docs/deploy.md shows them: they find the function among the workspace's programs."""

import json
import re
import shlex
import subprocess
from collections.abc import Iterator

import pytest
from conftest import Sample, ids
from emulator import ROOT, Emulator, ministack
from invoke import BUCKET, FUNCTION, watching
from stack import Subscriber, policy, upload_samples

PAGE = (ROOT / "docs/deploy.md").read_text()
COMMANDS = [shlex.split(line) for line in re.findall(r"^(?:[A-Z_]+=\S+ )?(cargo lambda .*)$", PAGE, re.MULTILINE)]
MADE_FOR = {"batchItemFailures": []}


def command(*words: str) -> list[str]:
    """Return the page's command that begins with these words of cargo-lambda's."""
    (found,) = (each for each in COMMANDS if tuple(each[2 : 2 + len(words)]) == words)
    return found


@pytest.fixture(scope="module")
def plain() -> Iterator[Emulator]:
    """Return an emulator that speaks no TLS, as cargo-lambda wants it, with the sample deliveries in their bucket."""
    with ministack() as emulator:
        emulator.client("s3").create_bucket(Bucket=BUCKET)
        upload_samples(emulator, BUCKET)
        yield emulator


@pytest.fixture
def subscriber(plain: Emulator) -> Subscriber:
    return Subscriber(plain, topic(plain))


def topic(emulator: Emulator) -> str:
    return emulator.client("sns").create_topic(Name="signals")["TopicArn"]


def run(emulator: Emulator, words: list[str]) -> str:
    return subprocess.check_output(words, cwd=ROOT, env=emulator.environment, text=True)


def test_watch_and_invoke_find_the_function_without_its_name(
    plain: Emulator, subscriber: Subscriber, main: Sample
) -> None:
    # What "cargo lambda watch" compiles before it runs; done here, so that its time-out does not hit a fresh clone.
    subprocess.run(["cargo", "build", "--locked", "--package", FUNCTION], cwd=ROOT, check=True)
    # The page's commands meet at cargo-lambda's default port, on which something else may listen here.
    with watching(command("watch"), plain.environment | {"SIGNAL_TOPIC_ARN": topic(plain)}) as address:
        reply = run(plain, [*command("invoke", "--data-file"), *address])
    assert json.loads(reply) == MADE_FOR
    assert ids(subscriber.drain()).keys() == main.ids.keys()


def test_what_build_left_is_deployed_and_invoked_remotely(
    plain: Emulator, subscriber: Subscriber, main: Sample
) -> None:
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = plain.client("iam").create_role(RoleName="signals", AssumeRolePolicyDocument=policy(trust))["Role"]["Arn"]
    given = {"<role>": role, "<topic>": topic(plain)}
    deploy = [re.sub("<.*>", lambda name: given[name[0]], word) for word in command("deploy")]
    endpoint = ["--endpoint-url", plain.endpoint]
    run(plain, [*deploy, *endpoint])
    reply = run(plain, [*command("invoke", "--remote"), *endpoint])
    assert json.loads(reply) == MADE_FOR
    assert ids(subscriber.drain()).keys() == main.ids.keys()


def test_build_makes_the_function_and_no_other_program_of_the_workspace(plain: Emulator) -> None:
    # "make package" has compiled all of it.
    run(plain, command("build"))
    assert [path.name for path in (ROOT / "target/lambda").iterdir()] == [FUNCTION]


def test_every_command_of_the_page_is_run_here() -> None:
    assert [tuple(each[2:4]) for each in COMMANDS] == [
        *(("watch",), ("invoke", "--data-file"), ("build", "--release")),
        *(("deploy", "cloudtrail-signals"), ("invoke", "--remote")),
    ]
