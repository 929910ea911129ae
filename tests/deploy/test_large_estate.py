"""Trail, bucket and topic in one account, the function in another, connected by the commands of the pages about that."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import PATIENCE_SECONDS, Deployment, answered, make_deploy
from emulator import REGION, ROOT, Emulator, wait_until
from grant import with_statements
from pages import MARK
from parameters import defaults
from redrive import redrive

STACK = "cloudtrail-signals"
GRANT = ["make", "grant", "STACK=cloudtrail-signals-access"]
KEY = "arn:aws:kms:eu-central-1:222222222222:key/11111111-2222-3333-4444-555555555555"
# One signal of the main delivery is the pipeline's.
EXCEPTION = 'ExceptionQuery="user.name: deploy-pipeline and source.ip: 198.51.100.0/24"'


@dataclass(frozen=True)
class Page:
    """A page, and the names in its examples."""

    name: str
    log_archive: str
    security: str
    bucket: str
    # What stands before the keys of the sample deliveries.
    before: str

    @property
    def text(self) -> str:
        """The page."""
        return (ROOT / "docs" / self.name).read_text()

    @property
    def role(self) -> str:
        """The role that the function gets."""
        return f"arn:aws:iam::{self.security}:role/cloudtrail-signals-function"

    @property
    def topic(self) -> str:
        """The topic that announces deliveries."""
        return f"arn:aws:sns:{REGION}:{self.log_archive}:cloudtrail-signals-access-deliveries"

    @property
    def trail_writes(self) -> dict[str, Any]:
        """The statement that the bucket's policy has before anybody reads the page."""
        return {
            "Sid": "AWSCloudTrailWrite",
            "Effect": "Allow",
            "Principal": {"Service": "cloudtrail.amazonaws.com"},
            "Action": "s3:PutObject",
            "Resource": f"arn:aws:s3:::{self.bucket}/AWSLogs/*",
        }

    def commands(self) -> Iterator[tuple[str, str]]:
        """Yield account and command, in the order of the page, of all that is not marked as not tried."""
        account = ""
        names = {"log-archive": self.log_archive, "security": self.security, "other": self.log_archive}
        for before, block in re.findall(r"(.*?)^```sh\n(.*?)^```\n", self.text, re.DOTALL | re.MULTILINE):
            for named in re.findall(r"^(?:#.*)?In (?:the|every) ([a-z-]+) account", before, re.MULTILINE):
                account = names[named]
            if not MARK.search(before.rstrip().rpartition("\n\n")[2]):
                yield from ((account, command) for command in block.splitlines())


LARGE = Page("large-estate.md", "222222222222", "333333333333", "org-trail", "")
TOWER = Page(
    "control-tower.md",
    "444444444444",
    "555555555555",
    f"aws-controltower-logs-444444444444-{REGION}",
    "o-a1b2c3d4e5/",
)
PAGES = {page.name: page for page in (LARGE, TOWER)}


@dataclass(frozen=True)
class Reader:
    """Somebody who follows the page in both accounts of an emulator."""

    emulator: Emulator
    folder: Path
    key: str
    page: Page

    def follow(self) -> None:
        """Take every step of the page, from first to last."""
        aws = self.folder / "aws"
        # Version 1 of the command asks AWS itself for some services unless the address is an argument.
        aws.write_text(f'#!/bin/sh\nexec \'{ROOT}/.venv/aws/bin/aws\' --endpoint-url "$AWS_ENDPOINT_URL" "$@"\n')
        aws.chmod(0o755)
        for account, command in self.page.commands():
            self.run(replace(self.emulator, account=account), self.here(command))

    def here(self, text: str) -> str:
        """Return a text of the page about this emulator: its region and its key."""
        return text.replace(KEY, self.key).replace("eu-central-1", REGION)

    def run(self, account: Emulator, command: str) -> None:
        """Run a command of the page as somebody of this account, who answers every question with yes."""
        if deploy := re.fullmatch(r'make deploy PARAMETERS="(.*)"', command):
            make_deploy(account, STACK, f"PARAMETERS={deploy[1]} {EXCEPTION}")
            return
        path = f"{self.folder}:{account.environment['PATH']}"
        done = answered(account, ["sh", "-ec", command], "y\n" * 3, PATH=path)
        assert done.returncode == 0, f"{command}\n{done.stdout}"


