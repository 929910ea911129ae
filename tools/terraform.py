"""Write ``deploy/terraform/main.tf``: the template's resources, conditions, permissions and defaults as a Terraform module.

``terraform.py`` writes it, ``terraform.py --check`` exits with 1 if it is not what would be written. The template is the one
source: what changes there changes here by ``make terraform``. How a resource of CloudFormation is called in Terraform, and
how its properties are, stands in RESOURCES, a function for each type; a type or a property without a place there stops
this program.
"""

import json
import re
import sys
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import yaml
from emulator import ROOT

TEMPLATE = ROOT / "template.yaml"
MODULE = ROOT / "deploy" / "terraform" / "main.tf"
HEADER = """\
# Written by tools/terraform.py from template.yaml, which is where to change anything.

terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 6.0"
    }
  }
}

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

variable "name" {
  description = "What CloudFormation calls the stack's name: part of the names of log group, dashboard, FIFO topic and trail."
  type        = string
  default     = "cloudtrail-signals"
}

variable "code_file" {
  description = "The function's zip on this machine, of a release. Either this or code_bucket and code_key."
  type        = string
  default     = null
}

variable "code_bucket" {
  description = "The bucket, in this region, that holds the function's zip."
  type        = string
  default     = null
}

variable "code_key" {
  description = "The key of the zip in code_bucket, which names a version."
  type        = string
  default     = null
}

variable "code_sha256" {
  description = "The zip's SHA-256 in base64, so that another zip under the same name is deployed: openssl dgst -sha256 -binary ZIP | base64"
  type        = string
  default     = null
}
"""
PSEUDO = {
    "AWS::AccountId": "data.aws_caller_identity.current.account_id",
    "AWS::NoValue": "null",
    "AWS::Partition": "data.aws_partition.current.partition",
    "AWS::Region": "data.aws_region.current.region",
    "AWS::StackName": "var.name",
    "AWS::URLSuffix": "data.aws_partition.current.dns_suffix",
}
# A part of the stack's id that names the bucket: here of what makes a stack one of its kind.
STACK_PART = {"Select": [2, {"Split": ["/", {"Ref": "AWS::StackId"}]}]}
Value = Any


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
FUNCTIONS = {"Ref", "GetAtt", "Sub", "If", "Select", "Split", "Join", "Equals", "Not", "And", "Or", "Condition"}


class Raw(str):
    """Text that is Terraform's already."""

    __slots__ = ()


