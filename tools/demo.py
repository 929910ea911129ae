"""Deploy the template to an emulator, deliver the samples as CloudTrail would, and print the signals that come out."""

import sys
import time

from emulator import Emulator, ministack, run
from stack import Received, Subscriber, deploy, readable, sample_deliveries, waiting

PATIENCE_SECONDS = 60


def deliver(emulator: Emulator, bucket: str) -> None:
    """Upload the sample deliveries under their keys."""
    s3 = emulator.client("s3")
    for key, file in sample_deliveries().items():
        s3.put_object(Bucket=bucket, Key=key, Body=file.read_bytes())
        print(f"delivered s3://{bucket}/{key} ({file.stat().st_size:,} bytes)")


def show(received: Received, number: int, uploaded: float) -> None:
    """Print one signal."""
    print(f"\nsignal {number}, {received.at - uploaded:.2f} s after the upload\n{readable(received)}", flush=True)


def demo(emulator: Emulator) -> int:
    """Deploy, deliver, and print signals until the queue is empty; return the exit code."""
    started = time.monotonic()
    print(f"deploying template.yaml to {emulator.endpoint} …", flush=True)
    outputs = deploy(emulator, "demo")
    print(f"deployed in {time.monotonic() - started:.0f} s; signals come from {outputs['TopicArn']}")
    subscriber = Subscriber(emulator, outputs["TopicArn"])
    uploaded = time.monotonic()
    deliver(emulator, outputs["BucketName"])

    signals: list[Received] = []
    while time.monotonic() < uploaded + PATIENCE_SECONDS:
        batch = subscriber.receive()
        for received in batch:
            signals.append(received)
            show(received, len(signals), uploaded)
        if not batch and waiting(emulator, outputs["QueueUrl"]) == 0:
            break

    unread = waiting(emulator, outputs["QueueUrl"]) + waiting(emulator, outputs["DeadLetterQueueUrl"])
    if not signals or unread:
        log = emulator.log.read_text(errors="replace")
        print(
            f"\n{len(signals)} signals, {unread} deliveries not processed; the emulator's log:\n{log}", file=sys.stderr
        )
        return 1
    seconds = [received.at - uploaded for received in signals]
    print(f"\n{len(signals)} signals, {min(seconds):.2f} to {max(seconds):.2f} s after the upload")
    return 0


def main() -> int:
    """Run the demo beside an emulator of its own."""
    with ministack() as emulator:
        return demo(emulator)


if __name__ == "__main__":
    run(main)
