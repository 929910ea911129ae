"""Send one marked notice through the topic of a deployed stack, to see that mail, phone and chat work."""

import json
import sys
from datetime import UTC, datetime

import boto3
from stack import every, named, outputs

SUBJECT = "[test] cloudtrail-signals: this is a test, nothing happened"


def message(stack: str, now: datetime) -> dict[str, str]:
    """Return the test notice for each protocol, in the forms that the function sends."""
    time = now.strftime("%Y-%m-%d %H:%M:%S UTC")
    mail = f"""This is a test. Nothing happened.

Somebody ran make test-notice for the stack {stack}
at {time}.

If you read this, notices reach you. They tell what was found, who did it,
from where and when, and what to look at.
"""
    card = {
        "version": "1.0",
        "source": "custom",
        "content": {
            "textType": "client-markdown",
            "title": "[test] This is a test",
            "description": f"Nothing happened. Somebody ran `make test-notice` for the stack `{stack}` at {time}.",
            "nextSteps": ["Nothing: notices reach this channel"],
            "keywords": ["test"],
        },
        "metadata": {"summary": SUBJECT, "eventType": "CloudTrail test"},
    }
    return {"default": mail, "email": mail, "sms": SUBJECT, "https": json.dumps(card)}


def main() -> None:
    stack = named(__doc__)
    topic = outputs(boto3.client("cloudformation"), stack).get("NoticeTopicArn")
    if topic is None:
        sys.exit(f"the stack {stack} has no topic for notices: deploy it with Notices=alerts or all")
    sns = boto3.client("sns")
    text = json.dumps(message(stack, datetime.now(UTC)))
    sns.publish(TopicArn=topic, Subject=SUBJECT, Message=text, MessageStructure="json")
    subscriptions = list(every(sns, "list_subscriptions_by_topic", "Subscriptions", TopicArn=topic))
    print(f"sent to {topic}, which has {len(subscriptions)} subscriptions:")
    for each in subscriptions:
        waits = " (waits for its confirmation)" if each["SubscriptionArn"] == "PendingConfirmation" else ""
        print(f"  {each['Protocol']}: {each['Endpoint']}{waits}")


if __name__ == "__main__":
    main()
