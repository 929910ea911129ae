"""Trail, bucket and topic in one account, the function in another, connected by the commands of the pages about that."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest
import yaml
from conftest import Deployment, Sample, create_stack, ids
from emulator import REGION, ROOT, Emulator
from grant import with_statements
from pages import Reader, tried
from parameters import Loader, defaults
from redrive import redrive
from stack import answered, policy, queue_arn
from test_template import TEMPLATE

STACK = "cloudtrail-signals"
GRANT = ["make", "grant", "STACK=cloudtrail-signals-access"]
KEY = "arn:aws:kms:eu-central-1:222222222222:key/11111111-2222-3333-4444-555555555555"
# One signal of the main delivery is the pipeline's.
EXCEPTION = "ExceptionQuery='user.name: deploy-pipeline and source.ip: 198.51.100.0/24'"


@dataclass(frozen=True)
class Page:
    """A page, and the names in its examples."""

    name: str
    log_archive: str
    security: str
    bucket: str
    # What comes before the keys of the sample deliveries.
    before: str

    @property
    def text(self) -> str:
        return (ROOT / "docs" / self.name).read_text()

    @property
    def role(self) -> str:
        """The role that the function gets."""
        return f"arn:aws:iam::{self.security}:role/cloudtrail-signals-function"

    @property
    def topic(self) -> str:
        """The topic that announces deliveries."""
        return f"arn:aws:sns:{REGION}:{self.log_archive}:cloudtrail-signals-access-deliveries"

    def put(self, log_archive: Emulator, key: str, body: bytes) -> None:
        """Write an object to the trail's bucket, as CloudTrail does."""
        log_archive.client("s3").put_object(Bucket=self.bucket, Key=key, Body=body)

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
        accounts = {"log-archive": self.log_archive, "security": self.security, "other": self.log_archive}
        for block in tried(f"docs/{self.name}"):
            before = "\n".join(self.text.splitlines()[: block.line])
            named = re.findall(r"^(?:#.*)?In (?:the|every) ([a-z-]+) account", before, re.MULTILINE)[-1]
            yield from ((accounts[named], command) for command in block.commands)


LARGE = Page("large-estate.md", "222222222222", "333333333333", "org-trail", "")
TOWER_BUCKET = f"aws-controltower-logs-444444444444-{REGION}"
TOWER = Page("control-tower.md", "444444444444", "555555555555", TOWER_BUCKET, "o-a1b2c3d4e5/")
of_the_large_estate = pytest.mark.parametrize("page", [LARGE], ids=lambda page: page.name, indirect=True)


@pytest.fixture(scope="module", params=[LARGE, TOWER], ids=lambda page: page.name)
def page(request: pytest.FixtureRequest) -> Page:
    return request.param


@pytest.fixture(scope="module")
def log_archive(emulator: Emulator, page: Page) -> Emulator:
    """Return the log-archive account with the trail's bucket."""
    account = replace(emulator, account=page.log_archive)
    s3 = account.client("s3")
    s3.create_bucket(Bucket=page.bucket)
    s3.put_bucket_policy(Bucket=page.bucket, Policy=policy(page.trail_writes))
    return account


