"""The Terraform module deploys what the template does."""

import json
from typing import Any

import pytest
import terraform as tf
from terraform import (
    ALARMS,
    LOCALS,
    VARIABLES,
    attributes,
    expression,
    facts,
    parts,
    plain,
    snake,
    source,
    terms,
    trees,
)
from test_template import RESOURCES, TEMPLATE, of_type


def test_the_module_has_the_resources_of_the_template_and_no_others() -> None:
    assert {name for _, name, _ in tf.MODULE} == {tf.ALARM, tf.BUCKETS} | {
        snake(name) for name, each in RESOURCES.items() if each["Type"] != "AWS::CloudWatch::Alarm"
    }
    assert ALARMS.keys() == of_type("AWS::CloudWatch::Alarm").keys()


@pytest.mark.parametrize("name", RESOURCES)
def test_every_resource_says_the_same(name: str) -> None:
    assert tf.kind_of(name) in [kind for kind, _, _ in parts(name)]
    assert tf.found(name) == sorted(facts(value, tf.fold(key)) for key, value in tf.properties(RESOURCES[name]))


@pytest.mark.parametrize("name", RESOURCES)
def test_what_exists_in_one_mode_only_does_so_in_both(name: str) -> None:
    condition = RESOURCES[name].get("Condition")
    expected = f"local.{snake(condition)}" if condition else None
    if name in ALARMS:
        assert ALARMS[name][0] == expected
        return
    for kind, own, body in parts(name):
        meta = {key: source(value) for key, value in attributes(body).items() if key in ("count", "for_each")}
        if own == tf.BUCKETS:
            assert meta == {"for_each": "local.buckets"}
        elif (kind, name) == ("aws_sns_topic_subscription", "NoticeTopic"):
            assert meta == {"for_each": f'{expected}?toset(compact(split(",",var.notice_email))):[]'}
        else:
            assert meta == ({"count": f"{expected}?1:0"} if expected else {}), kind


def test_what_every_bucket_has_both_have() -> None:
    nothing = {"Ref": "AWS::NoValue"}
    buckets = {name: RESOURCES[name]["Condition"] for name in of_type("AWS::S3::Bucket")}
    expected = [{"If": [condition, {name: {"Ref": name}}, nothing]} for name, condition in buckets.items()]
    assert terms(LOCALS["buckets"]) == facts(expected)


@pytest.mark.parametrize("name", RESOURCES)
def test_what_must_exist_before_does_so_in_both_and_what_outlives_the_stack_is_not_destroyed(name: str) -> None:
    needed = RESOURCES[name].get("DependsOn")
    # In Terraform a role and its permissions are two resources.
    bodies = [attributes(body) for kind, _, body in parts(name) if kind != "aws_lambda_event_source_mapping"]
    found = [source(each["depends_on"]) for each in bodies if "depends_on" in each]
    assert found == ([f"[{tf.kind_of(needed)}.{snake(needed)}]"] if needed else [])
    kept = any(("preventdestroy", "true") in terms(body) for _, _, body in parts(name))
    assert kept == (RESOURCES[name].get("DeletionPolicy") == "Retain")


def test_every_condition_is_the_same() -> None:
    conditions = {snake(name): value for name, value in TEMPLATE["Conditions"].items()}
    # One loop over the addresses stands for these.
    addresses = {"Split": [",", {"Sub": "${NoticeEmail},,,,"}]}
    assert conditions.pop("has_notice_email1") == {"Not": [{"Equals": [{"Ref": "NoticeEmail"}, ""]}]}
    for n in range(2, 6):
        there = {"Not": [{"Equals": [{"Join": ["", [{"Select": [n - 1, addresses]}]]}, ""]}]}
        assert conditions.pop(f"has_notice_email{n}") == {"And": [{"Condition": "HasNoticeEmail1"}, there]}
    # A list in the template is never empty: an empty one has one empty element.
    first = {"Select": [0, {"Ref": "NoticeTopicArns"}]}
    assert conditions.pop("has_notice_topics") == {"Not": [{"Equals": [first, ""]}]}
    assert source(LOCALS["has_notice_topics"]) == "length(var.notice_topic_arns)>0"
    for name, value in conditions.items():
        assert source(LOCALS[name]) == expression(value), name


