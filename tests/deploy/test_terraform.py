"""The Terraform module deploys what the template does, read from both files.

Either side of a comparison is a list of facts: a key and what stands behind it, in the order of the source, whatever the
syntax around them. `Timeout: 60` and `timeout = 60` are both `("timeout", "60")`.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import hcl2
import pytest
from emulator import ROOT
from lark import Token, Tree
from test_template import RESOURCES, TEMPLATE, of_type

Fact = tuple[str, str]
# Types that Terraform calls otherwise: AWS::SQS::Queue is aws_sqs_queue by itself.
TYPES = {
    "AWS::CloudTrail::Trail": "aws_cloudtrail",
    "AWS::Chatbot::MicrosoftTeamsChannelConfiguration": "aws_chatbot_teams_channel_configuration",
    "AWS::CloudWatch::Alarm": "aws_cloudwatch_metric_alarm",
    "AWS::Events::Rule": "aws_cloudwatch_event_rule",
    "AWS::IAM::ManagedPolicy": "aws_iam_policy",
    "AWS::Logs::LogGroup": "aws_cloudwatch_log_group",
    "AWS::SNS::Subscription": "aws_sns_topic_subscription",
    "AWS::Serverless::Function": "aws_lambda_function",
}
# The attributes that Ref stands for.
REFS = {
    "aws_cloudwatch_dashboard": "dashboard_name",
    "aws_iam_policy": "arn",
    "aws_lambda_function": "function_name",
    "aws_s3_bucket": "id",
    "aws_sns_topic": "arn",
    "aws_sqs_queue": "url",
}
PSEUDO = {
    "AWS::AccountId": "local.account_id",
    "AWS::NoValue": "null",
    "AWS::Partition": "local.partition",
    "AWS::Region": "local.region",
    "AWS::StackName": "var.name",
}
# Keys of either side that differ in more than underscores and case.
KEYS = {
    **dict.fromkeys(("topicname", "loggroupname", "rolename", "trailname", "policyname", "attributename"), "name"),
    **dict.fromkeys(("pointintimerecoveryenabled", "sseenabled"), "enabled"),
    **dict.fromkeys(("queuearn", "eventsourcearn"), "queue"),
    "attributetype": "type",
    "bucketname": "bucket",
    "event": "events",
    "expirationindays": "days",
    "filterprefix": "prefix",
    "guardrailpolicies": "guardrailpolicyarns",
    "islogging": "enablelogging",
    "kmskeyarn": "kmsmasterkeyid",
    "messageretentionperiod": "messageretentionseconds",
    "queues": "queueurl",
    "slackworkspaceid": "slackteamid",
    "targetid": "id",
    "teamschannelid": "channelid",
    "teamstenantid": "tenantid",
    "topics": "arn",
    "visibilitytimeout": "visibilitytimeoutseconds",
}
# What Terraform asks for, and CloudFormation decides by itself.
OF_TERRAFORM_ALONE = {
    "aws_cloudwatch_metric_alarm": {"alarm_name"},
    "aws_dynamodb_table": {"name"},
    "aws_lambda_function": {"function_name", "filename", "s3_bucket", "s3_key", "source_code_hash"},
}
META = {"count", "for_each", "depends_on", "lifecycle", "name_prefix", "bucket_prefix"}


def snake(name: str) -> str:
    """Return a name of the template as Terraform writes names."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def snaked(text: str) -> str:
    """Return a text of the template with the names of parameters as the module has them."""
    return re.sub(r"\b[A-Z]\w+\b", lambda word: snake(word[0]) if word[0] in TEMPLATE["Parameters"] else word[0], text)


def fold(key: str) -> str:
    """Return a key as both sides have it."""
    plain = re.sub(r"[^a-z0-9]", "", key.lower())
    return KEYS.get(plain, plain)


def within(key: str, name: str) -> str:
    """Return the key of an entry: in a JSON document, whose names begin with a small letter, with those around it."""
    return fold(key + name if name[0].islower() else name)


# ---- the template ----