def snake(name: str) -> str:
    """Return a name as Terraform writes names."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def quoted(text: str) -> str:
    """Return a text that stands for itself."""
    return json.dumps(text, ensure_ascii=False).replace("${", "$${").replace("%{", "%%{")


class Module:
    """The template, on its way to Terraform."""

    def __init__(self, template: dict[str, Any]) -> None:
        """Take a template that was read by Loader."""
        self.template = template
        self.resources: dict[str, dict[str, Any]] = template["Resources"]

    def expression(self, value: Value) -> str:
        """Return a value of the template as an expression."""
        if isinstance(value, Raw):
            return value
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, int | float):
            return str(value)
        if isinstance(value, str):
            return quoted(value)
        if isinstance(value, list):
            return self._list(value)
        if value == STACK_PART:
            return "local.stack_part"
        if len(value) == 1 and next(iter(value)) in FUNCTIONS:
            ((function, argument),) = value.items()
            return getattr(self, f"_{function.lower()}")(argument)
        entries = ", ".join(f"{quoted(str(name))} = {self.expression(each)}" for name, each in value.items())
        return f"{{ {entries} }}" if entries else "{}"

    def _list(self, values: list[Value]) -> str:
        each = ", ".join(self.expression(value) for value in values)
        may_be_absent = any(isinstance(value, dict) and "If" in value for value in values)
        return f"[for each in [{each}] : each if each != null]" if may_be_absent else f"[{each}]"

    def _ref(self, name: str) -> str:
        if name in PSEUDO:
            return PSEUDO[name]
        if name in self.template["Parameters"]:
            return f"var.{snake(name)}"
        kind = self.resources[name]["Type"]
        return self._attribute(name, REFERENCES[kind])

    def _attribute(self, name: str, attribute: str) -> str:
        resource = self.resources[name]
        address = f"{RESOURCES[resource['Type']][0]}.{snake(name)}"
        return f"one({address}[*].{attribute})" if "Condition" in resource else f"{address}.{attribute}"

    def _getatt(self, text: str) -> str:
        name, _, attribute = text.partition(".")
        return self._attribute(name, {"Arn": "arn", "QueueName": "name", "TopicName": "name"}[attribute])

    def _sub(self, argument: Value) -> str:
        text, given = argument if isinstance(argument, list) else (argument, {})

        def part(match: re.Match[str]) -> str:
            name = match[1]
            if name in given:
                return f"${{{self.expression(given[name])}}}"
            return f"${{{self._getatt(name) if '.' in name else self._ref(name)}}}"

        pieces = re.split(r"(\$\{[^}]+\})", text)
        return (
            '"'
            + "".join(
                part(re.fullmatch(r"\$\{([^}]+)\}", piece)) if piece.startswith("${") else quoted(piece)[1:-1]
                for piece in pieces
            )
            + '"'
        )

    def _if(self, argument: list[Value]) -> str:
        condition, yes, no = argument
        sides = [self.expression(side) for side in (yes, no)]
        if all(isinstance(side, dict | list) and not self._is_scalar(side) for side in (yes, no)):
            # Terraform wants both sides to have one type; text has one.
            sides = [side if side == "null" else f"jsonencode({side})" for side in sides]
            return f"jsondecode({'local.' + snake(condition)} ? {sides[0]} : {sides[1]})"
        return f"(local.{snake(condition)} ? {sides[0]} : {sides[1]})"

    @staticmethod
    def _is_scalar(value: Value) -> bool:
        return isinstance(value, dict) and len(value) == 1 and next(iter(value)) in FUNCTIONS - {"If"}

    def _select(self, argument: list[Value]) -> str:
        index, values = argument
        return f"{self.expression(values)}[{index}]"

    def _split(self, argument: list[Value]) -> str:
        return f"split({quoted(argument[0])}, {self.expression(argument[1])})"

    def _join(self, argument: list[Value]) -> str:
        return f"join({quoted(argument[0])}, {self.expression(argument[1])})"

    def _equals(self, argument: list[Value]) -> str:
        one, other = (self.expression(each) for each in argument)
        return f"({one} == {other})"

    def _not(self, argument: list[Value]) -> str:
        inner = self.expression(argument[0])
        return inner.removeprefix("!") if inner.startswith("!") else f"!{inner}"

    def _and(self, argument: list[Value]) -> str:
        return "(" + " && ".join(self.expression(each) for each in argument) + ")"

    def _or(self, argument: list[Value]) -> str:
        return "(" + " || ".join(self.expression(each) for each in argument) + ")"

    def _condition(self, name: str) -> str:
        return f"local.{snake(name)}"

    def text(self) -> str:
        """Return the module."""
        parts = [HEADER, *self._variables(), self._locals()]
        for name, resource in self.resources.items():
            parts += self._resource(name, resource)
        parts += self._outputs()
        return "\n".join(parts)

    def _variables(self) -> Iterator[str]:
        for name, parameter in self.template["Parameters"].items():
            lines = [f"description = {quoted(parameter['Description'])}"]
            kind = {"Number": "number", "CommaDelimitedList": "list(string)"}.get(parameter["Type"], "string")
            lines.append(f"type = {kind}")
            default = parameter["Default"]
            if kind == "list(string)":
                # CloudFormation makes a list of one empty text of an empty text.
                default = str(default).split(",")
            lines.append(f"default = {self.expression(int(default) if kind == 'number' else default)}")
            for condition, complaint in limits(f"var.{snake(name)}", parameter, kind):
                lines += ["validation {", f"  condition = {condition}", f"  error_message = {quoted(complaint)}", "}"]
            yield block(f'variable "{snake(name)}"', lines)

    def _locals(self) -> str:
        conditions = self.template["Conditions"]
        lines = [f"{snake(name)} = {self.expression(value)}" for name, value in conditions.items()]
        made_of = "${data.aws_caller_identity.current.account_id}/${data.aws_region.current.region}/${var.name}"
        lines.append(f'stack_part = substr(sha256("{made_of}"), 0, 32)')
        return block("locals", lines)

    def _resource(self, name: str, resource: dict[str, Any]) -> Iterator[str]:
        kind, write = RESOURCES[resource["Type"]]
        properties = Properties(self, name, dict(resource.get("Properties", {})))
        count = [f"count = local.{snake(resource['Condition'])} ? 1 : 0"] if "Condition" in resource else []
        lines = [*count, *write(properties)]
        needed = resource.get("DependsOn", [])
        needed = [needed] if isinstance(needed, str) else needed
        lines += [f"depends_on = [{RESOURCES[self.resources[each]['Type']][0]}.{snake(each)}]" for each in needed]
        if resource["Type"] == "AWS::Serverless::Function":
            lines += self._preconditions()
        if resource.get("DeletionPolicy") == "Retain":
            lines += ["lifecycle {", "  prevent_destroy = true", "}"]
        yield block(f'resource "{kind}" "{snake(name)}"', lines)
        for beside, beside_lines in properties.beside:
            yield block(f'resource "{beside}" "{snake(name)}"', [*count, *beside_lines])
        if properties.left:
            sys.exit(f"{name}: no place in Terraform for {', '.join(properties.left)}; add it to tools/terraform.py")

    def _preconditions(self) -> Iterator[str]:
        """Yield what the template's rules assert about parameters together, where Terraform has a place for it."""
        yield "lifecycle {"
        yield "  precondition {"
        yield "    condition = (var.code_file == null) == (var.code_bucket != null && var.code_key != null)"
        yield '    error_message = "Name either code_file, or code_bucket and code_key."'
        yield "  }"
        for rule in self.template["Rules"].values():
            for assertion in rule["Assertions"]:
                holds = f"{self._not([rule['RuleCondition']])} || {self.expression(assertion['Assert'])}"
                yield "  precondition {"
                yield f"    condition = {holds}"
                yield f"    error_message = {quoted(assertion['AssertDescription'])}"
                yield "  }"
        yield "}"

    def _outputs(self) -> Iterator[str]:
        for name, output in self.template["Outputs"].items():
            lines = [f"description = {quoted(output['Description'])}", f"value = {self.expression(output['Value'])}"]
            yield block(f'output "{snake(name)}"', lines)


