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
from stack import every, log_lines, named, outputs, queue_arn

RIGHT, WRONG, UNSEEN = "right", "wrong", "?"
DENIED = set("AccessDenied AccessDeniedException AuthorizationError AuthorizationErrorException 403".split())
# Enough to find a delivery in any bucket that holds some under its prefix.
KEYS_LOOKED_AT = 5000
HOUR = 3600


@dataclass(frozen=True)
class Finding:
    """What to say about one part of the path."""

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
    """A deployed stack: its parameters, its outputs and its resources."""

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

    @property
    def queue(self) -> str:
        """The ARN of the queue that feeds the function."""
        return queue_arn(self.client("sqs"), self.outputs["QueueUrl"])

    def log(self, pattern: str, hours: float) -> list[dict[str, Any]]:
        """Return the function's log lines of the last hours that contain these words, newest last."""
        since = int((time.time() - hours * HOUR) * 1000)
        return log_lines(self.client("logs"), self.outputs["LogGroupName"], filterPattern=pattern, startTime=since)


def trail(stack: Stack) -> Iterator[Finding]:
    """Does a trail write to the bucket, and did its last delivery succeed?"""
    service = stack.client("cloudtrail")
    trails = service.describe_trails(includeShadowTrails=True)["trailList"]
    for bucket in stack.buckets:
        found = [each for each in trails if each["S3BucketName"] == bucket]
        if not found:
            advice = "ask the account that owns the trail, or set CreateTrail=true"
            yield Finding(UNSEEN, f"trail: none that this account and region see delivers to {bucket}", advice)
        for each in found:
            status, name = service.get_trail_status(Name=each["TrailARN"]), f"trail: {each['Name']}"
            if not status["IsLogging"]:
                yield Finding(WRONG, f"{name} does not log", "aws cloudtrail start-logging; find out who stopped it")
            else:
                error = status.get("LatestDeliveryError")
                advice = f"mend the policy of {bucket} or of its key"
                yield judged(not error, f"{name} logs to {bucket}", f"{name} cannot deliver: {error}", advice)


def announcement(stack: Stack) -> Iterator[Finding]:
    """Does something bring new deliveries to the queue?"""
    queue = stack.queue
    if topic := stack.parameters.get("DeliveryTopicArn"):
        found = every(stack.client("sns"), "list_subscriptions", "Subscriptions")
        mine = [each["SubscriptionArn"] for each in found if each["TopicArn"] == topic and each["Endpoint"] == queue]
        right = f"announcement: the queue is subscribed to {topic}"
        if mine:
            wrong = f"announcement: the subscription to {topic} is not confirmed"
            yield judged(mine[0].startswith("arn:"), right, wrong, "confirm it, as docs/deploy.md says")
        else:
            advice = "deploy again, or subscribe it; the topic's policy must allow sns:Subscribe"
            yield Finding(WRONG, f"announcement: the queue is not subscribed to {topic}", advice)
        return
    for bucket in stack.buckets:
        told, text = stack.client("s3").get_bucket_notification_configuration(Bucket=bucket), f"announcement: {bucket}"
        if stack.parameters.get("TrailBucketName"):
            good, event = "EventBridgeConfiguration" in told, "its events to EventBridge"
            advice = "switch it on in the bucket's properties"
            yield judged(good, f"{text} sends {event}", f"{text} does not send {event}", advice)
        else:
            good = queue in {each["QueueArn"] for each in told.get("QueueConfigurations", [])}
            advice = "deploy again: somebody has replaced its notifications"
            yield judged(good, f"{text} notifies the queue", f"{text} does not notify the queue", advice)


def rule(stack: Stack) -> Iterator[Finding]:
    """Are EventBridge's rules on, for objects and for calls in real time, and do they lead to the queue?"""
    events = stack.client("events")
    for logical in ("ObjectCreatedRule", "ApiCallRule"):
        if logical not in stack.resources:
            continue
        name = stack.resources[logical].rpartition("/")[2]
        if not events.describe_rule(Name=name)["State"].startswith("ENABLED"):
            yield Finding(WRONG, f"rule: {name} is off", f"aws events enable-rule --name {name}")
            continue
        targets = {each["Arn"] for each in events.list_targets_by_rule(Rule=name)["Targets"]}
        right, wrong = f"rule: {name} leads to the queue", f"rule: {name} does not lead to the queue"
        yield judged(stack.queue in targets, right, wrong, "deploy again")


def mapping(stack: Stack) -> Iterator[Finding]:
    """Does the queue feed the function?"""
    service = stack.client("lambda")
    found = service.list_event_source_mappings(FunctionName=stack.outputs["FunctionName"])["EventSourceMappings"]
    states = [each["State"] for each in found if each["EventSourceArn"] == stack.queue]
    if not states:
        yield Finding(WRONG, "queue: nothing takes messages from it", "deploy again")
    else:
        wrong = f"queue: the function takes no messages from it, {states[0]}"
        advice = "aws lambda update-event-source-mapping --enabled"
        yield judged("Enabled" in states, "queue: the function takes messages from it", wrong, advice)