@pytest.fixture(scope="module", params=PAGES)
def page(request: pytest.FixtureRequest) -> Page:
    """Return each of the pages."""
    return PAGES[request.param]


@pytest.fixture(scope="module")
def log_archive(emulator: Emulator, page: Page) -> Emulator:
    """Return the log-archive account with the trail's bucket."""
    account = replace(emulator, account=page.log_archive)
    s3 = account.client("s3")
    s3.create_bucket(Bucket=page.bucket)
    policy = {"Version": "2012-10-17", "Statement": [page.trail_writes]}
    s3.put_bucket_policy(Bucket=page.bucket, Policy=json.dumps(policy))
    return account


@pytest.fixture(scope="module")
def granted(log_archive: Emulator, security: Deployment, page: Page) -> dict[str, Any]:
    """Return the bucket's policy as the page left it."""
    return json.loads(granted_policies[page.name])


granted_policies: dict[str, str] = {}


@pytest.fixture(scope="module")
def security(
    emulator: Emulator, log_archive: Emulator, page: Page, tmp_path_factory: pytest.TempPathFactory
) -> Deployment:
    """Return the stack in the security account, after the page was followed from first to last."""
    key = log_archive.client("kms").create_key()["KeyMetadata"]["Arn"]
    Reader(emulator, tmp_path_factory.mktemp("page"), key, page).follow()
    account = replace(emulator, account=page.security)
    stack = Deployment.of(account, STACK)
    # The emulator's CloudFormation makes no subscription to a topic of another account.
    sqs = account.client("sqs")
    queue = sqs.get_queue_attributes(QueueUrl=stack.outputs["QueueUrl"], AttributeNames=["QueueArn"])["Attributes"]
    account.client("sns").subscribe(TopicArn=page.topic, Protocol="sqs", Endpoint=queue["QueueArn"])
    # Its S3 knows a caller of another account by the account alone.
    s3 = log_archive.client("s3")
    policy = s3.get_bucket_policy(Bucket=page.bucket)["Policy"]
    granted_policies[page.name] = policy
    s3.put_bucket_policy(Bucket=page.bucket, Policy=policy.replace(page.role, f"arn:aws:iam::{page.security}:root"))
    return stack


def test_the_steps_of_the_page_work_from_first_to_last_and_signals_come(
    log_archive: Emulator,
    security: Deployment,
    page: Page,
    deliveries: dict[str, bytes],
    scanned: dict[str, list[str]],
    main_delivery: str,
) -> None:
    listener = security.subscribe()
    key = page.before + main_delivery
    log_archive.client("s3").put_object(Bucket=page.bucket, Key=key, Body=deliveries[main_delivery])
    received = listener.collect(at_least=len(scanned[main_delivery]) - 1)
    assert security.dead_letters() == 0

    # The pipeline's is the one that the exception takes out; the log names it.
    (suppressed,) = (line["signal_id"] for line in security.logged("suppressed by EXCEPTION_QUERY"))
    found = Counter(message.attributes["signal_id"] for message in received)
    assert found + Counter([suppressed]) == Counter(scanned[main_delivery])
    assert {message.signal["aws"]["s3"]["bucket"]["name"] for message in received} == {page.bucket}


