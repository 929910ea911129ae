"""Deploy the template to an emulator, deliver the samples as CloudTrail would, and print the signals and a notice that come out."""

import sys
import time
from collections import Counter
from collections.abc import Sequence

from emulator import Emulator, ministack, run
from stack import Mailbox, Received, Subscriber, deploy, readable, upload_samples, waiting

PATIENCE_SECONDS = 60
# Rules that remember would only learn from the samples.
LEARNING_DAYS = 0
LEARNING = f"LearningDays={LEARNING_DAYS} for this demo; a real stack learns for 30 days before it alerts"


def is_alert(received: Received) -> bool:
    return "building_block_type" not in received.signal["kibana"]["alert"]


def show(received: Received, number: int, uploaded: float) -> None:
    kind = "ALERT" if is_alert(received) else "building block"
    after = received.at - uploaded
    print(f"\nsignal {number}, {kind}, {after:.2f} s after the upload\n{readable(received)}", flush=True)


def notices_of(alerts: Sequence[Received], notices: int) -> str:
    """Say how many notices the alerts gave, and why there are fewer, if the principals explain it."""
    said = f"{len(alerts)} alerts gave {notices} notices"
    signals = [alert.signal for alert in alerts]
    same = Counter((each["kibana"]["alert"]["rule"]["rule_id"], each["user"]["name"]) for each in signals)
    if notices != len(same) or notices == len(alerts):
        return said
    several = ", ".join(f"{name} has {count} alerts" for (_, name), count in same.items() if count > 1)
    return f"{said}, since a rule and a principal get one in five minutes: {several}"


def demo(emulator: Emulator) -> int:
    """Deploy, deliver, and print signals until the queue is empty; return the exit code."""
    started = time.monotonic()
    print(f"deploying template.yaml to {emulator.endpoint} …", flush=True)
    print(LEARNING, flush=True)
    outputs = deploy(emulator, "demo", LearningDays=str(LEARNING_DAYS))
    print(f"deployed in {time.monotonic() - started:.0f} s; signals come from {outputs['TopicArn']}")
    subscriber = Subscriber(emulator, outputs["TopicArn"])
    mailbox = Mailbox(emulator, outputs["NoticeTopicArn"])
    uploaded = time.monotonic()
    upload_samples(emulator, outputs["BucketName"])

    signals: list[Received] = []
    for received in subscriber.collect(outputs["QueueUrl"], 0, PATIENCE_SECONDS):
        signals.append(received)
        show(received, len(signals), uploaded)

    unread = waiting(emulator, outputs["QueueUrl"]) + waiting(emulator, outputs["DeadLetterQueueUrl"])
    if not signals or unread:
        print(f"\n{len(signals)} signals, {unread} deliveries not processed; the emulator's log:", file=sys.stderr)
        print(emulator.log.read_text(errors="replace"), file=sys.stderr)
        return 1
    seconds = [received.at - uploaded for received in signals]
    alerts = [signal for signal in signals if is_alert(signal)]
    print(
        f"\n{len(signals) - len(alerts)} building blocks and {len(alerts)} alerts above them, {min(seconds):.2f} to "
        f"{max(seconds):.2f} s after the upload; the alerts:"
    )
    for alert in alerts:
        print(f"  {alert.signal['message']}")
    mails = mailbox.receive()
    if not alerts or not mails:
        print(f"{len(alerts)} alerts, {len(mails)} notices", file=sys.stderr)
        return 1
    print(f"\n{notices_of(alerts, len(mails))}")
    print(f"\nA notice as it reaches a mailbox:\n\nSubject: {mails[0]['Subject']}\n\n{mails[0]['Message']}")
    return 0


def main() -> int:
    with ministack() as emulator:
        return demo(emulator)


if __name__ == "__main__":
    run(main)
