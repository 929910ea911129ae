"""Is it working? Look at a deployed stack from the trail to the mailbox, and say what to do about what is wrong.

``doctor.py STACK`` prints a line for each part of the path: ``right``, ``wrong`` with what to do, or ``?`` where these
credentials cannot see it. It changes nothing. It exits with 1 if anything is wrong. It works with the AWS credentials,
region and endpoint of its environment.
"""

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError
from keys import DELIVERY, verdict
from parameters import deployed
from stack import log_lines, named, outputs

RIGHT, WRONG, UNSEEN = "right", "wrong", "?"
DENIED = {
    *("AccessDenied", "AccessDeniedException", "AuthorizationError", "AuthorizationErrorException"),
    *("403", "UnauthorizedOperation"),
}
# Enough to meet a delivery in any bucket that holds some under its prefix.
KEYS_LOOKED_AT = 5000
HOUR = 3600


@dataclass(frozen=True)
class Finding:
    """What is to be said about one part of the path."""

    state: str
    text: str
    # What to do, where something is wrong.
    advice: str = ""

    def line(self) -> str:
        return f"{self.state:5}  {self.text}" + (f" -> {self.advice}" if self.advice else "")


def judged(good: bool, right: str, wrong: str, advice: str) -> Finding:
    return Finding(RIGHT, right) if good else Finding(WRONG, wrong, advice)


@dataclass(frozen=True)
class Stack:
    """A deployed stack: what it was deployed with, what it put out, and what it is made of."""

    name: str
    parameters: Mapping[str, str]
    outputs: Mapping[str, str]
    # Physical ids by logical ids.
    resources: Mapping[str, str]
    client: Callable[[str], BaseClient]

    @property
    def buckets(self) -> list[str]:
        """The buckets that deliveries are read from."""
        return self.outputs["BucketName"].split(",")

    def attribute(self, url: str, name: str) -> str:
        answer = self.client("sqs").get_queue_attributes(QueueUrl=self.outputs[url], AttributeNames=[name])
        return answer["Attributes"][name]

    def log(self, pattern: str, hours: float) -> list[dict[str, Any]]:
        """Return the function's log lines of the last hours that have these words, newest last."""
        since = int((time.time() - hours * HOUR) * 1000)
        return log_lines(self.client("logs"), self.outputs["LogGroupName"], filterPattern=pattern, startTime=since)


def trail(stack: Stack) -> Iterator[Finding]:
    """Does a trail write to the bucket, and did its last delivery succeed?"""
    service = stack.client("cloudtrail")
    for bucket in stack.buckets:
        trails = service.describe_trails(includeShadowTrails=True)["trailList"]
        found = [each for each in trails if each["S3BucketName"] == bucket]
        if not found:
            advice = "ask the account that owns the trail, or set CreateTrail=true"
            yield Finding(UNSEEN, f"trail: none that this account and region see delivers to {bucket}", advice)
        for each in found:
            status = service.get_trail_status(Name=each["TrailARN"])
            error = status.get("LatestDeliveryError")
            name = f"trail: {each['Name']}"
            if not status["IsLogging"]:
                advice = "aws cloudtrail start-logging; find out who stopped it"
                yield Finding(WRONG, f"{name} does not log", advice)
            else:
                advice = f"mend the policy of {bucket} or of its key"
                yield judged(not error, f"{name} logs to {bucket}", f"{name} cannot deliver: {error}", advice)


def announcement(stack: Stack) -> Iterator[Finding]:
    """Does something bring new deliveries to the queue?"""
    queue = stack.attribute("QueueUrl", "QueueArn")
    s3 = stack.client("s3")
    if topic := stack.parameters.get("DeliveryTopicArn"):
        pages = stack.client("sns").get_paginator("list_subscriptions").paginate()
        found = [each for page in pages for each in page["Subscriptions"]]
        mine = [each for each in found if (each["TopicArn"], each["Endpoint"]) == (topic, queue)]
        if mine:
            yield judged(
                mine[0]["SubscriptionArn"].startswith("arn:"),
                f"announcement: the queue is subscribed to {topic}",
                f"announcement: the subscription to {topic} is not confirmed",
                "confirm it, as docs/deploy.md says",
            )
        else:
            advice = "deploy again, or subscribe it; the topic's policy must allow sns:Subscribe"
            yield Finding(WRONG, f"announcement: the queue is not subscribed to {topic}", advice)
        return
    for bucket in stack.buckets:
        told = s3.get_bucket_notification_configuration(Bucket=bucket)
        if not stack.parameters.get("TrailBucketName"):
            yield judged(
                any(each["QueueArn"] == queue for each in told.get("QueueConfigurations", [])),
                f"announcement: {bucket} notifies the queue",
                f"announcement: {bucket} does not notify the queue",
                "deploy again: somebody has replaced its notifications",
            )
        else:
            yield judged(
                "EventBridgeConfiguration" in told,
                f"announcement: {bucket} sends its events to EventBridge",
                f"announcement: {bucket} does not send its events to EventBridge",
                "switch it on in the bucket's properties",
            )
    if "ObjectCreatedRule" in stack.resources:
        yield rule(stack, "ObjectCreatedRule", queue)


