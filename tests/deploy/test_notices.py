"""Notices as a subscriber gets them, from a stack that is deployed with all of them."""

import json
from datetime import UTC, datetime

import pytest
from conftest import Deployment, Sample, deployed, sample
from emulator import ROOT, Emulator
from jsonschema import Draft202012Validator
from notice import message
from stack import ONLY_IN_THE_EMULATOR, Mailbox, answered

ADDRESSES = ["one@example.com", "two@example.com"]


@pytest.fixture(scope="module")
def stack(emulator: Emulator) -> Deployment:
    """Return a stack that gives notices of everything, by mail to two addresses."""
    return deployed(emulator, "notices", Notices="all", NoticeEmail=",".join(ADDRESSES))


def test_each_address_is_subscribed(stack: Deployment) -> None:
    found = stack.client("sns").list_subscriptions_by_topic(TopicArn=stack.outputs["NoticeTopicArn"])["Subscriptions"]
    # The emulator does not see that there is no third address; test_terraform.py says what AWS sees.
    assert sorted(each["Endpoint"] for each in found if each["Endpoint"]) == ADDRESSES


def test_a_notice_reaches_a_subscriber_of_its_topic_and_the_signal_topic_has_none(
    stack: Deployment, samples: list[Sample]
) -> None:
    signals = stack.subscribe()
    mailbox = Mailbox(stack.emulator, stack.outputs["NoticeTopicArn"])
    stack.deliver(sample(samples, "444455556666"))
    found = signals.collect(at_least=2)
    assert len(found) == 2
    assert all("kibana" in each.signal for each in found)
    mails = mailbox.receive()
    assert len(mails) == 2, "two principals"
    for mail in mails:
        assert mail["Subject"].startswith("[low] AWS Lambda Function ")
        assert "\nWHO\n" in mail["Message"]
        assert max(len(line) for line in mail["Message"].splitlines() if "https://" not in line) <= 80
    finished = stack.logged("invocation finished")[-1]
    assert (finished["notices"], finished["notices_failed"]) == (2, 0)


def test_without_publishing_notices_the_signals_are_published_and_the_log_names_the_refusal(
    stack: Deployment, samples: list[Sample]
) -> None:
    before = len(stack.log())
    # The emulator checks its own permission where AWS checks "PublishNotices".
    signals_alone = {"Resource": stack.outputs["TopicArn"]}
    with stack.role_policy(ONLY_IN_THE_EMULATOR, lambda allowed: [allowed[0] | signals_alone]):
        stack.deliver(sample(samples, "team logs"))
        stack.settle()
        line = stack.wait_for("a notice was not sent", before)[0]
    assert line["topic"] == stack.outputs["NoticeTopicArn"]
    assert "AuthorizationError" in line["reason"]
    finished = stack.logged("invocation finished", since=before)
    assert sum(each["notices_failed"] for each in finished) >= 1
    assert sum(each["failed"] for each in finished) == 0
    assert stack.dead_letters() == 0


def test_make_test_notice_sends_one_marked_notice_in_the_form_of_every_protocol(stack: Deployment) -> None:
    mailbox = Mailbox(stack.emulator, stack.outputs["NoticeTopicArn"])
    code, printed = answered(stack.emulator, ["make", "test-notice", f"STACK={stack.name}"])
    assert code == 0, printed
    assert all(address in printed for address in ADDRESSES)
    (mail,) = mailbox.receive()
    assert mail["Subject"] == "[test] cloudtrail-signals: this is a test, nothing happened"
    assert mail["Message"].startswith("This is a test. Nothing happened.\n")
    forms = message(stack.name, datetime.now(UTC))
    assert (len(mail["Subject"]) <= 99, len(forms["sms"]) <= 140) == (True, True)
    schema = json.loads((ROOT / "detection/tests/notice/card.schema.json").read_text())
    Draft202012Validator(schema).validate(json.loads(forms["https"]))