def limits(variable: str, parameter: dict[str, Any], kind: str) -> Iterator[tuple[str, str]]:
    """Yield what a parameter's value must fulfil, with what to say otherwise."""
    if "AllowedValues" in parameter:
        allowed = [str(each) if kind != "number" else each for each in parameter["AllowedValues"]]
        yield f"contains({json.dumps(allowed)}, {variable})", f"It must be one of {', '.join(map(str, allowed))}."
    if "AllowedPattern" in parameter:
        pattern = parameter["AllowedPattern"]
        # Go's expressions look neither ahead nor behind.
        refused = re.match(r"\^\(\?!([^)]*)\)", pattern)
        rest = "^" + pattern[refused.end() :] if refused else pattern
        one = f"can(regex({quoted(rest)}, each))" + (f" && !startswith(each, {quoted(refused[1])})" if refused else "")
        values = variable if kind == "list(string)" else f"[{variable}]"
        yield f"alltrue([for each in {values} : {one}])", f"It must match {pattern}."
    for key, sign in (("MinValue", ">="), ("MaxValue", "<=")):
        if key in parameter:
            yield f"{variable} {sign} {parameter[key]}", f"It must be {sign} {parameter[key]}."
    if "MaxLength" in parameter:
        yield f"length({variable}) <= {parameter['MaxLength']}", f"It has at most {parameter['MaxLength']} characters."


def block(head: str, lines: list[str]) -> str:
    """Return a block with its lines indented."""
    return "\n".join([f"{head} {{", *(f"  {line}" for line in lines), "}", ""])


class Properties:
    """The properties of one resource, taken one by one, so that none is forgotten."""

    def __init__(self, module: Module, name: str, values: dict[str, Any]) -> None:
        """Take the properties of a resource."""
        self.module, self.name, self._values = module, name, values
        # Resources that Terraform has beside this one, where CloudFormation has a property.
        self.beside: list[tuple[str, list[str]]] = []

    @property
    def left(self) -> list[str]:
        """The properties that nobody has asked for."""
        return list(self._values)

    def take(self, name: str, default: Value = None) -> Value:
        """Return a property."""
        return self._values.pop(name, default)

    def line(self, name: str, attribute: str, wrap: str = "{}") -> Iterator[str]:
        """Yield an attribute, if the property is there."""
        if name in self._values:
            yield f"{attribute} = {wrap.format(self.text(self.take(name)))}"

    def text(self, value: Value) -> str:
        """Return a value as an expression."""
        return self.module.expression(value)

    def own(self, attribute: str) -> str:
        """Return an attribute of this resource, for those beside it."""
        return self.module._attribute(self.name, attribute)