def real_time(stack: Stack) -> Iterator[Finding]:
    """Does the rule for calls in real time lead to the queue?"""
    if "ApiCallRule" in stack.resources:
        yield rule(stack, "ApiCallRule", stack.attribute("QueueUrl", "QueueArn"))


def rule(stack: Stack, logical: str, queue: str) -> Finding:
    """Say whether an EventBridge rule of the stack is on and leads to the queue."""
    events, name = stack.client("events"), stack.resources[logical].rpartition("/")[2]
    if not events.describe_rule(Name=name)["State"].startswith("ENABLED"):
        return Finding(WRONG, f"rule: {name} is off", f"aws events enable-rule --name {name}")
    targets = {each["Arn"] for each in events.list_targets_by_rule(Rule=name)["Targets"]}
    right, wrong = f"rule: {name} leads to the queue", f"rule: {name} does not lead to the queue"
    return judged(queue in targets, right, wrong, "deploy again")


def mapping(stack: Stack) -> Iterator[Finding]:
    """Does the queue feed the function?"""
    service = stack.client("lambda")
    found = service.list_event_source_mappings(FunctionName=stack.outputs["FunctionName"])["EventSourceMappings"]
    queue = stack.attribute("QueueUrl", "QueueArn")
    states = [each["State"] for each in found if each["EventSourceArn"] == queue]
    if not states:
        yield Finding(WRONG, "queue: nothing takes messages from it", "deploy again")
    else:
        wrong = f"queue: the function takes no messages from it, {states[0]}"
        advice = "aws lambda update-event-source-mapping --enabled"
        yield judged("Enabled" in states, "queue: the function takes messages from it", wrong, advice)


def newest(stack: Stack, bucket: str) -> tuple[str | None, bool]:
    """Return the key of the newest delivery among the first keys of a bucket, and whether those are all."""
    prefix = stack.parameters.get("TrailPrefix", "")
    pages = stack.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    listed = (item for page in pages for item in page.get("Contents", []))
    first = list(islice(listed, KEYS_LOOKED_AT))
    deliveries = [item for item in first if verdict(item["Key"]) == DELIVERY]
    latest = max(deliveries, key=lambda item: item["LastModified"], default=None)
    return (latest["Key"] if latest else None), len(first) < KEYS_LOOKED_AT


def access(stack: Stack) -> Iterator[Finding]:
    """May the function's role read the newest delivery?"""
    iam, role = stack.client("iam"), stack.outputs["FunctionRoleArn"]
    partition = role.split(":")[1]
    for bucket in stack.buckets:
        key, all_seen = newest(stack, bucket)
        if key is None:
            state = WRONG if all_seen else UNSEEN
            text = f"access: no delivery in {bucket} below {stack.parameters.get('TrailPrefix', '')!r}"
            yield Finding(state, text, "check TrailPrefix, and the trail")
            continue
        answer = iam.simulate_principal_policy(
            PolicySourceArn=role, ActionNames=["s3:GetObject"], ResourceArns=[f"arn:{partition}:s3:::{bucket}/{key}"]
        )
        decisions = {each["EvalDecision"] for each in answer["EvaluationResults"]}
        yield judged(
            decisions == {"allowed"},
            f"access: the role's own policy lets it read s3://{bucket}/{key}",
            f"access: the role may not read s3://{bucket}/{key}",
            "deploy again: somebody has changed its policy",
        )


def reading(stack: Stack) -> Iterator[Finding]:
    """Were deliveries read lately, and did any fail?"""
    hours = float(stack.parameters.get("SilenceHours", "1"))
    finished = stack.log('"invocation finished"', hours)
    read = sum(line.get("completed", 0) for line in finished)
    failed = stack.log('"failed"', hours)
    reasons = [line["reason"] for line in failed if line.get("message") == "failed"]
    if reasons:
        text = f"reading: {len(reasons)} failed in {hours:g} h, the last one: {reasons[-1]}"
        yield Finding(WRONG, text, "docs/operate.md#dead-letters")
    right = f"reading: deliveries read to their end in {hours:g} h: {read}"
    yield judged(read > 0, right, f"reading: no delivery was read in {hours:g} h", "docs/operate.md#silence")


