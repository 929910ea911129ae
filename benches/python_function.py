"""The same job as a user would write it in Python: the yardstick the function is measured against.

It reads a delivery with boto3, gzip and json, looks at every record in a loop, and publishes matches in batches. What
Lambda's own Python runtime does around it is kept to the least: one connection to the runtime API.
"""

import gzip
import http.client
import json
import os
import urllib.parse

import boto3

s3 = boto3.client("s3")
sns = boto3.client("sns")
TOPIC = os.environ["SIGNAL_TOPIC_ARN"]


def matches(record: dict) -> bool:
    """Apply the embedded rule."""
    return (
        record.get("eventSource") == "lambda.amazonaws.com"
        and not record.get("errorCode")
        and not record.get("errorMessage")
        and record.get("eventName", "").startswith(("CreateFunction", "UpdateFunctionCode"))
    )


def handler(event: dict) -> dict:
    """Publish the matching records of every delivery that the event names."""
    found = []
    for notification in event["Records"]:
        bucket = notification["s3"]["bucket"]["name"]
        key = urllib.parse.unquote_plus(notification["s3"]["object"]["key"])
        body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        found += [record for record in json.loads(gzip.decompress(body))["Records"] if matches(record)]
    for start in range(0, len(found), 10):
        entries = [
            {"Id": str(index), "Message": json.dumps(record)} for index, record in enumerate(found[start : start + 10])
        ]
        sns.publish_batch(TopicArn=TOPIC, PublishBatchRequestEntries=entries)
    return {"signals": len(found)}


def main() -> None:
    """Serve invocations, one after the other."""
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
