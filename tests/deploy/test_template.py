"""What template.yaml promises whoever deploys it, read from the template itself."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from emulator import ROOT

TEXT = (ROOT / "template.yaml").read_text()


class Loader(yaml.SafeLoader):
    """Reads YAML with CloudFormation's short forms, each as a mapping such as ``{"GetAtt": "Queue.Arn"}``."""


def short_form(loader: Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    """Return what stands behind a tag, under the tag's name."""
    if isinstance(node, yaml.ScalarNode):
        return {suffix: loader.construct_scalar(node)}
    if isinstance(node, yaml.SequenceNode):
        return {suffix: loader.construct_sequence(node, deep=True)}
    return {suffix: loader.construct_mapping(node, deep=True)}


Loader.add_multi_constructor("!", short_form)
TEMPLATE = yaml.load(TEXT, Loader)
RESOURCES: dict[str, dict[str, Any]] = TEMPLATE["Resources"]


def of_type(kind: str) -> dict[str, dict[str, Any]]:
    """Return the properties of every resource of one type, by logical id."""
    return {name: each["Properties"] for name, each in RESOURCES.items() if each["Type"] == kind}


def statements(policy: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield every statement a policy can have, on both sides of each condition."""
    for statement in policy["Statement"]:
        if "If" in statement:
            yield from (side for side in statement["If"][1:] if "Effect" in side)
        else:
            yield statement


def role_statements() -> list[dict[str, Any]]:
    """Return everything the function's role allows."""
    (role,) = of_type("AWS::IAM::Role").values()
    assert "ManagedPolicyArns" not in role
    return [each for policy in role["Policies"] for each in statements(policy["PolicyDocument"])]


def resource_policies() -> dict[str, dict[str, Any]]:
    """Return every policy that stands on a bucket, queue or topic, by logical id."""
    kinds = ("AWS::S3::BucketPolicy", "AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy")
    return {name: properties for kind in kinds for name, properties in of_type(kind).items()}


def test_every_parameter_is_described_and_shown_in_a_group() -> None:
    groups = TEMPLATE["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    shown = [name for group in groups for name in group["Parameters"]]
    assert sorted(shown) == sorted(TEMPLATE["Parameters"])
    assert all(parameter["Description"] for parameter in TEMPLATE["Parameters"].values())


def test_every_parameter_has_a_default_so_that_the_stack_deploys_as_it_is() -> None:
    assert [name for name, parameter in TEMPLATE["Parameters"].items() if "Default" not in parameter] == []


def test_every_arn_carries_the_partition() -> None:
    lines = [line for line in TEXT.splitlines() if "AllowedPattern" not in line]
    assert [line for line in lines if re.search(r"\barn:(?!\$\{AWS::Partition\}:)", line)] == []


def test_the_function_may_do_what_it_needs_and_nothing_else() -> None:
    allowed = {(action, str(each["Resource"])) for each in role_statements() for action in listed(each["Action"])}
    assert {action for action, _ in allowed} == {
        "kms:Decrypt",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "s3:GetObject",
        "s3:GetObjectVersion",
        "s3:ListBucket",
        "sns:Publish",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
        "sqs:ReceiveMessage",
    }
    assert all(each["Effect"] == "Allow" for each in role_statements())


def test_the_function_may_do_it_on_named_resources_only() -> None:
    for statement in role_statements():
        assert statement["Resource"] != "*", statement["Sid"]


def listed(value: str | list[str]) -> list[str]:
    """Return a policy's value as a list, whether or not it is written as one."""
    return value if isinstance(value, list) else [value]


@pytest.mark.parametrize("name", resource_policies())
def test_nothing_is_public_and_nothing_goes_without_tls(name: str) -> None:
    found = list(statements(resource_policies()[name]["PolicyDocument"]))
    for statement in found:
        if statement["Effect"] == "Allow":
            assert list(statement["Principal"]) == ["Service"]
            assert "aws:SourceArn" in str(statement["Condition"]), "any account's use of the service would do"
    assert [each for each in found if each["Effect"] == "Deny"] == [
        {
            "Sid": "TlsOnly",
            "Effect": "Deny",
            "Principal": "*",
            "Action": found[-1]["Action"],
            "Resource": found[-1]["Resource"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
    ]


def test_every_bucket_queue_and_topic_has_a_policy() -> None:
    guarded = {
        str(target)
        for properties in resource_policies().values()
        for target in [properties.get("Bucket"), *properties.get("Queues", []), *properties.get("Topics", [])]
        if target
    }
    kinds = ("AWS::S3::Bucket", "AWS::SQS::Queue", "AWS::SNS::Topic")
    assert guarded == {str({"Ref": name}) for kind in kinds for name in of_type(kind)}


def test_everything_at_rest_is_encrypted() -> None:
    assert all(bucket["BucketEncryption"] for bucket in of_type("AWS::S3::Bucket").values())
    assert all(queue["SqsManagedSseEnabled"] for queue in of_type("AWS::SQS::Queue").values())
    assert all(topic["KmsMasterKeyId"] for topic in of_type("AWS::SNS::Topic").values())


def test_buckets_refuse_to_become_public() -> None:
    for bucket in of_type("AWS::S3::Bucket").values():
        assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
        assert len(bucket["PublicAccessBlockConfiguration"]) == 4


def test_a_message_stays_hidden_for_six_times_the_functions_timeout() -> None:
    (function,) = of_type("AWS::Serverless::Function").values()
    assert of_type("AWS::SQS::Queue")["Queue"]["VisibilityTimeout"] >= 6 * function["Timeout"]


def test_failed_messages_are_reported_one_by_one_and_kept_for_two_weeks() -> None:
    (function,) = of_type("AWS::Serverless::Function").values()
    (event,) = function["Events"].values()
    assert event["Properties"]["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    queues = of_type("AWS::SQS::Queue")
    assert queues["Queue"]["RedrivePolicy"]["deadLetterTargetArn"] == {"GetAtt": "DeadLetterQueue.Arn"}
    assert queues["DeadLetterQueue"]["MessageRetentionPeriod"] == 14 * 24 * 60 * 60