@pytest.fixture(scope="module")
def granted(emulator: Emulator, log_archive: Emulator, page: Page, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Follow the page in both accounts, from first to last; return the bucket's policy as the page leaves it."""
    key = log_archive.client("kms").create_key()["KeyMetadata"]["Arn"]
    reader = Reader(emulator, tmp_path_factory.mktemp("page"))
    for account, command in page.commands():
        reader.emulator = replace(emulator, account=account)
        here = command.replace(KEY, key).replace("eu-central-1", REGION)
        reader.run(re.sub(r'^(make deploy PARAMETERS=".*)"$', rf'\1 {EXCEPTION}"', here))
    return log_archive.client("s3").get_bucket_policy(Bucket=page.bucket)["Policy"]


@pytest.fixture(scope="module")
def security(emulator: Emulator, log_archive: Emulator, page: Page, granted: str) -> Deployment:
    """Return the stack in the security account, and put right what the emulator does otherwise than AWS."""
    account = replace(emulator, account=page.security)
    stack = Deployment.of(account, STACK)
    # The emulator's CloudFormation creates no subscription to another account's topic.
    queue = queue_arn(account.client("sqs"), stack.outputs["QueueUrl"])
    account.client("sns").subscribe(TopicArn=page.topic, Protocol="sqs", Endpoint=queue)
    # Its S3 knows a caller from another account by the account alone.
    lets_in = granted.replace(page.role, f"arn:aws:iam::{page.security}:root")
    log_archive.client("s3").put_bucket_policy(Bucket=page.bucket, Policy=lets_in)
    return stack


@contextmanager
def bucket_policy(log_archive: Emulator, page: Page, document: str) -> Iterator[None]:
    """Give the bucket another policy for as long as the block lasts."""
    s3 = log_archive.client("s3")
    before = s3.get_bucket_policy(Bucket=page.bucket)["Policy"]
    s3.put_bucket_policy(Bucket=page.bucket, Policy=document)
    yield
    s3.put_bucket_policy(Bucket=page.bucket, Policy=before)


def test_the_steps_of_the_page_work_from_first_to_last_and_signals_come(
    log_archive: Emulator, security: Deployment, page: Page, main: Sample
) -> None:
    listener = security.subscribe()
    page.put(log_archive, page.before + main.key, main.body)
    received = listener.collect(at_least=main.ids.total() - 1)
    assert security.dead_letters() == 0

    # The exception takes out the pipeline's signal; the log names it.
    (suppressed,) = (line["signal_id"] for line in security.logged("suppressed by EXCEPTION_QUERY"))
    assert ids(received) + Counter([suppressed]) == main.ids
    assert {message.signal["aws"]["s3"]["bucket"]["name"] for message in received} == {page.bucket}


def test_the_page_adds_to_what_the_accounts_have_and_takes_nothing_away(
    log_archive: Emulator, granted: str, page: Page
) -> None:
    first, *added = json.loads(granted)["Statement"]
    assert first == page.trail_writes
    assert [statement["Sid"] for statement in added] == ["SignalsReadDeliveries", "SignalsTellMissingFromForbidden"]
    if page is LARGE:
        kms = log_archive.client("kms")
        (key,) = (each["KeyId"] for each in kms.list_keys()["Keys"])
        held = json.loads(kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"])
        assert [statement["Sid"] for statement in held["Statement"]][1:] == ["SignalsDecryptDeliveries"]


def test_the_bucket_lets_in_the_role_that_is_deployed_afterwards(
    security: Deployment, granted: str, page: Page
) -> None:
    assert security.outputs["FunctionRoleArn"] == page.role
    for statement in json.loads(granted)["Statement"][1:]:
        assert statement["Principal"] == {"AWS": f"arn:aws:iam::{page.security}:root"}
        assert statement["Condition"]["ArnEquals"] == {"aws:PrincipalArn": page.role}


@of_the_large_estate
def test_the_statements_on_the_page_are_those_that_the_template_puts_out(
    log_archive: Emulator, security: Deployment, page: Page
) -> None:
    assert security.outputs["BucketName"] == page.bucket
    (shown,) = re.findall(r"^```json\n(.*?)^```", page.text, re.DOTALL | re.MULTILINE)
    put_out = Deployment.of(log_archive, "cloudtrail-signals-access").outputs
    wanted = [json.loads(put_out[name]) for name in ("BucketPolicyStatements", "KeyPolicyStatements")]
    assert json.loads(shown.replace("eu-central-1", REGION)) == wanted[0] + wanted[1]


def test_granting_again_changes_nothing(log_archive: Emulator, security: Deployment, page: Page, granted: str) -> None:
    with bucket_policy(log_archive, page, granted):
        code, printed = answered(log_archive, GRANT)
    assert code == 0, printed
    assert "nothing to do" in printed
    assert "Write this" not in printed


def test_what_is_not_answered_with_yes_is_not_written(log_archive: Emulator, security: Deployment, page: Page) -> None:
    bare = policy(page.trail_writes)
    with bucket_policy(log_archive, page, bare):
        code, printed = answered(log_archive, GRANT, "\n")
        unchanged = log_archive.client("s3").get_bucket_policy(Bucket=page.bucket)["Policy"]
    assert code != 0
    assert '+      "Sid": "SignalsReadDeliveries",' in printed
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


@of_the_large_estate
def test_events_are_forwarded_by_a_role_that_can_do_nothing_else(
    log_archive: Emulator, security: Deployment, page: Page
) -> None:
    events, bus = log_archive.client("events"), f"arn:aws:events:{REGION}:{page.security}:event-bus/default"
    (rule,) = (rule for rule in events.list_rules()["Rules"] if "ForwardRule" in rule["Name"])
    assert rule["EventPattern"] == defaults()["RealTimePattern"]
    (target,) = events.list_targets_by_rule(Rule=rule["Name"])["Targets"]
    assert target["Arn"] == bus
    iam, role = log_archive.client("iam"), target["RoleArn"].rpartition("/")[2]
    (statement,) = iam.get_role_policy(RoleName=role, PolicyName="forward")["PolicyDocument"]["Statement"]
    assert (statement["Action"], statement["Resource"]) == ("events:PutEvents", bus)


def test_the_pattern_that_is_forwarded_is_the_one_that_the_function_s_stack_takes() -> None:
    forwarding = yaml.load((ROOT / "deploy/forward-events.yaml").read_text(), Loader)
    assert forwarding["Parameters"]["EventPattern"]["Default"] == defaults()["RealTimePattern"]


@of_the_large_estate
def test_the_event_bus_is_an_announcer_too(log_archive: Emulator, page: Page) -> None:
    name, cloudformation = "by-event-bus", log_archive.client("cloudformation")
    given = {"SecurityAccountId": page.security, "TrailBucketName": page.bucket, "Announce": "event-bus"}
    create_stack(cloudformation, name, (ROOT / "deploy/log-archive.yaml").read_text(), given)
    cloudformation.get_waiter("stack_create_complete").wait(StackName=name)
    made = cloudformation.describe_stack_resources(StackName=name)["StackResources"]
    assert {each["LogicalResourceId"] for each in made} == {"ForwardRole", "ForwardRule"}


def test_the_function_reads_another_account_s_bucket_only_while_that_account_lets_it(
    log_archive: Emulator, security: Deployment, page: Page, main: Sample
) -> None:
    listener = security.subscribe()
    # With an archive, what was published once is not published again.
    if "ArchiveBucketName" in security.outputs:
        security.forget_signals()
    with bucket_policy(log_archive, page, policy(page.trail_writes)), security.quick_retries():
        page.put(log_archive, page.before + main.key, main.body)
        security.wait_for_dead_letter()
    assert {"AccessDenied" in line["reason"] for line in security.logged("failed")} == {True}

    queues = security.outputs["DeadLetterQueueUrl"], security.outputs["QueueUrl"]
    assert redrive(security.client("sqs"), *queues) == 1
    wanted = main.ids.total() - 1
    assert len(listener.collect(at_least=wanted)) == wanted


def test_a_delivery_outside_the_prefix_is_not_announced(
    log_archive: Emulator, security: Deployment, page: Page, main: Sample
) -> None:
    listener = security.subscribe()
    page.put(log_archive, f"elsewhere/{main.key}", main.body)
    assert listener.collect() == []


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
    assert re.fullmatch(TEMPLATE["Parameters"]["TrailPrefix"]["AllowedPattern"], prefix)