def bucket(of: Properties) -> Iterator[str]:
    """Write AWS::S3::Bucket."""
    yield from of.line("BucketName", "bucket")
    at = f"bucket = {of.own('id')}"
    (rule,) = of.take("BucketEncryption")["ServerSideEncryptionConfiguration"]
    algorithm = rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"]
    lines = [
        at,
        "rule {",
        "  apply_server_side_encryption_by_default {",
        f"    sse_algorithm = {quoted(algorithm)}",
        "  }",
        "}",
    ]
    of.beside.append(("aws_s3_bucket_server_side_encryption_configuration", lines))
    (owner,) = of.take("OwnershipControls")["Rules"]
    lines = [at, "rule {", f"  object_ownership = {quoted(owner['ObjectOwnership'])}", "}"]
    of.beside.append(("aws_s3_bucket_ownership_controls", lines))
    public = of.take("PublicAccessBlockConfiguration")
    lines = [at, *(f"{snake(name)} = {of.text(value)}" for name, value in public.items())]
    of.beside.append(("aws_s3_bucket_public_access_block", lines))
    status = of.take("VersioningConfiguration")["Status"]
    lines = [at, "versioning_configuration {", f"  status = {quoted(status)}", "}"]
    of.beside.append(("aws_s3_bucket_versioning", lines))
    lines = [at]
    for rule in of.take("LifecycleConfiguration")["Rules"]:
        lines += ["rule {", f"  id = {quoted(rule['Id'])}", f"  status = {quoted(rule['Status'])}"]
        lines += ["  filter {", f"    prefix = {quoted(rule.get('Prefix', ''))}", "  }"]
        if "ExpirationInDays" in rule:
            lines += ["  expiration {", f"    days = {of.text(rule['ExpirationInDays'])}", "  }"]
        if "NoncurrentVersionExpiration" in rule:
            days = rule["NoncurrentVersionExpiration"]["NoncurrentDays"]
            lines += ["  noncurrent_version_expiration {", f"    noncurrent_days = {days}", "  }"]
        if "AbortIncompleteMultipartUpload" in rule:
            days = rule["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"]
            lines += ["  abort_incomplete_multipart_upload {", f"    days_after_initiation = {days}", "  }"]
        lines.append("}")
    of.beside.append(("aws_s3_bucket_lifecycle_configuration", lines))
    if told := of.take("NotificationConfiguration"):
        (queue,) = told["QueueConfigurations"]
        lines = [at, "queue {", f"  queue_arn = {of.text(queue['Queue'])}", f"  events = [{quoted(queue['Event'])}]"]
        condition, yes, _ = queue["Filter"]["If"]
        (only,) = yes["S3Key"]["Rules"]
        lines += [f"  filter_prefix = {of.text({'If': [condition, only['Value'], {'Ref': 'AWS::NoValue'}]})}", "}"]
        lines.append("depends_on = [aws_sqs_queue_policy.queue_policy]")
        of.beside.append(("aws_s3_bucket_notification", lines))


def bucket_policy(of: Properties) -> Iterator[str]:
    """Write AWS::S3::BucketPolicy."""
    yield from of.line("Bucket", "bucket")
    yield from of.line("PolicyDocument", "policy", "jsonencode({})")


def queue(of: Properties) -> Iterator[str]:
    """Write AWS::SQS::Queue."""
    yield from of.line("SqsManagedSseEnabled", "sqs_managed_sse_enabled")
    yield from of.line("KmsMasterKeyId", "kms_master_key_id")
    yield from of.line("VisibilityTimeout", "visibility_timeout_seconds")
    yield from of.line("MessageRetentionPeriod", "message_retention_seconds")
    yield from of.line("RedrivePolicy", "redrive_policy", "jsonencode({})")


def queue_policy(of: Properties) -> Iterator[str]:
    """Write AWS::SQS::QueuePolicy."""
    (only,) = of.take("Queues")
    yield f"queue_url = {of.text(only)}"
    yield from of.line("PolicyDocument", "policy", "jsonencode({})")


