"""The same job as a user would write it in Python: the yardstick the function is measured against.

It reads a delivery with boto3, gzip and json, looks at every record in a loop, and publishes matches in batches: as
signals with the same fields that the function's have, or with ``raw`` as the records themselves, which is less work.
What Lambda's own Python runtime does around it is kept to the least: one connection to the runtime API.
"""

import gzip
import hashlib
import http.client
import json
import os
import sys
import tomllib
import urllib.parse
from datetime import UTC, datetime
from pathlib import Path

import boto3

s3 = boto3.client("s3")
sns = boto3.client("sns")
TOPIC = os.environ["SIGNAL_TOPIC_ARN"]
RULES = Path(__file__).resolve().parent.parent / "rules"
RULE = tomllib.loads((RULES / "aws_lambda_function_created_or_updated.toml").read_text())["rule"]
# A signal does not include what its rule looks for.
DEFINITION = {name: value for name, value in RULE.items() if name not in ("query", "index", "language")}


def matches(record: dict) -> bool:
    """Apply the embedded rule."""
    return (
        record.get("eventSource") == "lambda.amazonaws.com"
        and not record.get("errorCode")
        and not record.get("errorMessage")
        and record.get("eventName", "").startswith(("CreateFunction", "UpdateFunctionCode"))
    )


def without_empty(value: object) -> object:
    if isinstance(value, dict):
        kept = {key: without_empty(below) for key, below in value.items()}
        return {key: below for key, below in kept.items() if below not in (None, "", {}, [])}
    if isinstance(value, list):
        return [without_empty(below) for below in value]
    return value