def kind_of(name: str) -> str:
    """Return the type that the module has for a resource of the template."""
    kind = RESOURCES[name]["Type"]
    _, service, noun = kind.split("::")
    return TYPES.get(kind, f"aws_{service.lower()}_{snake(noun)}")


def reference(name: str, attribute: str = "") -> str:
    """Return what the module calls a parameter, a resource or one of its attributes."""
    if name in PSEUDO:
        return PSEUDO[name]
    if name in TEMPLATE["Parameters"]:
        return f"var.{snake(name)}"
    kind = kind_of(name)
    attribute = {"": REFS.get(kind, "name"), "Arn": "arn", "QueueName": "name", "TopicName": "name"}[attribute]
    return f'{kind}.alarm["{name}"].{attribute}' if name in ALARMS else f"{kind}.{snake(name)}.{attribute}"


def facts(value: Any, key: str = "") -> list[Fact]:
    """Return the facts of a value of the template."""
    match value:
        case {"Ref": "AWS::NoValue"}:
            return [("", "null")]
        case {"GetAtt": "FunctionLogGroup.Arn"}:
            # CloudFormation's covers the streams in the group, Terraform's is the group's alone.
            return [(key, f"${{{reference('FunctionLogGroup', 'Arn')}}}:*")]
        case {"Ref": name} | {"GetAtt": name}:
            return [(key, reference(*name.split(".")))]
        case {"Sub": str(text)} | str(text):
            text = re.sub(r"\$\{([A-Z][\w:.]*)\}", lambda name: f"${{{reference(*name[1].split('.'))}}}", text)
            return [(key, re.sub(r"^\$\{([^}]+)\}$", r"\1", text))]
        case {"If": [condition, True, False]}:
            return [(key, f"local.{snake(condition)}")]
        case {"If": [condition, yes, no]}:
            return [("if", f"local.{snake(condition)}"), *facts(yes, key), *facts(no, key)]
        case {"Split": both}:
            return facts(both, key)
        case {"Name": str(name), "Value": named}:
            return facts(named, fold(name))
        case dict():
            return [fact for name, each in value.items() for fact in facts(each, within(key, name))]
        case list():
            return [fact for each in value for fact in facts(each, key)]
        case bool():
            return [(key, str(value).lower())]
    return [(key, str(value))]


def said_shorter(value: Any) -> Any:
    """Return a value of the template in the way Terraform can say it: what is there five times over is one loop."""
    stack_part = {"Id": {"Select": [2, {"Split": ["/", {"Ref": "AWS::StackId"}]}]}}
    times = ",".join(["${TrailBucketName}"] * 5)
    match value:
        case {"Sub": [text, given]} if given == stack_part:
            return {"Sub": text.replace("${Id}", "${local.stack_part}")}
        case [{"If": ["OwnBucket", {"Sub": own}, _]}, *_]:
            form = own.replace("${TrailBucket}", "${Bucket}")
            first = {"Sub": [form, {"Bucket": {"Select": [0, {"Split": [",", {"Ref": "TrailBucketName"}]}]}}]}
            rest = [{"Sub": [form, {"Bucket": {"Select": [n, {"Split": [",", {"Sub": times}]}]}}]} for n in range(1, 5)]
            all_five = [{"If": ["OwnBucket", {"Sub": own}, first]}]
            all_five += [{"If": ["ExistingBucket", each, {"Ref": "AWS::NoValue"}]} for each in rest]
            assert value == all_five
            return ["local.trail_buckets", {"Sub": form.replace("${Bucket}", "${bucket}")}]
        case [{"If": ["HasNoticeEmail1", *_]}, *_]:
            addresses = {"Split": [",", {"Sub": "${NoticeEmail},,,,"}]}
            each = [{"Protocol": "email", "Endpoint": {"Select": [n, addresses]}} for n in range(5)]
            assert value == [{"If": [f"HasNoticeEmail{n + 1}", each[n], {"Ref": "AWS::NoValue"}]} for n in range(5)]
            return [{"Protocol": "email", "Endpoint": "each.value"}]
        case dict():
            return {name: said_shorter(each) for name, each in value.items()}
        case list():
            return [said_shorter(each) for each in value]
    return value


