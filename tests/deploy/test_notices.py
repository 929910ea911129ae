"""Notices as a subscriber gets them, from a stack that is deployed with all of them."""

import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from botocore.client import BaseClient
from conftest import PATIENCE_SECONDS, Deployment, answered, deployed
from emulator import ROOT, Emulator, wait_until
from jsonschema import Draft202012Validator
from notice import message
from stack import Mailbox

ADDRESSES = ["one@example.com", "two@example.com"]


@pytest.fixture(scope="module")
def stack(emulator: Emulator) -> Deployment:
    """Return a stack that gives notices of everything, by mail to two addresses."""
    return deployed(emulator, "notices", Notices="all", NoticeEmail=",".join(ADDRESSES))


@pytest.fixture(scope="module")
def put(stack: Deployment, deliveries: dict[str, bytes]) -> Callable[[str], None]:
    """Return a function that delivers the sample whose key has this part."""

    def one(part: str) -> None:
        (key,) = (key for key in deliveries if part in key)
        stack.put(key, deliveries[key])
        stack.settle()

    return one


def test_each_address_is_subscribed(stack: Deployment) -> None:
    sns: BaseClient = stack.emulator.client("sns")
    found = sns.list_subscriptions_by_topic(TopicArn=stack.outputs["NoticeTopicArn"])["Subscriptions"]
    # The emulator does not see that there is no third address; test_template.py says what AWS sees.
    assert sorted(each["Endpoint"] for each in found if each["Endpoint"]) == ADDRESSES


def test_a_notice_reaches_a_subscriber_of_its_topic_and_the_signal_topic_has_none(
    stack: Deployment, put: Callable[[str], None]
) -> None:
    signals = stack.subscribe()
    mailbox = Mailbox(stack.emulator, stack.outputs["NoticeTopicArn"])
    put("444455556666")
    found = signals.collect(at_least=2)
    assert len(found) == 2
    assert all("kibana" in each.signal for each in found)
    mails = mailbox.receive()
    assert len(mails) == 2, "two principals"
    for mail in mails:
        assert mail.subject.startswith("[low] AWS Lambda Function ")
        assert "\nWHO\n" in mail.text
        assert max(len(line) for line in mail.text.splitlines() if "https://" not in line) <= 80
    finished = stack.logged("invocation finished")[-1]
    assert (finished["notices"], finished["notices_failed"]) == (2, 0)


def test_without_publishing_notices_the_signals_are_published_and_the_log_names_the_refusal(
    stack: Deployment, put: Callable[[str], None]
) -> None:
    # The emulator checks its own permission where AWS checks "PublishNotices".
    iam, role = stack.emulator.client("iam"), stack.outputs["FunctionRoleArn"].rpartition("/")[2]
    name = "what-only-the-emulator-asks-for"
    whole = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
    (allow,) = whole["Statement"]
    less = whole | {"Statement": [allow | {"Resource": stack.outputs["TopicArn"]}]}
    before = len(stack.log())
    iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(less))
    try:
        put("team logs")
        wait_until(
            lambda: stack.logged("a notice was not sent", since=before) != [], PATIENCE_SECONDS, "a line in the log"
        )
    finally:
        iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(whole))
    line = stack.logged("a notice was not sent", since=before)[0]
    assert line["topic"] == stack.outputs["NoticeTopicArn"]
    assert "AuthorizationError" in line["reason"]
    finished = stack.logged("invocation finished", since=before)
    assert sum(each["notices_failed"] for each in finished) >= 1
    assert sum(each["failed"] for each in finished) == 0
    assert stack.dead_letters() == 0


def test_make_test_notice_sends_one_marked_notice_in_the_form_of_every_protocol(stack: Deployment) -> None:
    mailbox = Mailbox(stack.emulator, stack.outputs["NoticeTopicArn"])
    done = answered(stack.emulator, ["make", "test-notice", f"STACK={stack.name}"], "")
    assert done.returncode == 0, done.stdout
    assert all(address in done.stdout for address in ADDRESSES)
    (mail,) = mailbox.receive()
    assert mail.subject == "[test] cloudtrail-signals: this is a test, nothing happened"
    assert mail.text.startswith("This is a test. Nothing happened.\n")
    forms = message(stack.name, datetime.now(UTC))
    assert (len(mail.subject) <= 99, len(forms["sms"]) <= 140) == (True, True)
    schema = json.loads((ROOT / "detection/tests/notice/card.schema.json").read_text())
    Draft202012Validator(schema).validate(json.loads(forms["https"]))
