"""Trail, bucket and topic in one account, the function in another, connected by the commands of docs/large-estate.md."""

import json
import re
import shlex
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
from conftest import PATIENCE_SECONDS, Deployment, make_deploy
from emulator import REGION, ROOT, Emulator, wait_until
from redrive import redrive

PAGE = (ROOT / "docs/large-estate.md").read_text()
ACCOUNTS = {"log-archive": "222222222222", "security": "333333333333"}
LOG_ARCHIVE, SECURITY = ACCOUNTS.values()
STACK = "cloudtrail-signals"
ROLE = f"arn:aws:iam::{SECURITY}:role/{STACK}-FunctionRole-*"
KEY = "arn:aws:kms:eu-central-1:222222222222:key/11111111-2222-3333-4444-555555555555"
TOPIC = f"arn:aws:sns:{REGION}:{LOG_ARCHIVE}:org-trail-deliveries"
# What each account has before anybody reads the page.
TRAIL_WRITES = {
    "Sid": "AWSCloudTrailWrite",
    "Effect": "Allow",
    "Principal": {"Service": "cloudtrail.amazonaws.com"},
    "Action": "s3:PutObject",
    "Resource": "arn:aws:s3:::org-trail/AWSLogs/*",
}
# One signal of the main delivery is the pipeline's.
EXCEPTION = 'ExceptionQuery="user.name: deploy-pipeline and source.ip: 198.51.100.0/24"'


@dataclass(frozen=True)
class Step:
    """A block of the page: commands, or the content of a file."""

    account: str
    commands: str = ""
    file: str = ""
    content: Any = None


def steps() -> Iterator[Step]:
    """Yield the blocks of the page in its order; headings say in which account, and the text above a file names it."""
    account = ""
    for text, language, block in re.findall(r"(.*?)^```(sh|json)\n(.*?)^```\n", PAGE, re.DOTALL | re.MULTILINE):
        for named in re.findall(r"^##.*In the ([a-z-]+) account", text, re.MULTILINE):
            account = ACCOUNTS[named]
        if language == "sh":
            yield Step(account, commands=block)
        else:
            yield Step(
                account,
                file=re.findall(r"^(?:Write|Add to).*?`([a-z-]+\.json)`", text, re.MULTILINE)[-1],
                content=json.loads(block),
            )


def add(file: Path, content: Any) -> None:
    """Do by hand what the page says: write a file, or add to the file that a command has written."""
    there = json.loads(file.read_text() or "{}") if file.exists() else {}
    if isinstance(content, list):
        there["Statement"] += content
    else:
        there |= content
    file.write_text(json.dumps(there))


