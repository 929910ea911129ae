"""The template and the Terraform module as facts, so that a test can compare them.

Either side of a comparison is a list of facts: a key and what stands behind it, in the order of the source, whatever the
syntax around them. `Timeout: 60` and `timeout = 60` are both `("timeout", "60")`.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import hcl2
from emulator import ROOT
from lark import Token, Tree
from test_template import RESOURCES, TEMPLATE

Fact = tuple[str, str]
# Types whose name in Terraform follows no rule: AWS::SQS::Queue needs no entry to become aws_sqs_queue.
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
# What Terraform requires, and CloudFormation decides by itself.
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
            # CloudFormation's ARN covers the streams in the group, Terraform's only the group.
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
# Resources that stand for several in the template: for every alarm, and beside every bucket.
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
            # What ties a resource to the one beside it is not a fact of the template.
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
