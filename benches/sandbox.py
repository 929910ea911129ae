"""What a function sees of AWS, on loopback: the Lambda runtime API, one delivery in S3, and a topic that takes all."""

import http.server
import json
import os
import re
import socketserver
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

BUCKET, KEY = "example-trail-bucket", "AWSLogs/111122223333/CloudTrail/delivery.json.gz"
ACCEPTED = """<PublishBatchResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishBatchResult><Failed/>
<Successful>{}</Successful></PublishBatchResult></PublishBatchResponse>"""


class Sandbox(socketserver.ThreadingMixIn, http.server.HTTPServer):
    """One function, invoked as often as asked."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(
        self, delivery: bytes, deliveries: int = 1, s3_delay: float = 0.0, settings: dict[str, str] | None = None
    ) -> None:
        """Serve ``delivery`` under every key, ``deliveries`` of them an invocation, each after ``s3_delay`` seconds."""
        super().__init__(("127.0.0.1", 0), Requests)
        self.delivery, self.s3_delay, self.settings = delivery, s3_delay, settings or {}
        notification = {
            "eventSource": "aws:s3",
            "eventName": "ObjectCreated:Put",
            "s3": {"bucket": {"name": BUCKET}, "object": {"key": KEY, "size": len(delivery)}},
        }
        self.event = json.dumps({"Records": [notification] * deliveries}).encode()
        self.invocations = threading.Semaphore(0)
        self.polled, self.replied = threading.Semaphore(0), threading.Semaphore(0)
        self.requests: list[str] = []
        self.published = ""
        self.replies: list[str] = []

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"

    def environment(self) -> dict[str, str]:
        """Return the environment of a function that sees nothing but this sandbox."""
        return {
            "PATH": os.environ["PATH"],
            "AWS_LAMBDA_RUNTIME_API": self.address,
            "AWS_LAMBDA_FUNCTION_NAME": "bench",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
            "AWS_LAMBDA_FUNCTION_VERSION": "1",
            "AWS_ENDPOINT_URL": f"http://{self.address}",
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_EC2_METADATA_DISABLED": "true",
            "SIGNAL_TOPIC_ARN": "arn:aws:sns:us-east-1:111122223333:signals",
            **self.settings,
        }

    def handle_error(self, *about: object) -> None:
        """Say nothing of a connection that ended with the function that held it, which is killed."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(*about)

    def invoke(self) -> float:
        """Invoke the function once, and return the seconds until its reply."""
        started = time.perf_counter()
        self.invocations.release()
        if not self.replied.acquire(timeout=60):
            raise TimeoutError("the function did not reply")
        return time.perf_counter() - started


class Requests(http.server.BaseHTTPRequestHandler):
    """The few requests that a function makes."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    # Headers and body in one packet, as a real server sends them.
    wbufsize = -1
    server: Sandbox

    def do_GET(self) -> None:
        """Hand out the next invocation, or the delivery."""
        if self.path.endswith("/invocation/next"):
            self.server.polled.release()
            self.server.invocations.acquire()
            deadline = str(int(time.time() * 1000) + 60_000)
            headers = {"Lambda-Runtime-Aws-Request-Id": "bench", "Lambda-Runtime-Deadline-Ms": deadline}
            self.answer(self.server.event, headers | {"Content-Type": "application/json"})
        else:
            self.server.requests.append("GetObject")
            time.sleep(self.server.s3_delay)
            self.answer(self.server.delivery, {"ETag": '"bench"'})

    def do_POST(self) -> None:
        """Take a reply, or signals."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        if "/runtime/" in self.path:
            self.answer(b"{}")
            self.server.replies.append(f"{self.path.rsplit('/', 1)[1]} {body}")
            self.server.replied.release()
            return
        self.server.requests.append("PublishBatch")
        self.server.published = body
        entries = body.count(".Message=")
        member = "<member><Id>{}</Id><MessageId>m</MessageId></member>"
        self.answer(ACCEPTED.format("".join(member.format(index) for index in range(entries))).encode())

    def answer(self, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(200)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def function(command: list[str | Path], sandbox: Sandbox) -> Iterator[tuple[subprocess.Popen, float]]:
    """Run a function in the sandbox; give its process, and the seconds from its start to its first poll."""
    threading.Thread(target=sandbox.serve_forever, daemon=True).start()
    started = time.perf_counter()
    child = subprocess.Popen(command, env=sandbox.environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        if not sandbox.polled.acquire(timeout=60):
            raise TimeoutError(f"{command[0]} did not ask for an invocation")
        yield child, time.perf_counter() - started
    finally:
        child.kill()
        child.wait()
        sandbox.shutdown()
        sandbox.server_close()


def cpu_seconds(child: subprocess.Popen) -> float:
    """Return the processor time that a running process has used, all threads, by the kernel's scheduler."""
    threads = Path(f"/proc/{child.pid}/task").iterdir()
    return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads) / 1e9


def peak_bytes(pid: int) -> int:
    """Return the most memory that a process has had resident."""
    # A process that has just ended has none.
    found = re.search(r"^VmHWM:\s+(\d+) kB$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    return int(found[1]) * 1024 if found else 0
