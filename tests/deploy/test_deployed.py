"""What the deployed stack promises: real uploads in, real messages out."""

import json
import subprocess
from collections import Counter

import pytest
from botocore.exceptions import ClientError
from conftest import Deployment, Sample, create_stack, ids, sample
from emulator import ROOT, SCAN, Emulator
from jsonschema import Draft202012Validator
from parameters import defaults
from stack import Received


@pytest.fixture(scope="module")
def received(own_bucket: Deployment, main: Sample) -> list[Received]:
    """Return what a subscriber receives after one upload."""
    listener = own_bucket.subscribe()
    own_bucket.deliver(main)
    return listener.collect(at_least=main.ids.total())


def test_an_uploaded_delivery_gives_the_signals_that_scan_finds_in_the_same_file_and_says_where_it_found_them(
    received: list[Received], own_bucket: Deployment, main: Sample
) -> None:
    assert main.ids, "the sample holds no match, so nothing would be compared"
    assert ids(received) == main.ids
    found = [message.signal["aws"]["s3"] for message in received]
    places = {(each["bucket"]["name"], each["object"]["key"]) for each in found}
    assert places == {(own_bucket.outputs["BucketName"], main.key)}


def test_every_signal_is_what_the_schema_says_and_has_the_attributes_a_subscriber_filters_on(
    received: list[Received], schema: Draft202012Validator
) -> None:
    for message in received:
        assert [f"{error.json_path}: {error.message}" for error in schema.iter_errors(message.signal)] == []
        alert = message.signal["kibana"]["alert"]
        assert message.attributes["signal_id"] == alert["uuid"]
        assert message.attributes["rule_id"] == alert["rule"]["rule_id"]
        assert message.attributes["severity"] == alert["severity"]
        assert message.attributes["event_action"] == message.signal["event"]["action"]
        assert all(message.attributes.values()), "SNS refuses an empty attribute"
        assert len(message.attributes) <= 10, "raw delivery to SQS discards a message with more"


def test_every_sample_delivery_is_read_whatever_its_key(own_bucket: Deployment, samples: list[Sample]) -> None:
    listener = own_bucket.subscribe()
    own_bucket.deliver(*samples)
    expected = set().union(*(each.ids for each in samples))
    # An event that is in two deliveries is published once or twice, depending on whether they share an invocation.
    assert set(listener.collect_ids(len(expected))) == expected
    assert own_bucket.dead_letters() == 0


def test_an_existing_bucket_is_read_through_eventbridge_and_what_is_outside_the_trail_prefix_is_not(
    existing_bucket: Deployment, main: Sample
) -> None:
    listener = existing_bucket.subscribe()
    existing_bucket.deliver(main)
    assert listener.collect_ids(main.ids.total()) == main.ids
    assert existing_bucket.dead_letters() == 0
    existing_bucket.forget_signals()
    existing_bucket.put(f"elsewhere/{main.key}", main.body)
    assert listener.collect() == []


def test_s3s_own_test_event_leaves_nothing_behind(own_bucket: Deployment) -> None:
    listener = own_bucket.subscribe()
    own_bucket.send((ROOT / "events/s3-test.json").read_text())
    assert listener.collect() == []
    assert own_bucket.dead_letters() == 0


def test_a_poisoned_object_ends_in_the_dead_letter_queue_and_its_neighbours_are_published(
    own_bucket: Deployment, samples: list[Sample]
) -> None:
    listener = own_bucket.subscribe()
    poisoned = "AWSLogs/111122223333/CloudTrail/us-east-1/2026/11/23/poisoned.json.gz"
    with own_bucket.quick_retries():
        own_bucket.put(poisoned, b"\x1f\x8b but no gzip")
        own_bucket.deliver(*samples)
        own_bucket.wait_for_dead_letter()
        received = listener.collect_ids()
    assert set(received) == set().union(*(each.ids for each in samples))
    (letter,) = own_bucket.take_dead_letters()
    assert poisoned in letter


def test_an_existing_topic_brings_deliveries_that_cloudtrail_announces(
    existing_topic: Deployment, main: Sample
) -> None:
    listener = existing_topic.subscribe()
    existing_topic.deliver(main)
    sns = existing_topic.client("sns")
    (topic,) = (each["TopicArn"] for each in sns.list_topics()["Topics"] if each["TopicArn"].endswith(":deliveries"))
    notice = {"s3Bucket": existing_topic.outputs["BucketName"], "s3ObjectKey": [main.key]}
    sns.publish(TopicArn=topic, Message=json.dumps(notice))
    assert listener.collect_ids(main.ids.total()) == main.ids
    assert existing_topic.dead_letters() == 0


