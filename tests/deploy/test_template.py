"""What template.yaml promises to those who deploy it, read from the template itself."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from emulator import ROOT
from parameters import TEMPLATE as TEMPLATE_FILE
from parameters import Loader

TEXT = TEMPLATE_FILE.read_text()
TEMPLATE = yaml.load(TEXT, Loader)
RESOURCES: dict[str, dict[str, Any]] = TEMPLATE["Resources"]
PROMISES = yaml.load((ROOT / "tests/deploy/promises.yaml").read_text(), Loader)
# A parameter, a value that its pattern takes, and one that it refuses.
PATTERNS = [
    ("TrailBucketName", "my-trail", "My_Trail"),
    ("TrailBucketName", "one-trail,another-trail", "one-trail, another-trail"),
    ("TrailBucketName", "b01,b02,b03,b04,b05", "b01,b02,b03,b04,b05,b06"),
    ("FunctionRoleName", "cloudtrail-signals", "path/cloudtrail-signals"),
    ("RealTimePattern", '{"source":[{"prefix":"aws."}]}', "aws.lambda"),
    ("DeliveryTopicArn", "arn:aws:sns:us-east-1:111122223333:deliveries", "deliveries"),
    ("TrailPrefix", "AWSLogs/o-exampleorgid/", "AWSLogs/*"),
    ("TrailBucketOwner", "111122223333", "1111-2222-3333"),
    ("TrailKmsKeyArn", "arn:aws:kms:us-east-1:111122223333:key/mrk-0123", "alias/trail"),
    ("OrganizationId", "o-exampleorgid", "exampleorgid"),
    ("SignalKmsKeyArn", "arn:aws-us-gov:kms:us-gov-west-1:111122223333:key/0123-abcd", "0123-abcd"),
    ("NoticeEmail", "one@example.com,two@example.com", "one@example.com two@example.com"),
    ("NoticeTopicArns", "arn:aws:sns:eu-west-1:111122223333:team-a", "team-a"),
    ("SlackWorkspaceId", "T0123ABCD", "my-workspace"),
    ("SlackChannelId", "C0123ABCD", "#alerts"),
    ("TeamsTenantId", "0a1b2c3d-0a1b-0a1b-0a1b-0a1b2c3d4e5f", "example.com"),
    ("TeamsTeamId", "0a1b2c3d-0a1b-0a1b-0a1b-0a1b2c3d4e5f", "Security"),
    ("TeamsChannelId", "19%3Aabc%40thread.tacv2", "19:abc@thread.tacv2"),
    ("RulesLayerArn", "arn:aws:lambda:eu-west-1:111122223333:layer:rules:7", "rules:7"),
    ("MemoryTableArn", "arn:aws:dynamodb:eu-west-1:111122223333:table/memory", "memory"),
    ("LearningDays", "14", "two weeks"),
    ("AlarmEmail", "security@example.com", "security"),
    ("AlarmTopicArn", "arn:aws-cn:sns:cn-north-1:111122223333:alarms", "arn:aws:sqs:us-east-1:111122223333:alarms"),
    ("MetricsNamespace", "Team/CloudTrailSignals", "AWS/Lambda"),
]


def of_type(*kinds: str) -> dict[str, dict[str, Any]]:
    """Return the properties of every resource of some types, by logical id."""
    return {name: each["Properties"] for name, each in RESOURCES.items() if each["Type"] in kinds}


POLICIES = of_type("AWS::S3::BucketPolicy", "AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy")


def statements(policy: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield every statement a policy can have, on both sides of each condition, its actions as a list."""
    for statement in policy["Statement"]:
        sides = statement["If"][1:] if "If" in statement else [statement]
        yield from (side | {"Action": listed(side["Action"])} for side in sides if "Effect" in side)


def role_statements(name: str = "FunctionRole") -> list[dict[str, Any]]:
    role = RESOURCES[name]["Properties"]
    assert "ManagedPolicyArns" not in role
    return [each for policy in role["Policies"] for each in statements(policy["PolicyDocument"])]


def listed(value: str | list[str]) -> list[str]:
    """Return a policy's value as a list, whether or not it is written as one."""
    return value if isinstance(value, list) else [value]


