"""Let the function of another account read: add to the policies of bucket and key what deploy/log-archive.yaml puts out.

``grant.py STACK`` runs with the credentials of the account that owns the bucket. For each document (the bucket's policy,
the key's policy, the bucket's notifications) it reads what is there, adds what is missing, shows the difference, and asks
before it writes. What others put there stays: only a statement with the same Sid, which is one of these, is replaced.
"""

import difflib
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import boto3
from botocore.client import BaseClient
from botocore.exceptions import ClientError
from stack import named, outputs


def with_statements(policy: Mapping[str, Any], wanted: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a policy with these statements, each replacing the one with its Sid or added at the end."""
    there = policy.get("Statement", [])
    # A policy may hold a single statement without a list.
    statements = list(there) if isinstance(there, list) else [there]
    places = {each["Sid"]: index for index, each in enumerate(statements) if "Sid" in each}
    for statement in wanted:
        if statement["Sid"] in places:
            statements[places[statement["Sid"]]] = statement
        else:
            statements.append(statement)
    return {"Version": "2012-10-17", **policy, "Statement": statements}


def with_announcement(notifications: Mapping[str, Any], stack: Mapping[str, str]) -> dict[str, Any]:
    """Return the bucket's notifications with the one that announces deliveries."""
    if stack["Announce"] == "event-bus":
        return {**notifications, "EventBridgeConfiguration": {}}
    topics = notifications.get("TopicConfigurations", [])
    if stack["Announce"] == "cloudtrail" or stack["DeliveryTopicArn"] in {each["TopicArn"] for each in topics}:
        return dict(notifications)
    topic: dict[str, Any] = {"TopicArn": stack["DeliveryTopicArn"], "Events": ["s3:ObjectCreated:*"]}
    if "TrailPrefix" in stack:
        topic["Filter"] = {"Key": {"FilterRules": [{"Name": "prefix", "Value": stack["TrailPrefix"]}]}}
    return {**notifications, "TopicConfigurations": [*topics, topic]}


def bucket_policy(s3: BaseClient, bucket: str) -> dict[str, Any]:
    """Return the policy of a bucket; an empty one if it has none."""
    try:
        return json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchBucketPolicy":
            return {}
        raise


def update(name: str, before: dict[str, Any], after: dict[str, Any], write: Callable[[dict[str, Any]], Any]) -> bool:
    """Show what would change in a document, ask, and write it. Return whether it is now as it should be."""
    now, then = (json.dumps(each, indent=2).splitlines() for each in (before, after))
    if now == then:
        print(f"{name}: nothing to do")
        return True
    print("\n".join(difflib.unified_diff(now, then, f"{name}, now", f"{name}, then", lineterm="")))
    print(f"Write this {name}? [y/N] ", end="", flush=True)
    if sys.stdin.readline().strip().lower() != "y":
        print("not written")
        return False
    write(after)
    print("written")
    return True


def grant(stack: Mapping[str, str], s3: BaseClient, kms: BaseClient) -> Iterator[bool]:
    """Update the documents in the order that works: the one who announces must find a reader."""
    bucket = stack["BucketName"]
    held = bucket_policy(s3, bucket)
    yield update(
        f"policy of {bucket}",
        held,
        with_statements(held, json.loads(stack["BucketPolicyStatements"])),
        lambda policy: s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy)),
    )
    if "KeyArn" in stack:
        key = {"KeyId": stack["KeyArn"], "PolicyName": "default"}
        held = json.loads(kms.get_key_policy(**key)["Policy"])
        yield update(
            f"policy of {stack['KeyArn']}",
            held,
            with_statements(held, json.loads(stack["KeyPolicyStatements"])),
            lambda policy: kms.put_key_policy(**key, Policy=json.dumps(policy)),
        )
    told = s3.get_bucket_notification_configuration(Bucket=bucket)
    told.pop("ResponseMetadata", None)
    yield update(
        f"notifications of {bucket}",
        told,
        with_announcement(told, stack),
        lambda wanted: s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=wanted),
    )


def main() -> int:
    name = named(__doc__)
    stack = outputs(boto3.client("cloudformation"), name)
    if "BucketPolicyStatements" not in stack:
        sys.exit(f"{name} has no output BucketPolicyStatements: it is not made of deploy/log-archive.yaml")
    try:
        done = list(grant(stack, boto3.client("s3"), boto3.client("kms")))
    except ClientError as error:
        sys.exit(f"{error}\nAdd what the outputs of {name} hold by hand, or with credentials that may.")
    return 0 if all(done) else 1


if __name__ == "__main__":
    sys.exit(main())