def newest(stack: Stack, bucket: str) -> tuple[str | None, bool]:
    """Return the key of the newest delivery among the first keys of a bucket, and whether those are all."""
    prefix = stack.parameters.get("TrailPrefix", "")
    listed = every(stack.client("s3"), "list_objects_v2", "Contents", Bucket=bucket, Prefix=prefix)
    first = list(islice(listed, KEYS_LOOKED_AT))
    deliveries = [item for item in first if verdict(item["Key"]) == DELIVERY]
    latest = max(deliveries, key=lambda item: item["LastModified"], default={"Key": None})
    return latest["Key"], len(first) < KEYS_LOOKED_AT


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
    read = sum(line.get("completed", 0) for line in stack.log('"invocation finished"', hours))
    reasons = [line["reason"] for line in stack.log('"failed"', hours) if line.get("message") == "failed"]
    if reasons:
        text = f"reading: {len(reasons)} failed in {hours:g} h, the last one: {reasons[-1]}"
        yield Finding(WRONG, text, "docs/operate.md#dead-letters")
    right = f"reading: deliveries read to their end in {hours:g} h: {read}"
    yield judged(read > 0, right, f"reading: no delivery was read in {hours:g} h", "docs/operate.md#silence")


def dead_letters(stack: Stack) -> Iterator[Finding]:
    """Are there any dead letters?"""
    url, name = stack.outputs["DeadLetterQueueUrl"], "ApproximateNumberOfMessages"
    answer = stack.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=[name])
    number = int(answer["Attributes"][name])
    advice = f"mend the cause, then make redrive STACK={stack.name}"
    yield judged(number == 0, "dead letters: none", f"dead letters: {number}", advice)


def alarms(stack: Stack) -> Iterator[Finding]:
    """Does any of the stack's alarms sound?"""
    names = sorted(physical for logical, physical in stack.resources.items() if logical.endswith("Alarm"))
    found = stack.client("cloudwatch").describe_alarms(AlarmNames=names)["MetricAlarms"]
    sounding = [each for each in found if each["StateValue"] == "ALARM"]
    for each in sounding:
        yield Finding(WRONG, f"alarm: {each['AlarmName']}", each["AlarmDescription"])
    missing = sorted(set(names) - {each["AlarmName"] for each in found})
    for name in missing:
        yield Finding(WRONG, f"alarm: {name} is gone", "deploy again")
    if not sounding and not missing:
        yield Finding(RIGHT, f"alarms: none of {len(found)} sounds")


def rules(stack: Stack) -> Iterator[Finding]:
    """What did the function last say about the rules that remember: are they on, learning or off?"""
    words = "rules that remember"
    said = [line for line in stack.log(f'"{words}"', 24) if line["message"].startswith(words)]
    if not said:
        yield Finding(RIGHT, "rules: in 24 h none that remembers was off, or had an event to look at")
    elif "rules" in said[-1]:
        state = RIGHT if stack.parameters.get("Memory") == "false" else WRONG
        yield Finding(state, f"rules: off, since they remember: {said[-1]['rules']}", "deploy with Memory=true")
    else:
        learning = f"; learning, and silent so far: {said[-1]['learning']}" if said[-1]["learning"] else ""
        yield Finding(RIGHT, f"rules: on: {said[-1]['on'] or 'none'}{learning}")


def subscriptions(stack: Stack) -> Iterator[Finding]:
    """Does anybody receive signals, as documents or as notices, and alarms?"""
    topics = {
        "signals": stack.outputs["TopicArn"],
        "notices": stack.outputs.get("NoticeTopicArn"),
        "alarms": stack.resources.get("AlarmTopic"),
    }
    heard = {}
    for name, topic in topics.items():
        if not topic:
            continue
        found = list(every(stack.client("sns"), "list_subscriptions_by_topic", "Subscriptions", TopicArn=topic))
        pending = [each["Endpoint"] for each in found if not each["SubscriptionArn"].startswith("arn:")]
        for endpoint in pending:
            text = f"subscriptions: {endpoint} has not confirmed {name}"
            yield Finding(WRONG, text, "open the mail that SNS sent, or subscribe again")
        heard[name] = len(found)
        if len(found) > len(pending):
            yield Finding(RIGHT, f"subscriptions: confirmed to {name}: {len(found) - len(pending)}")
    # Subscribers to the documents may want no notices, and the other way round.
    unheard = {"signals": not heard["signals"] and not heard.get("notices"), "alarms": heard.get("alarms") == 0}
    for name in (name for name, nobody in unheard.items() if nobody):
        advice = f"aws sns subscribe --topic-arn {topics[name]}"
        yield Finding(WRONG, f"subscriptions: nobody hears of {name}", advice)


CHECKS = (trail, announcement, rule, mapping, access, reading, dead_letters, alarms, rules, subscriptions)


def examine(stack: Stack) -> Iterator[Finding]:
    """Yield every finding, from the trail to the mailbox. What these credentials may not see is said, not judged."""
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
    resources = every(cloudformation, "list_stack_resources", "StackResourceSummaries", StackName=name)
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