def test_the_page_adds_to_what_the_accounts_have_and_takes_nothing_away(
    log_archive: Emulator, granted: dict[str, Any], page: Page
) -> None:
    sids = [statement["Sid"] for statement in granted["Statement"]]
    assert sids == ["AWSCloudTrailWrite", "SignalsReadDeliveries", "SignalsTellMissingFromForbidden"]
    assert granted["Statement"][0] == page.trail_writes
    if page is LARGE:
        kms = log_archive.client("kms")
        (key,) = (each["KeyId"] for each in kms.list_keys()["Keys"])
        policy = json.loads(kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"])
        assert [statement["Sid"] for statement in policy["Statement"]][1:] == ["SignalsDecryptDeliveries"]


def test_the_bucket_lets_in_the_role_that_is_deployed_afterwards(
    security: Deployment, granted: dict[str, Any], page: Page
) -> None:
    assert security.outputs["FunctionRoleArn"] == page.role
    for statement in granted["Statement"][1:]:
        assert statement["Principal"] == {"AWS": f"arn:aws:iam::{page.security}:root"}
        assert statement["Condition"]["ArnEquals"] == {"aws:PrincipalArn": page.role}


def test_the_statements_on_the_page_are_those_that_the_template_puts_out(
    log_archive: Emulator, security: Deployment, page: Page
) -> None:
    if page is not LARGE:
        return
    assert security.outputs["BucketName"] == page.bucket
    (shown,) = re.findall(r"^```json\n(.*?)^```", page.text, re.DOTALL | re.MULTILINE)
    put_out = Deployment.of(log_archive, "cloudtrail-signals-access").outputs
    wanted = [json.loads(put_out[name]) for name in ("BucketPolicyStatements", "KeyPolicyStatements")]
    assert json.loads(shown.replace("eu-central-1", REGION)) == wanted[0] + wanted[1]


def test_granting_again_changes_nothing(log_archive: Emulator, security: Deployment, page: Page) -> None:
    s3 = log_archive.client("s3")
    stood_in = s3.get_bucket_policy(Bucket=page.bucket)["Policy"]
    s3.put_bucket_policy(Bucket=page.bucket, Policy=granted_policies[page.name])
    done = answered(log_archive, GRANT, "")
    s3.put_bucket_policy(Bucket=page.bucket, Policy=stood_in)
    assert done.returncode == 0, done.stdout
    assert "nothing to do" in done.stdout
    assert "Write this" not in done.stdout


def test_what_is_not_answered_with_yes_is_not_written(log_archive: Emulator, security: Deployment, page: Page) -> None:
    s3 = log_archive.client("s3")
    stood_in = s3.get_bucket_policy(Bucket=page.bucket)["Policy"]
    bare = json.dumps({"Version": "2012-10-17", "Statement": [page.trail_writes]})
    s3.put_bucket_policy(Bucket=page.bucket, Policy=bare)
    done = answered(log_archive, GRANT, "\n")
    unchanged = s3.get_bucket_policy(Bucket=page.bucket)["Policy"]
    s3.put_bucket_policy(Bucket=page.bucket, Policy=stood_in)
    assert done.returncode != 0
    assert '+      "Sid": "SignalsReadDeliveries",' in done.stdout
    assert json.loads(unchanged) == json.loads(bare)


def test_a_statement_of_ours_is_replaced_and_those_of_others_stay() -> None:
    theirs, ours = {"Sid": "Theirs", "Action": "a"}, {"Sid": "SignalsReadDeliveries", "Action": "old"}
    nameless = {"Action": "b"}
    new = ours | {"Action": "new"}
    policy = {"Version": "2008-10-17", "Id": "x", "Statement": [theirs, ours, nameless]}
    assert with_statements(policy, [new]) == policy | {"Statement": [theirs, new, nameless]}
    assert with_statements({}, [new]) == {"Version": "2012-10-17", "Statement": [new]}
    assert with_statements({"Statement": theirs}, [new])["Statement"] == [theirs, new]


def test_no_policy_anywhere_has_a_role_as_its_principal() -> None:
    # AWS refuses a policy whose principal is a role that does not exist yet.
    files = [*ROOT.glob("deploy/*.yaml"), ROOT / "template.yaml", *ROOT.glob("docs/*.md")]
    principals = [line for file in files for line in file.read_text().splitlines() if re.search(r'Principal"?:', line)]
    assert len(principals) > 10
    assert [line for line in principals if ":role/" in line] == []


def test_events_are_forwarded_by_a_role_that_can_do_nothing_else(
    log_archive: Emulator, security: Deployment, page: Page
) -> None:
    if page is not LARGE:
        return
    events, bus = log_archive.client("events"), f"arn:aws:events:{REGION}:{page.security}:event-bus/default"
    (rule,) = (rule for rule in events.list_rules()["Rules"] if "ForwardRule" in rule["Name"])
    assert rule["EventPattern"] == defaults()["RealTimePattern"]
    (target,) = events.list_targets_by_rule(Rule=rule["Name"])["Targets"]
    assert target["Arn"] == bus
    iam, role = log_archive.client("iam"), target["RoleArn"].rpartition("/")[2]
    (statement,) = iam.get_role_policy(RoleName=role, PolicyName="forward")["PolicyDocument"]["Statement"]
    assert (statement["Action"], statement["Resource"]) == ("events:PutEvents", bus)


def test_the_pattern_that_is_forwarded_is_the_one_that_the_function_s_stack_takes() -> None:
    template = yaml.safe_load(re.sub(r"!\w+", "", (ROOT / "deploy/forward-events.yaml").read_text()))
    assert template["Parameters"]["EventPattern"]["Default"] == defaults()["RealTimePattern"]


def test_the_event_bus_is_an_announcer_too(log_archive: Emulator, page: Page) -> None:
    if page is not LARGE:
        return
    cloudformation = log_archive.client("cloudformation")
    given = {"SecurityAccountId": page.security, "TrailBucketName": page.bucket, "Announce": "event-bus"}
    cloudformation.create_stack(
        StackName="by-event-bus",
        TemplateBody=(ROOT / "deploy/log-archive.yaml").read_text(),
        Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in given.items()],
        Capabilities=["CAPABILITY_IAM"],
    )
    cloudformation.get_waiter("stack_create_complete").wait(StackName="by-event-bus")
    made = {
        each["LogicalResourceId"]
        for each in cloudformation.describe_stack_resources(StackName="by-event-bus")["StackResources"]
    }
    assert made == {"ForwardRole", "ForwardRule"}