def dead_letters(stack: Stack) -> Iterator[Finding]:
    """Does anything wait among the dead letters?"""
    number = int(stack.attribute("DeadLetterQueueUrl", "ApproximateNumberOfMessages"))
    advice = f"mend the cause, then make redrive STACK={stack.name}"
    yield judged(number == 0, "dead letters: none", f"dead letters: {number}", advice)


def alarms(stack: Stack) -> Iterator[Finding]:
    """Does an alarm of the stack sound?"""
    names = sorted(physical for logical, physical in stack.resources.items() if logical.endswith("Alarm"))
    found = stack.client("cloudwatch").describe_alarms(AlarmNames=names)["MetricAlarms"]
    for each in found:
        if each["StateValue"] == "ALARM":
            yield Finding(WRONG, f"alarm: {each['AlarmName']}", each.get("AlarmDescription", ""))
    missing = set(names) - {each["AlarmName"] for each in found}
    for name in sorted(missing):
        yield Finding(WRONG, f"alarm: {name} is gone", "deploy again")
    if found and not missing and all(each["StateValue"] != "ALARM" for each in found):
        yield Finding(RIGHT, f"alarms: none of {len(found)} sounds")


def rules(stack: Stack) -> Iterator[Finding]:
    """What did the function say last of the rules that remember: are they on, learning or off?"""
    said = [
        line for line in stack.log('"rules that remember"', 24) if line["message"].startswith("rules that remember")
    ]
    if not said:
        yield Finding(RIGHT, "rules: in 24 h none that remembers was off, or had an event to look at")
    elif "rules" in said[-1]:
        state = RIGHT if stack.parameters.get("Memory") == "false" else WRONG
        yield Finding(state, f"rules: off, since they remember: {said[-1]['rules']}", "deploy with Memory=true")
    else:
        learning = f"; learning, and silent so far: {said[-1]['learning']}" if said[-1]["learning"] else ""
        yield Finding(RIGHT, f"rules: on: {said[-1]['on'] or 'none'}{learning}")


def subscriptions(stack: Stack) -> Iterator[Finding]:
    """Does anybody hear of signals, as documents or as notices, and of alarms?"""
    topics = {
        "signals": stack.outputs["TopicArn"],
        "notices": stack.outputs.get("NoticeTopicArn"),
        "alarms": stack.resources.get("AlarmTopic"),
    }
    heard = {}
    for name, topic in topics.items():
        if not topic:
            continue
        pages = stack.client("sns").get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic)
        found = [each for page in pages for each in page["Subscriptions"]]
        pending = [each["Endpoint"] for each in found if not each["SubscriptionArn"].startswith("arn:")]
        for endpoint in pending:
            text = f"subscriptions: {endpoint} has not confirmed {name}"
            yield Finding(WRONG, text, "open the mail that SNS sent, or subscribe again")
        heard[name] = len(found)
        if len(found) > len(pending):
            yield Finding(RIGHT, f"subscriptions: confirmed to {name}: {len(found) - len(pending)}")
    # Whoever takes the documents may want no notices, and the other way round.
    if not heard["signals"] and not heard.get("notices"):
        advice = f"aws sns subscribe --topic-arn {topics['signals']}"
        yield Finding(WRONG, "subscriptions: nobody hears of signals", advice)
    if heard.get("alarms") == 0:
        advice = f"aws sns subscribe --topic-arn {topics['alarms']}"
        yield Finding(WRONG, "subscriptions: nobody hears of alarms", advice)


CHECKS = (trail, announcement, real_time, mapping, access, reading, dead_letters, alarms, rules, subscriptions)


def examine(stack: Stack) -> Iterator[Finding]:
    """Yield every finding, from the trail to the mailbox. What these credentials may not see is said, and no finding."""
    for check in CHECKS:
        try:
            yield from check(stack)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            state = UNSEEN if code in DENIED else WRONG
            advice = "look with credentials that may" if state == UNSEEN else "deploy again: it is gone, or broken"
            yield Finding(state, f"{check.__name__.replace('_', ' ')}: {error}", advice)


def load(name: str, client: Callable[[str], BaseClient] = boto3.client) -> Stack:
    cloudformation = client("cloudformation")
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=name)
    resources = [each for page in pages for each in page["StackResourceSummaries"]]
    made = {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in resources if "PhysicalResourceId" in each}
    return Stack(name, deployed(cloudformation, name), outputs(cloudformation, name), made, client)


def main() -> int:
    try:
        stack = load(named(__doc__))
    except (BotoCoreError, ClientError) as error:
        sys.exit(f"wrong  stack: {error} -> check STACK, the region and the credentials")
    wrong = 0
    for finding in examine(stack):
        print(finding.line(), flush=True)
        wrong += finding.state == WRONG
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