def topic(of: Properties) -> Iterator[str]:
    """Write AWS::SNS::Topic."""
    yield from of.line("TopicName", "name")
    yield from of.line("FifoTopic", "fifo_topic")
    yield from of.line("DisplayName", "display_name")
    yield from of.line("KmsMasterKeyId", "kms_master_key_id")
    if subscriptions := of.take("Subscription"):
        # One resource for all of them, by protocol and address.
        each = f'{{ for each in {of.text(subscriptions)} : "${{each.Protocol}} ${{each.Endpoint}}" => each }}'
        resource = of.module.resources[of.name]
        if "Condition" in resource:
            each = f"{{ for name, each in {each} : name => each if local.{snake(resource['Condition'])} }}"
        lines = [
            f"for_each = {each}",
            f"topic_arn = {of.own('arn')}",
            "protocol = each.value.Protocol",
            "endpoint = each.value.Endpoint",
        ]
        of.beside.append(("aws_sns_topic_subscription", lines))


def topic_policy(of: Properties) -> Iterator[str]:
    """Write AWS::SNS::TopicPolicy."""
    (only,) = of.take("Topics")
    yield f"arn = {of.text(only)}"
    yield from of.line("PolicyDocument", "policy", "jsonencode({})")


def subscription(of: Properties) -> Iterator[str]:
    """Write AWS::SNS::Subscription."""
    yield from of.line("TopicArn", "topic_arn")
    yield from of.line("Protocol", "protocol")
    yield from of.line("Endpoint", "endpoint")
    yield from of.line("RedrivePolicy", "redrive_policy", "jsonencode({})")


def trail(of: Properties) -> Iterator[str]:
    """Write AWS::CloudTrail::Trail."""
    names = {
        "TrailName": "name",
        "S3BucketName": "s3_bucket_name",
        "IsLogging": "enable_logging",
        "IsMultiRegionTrail": "is_multi_region_trail",
        "IsOrganizationTrail": "is_organization_trail",
        "IncludeGlobalServiceEvents": "include_global_service_events",
        "EnableLogFileValidation": "enable_log_file_validation",
        "KMSKeyId": "kms_key_id",
    }
    for name, attribute in names.items():
        yield from of.line(name, attribute)


def rule(of: Properties) -> Iterator[str]:
    """Write AWS::Events::Rule."""
    yield from of.line("Description", "description")
    pattern = of.take("EventPattern")
    # A parameter holds the pattern as text already.
    yield f"event_pattern = {of.text(pattern) if 'Ref' in pattern else without_null(of.text(pattern))}"
    (target,) = of.take("Targets")
    lines = [f"rule = {of.own('name')}", f"target_id = {quoted(target['Id'])}", f"arn = {of.text(target['Arn'])}"]
    lines += ["dead_letter_config {", f"  arn = {of.text(target['DeadLetterConfig']['Arn'])}", "}"]
    of.beside.append(("aws_cloudwatch_event_target", lines))


def without_null(pattern: str) -> str:
    """Return an EventBridge pattern as JSON without a part of its detail that is null: null would be a value to match."""
    detail = f"{{ for name, each in {pattern}.detail : name => each if each != null }}"
    return f"jsonencode(merge({pattern}, {{ detail = {detail} }}))"


def schedule(of: Properties) -> Iterator[str]:
    """Write AWS::Scheduler::Schedule."""
    yield from of.line("Description", "description")
    yield from of.line("ScheduleExpression", "schedule_expression")
    yield from ("flexible_time_window {", f"  mode = {quoted(of.take('FlexibleTimeWindow')['Mode'])}", "}")
    target = of.take("Target")
    retries = target["RetryPolicy"]
    yield from (
        "target {",
        f"  arn = {of.text(target['Arn'])}",
        f"  role_arn = {of.text(target['RoleArn'])}",
        f"  input = {quoted(target['Input'])}",
        "  retry_policy {",
        f"    maximum_retry_attempts = {retries['MaximumRetryAttempts']}",
        f"    maximum_event_age_in_seconds = {retries['MaximumEventAgeInSeconds']}",
        "  }",
        "}",
    )