def test_an_existing_topic_brings_deliveries_that_s3_announces_and_a_fifo_topic_each_signal_once(
    existing_topic: Deployment, samples: list[Sample]
) -> None:
    found = sample(samples, "team logs")
    listener = existing_topic.subscribe()
    existing_topic.put(f"announced-by-s3/{found.key}", found.body)
    assert listener.collect_ids(found.ids.total()) == found.ids
    existing_topic.put(f"announced-by-s3/{found.key}", found.body)
    assert listener.collect() == []
    assert [line["published"] for line in existing_topic.logged("invocation finished")[-2:]] == [1, 1]
    assert existing_topic.dead_letters() == 0


def api_call() -> dict:
    """Return a call to Lambda's API as EventBridge brings it."""
    (record,) = json.loads((ROOT / "events/sqs-eventbridge-api-call.json").read_text())["Records"]
    return json.loads(record["body"])


def test_the_real_time_rule_takes_what_the_embedded_rule_looks_for_and_nothing_else(
    existing_bucket: Deployment,
) -> None:
    events = existing_bucket.client("events")
    (pattern,) = (rule["EventPattern"] for rule in events.list_rules()["Rules"] if "ApiCallRule" in rule["Name"])
    call = api_call()
    another_service = call["detail"] | {"eventSource": "cloudfront.amazonaws.com"}
    refused = [
        call | {"source": "aws.cloudfront", "detail": another_service},
        call | {"detail": call["detail"] | {"eventName": "ListFunctions20150331"}},
        # Any principal that may put events can write everything except a source that begins like AWS's own.
        call | {"source": "lambda"},
    ]
    asked = [{"EventPattern": pattern, "Event": json.dumps(each)} for each in (call, *refused)]
    assert [events.test_event_pattern(**each)["Result"] for each in asked] == [True, False, False, False]


def test_the_real_time_pattern_s_default_is_what_the_command_prints_for_the_embedded_rules() -> None:
    printed = subprocess.check_output([SCAN, "--event-pattern"], text=True)
    assert defaults()["RealTimePattern"] == printed.strip()


def test_what_came_in_real_time_is_published_once_although_the_delivery_brings_it_again(
    existing_bucket: Deployment, main: Sample
) -> None:
    # Only AWS may put AWS events on the bus, so the message is put where the rule's target would put it.
    existing_bucket.forget_signals()
    listener = existing_bucket.subscribe()
    existing_bucket.send(json.dumps(api_call()))
    first = listener.collect_ids(1)
    assert first.total() == 1
    assert first <= main.ids
    existing_bucket.deliver(main)
    assert listener.collect_ids(main.ids.total() - 1) == main.ids - first
    assert existing_bucket.logged("invocation finished")[-1]["duplicates"] == 1


def test_the_archive_keeps_each_signal_once_and_a_replay_publishes_none(
    existing_bucket: Deployment, main: Sample
) -> None:
    existing_bucket.deliver(main)
    listener = existing_bucket.subscribe()
    existing_bucket.deliver(main)
    assert listener.collect() == []
    s3, archive = existing_bucket.client("s3"), existing_bucket.outputs["ArchiveBucketName"]
    kept = [item["Key"] for item in s3.list_objects_v2(Bucket=archive, Prefix="signals/")["Contents"]]
    assert Counter(key.rpartition("/")[2] for key in kept) == Counter(f"{each}.json" for each in main.ids.elements())


@pytest.mark.parametrize(
    ("parameters", "problem"),
    [
        ({"TrailBucketName": "existing-trail-bucket", "CreateTrail": "true"}, "leave TrailBucketName empty"),
        ({"OrganizationId": "o-exampleorgid"}, "set CreateTrail to true"),
        ({"DeliveryTopicArn": "arn:aws:sns:us-east-1:000000000000:deliveries"}, "set TrailBucketName"),
        ({"ArchiveSignals": "yes"}, "ArchiveSignals"),
    ],
)
def test_parameters_that_contradict_each_other_are_refused_with_the_reason(
    emulator: Emulator, parameters: dict[str, str], problem: str
) -> None:
    template = (ROOT / "template.yaml").read_text().replace("CodeUri: .", "CodeUri: s3://bucket/key")
    with pytest.raises(ClientError, match=problem):
        create_stack(emulator.client("cloudformation"), "contradiction", template, parameters)
