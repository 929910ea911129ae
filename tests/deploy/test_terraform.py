"""The Terraform module is the template: the same resources, permissions, alarms and defaults, read from both files."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import hcl2
import pytest
import terraform
from test_template import RESOURCES, TEMPLATE, listed, of_type, statements

TEXT = terraform.MODULE.read_text()
MODULE: dict[str, Any] = hcl2.loads(TEXT)
# The same things, by the names that each has for them.
TYPES = {
    "AWS::CloudTrail::Trail": "aws_cloudtrail",
    "AWS::Chatbot::MicrosoftTeamsChannelConfiguration": "aws_chatbot_teams_channel_configuration",
    "AWS::Chatbot::SlackChannelConfiguration": "aws_chatbot_slack_channel_configuration",
    "AWS::CloudWatch::Alarm": "aws_cloudwatch_metric_alarm",
    "AWS::CloudWatch::Dashboard": "aws_cloudwatch_dashboard",
    "AWS::DynamoDB::Table": "aws_dynamodb_table",
    "AWS::Events::Rule": "aws_cloudwatch_event_rule",
    "AWS::IAM::ManagedPolicy": "aws_iam_policy",
    "AWS::IAM::Role": "aws_iam_role",
    "AWS::Logs::LogGroup": "aws_cloudwatch_log_group",
    "AWS::S3::Bucket": "aws_s3_bucket",
    "AWS::S3::BucketPolicy": "aws_s3_bucket_policy",
    "AWS::SNS::Topic": "aws_sns_topic",
    "AWS::SNS::TopicPolicy": "aws_sns_topic_policy",
    "AWS::SQS::Queue": "aws_sqs_queue",
    "AWS::SQS::QueuePolicy": "aws_sqs_queue_policy",
    "AWS::Scheduler::Schedule": "aws_scheduler_schedule",
    "AWS::Serverless::Function": "aws_lambda_function",
}
OF_TERRAFORM_ALONE = {"name", "code_file", "code_bucket", "code_key", "code_sha256"}


def plain(name: str) -> str:
    """Return a name without the quotes that the parser leaves."""
    return name.strip('"')


def resources(kind: str) -> dict[str, dict[str, Any]]:
    """Return the module's resources of one type by name."""
    return {
        plain(name): body
        for each in MODULE["resource"]
        for found, named in each.items()
        if plain(found) == kind
        for name, body in named.items()
    }


def variables() -> dict[str, dict[str, Any]]:
    """Return the module's variables by name."""
    return {plain(name): body for each in MODULE["variable"] for name, body in each.items()}


