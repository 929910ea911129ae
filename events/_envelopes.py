"""The envelopes AWS puts around a delivery, each as the service writes it."""

import hashlib
import json
from typing import Any
from urllib.parse import quote_plus

from _deliveries import BUCKET
from _shapes import MAIN_ACCOUNT, Json, digest, number, sha256_base64, uid

REGION = "us-east-1"
QUEUE = f"arn:aws:sqs:{REGION}:{MAIN_ACCOUNT}:example-deliveries"
TOPIC = f"arn:aws:sns:{REGION}:{MAIN_ACCOUNT}:example-trail-deliveries"
SUBSCRIPTION = f"{TOPIC}:{uid('subscription')}"


class Object:
    """An object in the bucket, with what an envelope says about it."""

    def __init__(self, key: str, content: bytes | None = None) -> None:
        self.key = key
        # Of an object that is not part of this repository only the key matters.
        self.size = len(content) if content is not None else 2048 + number(9000, "size", key)
        self.etag = hashlib.md5(content if content is not None else key.encode(), usedforsecurity=False).hexdigest()
        self.sequencer = "00" + digest("sequencer", key).hex()[:16].upper()
        self.form_key = quote_plus(key, safe="/*")


def compact(value: Any) -> str:
    """JSON in one line, as services put it inside a string."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def s3_record(item: Object, event: str = "ObjectCreated:Put") -> Json:
    """One record of an S3 notification. Its key is form-encoded."""
    about = {"key": item.form_key, "size": item.size, "eTag": item.etag, "sequencer": item.sequencer}
    if event.startswith("ObjectRemoved"):
        del about["size"], about["eTag"]
    return {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": REGION,
        "eventTime": "2026-11-23T10:06:31.402Z",
        "eventName": event,
        "userIdentity": {"principalId": "AWS:AROADBQP57FF2AEXAMPLE:regionalDeliverySession"},
        "requestParameters": {"sourceIPAddress": "192.0.2.81"},
        "responseElements": {
            "x-amz-request-id": digest("request", item.key).hex()[:16].upper(),
            "x-amz-id-2": sha256_base64("host", item.key),
        },
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": "trail-deliveries",
            "bucket": {
                "name": BUCKET,
                "ownerIdentity": {"principalId": "A3NL1KOZZKExample"},
                "arn": f"arn:aws:s3:::{BUCKET}",
            },
            "object": about,
        },
    }


def s3_event(*items: Object, event: str = "ObjectCreated:Put") -> Json:
    """An S3 notification, to a function, a queue or a topic alike."""
    return {"Records": [s3_record(item, event) for item in items]}


def s3_test() -> Json:
    """What S3 sends once when a notification is configured."""
    return {
        "Service": "Amazon S3",
        "Event": "s3:TestEvent",
        "Time": "2026-11-23T09:00:12.874Z",
        "Bucket": BUCKET,
        "RequestId": digest("request", "test").hex()[:16].upper(),
        "HostId": sha256_base64("host", "test"),
    }


def sqs(*bodies: str) -> Json:
    """A batch of SQS messages as a function receives it."""
    return {"Records": [_sqs_message(body, place) for place, body in enumerate(bodies)]}


def _sqs_message(body: str, place: int) -> Json:
    return {
        "messageId": uid("message", str(place), body),
        "receiptHandle": sha256_base64("receipt", str(place), body),
        "body": body,
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": str(1795428392000 + place),
            "SenderId": "AROADBQP57FF2AEXAMPLE:S3-PROD-END",
            "ApproximateFirstReceiveTimestamp": str(1795428392119 + place),
        },
        "messageAttributes": {},
        "md5OfBody": hashlib.md5(body.encode(), usedforsecurity=False).hexdigest(),
        "eventSource": "aws:sqs",
        "eventSourceARN": QUEUE,
        "awsRegion": REGION,
    }


def _sns_fields(message: str, subject: str | None) -> Json:
    fields: Json = {"Type": "Notification", "MessageId": uid("notification", message), "TopicArn": TOPIC}
    if subject:
        fields["Subject"] = subject
    return fields | {
        "Message": message,
        "Timestamp": "2026-11-23T10:06:32.017Z",
        "SignatureVersion": "1",
        "Signature": sha256_base64("signature", message),
    }


def sns(message: str, subject: str | None = None) -> Json:
    """An SNS notification as a function receives it."""
    site = f"https://sns.{REGION}.amazonaws.com"
    return {
        "Records": [
            {
                "EventSource": "aws:sns",
                "EventVersion": "1.0",
                "EventSubscriptionArn": SUBSCRIPTION,
                "Sns": _sns_fields(message, subject)
                | {
                    "SigningCertUrl": f"{site}/SimpleNotificationService-{digest('certificate').hex()[:32]}.pem",
                    "UnsubscribeUrl": f"{site}/?Action=Unsubscribe&SubscriptionArn={SUBSCRIPTION}",
                    "MessageAttributes": {},
                },
            }
        ],
    }


def sns_body(message: str, subject: str | None = None) -> str:
    """The body of a queue's message when SNS delivers to it without raw message delivery: JSON in SNS's own layout."""
    site = f"https://sns.{REGION}.amazonaws.com"
    wrapped = _sns_fields(message, subject) | {
        "SigningCertURL": f"{site}/SimpleNotificationService-{digest('certificate').hex()[:32]}.pem",
        "UnsubscribeURL": f"{site}/?Action=Unsubscribe&SubscriptionArn={SUBSCRIPTION}",
    }
    return json.dumps(wrapped, ensure_ascii=False, indent=2, separators=(",", " : "))


def object_created(item: Object) -> Json:
    """S3's event on EventBridge. Its key is plain."""
    return {
        "version": "0",
        "id": uid("bus", item.key),
        "detail-type": "Object Created",
        "source": "aws.s3",
        "account": MAIN_ACCOUNT,
        "time": "2026-11-23T10:06:31Z",
        "region": REGION,
        "resources": [f"arn:aws:s3:::{BUCKET}"],
        "detail": {
            "version": "0",
            "bucket": {"name": BUCKET},
            "object": {"key": item.key, "size": item.size, "etag": item.etag, "sequencer": item.sequencer},
            "request-id": digest("request", item.key).hex()[:16].upper(),
            "requester": "cloudtrail.amazonaws.com",
            "source-ip-address": "192.0.2.81",
            "reason": "PutObject",
        },
    }