def part(found: Any, promised: Any) -> Any:
    """Return what is found of what is promised: in a mapping the keys that the promise names."""
    match found, promised:
        case dict(), dict():
            return {key: part(found.get(key), each) for key, each in promised.items()}
        case list(), list() if len(found) == len(promised):
            return [part(*each) for each in zip(found, promised, strict=True)]
    return found


@pytest.mark.parametrize("promise", PROMISES)
def test_the_template_keeps_its_promise_that(promise: str) -> None:
    assert part(TEMPLATE, PROMISES[promise]) == PROMISES[promise]


def test_every_parameter_is_shown_in_a_group() -> None:
    groups = TEMPLATE["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    shown = [name for group in groups for name in group["Parameters"]]
    assert sorted(shown) == sorted(TEMPLATE["Parameters"])


@pytest.mark.parametrize(("name", "right", "wrong"), PATTERNS)
def test_each_pattern_takes_what_is_right_and_refuses_what_is_wrong(name: str, right: str, wrong: str) -> None:
    pattern = re.compile(TEMPLATE["Parameters"][name]["AllowedPattern"])
    assert pattern.search(right)
    assert not pattern.search(wrong)


def test_every_pattern_has_a_test() -> None:
    with_pattern = {name for name, parameter in TEMPLATE["Parameters"].items() if "AllowedPattern" in parameter}
    assert {name for name, _, _ in PATTERNS} == with_pattern


def test_every_arn_carries_the_partition() -> None:
    lines = [line for line in TEXT.splitlines() if "AllowedPattern" not in line]
    assert [line for line in lines if re.search(r"\barn:(?!\$\{AWS::Partition\}:)", line)] == []


def test_the_function_may_do_what_it_needs_and_nothing_else() -> None:
    assert sorted({action for each in role_statements() for action in each["Action"]}) == [
        *("dynamodb:BatchGetItem", "dynamodb:PutItem", "kms:Decrypt", "kms:GenerateDataKey"),
        *("logs:CreateLogStream", "logs:PutLogEvents"),
        *("s3:GetObject", "s3:GetObjectVersion", "s3:ListBucket", "s3:PutObject", "sns:Publish"),
        *("sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"),
    ]
    assert all(each["Effect"] == "Allow" and each["Resource"] != "*" for each in role_statements())


def test_the_function_writes_signals_into_its_archive_and_nothing_else_anywhere() -> None:
    writing = [each["Resource"] for each in role_statements() if "s3:PutObject" in each["Action"]]
    assert writing == [{"Sub": "${ArchiveBucket.Arn}/signals/*"}]


def test_the_function_reads_and_writes_the_table_that_the_stack_makes_or_is_given_and_no_other() -> None:
    using = [each["Resource"] for each in role_statements() if any("dynamodb" in action for action in each["Action"])]
    assert using == [{"If": ["HasMemoryTable", {"Ref": "MemoryTableArn"}, {"GetAtt": "MemoryTable.Arn"}]}]
    policy = RESOURCES["FunctionRole"]["Properties"]["Policies"][0]["PolicyDocument"]
    conditional = [each["If"] for each in policy["Statement"] if "If" in each]
    assert [condition for condition, statement, _ in conditional if statement["Sid"] == "Remember"] == ["HasMemory"]


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        ("SilenceScheduleRole", {"lambda:InvokeFunction": {"GetAtt": "Function.Arn"}}),
        (
            "HistoryRole",
            {
                "lambda:InvokeFunction": {"GetAtt": "Function.Arn"},
                "s3:GetObject": {"Sub": "${ArchiveBucket.Arn}/history/manifests/*"},
                "s3:GetObjectVersion": {"Sub": "${ArchiveBucket.Arn}/history/manifests/*"},
                "s3:PutObject": {"Sub": "${ArchiveBucket.Arn}/history/reports/*"},
            },
        ),
    ],
)
def test_a_service_may_invoke_this_function_alone_read_the_manifest_and_write_the_report(
    role: str, expected: dict[str, Any]
) -> None:
    assert [(action, each["Resource"]) for each in role_statements(role) for action in each["Action"]] == [
        *expected.items()
    ]


