"""The sample payloads: which file shows which trigger."""

from collections.abc import Callable

from _deliveries import Delivery
from _envelopes import (
    Object,
    api_call,
    batch_1,
    batch_2,
    compact,
    log_control,
    log_data,
    notice,
    object_created,
    s3_event,
    s3_test,
    sns,
    sns_body,
    sqs,
)
from _shapes import MAIN_ACCOUNT, ORGANIZATION, Json

S3_SUBJECT = "Amazon S3 Notification"
VALIDATION = "CloudTrail validation message."

Pack = Callable[[str, str], str]
"""(payload file, text) to gzip and base64."""


def skipped_keys() -> list[Object]:
    """Objects a trail's bucket also holds, and that are no deliveries."""
    root, day = f"AWSLogs/{ORGANIZATION}/{MAIN_ACCOUNT}", "us-east-1/2026/11/23"
    name = f"{MAIN_ACCOUNT}_CloudTrail"
    return [
        Object(
            f"{root}/CloudTrail-Digest/{day}/{name}-Digest_us-east-1_example-trail_us-east-1_20261123T095512Z.json.gz"
        ),
        Object(f"{root}/CloudTrail-Insight/{day}/{name}-Insight_us-east-1_20261123T1005Z_b7TqW2mEoXa9Kd4s.json.gz"),
        Object(
            f"AWSLogs/{MAIN_ACCOUNT}/Config/us-east-1/2026/11/23/ConfigHistory/{MAIN_ACCOUNT}_Config_us-east-1_ConfigHistory_"
            "AWS::Lambda::Function_20261123T095214Z_20261123T095214Z_1.json.gz"
        ),
        Object(f"{root}/CloudTrail/{day}/", b""),
    ]


def payloads(deliveries: list[Delivery], contents: list[bytes], pack: Pack) -> dict[str, Json]:
    """File name to payload. `contents` are the gzip bytes of the deliveries, in the same order."""
    items = [Object(delivery.key, content) for delivery, content in zip(deliveries, contents, strict=True)]
    main, second, quiet, odd = items
    records = [entry.record for entry in deliveries[0].entries]
    planned = [entry.record for entry in deliveries[0].entries if entry.matches]
    update = next(
        r
        for r in planned
        if r["eventName"] == "UpdateFunctionCode20150331v2" and r["userIdentity"]["type"] == "AssumedRole"
    )
    create = next(r for r in planned if r["eventName"] == "CreateFunction20150331")
    others = [r for r in records if r["eventName"] in ("ConsoleLogin", "GetFunction20150331v2")][:2]
    s3_main = compact(s3_event(main))
    return {
        # S3, directly and through a queue or a topic.
        "s3-put.json": s3_event(main),
        "s3-put-space-and-plus.json": s3_event(odd),
        "s3-test.json": s3_test(),
        "s3-object-removed.json": s3_event(main, event="ObjectRemoved:Delete"),
        "s3-keys-skipped.json": s3_event(*skipped_keys()),
        "sqs-s3.json": sqs(s3_main),
        "sqs-s3-test.json": sqs(compact(s3_test())),
        "sns-s3.json": sns(s3_main, S3_SUBJECT),
        "sqs-sns-s3.json": sqs(sns_body(s3_main, S3_SUBJECT)),
        # EventBridge.
        "eventbridge-s3.json": object_created(main),
        "eventbridge-s3-space-and-plus.json": object_created(odd),
        "sqs-eventbridge.json": sqs(compact(object_created(main))),
        "eventbridge-api-call.json": api_call(update),
        "sqs-eventbridge-api-call.json": sqs(compact(api_call(update))),
        # CloudTrail's own notices.
        "cloudtrail-notice-sns.json": sns(notice(main)),
        "sqs-cloudtrail-notice.json": sqs(notice(main)),
        "sqs-sns-cloudtrail-notice.json": sqs(sns_body(notice(main, second))),
        "sqs-cloudtrail-validation.json": sqs(VALIDATION, sns_body(VALIDATION)),
        # CloudWatch Logs.
        "cloudwatch-logs.json": {
            "awslogs": {"data": pack("cloudwatch-logs.json", log_data(others[0], create, others[1]))}
        },
        "cloudwatch-logs-control.json": {"awslogs": {"data": pack("cloudwatch-logs-control.json", log_control())}},
        # S3 Batch Operations.
        "s3-batch-1.0.json": batch_1(main, odd),
        "s3-batch-2.0.json": batch_2(main, odd),
        # Everything at once.
        "sqs-mixed.json": sqs(
            s3_main,
            sns_body(compact(s3_event(second)), S3_SUBJECT),
            compact(object_created(odd)),
            sns_body(compact(object_created(quiet))),
            compact(api_call(update)),
            notice(quiet),
            sns_body(notice(main, second)),
            compact(s3_test()),
            sns_body(VALIDATION),
            compact(s3_event(quiet, event="ObjectRemoved:Delete")),
        ),
    }