def words(name: str) -> str:
    """Return a name as both sides have it: letters and digits alone."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def sids(text: str) -> Counter[str]:
    """Return the ids of the statements in a policy of the module."""
    return Counter(re.findall(r'"Sid" = "(\w+)"', text))


def actions(text: str, sid: str) -> list[str]:
    """Return the actions of a statement in a policy of the module."""
    (found,) = re.findall(rf'"Sid" = "{sid}", "Effect" = "\w+",.*?"Action" = (\[[^\]]*\]|"[^"]*")', text)
    return listed(json.loads(found))


@pytest.mark.parametrize("kind", sorted({each["Type"] for each in RESOURCES.values()} - {"AWS::SNS::Subscription"}))
def test_every_resource_of_the_template_is_one_of_the_module_and_the_other_way_round(kind: str) -> None:
    ours = {words(name) for name in of_type(kind)} if kind in TYPES else None
    assert ours == {words(name) for name in resources(TYPES[kind])}


def test_what_exists_in_one_mode_only_does_so_in_both() -> None:
    for name, each in RESOURCES.items():
        if each["Type"] in TYPES:
            (body,) = (body for found, body in resources(TYPES[each["Type"]]).items() if words(found) == words(name))
            assert ("Condition" in each) == ("count" in body), name
            if "Condition" in each:
                assert words(each["Condition"]) in words(body["count"]), name


def test_every_parameter_is_a_variable_with_the_same_default() -> None:
    found = variables()
    ours = {words(name): parameter for name, parameter in TEMPLATE["Parameters"].items()}
    assert {words(name) for name in found} == ours.keys() | {words(name) for name in OF_TERRAFORM_ALONE}
    for name, body in found.items():
        if name in OF_TERRAFORM_ALONE:
            continue
        default, expected = body["default"], ours[words(name)]["Default"]
        if isinstance(default, list):
            assert [json.loads(each) for each in default] == str(expected).split(","), name
        elif isinstance(default, int):
            assert default == expected, name
        else:
            assert json.loads(default) == str(expected), name


def policies() -> Iterator[tuple[str, dict[str, Any], str]]:
    """Yield name, policy in the template and policy in the module, of everything that has one."""
    kinds = {"AWS::S3::BucketPolicy": "policy", "AWS::SQS::QueuePolicy": "policy", "AWS::SNS::TopicPolicy": "policy"}
    for kind, attribute in kinds.items():
        for name, body in resources(TYPES[kind]).items():
            (ours,) = (each for logical, each in of_type(kind).items() if words(logical) == words(name))
            yield name, ours["PolicyDocument"], body[attribute]
    for name, body in resources("aws_iam_role_policy").items():
        (ours,) = (each for logical, each in of_type("AWS::IAM::Role").items() if words(logical) == words(name))
        (policy,) = ours["Policies"]
        yield name, policy["PolicyDocument"], body["policy"]


POLICIES = {name: (ours, theirs) for name, ours, theirs in policies()}


@pytest.mark.parametrize("name", POLICIES)
def test_every_policy_has_the_same_statements_with_the_same_actions(name: str) -> None:
    ours, theirs = POLICIES[name]
    expected = {each["Sid"]: listed(each["Action"]) for each in statements(ours)}
    assert sids(theirs) == Counter(expected.keys())
    assert {sid: actions(theirs, sid) for sid in expected} == expected


def test_the_function_has_the_same_permissions_as_a_whole() -> None:
    role = of_type("AWS::IAM::Role")["FunctionRole"]
    expected = {each["Sid"] for each in statements(role["Policies"][0]["PolicyDocument"])}
    assert expected == set(sids(resources("aws_iam_role_policy")["function_role"]["policy"]))


def test_every_alarm_watches_the_same_in_the_same_way() -> None:
    same = {
        "Namespace": "namespace",
        "MetricName": "metric_name",
        "Statistic": "statistic",
        "ExtendedStatistic": "extended_statistic",
        "Period": "period",
        "EvaluationPeriods": "evaluation_periods",
        "ComparisonOperator": "comparison_operator",
        "Threshold": "threshold",
        "TreatMissingData": "treat_missing_data",
        "AlarmDescription": "alarm_description",
    }
    found = {words(name): body for name, body in resources("aws_cloudwatch_metric_alarm").items()}
    for name, alarm in of_type("AWS::CloudWatch::Alarm").items():
        body = found[words(name)]
        for ours, theirs in same.items():
            expected = alarm.get(ours)
            got = body.get(theirs)
            if isinstance(expected, dict):
                assert words(expected["Ref"]) in words(got), (name, ours)
            elif isinstance(expected, str):
                assert json.loads(got) == expected, (name, ours)
            else:
                assert got == expected, (name, ours)
        assert [plain(each) for each in body["dimensions"]] == [each["Name"] for each in alarm["Dimensions"]], name


def test_the_function_gets_the_same_environment_and_limits() -> None:
    (function,) = of_type("AWS::Serverless::Function").values()
    body = resources("aws_lambda_function")["function"]
    (environment,) = body["environment"]
    given = {plain(name) for name in environment["variables"]}
    assert given == function["Environment"]["Variables"].keys()
    assert body["timeout"] == function["Timeout"]
    (mapping,) = (each["Properties"] for each in function["Events"].values())
    theirs = resources("aws_lambda_event_source_mapping")["function"]
    assert theirs["batch_size"] == mapping["BatchSize"]
    assert [plain(each) for each in theirs["function_response_types"]] == mapping["FunctionResponseTypes"]


def test_what_outlives_the_stack_cannot_be_destroyed_by_accident() -> None:
    for name, each in RESOURCES.items():
        if each.get("DeletionPolicy") == "Retain":
            (body,) = (body for found, body in resources(TYPES[each["Type"]]).items() if words(found) == words(name))
            (lifecycle,) = body["lifecycle"]
            assert lifecycle["prevent_destroy"] is True, name


def test_the_module_is_what_the_template_as_it_is_makes() -> None:
    assert terraform.module() == TEXT, "the template has changed: make terraform"


def test_a_property_that_the_module_would_lose_stops_the_tool() -> None:
    changed = json.loads(json.dumps(TEMPLATE))
    changed["Resources"]["Queue"]["Properties"]["DelaySeconds"] = 5
    with pytest.raises(SystemExit, match="Queue: no place in Terraform for DelaySeconds"):
        terraform.Module(changed).text()
