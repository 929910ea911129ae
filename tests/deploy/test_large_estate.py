"""Trail, bucket and topic in one account, the function in another, connected by the policies of docs/large-estate.md."""

import json
import re
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from conftest import PATIENCE_SECONDS, Deployment, deployed
from emulator import REGION, ROOT, Emulator, wait_until
from redrive import redrive

PAGE = (ROOT / "docs/large-estate.md").read_text()
LOG_ARCHIVE, SECURITY = "222222222222", "333333333333"


def parameters() -> dict[str, str]:
    """Return the parameters of the page's command, but for the key: the emulator does not ask KMS."""
    (command,) = re.findall(r'^make deploy PARAMETERS="(.*)"$', PAGE, re.MULTILINE)
    pairs = dict(pair.split("=", 1) for pair in here(command).split())
    return {name: value for name, value in pairs.items() if name != "TrailKmsKeyArn"}


def here(text: str, role: str = "") -> str:
    """Return a text of the page with the emulator's region, and the ARN of the function's role, in it."""
    return text.replace("eu-central-1", REGION).replace("arn:aws:iam::333333333333:role/FUNCTION-ROLE", role)


def statements(*sids: str, role: str = "") -> str:
    """Return the policy made of the page's statements with these names."""
    blocks = [
        json.loads(here(block, role)) for block in re.findall(r"^```json\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    ]
    found: dict[str, Any] = {each["Sid"]: each for block in blocks for each in block if "Sid" in each}
    return json.dumps({"Version": "2012-10-17", "Statement": [found[sid] for sid in sids]})


@pytest.fixture(scope="module")
def log_archive(emulator: Emulator) -> Emulator:
    """Return the log-archive account with the trail's bucket, and the topic as the page has it."""
    account = replace(emulator, account=LOG_ARCHIVE)
    account.client("s3").create_bucket(Bucket="org-trail")
    topic = account.client("sns").create_topic(Name="org-trail-deliveries")["TopicArn"]
    account.client("sns").set_topic_attributes(
        TopicArn=topic,
        AttributeName="Policy",
        AttributeValue=statements("CloudTrailAnnounces", "S3Announces", "SecuritySubscribes"),
    )
    account.client("s3").put_bucket_notification_configuration(
        Bucket="org-trail",
        NotificationConfiguration={"TopicConfigurations": [{"TopicArn": topic, "Events": ["s3:ObjectCreated:*"]}]},
    )
    return account


@pytest.fixture(scope="module")
def security(emulator: Emulator, log_archive: Emulator) -> Deployment:
    """Return the stack in the security account, as the page's command deploys it."""
    exception = {"ExceptionQuery": '"user.name: deploy-pipeline and source.ip: 198.51.100.0/24"'}
    stack = deployed(replace(emulator, account=SECURITY), "security", **parameters(), **exception)
    # The emulator's CloudFormation makes no subscription to a topic of another account.
    sqs = stack.emulator.client("sqs")
    queue = sqs.get_queue_attributes(QueueUrl=stack.outputs["QueueUrl"], AttributeNames=["QueueArn"])["Attributes"]
    topic = f"arn:aws:sns:{REGION}:{log_archive.account}:org-trail-deliveries"
    assert parameters()["DeliveryTopicArn"] == topic
    stack.emulator.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue["QueueArn"])
    return stack


def test_the_function_reads_another_account_s_bucket_once_that_account_lets_it(
    log_archive: Emulator,
    security: Deployment,
    deliveries: dict[str, bytes],
    scanned: dict[str, list[str]],
    main_delivery: str,
) -> None:
    listener = security.subscribe()
    with security.quick_retries():
        log_archive.client("s3").put_object(Bucket="org-trail", Key=main_delivery, Body=deliveries[main_delivery])
        wait_until(lambda: security.dead_letters() == 1, PATIENCE_SECONDS, "the arrival of a dead letter")
    assert {"AccessDenied" in line["reason"] for line in security.logged("failed")} == {True}

    # The emulator knows a caller of another account by the account alone; on AWS the role stands here.
    role = f"arn:aws:iam::{SECURITY}:root"
    policy = statements("SignalsReadDeliveries", "SignalsTellMissingFromForbidden", role=role)
    log_archive.client("s3").put_bucket_policy(Bucket="org-trail", Policy=policy)
    queues = security.outputs["DeadLetterQueueUrl"], security.outputs["QueueUrl"]
    assert redrive(security.emulator.client("sqs"), *queues) == 1
    received = listener.collect(at_least=len(scanned[main_delivery]) - 1)

    # The pipeline's is the one that the exception takes out; the log names it.
    (suppressed,) = (line["signal_id"] for line in security.logged("suppressed by EXCEPTION_QUERY"))
    found = Counter(message.attributes["signal_id"] for message in received)
    assert found + Counter([suppressed]) == Counter(scanned[main_delivery])
    assert {message.signal["aws"]["s3"]["bucket"]["name"] for message in received} == {"org-trail"}


def test_a_third_account_may_not_subscribe(emulator: Emulator, log_archive: Emulator) -> None:
    sns = replace(emulator, account="444444444444").client("sns")
    topic = f"arn:aws:sns:{REGION}:{log_archive.account}:org-trail-deliveries"
    with pytest.raises(sns.exceptions.AuthorizationErrorException):
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=f"arn:aws:sqs:{REGION}:444444444444:any")


def test_the_page_s_statements_are_those_this_file_uses_and_two_the_emulator_has_no_use_for() -> None:
    announced = {"CloudTrailAnnounces", "S3Announces", "SecuritySubscribes"}
    read = {"SignalsReadDeliveries", "SignalsTellMissingFromForbidden"}
    untried = {"SignalsDecryptDeliveries", "LogArchiveForwards"}
    assert set(re.findall(r'"Sid": "(\w+)"', PAGE)) == announced | read | untried
    for sid in untried:
        assert json.loads(statements(sid))["Statement"][0]["Effect"] == "Allow"
