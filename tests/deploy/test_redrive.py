"""Sending dead letters back: each kind, in the form in which its service leaves it in the dead-letter queue."""

import json
from collections import Counter

import pytest
from conftest import Deployment, Sample
from emulator import ROOT
from soak import signal_id

# The attributes that SNS and EventBridge add to what a queue refused. The emulator knows neither's dead letters, so the
# test puts them where the services would. SQS adds none, and S3 leaves no dead letter of its own.
BY_SNS = {
    "RequestID": "5b0a8f1e-9d3c-5c61-8f4e-d0c9a5b1e2f3",
    "ErrorCode": "AWS.SimpleQueueService.NonExistentQueue",
    "ErrorMessage": "The specified queue does not exist or you do not have access to it.",
}
BY_EVENTBRIDGE = {
    "RULE_ARN": "arn:aws:events:us-east-1:111122223333:rule/stack-ObjectCreatedRule-1A2B3C4D5E6F",
    "TARGET_ARN": "arn:aws:sqs:us-east-1:111122223333:stack-Queue-1A2B3C4D5E6F",
    "ERROR_CODE": "NO_PERMISSIONS",
    "ERROR_MESSAGE": "AccessDenied due to resource policy at the target queue",
    "EXHAUSTED_RETRY_CONDITION": "MaximumEventAgeInSeconds",
    "RETRY_ATTEMPTS": "185",
}
KINDS = {
    "failed in the function, from S3": ("sqs-s3.json", {}),
    "failed in the function, from SNS": ("sqs-sns-s3.json", {}),
    "failed in the function, from EventBridge": ("sqs-eventbridge.json", {}),
    "S3's notification, refused from SNS": ("sqs-sns-s3.json", BY_SNS),
    "CloudTrail's notice, refused from SNS": ("sqs-sns-cloudtrail-notice.json", BY_SNS),
    "S3's event, refused from EventBridge": ("sqs-eventbridge.json", BY_EVENTBRIDGE),
    "an API call, refused from EventBridge": ("sqs-eventbridge-api-call.json", BY_EVENTBRIDGE),
}


@pytest.mark.parametrize("kind", KINDS)
def test_make_redrive_brings_back_each_kind_of_dead_letter_in_a_form_that_the_function_reads(
    own_bucket: Deployment, samples: list[Sample], kind: str
) -> None:
    file, added = KINDS[kind]
    body = message(file, own_bucket.outputs["BucketName"])
    named = [each for each in samples if each.key in body]
    own_bucket.deliver(*named)
    listener = own_bucket.subscribe()
    attributes = {name: {"DataType": "String", "StringValue": value} for name, value in added.items()}
    own_bucket.client("sqs").send_message(
        QueueUrl=own_bucket.outputs["DeadLetterQueueUrl"], MessageBody=body, MessageAttributes=attributes
    )

    assert own_bucket.run("redrive.py").stdout == "1 dead letter is back in the queue\n"
    wanted = set().union(*(each.ids for each in named)) if named else {signal_id(json.loads(body)["detail"])}
    assert listener.collect_ids(len(wanted)) == Counter(wanted)
    assert own_bucket.dead_letters() == 0


def message(file: str, bucket: str) -> str:
    """Return the one message of a sample payload, about the given bucket."""
    payload = (ROOT / "events" / file).read_text().replace("example-trail-bucket", bucket)
    (found,) = json.loads(payload)["Records"]
    return found["body"]