def printed(value: object) -> str:
    """Print an object as Elastic's pipeline keeps it."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}={printed(below)}" for key, below in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(printed(below) for below in value) + "]"
    return str(value).lower() if isinstance(value, bool) else str(value)


def document(record: dict, original: str, bucket: str, key: str) -> dict:
    record = without_empty(record)
    identity = record.get("userIdentity", {})
    session = identity.get("sessionContext", {})
    issuer, attributes = session.get("sessionIssuer", {}), session.get("attributes", {})
    request, response = record.get("requestParameters"), record.get("responseElements")
    tls = record.get("tlsDetails", {})
    account, action = record.get("recipientAccountId"), record["eventName"]
    name = issuer.get("userName") or identity.get("userName")
    address = record.get("sourceIPAddress")
    function = (request or {}).get("functionName")
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    signal_id = hashlib.sha256(f"{RULE['rule_id']}/{account}/{record['eventID']}".encode()).hexdigest()
    event = {
        "action": action,
        "provider": record["eventSource"],
        "outcome": "success",
        "id": record["eventID"],
        "kind": "event",
        "dataset": "aws.cloudtrail",
        "module": "aws",
        "type": ["info"],
        "created": now,
    }
    return without_empty(
        {
            "message": f"{name} ({identity.get('type')}) called {action} on function {function} in account {account}, "
            f"{record.get('awsRegion')}, at {record.get('eventTime')}, from {address}.",
            "@timestamp": now,
            "event": event | {"kind": "signal", "original": original},
            "data_stream": {"dataset": "aws.cloudtrail"},
            "ecs": {"version": "8.11.0"},
            "cloud": {
                "provider": "aws",
                "region": record.get("awsRegion"),
                "account": {"id": identity.get("accountId") or account},
                "service": {"name": record["eventSource"].removesuffix(".amazonaws.com")},
            },
            "source": {"address": address, "ip": address},
            "related": {"ip": [address], "user": [name, identity.get("principalId")]},
            "user": {"name": name, "id": identity.get("principalId")},
            "user_agent": {"original": record.get("userAgent")},
            "tls": {
                "cipher": tls.get("cipherSuite"),
                "version": tls.get("tlsVersion", "").removeprefix("TLSv"),
                "version_protocol": "tls",
                "client": {"server_name": tls.get("clientProvidedHostHeader")},
            },
            "aws": {
                "s3": {"bucket": {"name": bucket}, "object": {"key": key}},
                "cloudtrail": {
                    "event_version": record.get("eventVersion"),
                    "event_category": record.get("eventCategory"),
                    "event_type": record.get("eventType"),
                    "api_version": record.get("apiVersion"),
                    "read_only": record.get("readOnly"),
                    "request_id": record.get("requestID"),
                    "shared_event_id": record.get("sharedEventID"),
                    "recipient_account_id": account,
                    "management_event": str(record.get("managementEvent")).lower(),
                    "user_identity": {
                        "type": identity.get("type"),
                        "arn": identity.get("arn"),
                        "access_key_id": identity.get("accessKeyId"),
                        "session_context": {
                            "creation_date": attributes.get("creationDate"),
                            "mfa_authenticated": attributes.get("mfaAuthenticated"),
                            "session_issuer": {
                                "type": issuer.get("type"),
                                "principal_id": issuer.get("principalId"),
                                "arn": issuer.get("arn"),
                                "account_id": issuer.get("accountId"),
                            },
                        },
                    },
                    "request_parameters": printed(request),
                    "response_elements": printed(response),
                    "flattened": {"request_parameters": request, "response_elements": response},
                },
            },
            "kibana": {
                "alert": {
                    "uuid": signal_id,
                    "status": "active",
                    "workflow_status": "open",
                    "depth": 1,
                    "ancestors": [
                        {"id": record["eventID"], "type": "event", "index": f"s3://{bucket}/{key}", "depth": 0}
                    ],
                    "severity": RULE["severity"],
                    "risk_score": RULE["risk_score"],
                    "reason": f"event with source {address}, by {name} created {RULE['severity']} alert {RULE['name']}.",
                    "original_event": event,
                    "original_time": record.get("eventTime"),
                    "building_block_type": RULE["building_block_type"],
                    "rule": DEFINITION,
                }
            },
        }
    )


def entry(index: int, record: dict, bucket: str, key: str) -> dict:
    original = json.dumps(record, separators=(",", ":"), ensure_ascii=False)
    if "raw" in sys.argv:
        return {"Id": str(index), "Message": original}
    signal = document(record, original, bucket, key)
    alert, cloudtrail = signal["kibana"]["alert"], signal["aws"]["cloudtrail"]
    attributes = {
        "signal_id": alert["uuid"],
        "rule_id": RULE["rule_id"],
        "severity": RULE["severity"],
        "building_block_type": RULE["building_block_type"],
        "event_action": signal["event"]["action"],
        "account_id": cloudtrail.get("recipient_account_id"),
        "region": signal["cloud"].get("region"),
        "user_name": signal["user"].get("name"),
    }
    return {
        "Id": str(index),
        "Subject": f"[{RULE['severity']}] {RULE['name']}"[:100],
        "Message": json.dumps(signal, separators=(",", ":"), ensure_ascii=False),
        "MessageAttributes": {
            name: {"DataType": "String", "StringValue": value} for name, value in attributes.items() if value
        }
        | {"risk_score": {"DataType": "Number", "StringValue": str(RULE["risk_score"])}},
    }


def handler(event: dict) -> dict:
    """Publish the matching records of every delivery that the event names."""
    found = []
    for notification in event["Records"]:
        bucket = notification["s3"]["bucket"]["name"]
        key = urllib.parse.unquote_plus(notification["s3"]["object"]["key"])
        body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        records = json.loads(gzip.decompress(body))["Records"]
        found += [(record, bucket, key) for record in records if matches(record)]
    for start in range(0, len(found), 10):
        entries = [entry(index, *match) for index, match in enumerate(found[start : start + 10])]
        sns.publish_batch(TopicArn=TOPIC, PublishBatchRequestEntries=entries)
    return {"signals": len(found)}


def main() -> None:
    api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    while True:
        api.request("GET", "/2018-06-01/runtime/invocation/next")
        answer = api.getresponse()
        event = json.loads(answer.read())
        result = json.dumps(handler(event))
        api.request(
            "POST", f"/2018-06-01/runtime/invocation/{answer.headers['Lambda-Runtime-Aws-Request-Id']}/response", result
        )
        api.getresponse().read()


main()