def limits(name: str, parameter: dict[str, Any]) -> str | None:
    """Return what a parameter's value must fulfil, as the module writes it."""
    match parameter:
        case {"AllowedValues": ["true", "false"]}:
            return None
        case {"AllowedValues": values}:
            return f"contains({json.dumps(values)},{name})"
        case {"AllowedPattern": pattern, "Type": "CommaDelimitedList"}:
            # An empty list has no empty element.
            return f"alltrue([forarnin{name}:can(regex({json.dumps(pattern.removeprefix('^$|'))},arn))])"
        case {"AllowedPattern": pattern}:
            # Go's regular expressions have no lookahead.
            ahead = "^(?!AWS/)"
            matches = f"can(regex({json.dumps(pattern.replace(ahead, '^'))},{name}))"
            return f'{matches}&&!startswith({name},"AWS/")' if pattern.startswith(ahead) else matches
        case {"MinValue": least, "MaxValue": most}:
            return f"{name}>={least}&&{name}<={most}"
        case {"MaxLength": most}:
            return f"length({name})<={most}"
    return f"no limit of {parameter}"


@pytest.mark.parametrize("name", TEMPLATE["Parameters"])
def test_every_parameter_is_a_variable_with_the_same_default_limits_and_description(name: str) -> None:
    parameter, body = TEMPLATE["Parameters"][name], VARIABLES[snake(name)]
    variable = attributes(body)
    kind = {"Number": "number", "CommaDelimitedList": "list(string)", "String": "string"}[parameter["Type"]]
    kind = "bool" if parameter.get("AllowedValues") == ["true", "false"] else kind
    default = parameter["Default"]
    assert source(variable["type"]) == kind
    assert terms(variable["default"]) == ([] if kind == "list(string)" else [("", str(default))])
    assert plain(variable["description"]) == tf.snaked(parameter["Description"])
    validations = [trees(each)[1] for each in trees(body) if each.data == "block"]
    conditions = [source(attributes(each)["condition"]) for each in validations]
    expected = limits(f"var.{snake(name)}", parameter)
    assert conditions == ([] if expected is None else ["".join(expected.split())])


def test_the_module_has_no_variable_beside_the_parameters_but_its_name_and_its_code() -> None:
    code = {"name", "code_file", "code_bucket", "code_key", "code_sha256"}
    assert VARIABLES.keys() == {snake(name) for name in TEMPLATE["Parameters"]} | code


def test_what_the_rules_refuse_the_module_refuses() -> None:
    (body,) = (body for kind, _, body in tf.MODULE if kind == "aws_lambda_function")
    (lifecycle,) = (trees(each)[1] for each in trees(body) if plain(trees(each)[0]) == "lifecycle")
    refused = [attributes(trees(each)[1]) for each in trees(lifecycle)]
    ours, *others = [(source(each["condition"]), plain(each["error_message"])) for each in refused]
    assert ours[0] == "(var.code_file==null)==(var.code_bucket!=null&&var.code_key!=null)"
    assert others == [
        (expression({"Or": [{"Not": [rule["RuleCondition"]]}, each["Assert"]]}), tf.snaked(each["AssertDescription"]))
        for rule in TEMPLATE["Rules"].values()
        for each in rule["Assertions"]
    ]


def test_every_output_is_the_same() -> None:
    assert tf.OUTPUTS.keys() == {snake(name) for name in TEMPLATE["Outputs"]}
    for name, output in TEMPLATE["Outputs"].items():
        found = tf.OUTPUTS[snake(name)]
        assert terms(found["value"]) == facts(output["Value"]), name
        assert plain(found["description"]) == tf.snaked(output["Description"]), name