def api_call(record: Json) -> Json:
    """A CloudTrail record on EventBridge, seconds after the call."""
    return {
        "version": "0",
        "id": uid("bus", record["eventID"]),
        "detail-type": "AWS API Call via CloudTrail",
        "source": "aws." + record["eventSource"].removesuffix(".amazonaws.com"),
        "account": record["recipientAccountId"],
        "time": record["eventTime"],
        "region": record["awsRegion"],
        "resources": [],
        "detail": record,
    }


def notice(*items: Object) -> str:
    """CloudTrail's own notice to a topic. Its keys are plain."""
    return compact({"s3Bucket": BUCKET, "s3ObjectKey": [item.key for item in items]})


def log_data(*records: Json) -> str:
    """What a CloudWatch Logs subscription carries, before gzip and base64."""
    first = 10**55 * 3 + number(10**12, "log event")
    return compact(
        {
            "messageType": "DATA_MESSAGE",
            "owner": MAIN_ACCOUNT,
            "logGroup": f"aws-cloudtrail-logs-{MAIN_ACCOUNT}-example",
            "logStream": f"{MAIN_ACCOUNT}_CloudTrail_{REGION}",
            "subscriptionFilters": ["signals"],
            "logEvents": [
                {"id": str(first + place), "timestamp": 1795428330000 + place, "message": compact(record)}
                for place, record in enumerate(records)
            ],
        }
    )


def log_control() -> str:
    """The probe CloudWatch Logs sends to see whether the subscriber is there, before gzip and base64."""
    return compact(
        {
            "messageType": "CONTROL_MESSAGE",
            "owner": "CloudwatchLogs",
            "logGroup": "",
            "logStream": "",
            "subscriptionFilters": [],
            "logEvents": [
                {
                    "id": "",
                    "timestamp": 1795428330000,
                    "message": "CWL CONTROL MESSAGE: Checking health of destination Lambda.",
                }
            ],
        }
    )


def batch_1(*items: Object) -> Json:
    """An S3 Batch Operations invocation, schema 1.0: the bucket by its ARN, the key form-encoded."""
    tasks = [
        {
            "taskId": uid("task", item.key),
            "s3Key": item.form_key,
            "s3VersionId": None,
            "s3BucketArn": f"arn:aws:s3:::{BUCKET}",
        }
        for item in items
    ]
    return {
        "invocationSchemaVersion": "1.0",
        "invocationId": sha256_base64("batch", "1.0"),
        "job": {"id": uid("job", "1.0")},
        "tasks": tasks,
    }


def batch_2(*items: Object) -> Json:
    """An S3 Batch Operations invocation, schema 2.0: the bucket by its name, and room for arguments."""
    tasks = [
        {"taskId": uid("task", item.key), "s3Key": item.form_key, "s3VersionId": None, "s3Bucket": BUCKET}
        for item in items
    ]
    job = {"id": uid("job", "2.0"), "userArguments": {}}
    return {"invocationSchemaVersion": "2.0", "invocationId": sha256_base64("batch", "2.0"), "job": job, "tasks": tasks}