@pytest.mark.parametrize(
    ("sid", "services"), [("DecryptDeliveries", ["s3"]), ("UseSignalKey", ["sqs", "sns", "dynamodb"])]
)
def test_keys_are_used_through_the_services_that_hold_what_they_encrypt(sid: str, services: list[str]) -> None:
    (statement,) = (each for each in role_statements() if each["Sid"] == sid)
    named = listed(statement["Condition"]["StringLike"]["kms:ViaService"])
    assert named == [f"{name}.*.amazonaws.com*" for name in services]


@pytest.mark.parametrize("name", POLICIES)
def test_nothing_is_public_and_nothing_goes_without_tls(name: str) -> None:
    *allowed, denied = statements(POLICIES[name]["PolicyDocument"])
    for statement in allowed:
        assert (statement["Effect"], list(statement["Principal"])) == ("Allow", ["Service"])
        assert "aws:SourceArn" in str(statement["Condition"]), "any account's use of the service would do"
    assert (denied["Effect"], denied["Principal"]) == ("Deny", "*")
    assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_every_bucket_queue_and_topic_has_a_policy() -> None:
    guarded = [
        target["Ref"]
        for policy in POLICIES.values()
        for target in [*policy.get("Queues", []), *policy.get("Topics", []), policy.get("Bucket")]
        if target
    ]
    assert sorted(guarded) == sorted(of_type("AWS::S3::Bucket", "AWS::SQS::Queue", "AWS::SNS::Topic"))


def test_a_message_stays_hidden_for_six_times_the_functions_timeout() -> None:
    queue, function = (RESOURCES[name]["Properties"] for name in ("Queue", "Function"))
    assert queue["VisibilityTimeout"] >= 6 * function["Timeout"]


@pytest.mark.parametrize(
    ("path", "condition", "service"),
    [
        ("ObjectCreatedRule", "FromEventBridge", "events.amazonaws.com"),
        ("DeliveryTopicSubscription", "FromDeliveryTopic", "sns.amazonaws.com"),
        ("ApiCallRule", "InRealTime", "events.amazonaws.com"),
    ],
)
def test_each_path_may_reach_the_queue_and_the_dead_letters_and_exists_only_in_its_mode(
    path: str, condition: str, service: str
) -> None:
    assert RESOURCES[path]["Condition"] == condition
    for queue in ("QueuePolicy", "DeadLetterQueuePolicy"):
        policy = POLICIES[queue]["PolicyDocument"]["Statement"]
        allowed = [each["If"][1] for each in policy if "If" in each and each["If"][0] == condition]
        assert [each["Principal"]["Service"] for each in allowed] == [service]


@pytest.mark.parametrize("name", of_type("AWS::CloudWatch::Alarm"))
def test_each_alarm_looks_at_this_stack_alone_and_notifies_the_alarm_topics(name: str) -> None:
    alarm, nobody = RESOURCES[name]["Properties"], {"Ref": "AWS::NoValue"}
    assert alarm["AlarmActions"] == [
        {"If": ["HasAlarmEmail", {"Ref": "AlarmTopic"}, nobody]},
        {"If": ["HasAlarmTopic", {"Ref": "AlarmTopicArn"}, nobody]},
    ]
    # The emulator does not judge missing data, and ignores the dimensions of metrics. Silence sets off no other alarm.
    assert alarm["TreatMissingData"] == ("breaching" if name == "SilenceAlarm" else "notBreaching")
    about = {
        "DeadLetterAlarm": {"Name": "QueueName", "Value": {"GetAtt": "DeadLetterQueue.QueueName"}},
        "AgeAlarm": {"Name": "QueueName", "Value": {"GetAtt": "Queue.QueueName"}},
        "UndeliveredNoticeAlarm": {"Name": "TopicName", "Value": {"GetAtt": "NoticeTopic.TopicName"}},
        "UndeliveredAlarm": {"Name": "TopicName", "Value": {"GetAtt": "SignalTopic.TopicName"}},
    }
    assert alarm["Dimensions"] == [about.get(name, {"Name": "FunctionName", "Value": {"Ref": "Function"}})]
