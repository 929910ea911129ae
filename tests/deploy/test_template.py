"""What template.yaml promises whoever deploys it, read from the template itself."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from parameters import TEMPLATE as TEMPLATE_FILE
from parameters import Loader

TEXT = TEMPLATE_FILE.read_text()
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


def role_statements(name: str = "FunctionRole") -> list[dict[str, Any]]:
    role = of_type("AWS::IAM::Role")[name]
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


def test_every_parameter_says_which_values_it_takes() -> None:
    limits = {"AllowedPattern", "AllowedValues", "MaxLength", "MaxValue"}
    assert [name for name, parameter in TEMPLATE["Parameters"].items() if not limits & parameter.keys()] == []


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [
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
    ],
)
def test_each_pattern_takes_what_is_right_and_refuses_what_is_wrong(name: str, right: str, wrong: str) -> None:
    pattern = re.compile(TEMPLATE["Parameters"][name]["AllowedPattern"])
    assert pattern.search(right)
    assert not pattern.search(wrong)


def test_every_pattern_has_a_test() -> None:
    (cases,) = (mark.args[1] for mark in test_each_pattern_takes_what_is_right_and_refuses_what_is_wrong.pytestmark)
    with_pattern = {name for name, parameter in TEMPLATE["Parameters"].items() if "AllowedPattern" in parameter}
    assert {name for name, _, _ in cases} == with_pattern


def test_every_arn_carries_the_partition() -> None:
    lines = [line for line in TEXT.splitlines() if "AllowedPattern" not in line]
    assert [line for line in lines if re.search(r"\barn:(?!\$\{AWS::Partition\}:)", line)] == []


def test_the_function_may_do_what_it_needs_and_nothing_else() -> None:
    allowed = {(action, str(each["Resource"])) for each in role_statements() for action in listed(each["Action"])}
    assert {action for action, _ in allowed} == {
        "dynamodb:BatchGetItem",
        "dynamodb:PutItem",
        "kms:Decrypt",
        "kms:GenerateDataKey",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "s3:GetObject",
        "s3:GetObjectVersion",
        "s3:ListBucket",
        "s3:PutObject",
        "sns:Publish",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
        "sqs:ReceiveMessage",
    }
    assert all(each["Effect"] == "Allow" for each in role_statements())


def test_the_function_writes_signals_into_its_archive_and_nothing_else_anywhere() -> None:
    writing = [each for each in role_statements() if "s3:PutObject" in listed(each["Action"])]
    assert [each["Resource"] for each in writing] == [{"Sub": "${ArchiveBucket.Arn}/signals/*"}]


def test_the_function_reads_and_writes_the_table_that_the_stack_makes_or_is_given_and_no_other() -> None:
    using = [each for each in role_statements() if any("dynamodb" in action for action in listed(each["Action"]))]
    table = {"If": ["HasMemoryTable", {"Ref": "MemoryTableArn"}, {"GetAtt": "MemoryTable.Arn"}]}
    assert [each["Resource"] for each in using] == [table]
    (role,) = (each["Policies"][0] for name, each in of_type("AWS::IAM::Role").items() if name == "FunctionRole")
    conditional = [each["If"] for each in role["PolicyDocument"]["Statement"] if "If" in each]
    assert [condition for condition, statement, _ in conditional if statement["Sid"] == "Remember"] == ["HasMemory"]


def test_the_table_costs_nothing_idle_forgets_by_itself_and_can_be_restored() -> None:
    (table,) = of_type("AWS::DynamoDB::Table").values()
    assert TEMPLATE["Parameters"]["Memory"]["Default"] == "true"
    assert RESOURCES["MemoryTable"]["Condition"] == "OwnMemory"
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["KeySchema"] == [{"AttributeName": "key", "KeyType": "HASH"}]
    assert table["AttributeDefinitions"] == [{"AttributeName": "key", "AttributeType": "S"}]
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires", "Enabled": True}
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    key = {"SSEEnabled": True, "SSEType": "KMS", "KMSMasterKeyId": {"Ref": "SignalKmsKeyArn"}}
    assert table["SSESpecification"] == {"If": ["HasSignalKmsKey", key, {"Ref": "AWS::NoValue"}]}


def test_the_function_knows_its_table_and_how_long_to_learn() -> None:
    variables = of_type("AWS::Serverless::Function")["Function"]["Environment"]["Variables"]
    assert variables["MEMORY_TABLE"] == {"If": ["OwnMemory", {"Ref": "MemoryTable"}, {"Ref": "MemoryTableArn"}]}
    assert variables["LEARNING_DAYS"] == {"Ref": "LearningDays"}


def test_another_stacks_table_takes_the_place_of_ones_own() -> None:
    conditions = TEMPLATE["Conditions"]
    assert conditions["HasMemoryTable"] == {"Not": [{"Equals": [{"Ref": "MemoryTableArn"}, ""]}]}
    own = {"And": [{"Condition": "HasMemory"}, {"Not": [{"Condition": "HasMemoryTable"}]}]}
    assert conditions["OwnMemory"] == own
    refused = TEMPLATE["Rules"]["TableNeedsMemory"]
    # So the ARN is empty, and MEMORY_TABLE with it, where there is no memory.
    assert refused["RuleCondition"] == {"Equals": [{"Ref": "Memory"}, "false"]}
    assert {"Equals": [{"Ref": "MemoryTableArn"}, ""]} in [each["Assert"] for each in refused["Assertions"]]
    assert TEMPLATE["Outputs"]["MemoryTableArn"]["Value"] == {"GetAtt": "MemoryTable.Arn"}


def test_nobody_looks_for_silent_accounts_unless_asked_to() -> None:
    assert TEMPLATE["Parameters"]["AccountSilenceHours"]["Default"] == 0
    on = {"Not": [{"Equals": [{"Ref": "AccountSilenceHours"}, 0]}]}
    assert TEMPLATE["Conditions"]["WatchesAccounts"] == {"And": [{"Condition": "HasMemory"}, on]}
    for name in ("SilenceSchedule", "SilenceScheduleRole"):
        assert RESOURCES[name]["Condition"] == "WatchesAccounts"
    variables = of_type("AWS::Serverless::Function")["Function"]["Environment"]["Variables"]
    assert variables["ACCOUNT_SILENCE_HOURS"] == {"Ref": "AccountSilenceHours"}


def test_the_schedule_sends_its_own_time_and_may_invoke_this_function_alone() -> None:
    (schedule,) = of_type("AWS::Scheduler::Schedule").values()
    target = schedule["Target"]
    assert json.loads(target["Input"]) == {"check": "silence", "time": "<aws.scheduler.scheduled-time>"}
    assert target["Arn"] == {"GetAtt": "Function.Arn"}
    assert target["RoleArn"] == {"GetAtt": "SilenceScheduleRole.Arn"}
    (statement,) = role_statements("SilenceScheduleRole")
    assert (statement["Action"], statement["Resource"]) == ("lambda:InvokeFunction", {"GetAtt": "Function.Arn"})


def test_a_scan_of_the_past_may_invoke_the_function_read_its_manifest_and_write_its_report() -> None:
    assert {
        (action, str(each["Resource"])) for each in role_statements("HistoryRole") for action in listed(each["Action"])
    } == {
        ("lambda:InvokeFunction", "{'GetAtt': 'Function.Arn'}"),
        ("s3:GetObject", "{'Sub': '${ArchiveBucket.Arn}/history/manifests/*'}"),
        ("s3:GetObjectVersion", "{'Sub': '${ArchiveBucket.Arn}/history/manifests/*'}"),
        ("s3:PutObject", "{'Sub': '${ArchiveBucket.Arn}/history/reports/*'}"),
    }


def test_a_role_of_a_service_can_be_taken_on_by_no_other_account_s_job() -> None:
    (statement,) = of_type("AWS::IAM::Role")["HistoryRole"]["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Service": "batchoperations.s3.amazonaws.com"}
    assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


def test_whoever_writes_in_a_chat_channel_can_do_nothing_in_the_account() -> None:
    # The emulator has no chat channels.
    role = of_type("AWS::IAM::Role")["ChatRole"]
    assert not {"Policies", "ManagedPolicyArns"} & role.keys()
    (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
    (guardrail,) = of_type("AWS::IAM::ManagedPolicy")["ChatGuardrail"]["PolicyDocument"]["Statement"]
    assert (guardrail["Effect"], guardrail["Action"], guardrail["Resource"]) == ("Deny", "*", "*")
    slack = of_type("AWS::Chatbot::SlackChannelConfiguration")
    teams = of_type("AWS::Chatbot::MicrosoftTeamsChannelConfiguration")
    assert (len(slack), len(teams)) == (1, 1)
    for channel in [*slack.values(), *teams.values()]:
        assert channel["IamRoleArn"] == {"GetAtt": "ChatRole.Arn"}
        assert channel["GuardrailPolicies"] == [{"Ref": "ChatGuardrail"}]
        assert channel["SnsTopicArns"] == [{"Ref": "NoticeTopic"}]


@pytest.mark.parametrize("role", ["FunctionRole", "HistoryRole"])
def test_roles_reach_named_resources_only(role: str) -> None:
    for statement in role_statements(role):
        assert statement["Resource"] != "*", statement["Sid"]


@pytest.mark.parametrize("sid", ["DecryptDeliveries", "UseSignalKey"])
def test_keys_are_used_through_the_services_that_hold_what_they_encrypt(sid: str) -> None:
    (statement,) = (each for each in role_statements() if each["Sid"] == sid)
    services = listed(statement["Condition"]["StringLike"]["kms:ViaService"])
    expected = {"DecryptDeliveries": ["s3"], "UseSignalKey": ["sqs", "sns", "dynamodb"]}[sid]
    assert services == [f"{name}.*.amazonaws.com*" for name in expected]


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
    nothing = {"Ref": "AWS::NoValue"}
    own = {"Ref": "SignalKmsKeyArn"}
    for queue in of_type("AWS::SQS::Queue").values():
        assert queue["SqsManagedSseEnabled"] == {"If": ["HasSignalKmsKey", nothing, True]}
        assert queue["KmsMasterKeyId"] == {"If": ["HasSignalKmsKey", own, nothing]}
    topics = of_type("AWS::SNS::Topic")
    assert topics["SignalTopic"]["KmsMasterKeyId"] == {"If": ["HasSignalKmsKey", own, "alias/aws/sns"]}
    assert topics["NoticeTopic"]["KmsMasterKeyId"] == {"If": ["HasSignalKmsKey", own, "alias/aws/sns"]}
    assert topics["AlarmTopic"]["KmsMasterKeyId"] == {"If": ["HasSignalKmsKey", own, nothing]}


def test_what_is_evidence_outlives_the_stack() -> None:
    for name in ("TrailBucket", "ArchiveBucket"):
        assert (RESOURCES[name]["DeletionPolicy"], RESOURCES[name]["UpdateReplacePolicy"]) == ("Retain", "Retain")
        assert RESOURCES[name]["Properties"]["VersioningConfiguration"] == {"Status": "Enabled"}
    memory = RESOURCES["MemoryTable"]
    assert (memory["DeletionPolicy"], memory["UpdateReplacePolicy"]) == ("Retain", "Retain")


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
    assert event["Properties"]["ScalingConfig"] == {"MaximumConcurrency": {"Ref": "MaximumConcurrency"}}
    assert "ReservedConcurrentExecutions" not in function
    queues = of_type("AWS::SQS::Queue")
    assert queues["Queue"]["RedrivePolicy"]["deadLetterTargetArn"] == {"GetAtt": "DeadLetterQueue.Arn"}
    assert queues["DeadLetterQueue"]["MessageRetentionPeriod"] == 14 * 24 * 60 * 60


def test_a_trail_of_the_stack_s_own_covers_every_region_and_can_prove_that_nothing_was_changed() -> None:
    (trail,) = of_type("AWS::CloudTrail::Trail").values()
    assert RESOURCES["Trail"]["Condition"] == "OwnTrail"
    assert RESOURCES["Trail"]["DependsOn"] == "TrailBucketPolicy"
    assert trail["IsLogging"] == trail["IsMultiRegionTrail"] == trail["EnableLogFileValidation"] is True
    assert trail["IncludeGlobalServiceEvents"] is True
    assert trail["S3BucketName"] == {"Ref": "TrailBucket"}


def test_a_trail_of_an_organization_says_so_and_may_write_where_it_then_writes() -> None:
    (trail,) = of_type("AWS::CloudTrail::Trail").values()
    assert trail["IsOrganizationTrail"] == {"If": ["OfOrganization", True, False]}
    policy = list(statements(of_type("AWS::S3::BucketPolicy")["TrailBucketPolicy"]["PolicyDocument"]))
    (writing,) = (each for each in policy if each.get("Action") == "s3:PutObject")
    own, organization = writing["Resource"]
    assert own == {"Sub": "${TrailBucket.Arn}/AWSLogs/${AWS::AccountId}/*"}
    assert organization["If"][:2] == ["OfOrganization", {"Sub": "${TrailBucket.Arn}/AWSLogs/${OrganizationId}/*"}]


def test_the_trail_bucket_takes_deliveries_from_exactly_the_trail_the_stack_makes() -> None:
    policy = list(statements(of_type("AWS::S3::BucketPolicy")["TrailBucketPolicy"]["PolicyDocument"]))
    name = of_type("AWS::CloudTrail::Trail")["Trail"]["TrailName"]
    assert name == {"Ref": "AWS::StackName"}
    for each in policy:
        if each["Effect"] == "Allow":
            exact = each["Condition"]["ArnLike"]["aws:SourceArn"]["If"][1]["Sub"]
            assert exact.endswith(":${AWS::AccountId}:trail/${AWS::StackName}")


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
        policy = of_type("AWS::SQS::QueuePolicy")[queue]["PolicyDocument"]["Statement"]
        allowed = [each["If"][1] for each in policy if "If" in each and each["If"][0] == condition]
        assert [each["Principal"]["Service"] for each in allowed] == [service]


def test_every_alarm_notifies_the_alarm_topics() -> None:
    nobody = {"Ref": "AWS::NoValue"}
    for alarm in of_type("AWS::CloudWatch::Alarm").values():
        assert alarm["AlarmActions"] == [
            {"If": ["HasAlarmEmail", {"Ref": "AlarmTopic"}, nobody]},
            {"If": ["HasAlarmTopic", {"Ref": "AlarmTopicArn"}, nobody]},
        ]


def test_silence_sounds_the_alarm_and_nothing_else_does_without_data() -> None:
    # The emulator does not judge missing data.
    found = {name: alarm["TreatMissingData"] for name, alarm in of_type("AWS::CloudWatch::Alarm").items()}
    assert found.pop("SilenceAlarm") == "breaching"
    assert set(found.values()) == {"notBreaching"}


def test_each_alarm_looks_at_this_stack_alone() -> None:
    # The emulator ignores the dimensions of metrics.
    function = {"Name": "FunctionName", "Value": {"Ref": "Function"}}
    expected = {
        "DeadLetterAlarm": {"Name": "QueueName", "Value": {"GetAtt": "DeadLetterQueue.QueueName"}},
        "AgeAlarm": {"Name": "QueueName", "Value": {"GetAtt": "Queue.QueueName"}},
        "UndeliveredNoticeAlarm": {"Name": "TopicName", "Value": {"GetAtt": "NoticeTopic.TopicName"}},
        "UndeliveredAlarm": {"Name": "TopicName", "Value": {"GetAtt": "SignalTopic.TopicName"}},
    }
    for name, alarm in of_type("AWS::CloudWatch::Alarm").items():
        assert alarm["Dimensions"] == [expected.get(name, function)]