def test_the_function_reads_another_account_s_bucket_only_while_that_account_lets_it(
    log_archive: Emulator,
    security: Deployment,
    deliveries: dict[str, bytes],
    scanned: dict[str, list[str]],
    main_delivery: str,
    page: Page,
) -> None:
    listener = security.subscribe()
    # With an archive, what was published once is not published again.
    if "ArchiveBucketName" in security.outputs:
        security.forget_signals()
    s3 = log_archive.client("s3")
    policy = s3.get_bucket_policy(Bucket=page.bucket)["Policy"]
    s3.put_bucket_policy(
        Bucket=page.bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [page.trail_writes]})
    )
    with security.quick_retries():
        s3.put_object(Bucket=page.bucket, Key=page.before + main_delivery, Body=deliveries[main_delivery])
        wait_until(lambda: security.dead_letters() == 1, PATIENCE_SECONDS, "the arrival of a dead letter")
    assert {"AccessDenied" in line["reason"] for line in security.logged("failed")} == {True}

    s3.put_bucket_policy(Bucket=page.bucket, Policy=policy)
    queues = security.outputs["DeadLetterQueueUrl"], security.outputs["QueueUrl"]
    assert redrive(security.emulator.client("sqs"), *queues) == 1
    assert len(listener.collect(at_least=len(scanned[main_delivery]) - 1)) == len(scanned[main_delivery]) - 1


def test_a_delivery_outside_the_prefix_is_not_announced(
    log_archive: Emulator, security: Deployment, page: Page, deliveries: dict[str, bytes], main_delivery: str
) -> None:
    listener = security.subscribe()
    body = deliveries[main_delivery]
    log_archive.client("s3").put_object(Bucket=page.bucket, Key=f"elsewhere/{main_delivery}", Body=body)
    assert listener.collect(at_least=0) == []


def test_a_third_account_may_not_subscribe(emulator: Emulator, security: Deployment, page: Page) -> None:
    assert security.outputs["TopicArn"] != page.topic
    sns = replace(emulator, account="777777777777").client("sns")
    with pytest.raises(sns.exceptions.AuthorizationErrorException):
        sns.subscribe(TopicArn=page.topic, Protocol="sqs", Endpoint=f"arn:aws:sqs:{REGION}:777777777777:any")


def test_control_tower_s_prefix_covers_its_keys_and_the_template_takes_it() -> None:
    (prefix,) = re.findall(r"^\| prefix, .* \| `(.*?)`.* \|$", TOWER.text, re.MULTILINE)
    judged = json.loads((ROOT / "events/keys.json").read_text())
    keys = [row["key"] for row in judged if row["key"].startswith(prefix) and row["verdict"] == "delivery"]
    assert keys
    (pattern,) = re.findall(
        r"^  TrailPrefix:\n.*\n.*\n    AllowedPattern: (.*)$", (ROOT / "template.yaml").read_text(), re.MULTILINE
    )
    assert re.fullmatch(pattern, prefix)