def dashboard(body: Any) -> dict[str, Any]:
    """Return the dashboard's JSON text as a value."""
    text, given = body["Sub"]
    alarm = "${UndeliveredNoticeAlarm.Arn}"
    assert given == {"NoticeAlarm": {"If": ["HasNotices", {"Sub": f', "{alarm}"'}, ""]}}
    value = json.loads(text.replace("${NoticeAlarm}", "").replace(": ${LatencyTarget}", ': "${LatencyTarget}"'))
    value["widgets"][0]["properties"]["alarms"].append({"If": ["HasNotices", alarm, {"Ref": "AWS::NoValue"}]})
    return value


def properties(resource: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the properties of a resource of the template, those of what Terraform has as a resource of its own with them."""
    for name, value in resource["Properties"].items():
        match name, said_shorter(value):
            case "CodeUri", _:
                pass
            case (("Policies" | "Targets" | "Subscription"), [only]):
                yield from only.items()
            case "PublicAccessBlockConfiguration", each:
                yield from each.items()
            case "AlarmDescription", text:
                yield name, snaked(text)
            case "Events", {"Deliveries": {"Type": "SQS", "Properties": mapping}}:
                yield from mapping.items()
            case "KeySchema", [{"AttributeName": key, "KeyType": "HASH"}]:
                yield "HashKey", key
            case "SSESpecification", {"If": [condition, {"SSEType": "KMS", **chosen}, no]}:
                yield name, {"If": [condition, chosen, no]}
            case "DashboardBody", body:
                yield name, dashboard(body)
            case _, shorter:
                yield name, shorter


# ---- the module ----


def trees(node: Tree[Token]) -> list[Tree[Token]]:
    """Return what stands in a node, without punctuation and comments."""
    return [each for each in node.children if isinstance(each, Tree) and each.data != "new_line_or_comment"]


def source(node: Tree[Token]) -> str:
    """Return the text of a node without blanks."""
    return "".join("".join(node.scan_values(lambda _: True)).split())


def plain(node: Tree[Token]) -> str:
    """Return a key, a label or a text, with references in braces."""
    if node.data != "string":
        inner = trees(node)
        return plain(inner[0]) if inner else source(node)
    parts = [each.children[0] for each in trees(node)]
    return "".join(
        json.loads(f'"{each}"') if isinstance(each, Token) else f"${{{terms(trees(each)[0])[0][1]}}}" for each in parts
    )


def terms(node: Tree[Token], key: str = "") -> list[Fact]:
    """Return the facts of a part of the module."""
    inner = trees(node)
    match str(node.data), inner:
        case "attribute", [name, value]:
            return terms(value, fold(plain(name)))
        case "object_elem", [name, value]:
            return terms(value, within(key, plain(name)))
        case "block", [*labels, body]:
            if plain(labels[0]) != "dynamic":
                return terms(body)
            each, content = trees(body)
            condition, _, _ = trees(trees(each)[1])
            return [("if", source(condition)), *terms(content), ("", "null")]
        case "conditional", [condition, yes, no]:
            return [("if", source(condition)), *terms(yes, key), *(terms(no, key) or [("", "null")])]
        case "for_tuple_expr", [intro, result, *_]:
            variable, values = trees(intro)
            return terms(values, key) + (terms(result, key) if source(result) != source(variable) else [])
        case "function_call", [_, *arguments]:
            return [fact for each in arguments for fact in terms(each, key)]
        case "string", _:
            return [(key, plain(node))]
        case (("get_attr_expr_term" | "index_expr_term" | "full_splat_expr_term"), _):
            return [(key, re.sub(r"\[[0*]\]", "", source(node)))]
    if inner:
        return [fact for each in inner for fact in terms(each, key)]
    text = source(node)
    return [("" if text == "null" else key, text)] if text not in ("", "{}", "[]") else []


def blocks(kind: str) -> Iterator[tuple[list[str], Tree[Token]]]:
    """Yield the labels and the body of the module's blocks of one kind."""
    for file in sorted((ROOT / "deploy" / "terraform").glob("*.tf")):
        (body,) = trees(hcl2.parses_to_tree(file.read_text()))
        for block in trees(body):
            found, *labels, inner = trees(block)
            if plain(found) == kind:
                yield [plain(label) for label in labels], inner


def attributes(body: Tree[Token]) -> dict[str, Tree[Token]]:
    """Return the values of a body's attributes by name."""
    return {plain(trees(each)[0]): trees(each)[1] for each in trees(body) if each.data in ("attribute", "object_elem")}


MODULE = [(kind, name, body) for (kind, name), body in blocks("resource")]
LOCALS = {name: value for _, body in blocks("locals") for name, value in attributes(body).items()}
VARIABLES = {name: body for (name,), body in blocks("variable")}
OUTPUTS = {name: attributes(body) for (name,), body in blocks("output")}
# Resources of several of the template: of every alarm, and beside every bucket.
ALARM, BUCKETS = "alarm", "buckets"


def alarms(node: Tree[Token], condition: str | None = None) -> Iterator[tuple[str, str | None, dict[str, Tree[Token]]]]:
    """Yield name, condition and entry of every alarm in the module."""
    for each in trees(node):
        if each.data == "object_elem":
            name, entry = trees(each)
            yield plain(name), condition, attributes(trees(entry)[0])
        else:
            yield from alarms(each, source(trees(node)[0]) if node.data == "conditional" else condition)


ALARMS = {name: (condition, entry) for name, condition, entry in alarms(LOCALS["alarms"])}


def parts(name: str) -> list[tuple[str, str, Tree[Token]]]:
    """Return the module's resources that stand for one of the template: type, name and body."""
    of_all = {"AWS::CloudWatch::Alarm": ALARM, "AWS::S3::Bucket": BUCKETS}.get(RESOURCES[name]["Type"])
    return [each for each in MODULE if each[1] in (snake(name), of_all)]


def of_alarm(facts_of: list[Fact], name: str) -> list[Fact]:
    """Return the facts of the resource of all alarms, for one of them."""
    match facts_of:
        case [(key, value), *default] if value.startswith("each.value."):
            entry = ALARMS[name][1].get(value.removeprefix("each.value."))
            return terms(entry, key) if entry else [fact for fact in default if fact[1] != "null"]
    return facts_of


def found(name: str) -> list[list[Fact]]:
    """Return the facts of a resource in the module, those of every attribute and kind of block together."""
    groups = []
    for kind, own, body in parts(name):
        by_name: dict[str, list[Fact]] = {}
        for each in trees(body):
            label = plain(trees(each)[1] if plain(trees(each)[0]) == "dynamic" else trees(each)[0])
            if label not in META | OF_TERRAFORM_ALONE.get(kind, set()):
                by_name.setdefault(label, []).extend(terms(each))
        for group in by_name.values():
            # What ties a resource to the one that it stands beside is no fact of the template.
            tied = len(group) == 1 and re.match(rf"aws_\w+\.{own}\.|each\.value$", group[0][1])
            groups.append([] if tied and group[0][0] != "endpoint" else of_alarm(group, name))
    return sorted(group for group in groups if group)


def expression(value: Any) -> str:
    """Return a condition of the template as the module writes it, without blanks."""
    match value:
        case {"Condition": name}:
            return f"local.{snake(name)}"
        case {"Ref": name}:
            return reference(name)
        case {"Equals": [{"Ref": name}, "true"]}:
            return reference(name)
        case {"Equals": [{"Ref": name}, "false"]}:
            return f"!{reference(name)}"
        case {"Equals": [one, other]}:
            return f"{expression(one)}=={expression(other)}"
        case {"Not": [{"Or": sides}]}:
            return expression({"And": [{"Not": [side]} for side in sides]})
        case {"Not": [inner]}:
            text = expression(inner)
            opposite = {"==": "!=", "!=": "=="}
            other = re.sub("[=!]=", lambda sign: opposite[sign[0]], text)
            return other if other != text else f"!{text}".removeprefix("!!")
        case {"And": sides}:
            return "&&".join(map(expression, sides))
        case {"Or": sides}:
            return "||".join(f"({text})" if "&&" in text else text for text in map(expression, sides))
    return json.dumps(value)


# ---- both ----


def test_the_module_has_the_resources_of_the_template_and_no_others() -> None:
    assert {name for _, name, _ in MODULE} == {ALARM, BUCKETS} | {
        snake(name) for name, each in RESOURCES.items() if each["Type"] != "AWS::CloudWatch::Alarm"
    }
    assert ALARMS.keys() == of_type("AWS::CloudWatch::Alarm").keys()


@pytest.mark.parametrize("name", RESOURCES)
def test_every_resource_says_the_same(name: str) -> None:
    assert kind_of(name) in [kind for kind, _, _ in parts(name)]
    assert found(name) == sorted(facts(value, fold(key)) for key, value in properties(RESOURCES[name]))


@pytest.mark.parametrize("name", RESOURCES)
def test_what_exists_in_one_mode_only_does_so_in_both(name: str) -> None:
    condition = RESOURCES[name].get("Condition")
    expected = f"local.{snake(condition)}" if condition else None
    if name in ALARMS:
        assert ALARMS[name][0] == expected
        return
    for kind, own, body in parts(name):
        meta = {key: source(value) for key, value in attributes(body).items() if key in ("count", "for_each")}
        if own == BUCKETS:
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
def test_what_must_exist_before_does_so_in_both(name: str) -> None:
    needed = RESOURCES[name].get("DependsOn")
    # In Terraform a role and its permissions are two resources.
    bodies = [attributes(body) for kind, _, body in parts(name) if kind != "aws_lambda_event_source_mapping"]
    found = [source(each["depends_on"]) for each in bodies if "depends_on" in each]
    assert found == ([f"[{kind_of(needed)}.{snake(needed)}]"] if needed else [])


@pytest.mark.parametrize("name", RESOURCES)
def test_what_outlives_the_stack_cannot_be_destroyed_by_accident(name: str) -> None:
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
    # A list of the template is never empty: its only element is.
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
            # An empty list has no element that is empty.
            return f"alltrue([forarnin{name}:can(regex({json.dumps(pattern.removeprefix('^$|'))},arn))])"
        case {"AllowedPattern": pattern}:
            # Go's expressions do not look ahead.
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
    assert plain(variable["description"]) == snaked(parameter["Description"])
    validations = [trees(each)[1] for each in trees(body) if each.data == "block"]
    conditions = [source(attributes(each)["condition"]) for each in validations]
    expected = limits(f"var.{snake(name)}", parameter)
    assert conditions == ([] if expected is None else ["".join(expected.split())])


def test_the_module_has_no_variable_beside_the_parameters_but_its_name_and_its_code() -> None:
    code = {"name", "code_file", "code_bucket", "code_key", "code_sha256"}
    assert VARIABLES.keys() == {snake(name) for name in TEMPLATE["Parameters"]} | code


def test_what_the_rules_refuse_the_module_refuses() -> None:
    (body,) = (body for kind, _, body in MODULE if kind == "aws_lambda_function")
    (lifecycle,) = (trees(each)[1] for each in trees(body) if plain(trees(each)[0]) == "lifecycle")
    refused = [attributes(trees(each)[1]) for each in trees(lifecycle)]
    ours, *others = [(source(each["condition"]), plain(each["error_message"])) for each in refused]
    assert ours[0] == "(var.code_file==null)==(var.code_bucket!=null&&var.code_key!=null)"
    assert others == [
        (expression({"Or": [{"Not": [rule["RuleCondition"]]}, each["Assert"]]}), snaked(each["AssertDescription"]))
        for rule in TEMPLATE["Rules"].values()
        for each in rule["Assertions"]
    ]


def test_every_output_is_the_same() -> None:
    assert OUTPUTS.keys() == {snake(name) for name in TEMPLATE["Outputs"]}
    for name, output in TEMPLATE["Outputs"].items():
        found = OUTPUTS[snake(name)]
        assert terms(found["value"]) == facts(output["Value"]), name
        assert plain(found["description"]) == snaked(output["Description"]), name
