"""Run the function on this machine under ``cargo lambda watch`` and invoke it with one payload.

The payload's bucket and objects exist in an emulator, and the signals the function publishes there are printed.
"""

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from emulator import ROOT, Emulator, free_port, ministack, process, run, wait_until
from stack import Subscriber, readable, upload_samples

FUNCTION = "cloudtrail-signals"
# The bucket that the payloads in events/ name.
BUCKET = "example-trail-bucket"
START_SECONDS = 60


@contextmanager
def watching(command: list[str], environment: dict[str, str]) -> Iterator[list[str]]:
    """Run ``cargo lambda watch`` for as long as the block lasts; yield the options with which ``invoke`` finds it."""
    port = free_port()
    address = ["--invoke-address", "127.0.0.1", "--invoke-port", str(port)]

    def listens() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    with process([*command, *address], environment):
        wait_until(listens, START_SECONDS, "the start of cargo lambda watch")
        yield address


def invoke(emulator: Emulator, payload: Path) -> int:
    """Invoke the function with ``payload``; print its reply and the signals; return the exit code."""
    emulator.client("s3").create_bucket(Bucket=BUCKET)
    upload_samples(emulator, BUCKET)
    topic_arn = emulator.client("sns").create_topic(Name="signals")["TopicArn"]
    subscriber = Subscriber(emulator, topic_arn)

    watch = ["cargo", "lambda", "watch", "--ignore-changes"]
    with watching(watch, emulator.environment | {"SIGNAL_TOPIC_ARN": topic_arn}) as address:
        command = ["cargo", "lambda", "invoke", FUNCTION, "--data-file", payload, *address]
        done = subprocess.run(
            command, cwd=ROOT, env=emulator.environment, stdout=subprocess.PIPE, text=True, check=False
        )
    if done.returncode == 0:
        print(f"\nreply\n  {done.stdout.strip()}")
    signals = list(subscriber.drain())
    for number, received in enumerate(signals, 1):
        print(f"\nsignal {number}\n{readable(received)}")
    print(f"\n{len(signals)} signals")
    return done.returncode


def main() -> int:
    match sys.argv[1:]:
        case [name] if Path(name).is_file():
            with ministack() as emulator:
                return invoke(emulator, Path(name).resolve())
        case _:
            print(f"usage: {sys.argv[0]} PAYLOAD.json (there are some in events/)", file=sys.stderr)
            return 2


if __name__ == "__main__":
    run(main)
