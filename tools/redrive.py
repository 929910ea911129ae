"""Send every dead letter back to the queue, after the cause of the failure is mended.

``redrive.py STACK`` works with the AWS credentials, region and endpoint of its environment. A message is put into the
queue before it is taken out of the dead-letter queue: stopped half way, this leaves a message in both rather than in none.

It takes whatever the dead-letter queue holds, whether SQS, SNS or EventBridge put it there. SQS's own redrive knows only
the queue that SQS itself moved a message from.
"""

import boto3
from botocore.client import BaseClient
from stack import named, outputs


def redrive(sqs: BaseClient, dead_letter_queue: str, queue: str) -> int:
    """Move every message that the dead-letter queue shows; return how many there were."""
    moved = 0
    asked = {"MaxNumberOfMessages": 10, "WaitTimeSeconds": 2, "MessageAttributeNames": ["All"]}
    while messages := sqs.receive_message(QueueUrl=dead_letter_queue, **asked).get("Messages"):
        for message in messages:
            attributes = message.get("MessageAttributes", {})
            sqs.send_message(QueueUrl=queue, MessageBody=message["Body"], MessageAttributes=attributes)
            sqs.delete_message(QueueUrl=dead_letter_queue, ReceiptHandle=message["ReceiptHandle"])
            moved += 1
    return moved


def main() -> None:
    found = outputs(boto3.client("cloudformation"), named(__doc__))
    moved = redrive(boto3.client("sqs"), found["DeadLetterQueueUrl"], found["QueueUrl"])
    print(f"{moved} dead {'letter is' if moved == 1 else 'letters are'} back in the queue")


if __name__ == "__main__":
    main()