@dataclass(frozen=True)
class Reader:
    """Somebody who follows the page in both accounts of an emulator."""

    emulator: Emulator
    folder: Path
    key: str

    def follow(self) -> None:
        """Take every step of the page, from first to last."""
        aws = self.folder / "aws"
        # Version 1 of the command asks AWS itself for some services unless the address is an argument.
        aws.write_text(f'#!/bin/sh\nexec \'{ROOT}/.venv/aws/bin/aws\' --endpoint-url "$AWS_ENDPOINT_URL" "$@"\n')
        aws.chmod(0o755)
        for step in steps():
            if step.file:
                add(self.folder / step.file, json.loads(self.here(json.dumps(step.content))))
            for command in step.commands.splitlines():
                self.run(replace(self.emulator, account=step.account), self.here(command))

    def here(self, text: str) -> str:
        """Return a text of the page about this emulator: its region, its key, and the account in the role's place."""
        # The emulator's S3 knows a caller of another account by the account alone.
        return (
            text.replace(ROLE, f"arn:aws:iam::{SECURITY}:root").replace(KEY, self.key).replace("eu-central-1", REGION)
        )

    def run(self, account: Emulator, command: str) -> None:
        """Run a command of the page as somebody of this account."""
        if command.startswith("make deploy "):
            (parameters,) = shlex.split(command)[2:]
            make_deploy(account, STACK, f"{parameters} {EXCEPTION}")
            return
        environment = account.environment
        environment["PATH"] = f"{self.folder}:{environment['PATH']}"
        done = subprocess.run(
            ["sh", "-ec", command],
            cwd=ROOT if command.startswith("make ") else self.folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"


@pytest.fixture(scope="module")
def log_archive(emulator: Emulator) -> Emulator:
    """Return the log-archive account with the trail's bucket."""
    account = replace(emulator, account=LOG_ARCHIVE)
    s3 = account.client("s3")
    s3.create_bucket(Bucket="org-trail")
    policy = {"Version": "2012-10-17", "Statement": [TRAIL_WRITES]}
    s3.put_bucket_policy(Bucket="org-trail", Policy=json.dumps(policy))
    return account


@pytest.fixture(scope="module")
def security(emulator: Emulator, log_archive: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    """Return the stack in the security account, after the page was followed from first to last."""
    key = log_archive.client("kms").create_key()["KeyMetadata"]["Arn"]
    Reader(emulator, tmp_path_factory.mktemp("page"), key).follow()
    account = replace(emulator, account=SECURITY)
    stack = Deployment.of(account, STACK)
    # The emulator's CloudFormation makes no subscription to a topic of another account.
    sqs = account.client("sqs")
    queue = sqs.get_queue_attributes(QueueUrl=stack.outputs["QueueUrl"], AttributeNames=["QueueArn"])["Attributes"]
    account.client("sns").subscribe(TopicArn=TOPIC, Protocol="sqs", Endpoint=queue["QueueArn"])
    return stack


def test_the_steps_of_the_page_work_from_first_to_last_and_signals_come(
    log_archive: Emulator,
    security: Deployment,
    deliveries: dict[str, bytes],
    scanned: dict[str, list[str]],
    main_delivery: str,
) -> None:
    listener = security.subscribe()
    log_archive.client("s3").put_object(Bucket="org-trail", Key=main_delivery, Body=deliveries[main_delivery])
    received = listener.collect(at_least=len(scanned[main_delivery]) - 1)
    assert security.dead_letters() == 0

    # The pipeline's is the one that the exception takes out; the log names it.
    (suppressed,) = (line["signal_id"] for line in security.logged("suppressed by EXCEPTION_QUERY"))
    found = Counter(message.attributes["signal_id"] for message in received)
    assert found + Counter([suppressed]) == Counter(scanned[main_delivery])
    assert {message.signal["aws"]["s3"]["bucket"]["name"] for message in received} == {"org-trail"}


def test_the_page_adds_to_what_the_accounts_have_and_takes_nothing_away(
    log_archive: Emulator, security: Deployment
) -> None:
    policy = json.loads(log_archive.client("s3").get_bucket_policy(Bucket="org-trail")["Policy"])
    sids = [statement["Sid"] for statement in policy["Statement"]]
    assert sids == [TRAIL_WRITES["Sid"], "SignalsReadDeliveries", "SignalsTellMissingFromForbidden"]
    assert policy["Statement"][0] == TRAIL_WRITES
    kms = log_archive.client("kms")
    (key,) = (each["KeyId"] for each in kms.list_keys()["Keys"])
    policy = json.loads(kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"])
    assert [statement["Sid"] for statement in policy["Statement"]][1:] == ["SignalsDecryptDeliveries"]
    assert security.outputs["BucketName"] == "org-trail"


def test_the_deployed_role_is_the_one_that_the_page_s_conditions_let_in(security: Deployment) -> None:
    assert fnmatchcase(security.outputs["FunctionRoleArn"], ROLE)
    conditioned = [
        statement
        for step in steps()
        for statement in (step.content if isinstance(step.content, list) else [])
        if statement["Sid"].startswith("Signals")
    ]
    assert len(conditioned) == 3
    for statement in conditioned:
        # A role that does not exist yet cannot be a principal.
        assert statement["Principal"] == {"AWS": f"arn:aws:iam::{SECURITY}:root"}
        assert statement["Condition"]["ArnEquals"] == {"aws:PrincipalArn": ROLE}


def test_the_function_reads_another_account_s_bucket_only_while_that_account_lets_it(
    log_archive: Emulator,
    security: Deployment,
    deliveries: dict[str, bytes],
    scanned: dict[str, list[str]],
    main_delivery: str,
) -> None:
    listener = security.subscribe()
    s3 = log_archive.client("s3")
    policy = s3.get_bucket_policy(Bucket="org-trail")["Policy"]
    s3.put_bucket_policy(Bucket="org-trail", Policy=json.dumps({"Version": "2012-10-17", "Statement": [TRAIL_WRITES]}))
    with security.quick_retries():
        s3.put_object(Bucket="org-trail", Key=main_delivery, Body=deliveries[main_delivery])
        wait_until(lambda: security.dead_letters() == 1, PATIENCE_SECONDS, "the arrival of a dead letter")
    assert {"AccessDenied" in line["reason"] for line in security.logged("failed")} == {True}

    s3.put_bucket_policy(Bucket="org-trail", Policy=policy)
    queues = security.outputs["DeadLetterQueueUrl"], security.outputs["QueueUrl"]
    assert redrive(security.emulator.client("sqs"), *queues) == 1
    assert len(listener.collect(at_least=len(scanned[main_delivery]) - 1)) == len(scanned[main_delivery]) - 1


def test_a_delivery_outside_the_prefix_is_not_announced(
    log_archive: Emulator, security: Deployment, deliveries: dict[str, bytes], main_delivery: str
) -> None:
    listener = security.subscribe()
    body = deliveries[main_delivery]
    log_archive.client("s3").put_object(Bucket="org-trail", Key=f"elsewhere/{main_delivery}", Body=body)
    assert listener.collect(at_least=0) == []


def test_a_third_account_may_not_subscribe(emulator: Emulator, security: Deployment) -> None:
    assert security.outputs["TopicArn"] != TOPIC
    sns = replace(emulator, account="444444444444").client("sns")
    with pytest.raises(sns.exceptions.AuthorizationErrorException):
        sns.subscribe(TopicArn=TOPIC, Protocol="sqs", Endpoint=f"arn:aws:sqs:{REGION}:444444444444:any")


def test_control_tower_s_prefix_covers_its_keys_and_the_template_takes_it() -> None:
    (prefix,) = re.findall(r"^\| prefix, .* \| `(.*)` \|$", PAGE, re.MULTILINE)
    judged = json.loads((ROOT / "events/keys.json").read_text())
    keys = [row["key"] for row in judged if row["key"].startswith(prefix) and row["verdict"] == "delivery"]
    assert keys
    (pattern,) = re.findall(
        r"^  TrailPrefix:\n.*\n.*\n    AllowedPattern: (.*)$", (ROOT / "template.yaml").read_text(), re.MULTILINE
    )
    assert re.fullmatch(pattern, prefix)
