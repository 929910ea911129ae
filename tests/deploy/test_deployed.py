"""What the deployed stack promises: real uploads in, real messages out."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from conftest import PATIENCE_SECONDS, Deployment
from emulator import ROOT, wait_until
from jsonschema import Draft202012Validator
from stack import Received, deploy

Deliveries = dict[str, bytes]
Scanned = dict[str, list[str]]


def ids(received: list[Received]) -> Counter[str]:
    """Return how often each signal id was received."""
    return Counter(message.attributes["signal_id"] for message in received)


@pytest.fixture(scope="module")
def received(own_bucket: Deployment, deliveries: Deliveries, scanned: Scanned, main_delivery: str) -> list[Received]:
    """Return what a subscriber receives after one upload."""
    listener = own_bucket.subscribe()
    own_bucket.put(main_delivery, deliveries[main_delivery])
    return listener.collect(at_least=len(scanned[main_delivery]))


def test_an_uploaded_delivery_gives_the_signals_that_scan_finds_in_the_same_file(
    received: list[Received], scanned: Scanned, main_delivery: str
) -> None:
    assert scanned[main_delivery], "the sample holds no match, so nothing would be compared"
    assert ids(received) == Counter(scanned[main_delivery])


def test_every_signal_received_is_what_the_schema_says(received: list[Received], schema: Draft202012Validator) -> None:
    assert received
    for message in received:
        assert [f"{error.json_path}: {error.message}" for error in schema.iter_errors(message.signal)] == []


def test_every_signal_says_where_it_was_found(
    received: list[Received], own_bucket: Deployment, main_delivery: str
) -> None:
    found = {
        (message.signal["aws"]["s3"]["bucket"]["name"], message.signal["aws"]["s3"]["object"]["key"])
        for message in received
    }
    assert found == {(own_bucket.outputs["BucketName"], main_delivery)}


def test_the_attributes_a_subscriber_filters_on_are_there(received: list[Received]) -> None:
    for message in received:
        alert = message.signal["kibana"]["alert"]
        assert message.attributes["signal_id"] == alert["uuid"]
        assert message.attributes["rule_id"] == alert["rule"]["rule_id"]
        assert message.attributes["severity"] == alert["severity"]
        assert message.attributes["event_action"] == message.signal["event"]["action"]
        assert all(message.attributes.values()), "SNS refuses an empty attribute"
        assert len(message.attributes) <= 10, "raw delivery to SQS discards a message with more"


def test_a_delivery_made_twice_gives_the_same_ids_again(
    own_bucket: Deployment, deliveries: Deliveries, scanned: Scanned, main_delivery: str
) -> None:
    once = Counter(scanned[main_delivery])
    for _ in range(2):
        listener = own_bucket.subscribe()
        own_bucket.put(main_delivery, deliveries[main_delivery])
        assert ids(listener.collect(at_least=once.total())) == once


def test_every_sample_delivery_is_read_whatever_its_key(
    own_bucket: Deployment, deliveries: Deliveries, scanned: Scanned
) -> None:
    listener = own_bucket.subscribe()
    for key, body in deliveries.items():
        own_bucket.put(key, body)
    expected = set().union(*scanned.values())
    # An event that two deliveries hold is published once or twice: that depends on whether they share an invocation.
    assert set(ids(listener.collect(at_least=len(expected)))) == expected
    assert own_bucket.dead_letters() == 0


def test_an_existing_bucket_is_reached_through_eventbridge(
    existing_bucket: Deployment, deliveries: Deliveries, scanned: Scanned, main_delivery: str
) -> None:
    listener = existing_bucket.subscribe()
    existing_bucket.put(main_delivery, deliveries[main_delivery])
    assert ids(listener.collect(at_least=len(scanned[main_delivery]))) == Counter(scanned[main_delivery])
    assert existing_bucket.dead_letters() == 0


def test_an_object_outside_the_trail_prefix_is_not_read(
    existing_bucket: Deployment, deliveries: Deliveries, main_delivery: str
) -> None:
    listener = existing_bucket.subscribe()
    existing_bucket.put(f"elsewhere/{main_delivery}", deliveries[main_delivery])
    assert listener.collect(at_least=0) == []


def test_s3s_own_test_event_leaves_nothing_behind(own_bucket: Deployment) -> None:
    listener = own_bucket.subscribe()
    body = (ROOT / "events/s3-test.json").read_text()
    own_bucket.emulator.client("sqs").send_message(QueueUrl=own_bucket.outputs["QueueUrl"], MessageBody=body)
    assert listener.collect(at_least=0) == []
    assert own_bucket.dead_letters() == 0


@contextmanager
def quick_retries(deployment: Deployment) -> Iterator[None]:
    """Let a failed message come back after two seconds; the template's six minutes, five times, are half an hour."""
    sqs, url = deployment.emulator.client("sqs"), deployment.outputs["QueueUrl"]
    before = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])["Attributes"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "2"})
    try:
        yield
    finally:
        sqs.set_queue_attributes(QueueUrl=url, Attributes=before)


def test_a_poisoned_object_ends_in_the_dead_letter_queue_and_its_neighbours_are_published(
    own_bucket: Deployment, deliveries: Deliveries, scanned: Scanned
) -> None:
    listener = own_bucket.subscribe()
    poisoned = "AWSLogs/111122223333/CloudTrail/us-east-1/2026/11/23/poisoned.json.gz"
    with quick_retries(own_bucket):
        own_bucket.put(poisoned, b"\x1f\x8b but no gzip")
        for key, body in deliveries.items():
            own_bucket.put(key, body)
        wait_until(lambda: own_bucket.dead_letters() == 1, PATIENCE_SECONDS, "the arrival of a dead letter")
        received = listener.collect(at_least=0)
    assert set(ids(received)) == set().union(*scanned.values())

    sqs, url = own_bucket.emulator.client("sqs"), own_bucket.outputs["DeadLetterQueueUrl"]
    (letter,) = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    sqs.delete_message(QueueUrl=url, ReceiptHandle=letter["ReceiptHandle"])
    assert poisoned in letter["Body"]


def test_a_trail_cannot_be_asked_for_together_with_an_existing_bucket(own_bucket: Deployment) -> None:
    with pytest.raises(RuntimeError, match="leave TrailBucketName empty"):
        deploy(own_bucket.emulator, "both", TrailBucketName="existing-trail-bucket", CreateTrail="true")