def function(of: Properties) -> Iterator[str]:
    """Write AWS::Serverless::Function: the function, and the mapping that feeds it."""
    of.take("CodeUri")
    yield "function_name = var.name"
    yield "filename = var.code_file"
    yield "s3_bucket = var.code_bucket"
    yield "s3_key = var.code_key"
    yield "source_code_hash = var.code_file == null ? var.code_sha256 : filebase64sha256(var.code_file)"
    for name in ("Description", "Handler", "Runtime", "Architectures", "MemorySize", "Timeout", "Role", "Layers"):
        yield from of.line(name, snake(name))
    log = of.take("LoggingConfig")
    yield "logging_config {"
    for name, value in log.items():
        yield f"  {snake(name)} = {of.text(value)}"
    yield "}"
    yield "environment {"
    yield f"  variables = {of.text(of.take('Environment')['Variables'])}"
    yield "}"
    ((_, event),) = of.take("Events").items()
    mapped = event["Properties"]
    lines = [
        f"function_name = {of.own('arn')}",
        f"event_source_arn = {of.text(mapped['Queue'])}",
        f"batch_size = {mapped['BatchSize']}",
        f"function_response_types = {of.text(mapped['FunctionResponseTypes'])}",
        "scaling_config {",
        f"  maximum_concurrency = {of.text(mapped['ScalingConfig']['MaximumConcurrency'])}",
        "}",
    ]
    of.beside.append(("aws_lambda_event_source_mapping", lines))


def log_group(of: Properties) -> Iterator[str]:
    """Write AWS::Logs::LogGroup."""
    yield from of.line("LogGroupName", "name")
    yield from of.line("RetentionInDays", "retention_in_days")


def role(of: Properties) -> Iterator[str]:
    """Write AWS::IAM::Role."""
    yield from of.line("RoleName", "name")
    yield from of.line("AssumeRolePolicyDocument", "assume_role_policy", "jsonencode({})")
    for policy in of.take("Policies", []):
        lines = [f"name = {quoted(policy['PolicyName'])}", f"role = {of.own('name')}"]
        lines.append(f"policy = jsonencode({of.text(policy['PolicyDocument'])})")
        of.beside.append(("aws_iam_role_policy", lines))


def managed_policy(of: Properties) -> Iterator[str]:
    """Write AWS::IAM::ManagedPolicy."""
    yield from of.line("Description", "description")
    yield from of.line("PolicyDocument", "policy", "jsonencode({})")


def slack(of: Properties) -> Iterator[str]:
    """Write AWS::Chatbot::SlackChannelConfiguration."""
    names = {"SlackWorkspaceId": "slack_team_id", "SlackChannelId": "slack_channel_id"}
    yield from chat(of, names)


def teams(of: Properties) -> Iterator[str]:
    """Write AWS::Chatbot::MicrosoftTeamsChannelConfiguration."""
    yield from chat(of, {"TeamsTenantId": "tenant_id", "TeamId": "team_id", "TeamsChannelId": "channel_id"})


def chat(of: Properties, names: dict[str, str]) -> Iterator[str]:
    """Write a channel of either kind."""
    shared = {
        "ConfigurationName": "configuration_name",
        "IamRoleArn": "iam_role_arn",
        "GuardrailPolicies": "guardrail_policy_arns",
        "SnsTopicArns": "sns_topic_arns",
    }
    for name, attribute in (names | shared).items():
        yield from of.line(name, attribute)


def table(of: Properties) -> Iterator[str]:
    """Write AWS::DynamoDB::Table."""
    yield from of.line("BillingMode", "billing_mode")
    (key,) = of.take("KeySchema")
    yield f"hash_key = {quoted(key['AttributeName'])}"
    for attribute in of.take("AttributeDefinitions"):
        yield from (
            "attribute {",
            f"  name = {quoted(attribute['AttributeName'])}",
            f"  type = {quoted(attribute['AttributeType'])}",
            "}",
        )
    ttl = of.take("TimeToLiveSpecification")
    yield from (
        "ttl {",
        f"  attribute_name = {quoted(ttl['AttributeName'])}",
        f"  enabled = {of.text(ttl['Enabled'])}",
        "}",
    )
    recovery = of.take("PointInTimeRecoverySpecification")
    yield from ("point_in_time_recovery {", f"  enabled = {of.text(recovery['PointInTimeRecoveryEnabled'])}", "}")
    condition, yes, _ = of.take("SSESpecification")["If"]
    # The block is there for a key of the user's only; DynamoDB encrypts every table.
    yield 'dynamic "server_side_encryption" {'
    yield f"  for_each = local.{snake(condition)} ? [1] : []"
    yield from (
        "  content {",
        f"    enabled = {of.text(yes['SSEEnabled'])}",
        f"    kms_key_arn = {of.text(yes['KMSMasterKeyId'])}",
        "  }",
        "}",
    )
    # Terraform wants a name.
    yield 'name = "${var.name}-memory"'


def alarm(of: Properties) -> Iterator[str]:
    """Write AWS::CloudWatch::Alarm."""
    yield f'alarm_name = "${{var.name}}-{of.name}"'
    names = {"AlarmDescription": "alarm_description", "ExtendedStatistic": "extended_statistic"}
    for name in (
        *(
            "AlarmDescription",
            "Namespace",
            "MetricName",
            "Statistic",
            "ExtendedStatistic",
            "Period",
            "EvaluationPeriods",
        ),
        *("DatapointsToAlarm", "ComparisonOperator", "Threshold", "TreatMissingData", "AlarmActions"),
    ):
        yield from of.line(name, names.get(name, snake(name)))
    dimensions = of.take("Dimensions")
    yield "dimensions = { " + ", ".join(f"{each['Name']} = {of.text(each['Value'])}" for each in dimensions) + " }"


def dashboard(of: Properties) -> Iterator[str]:
    """Write AWS::CloudWatch::Dashboard."""
    yield from of.line("DashboardName", "dashboard_name")
    yield from of.line("DashboardBody", "dashboard_body")


RESOURCES: dict[str, tuple[str, Callable[[Properties], Iterator[str]]]] = {
    "AWS::CloudTrail::Trail": ("aws_cloudtrail", trail),
    "AWS::Chatbot::MicrosoftTeamsChannelConfiguration": ("aws_chatbot_teams_channel_configuration", teams),
    "AWS::Chatbot::SlackChannelConfiguration": ("aws_chatbot_slack_channel_configuration", slack),
    "AWS::CloudWatch::Alarm": ("aws_cloudwatch_metric_alarm", alarm),
    "AWS::CloudWatch::Dashboard": ("aws_cloudwatch_dashboard", dashboard),
    "AWS::DynamoDB::Table": ("aws_dynamodb_table", table),
    "AWS::Events::Rule": ("aws_cloudwatch_event_rule", rule),
    "AWS::IAM::ManagedPolicy": ("aws_iam_policy", managed_policy),
    "AWS::IAM::Role": ("aws_iam_role", role),
    "AWS::Logs::LogGroup": ("aws_cloudwatch_log_group", log_group),
    "AWS::S3::Bucket": ("aws_s3_bucket", bucket),
    "AWS::S3::BucketPolicy": ("aws_s3_bucket_policy", bucket_policy),
    "AWS::SNS::Subscription": ("aws_sns_topic_subscription", subscription),
    "AWS::SNS::Topic": ("aws_sns_topic", topic),
    "AWS::SNS::TopicPolicy": ("aws_sns_topic_policy", topic_policy),
    "AWS::SQS::Queue": ("aws_sqs_queue", queue),
    "AWS::SQS::QueuePolicy": ("aws_sqs_queue_policy", queue_policy),
    "AWS::Scheduler::Schedule": ("aws_scheduler_schedule", schedule),
    "AWS::Serverless::Function": ("aws_lambda_function", function),
}
# What Ref of a resource is.
REFERENCES = {
    "AWS::CloudWatch::Alarm": "alarm_name",
    "AWS::CloudWatch::Dashboard": "dashboard_name",
    "AWS::DynamoDB::Table": "name",
    "AWS::IAM::ManagedPolicy": "arn",
    "AWS::Logs::LogGroup": "name",
    "AWS::S3::Bucket": "id",
    "AWS::SNS::Topic": "arn",
    "AWS::SQS::Queue": "url",
    "AWS::Serverless::Function": "function_name",
}


def module() -> str:
    """Return the module for the template as it is."""
    return Module(yaml.load(TEMPLATE.read_text(), Loader)).text()


def main() -> NoReturn:
    """Run the command line."""
    written = module()
    match sys.argv[1:]:
        case []:
            MODULE.parent.mkdir(parents=True, exist_ok=True)
            MODULE.write_text(written)
            sys.exit(0)
        case ["--check"]:
            sys.exit(0 if MODULE.read_text() == written else f"{MODULE}: differs from the template; make terraform")
        case _:
            print(__doc__, file=sys.stderr)
            sys.exit(2)


if __name__ == "__main__":
    main()
