"""AWS on this machine: MiniStack runs the deployed function, LocalStack answers the function's own tests.

Each start takes a free port and a folder of its own, so that runs do not disturb each other, and leaves nothing behind
however it ends.

As a command: ``emulator.py ministack|localstack -- COMMAND…`` runs COMMAND beside the emulator, whose address is in
MINISTACK_ENDPOINT or LOCALSTACK_ENDPOINT, and exits as it does.
"""

import os
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import boto3
import trustme
from botocore.client import BaseClient

ROOT = Path(__file__).resolve().parent.parent
# The command as "cargo build" leaves it.
SCAN = ROOT / "target/debug/cloudtrail-scan"
REGION = "us-east-1"
START_SECONDS = 90
STOP_SECONDS = 10


@dataclass(frozen=True)
class Emulator:
    """A running emulator."""

    endpoint: str
    log: Path
    certificate: Path | None = None
    # The access key: any word, or an account number, which makes it that account's root.
    account: str = "test"

    @property
    def environment(self) -> dict[str, str]:
        """The environment of this process, in which every AWS client talks to the emulator and nothing else."""
        # The user's own settings for AWS, such as a profile, could override what is set here.
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("AWS_") or name.startswith("AWS_LAMBDA_LOG_")
        }
        trusted = {name: str(self.certificate) for name in ("AWS_CA_BUNDLE", "SSL_CERT_FILE") if self.certificate}
        return kept | {
            # The tools are where this Python is, whether or not its environment is activated.
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": self.account,
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_EC2_METADATA_DISABLED": "true",
            # The emulator needs no time to create things, so sam need not wait five seconds between polls.
            "SAM_CLI_POLL_DELAY": "0.2",
            **trusted,
        }

    def client(self, service: str) -> BaseClient:
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id=self.account,
            aws_secret_access_key="test",
            verify=str(self.certificate) if self.certificate else None,
        )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(ready: Callable[[], Any], seconds: float, what: str) -> Any:
    """Return what ``ready()`` gives as soon as that is true; fail, naming ``what``, after ``seconds``."""
    deadline = time.monotonic() + seconds
    while not (found := ready()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not happen within {seconds:g} seconds")
        time.sleep(0.1)
    return found


@contextmanager
def process(
    command: list[str | Path], environment: dict[str, str], log: Path | None = None
) -> Iterator[subprocess.Popen]:
    """Run ``command`` for as long as the block lasts, then end it and all it started.

    It gets a process group of its own: Ctrl-C in a terminal reaches the block alone, which then ends the group in
    order. Output goes to ``log``, or to standard error.
    """
    with log.open("wb") if log else os.fdopen(os.dup(2), "wb") as output:
        child = subprocess.Popen(
            command, env=environment, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        yield child
    finally:
        # First with a request, then by force.
        for number in (signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError, subprocess.TimeoutExpired):
                os.killpg(child.pid, number)
                child.wait(STOP_SECONDS)
        child.wait()


@contextmanager
def ministack(*, enforcing: bool = False) -> Iterator[Emulator]:
    """Run MiniStack for as long as the block lasts; ``enforcing`` makes policies and roles take effect.

    It then speaks TLS as well: without TLS, every request would be denied by the policies that require it.
    """
    port = free_port()
    settings = {"GATEWAY_PORT": str(port), "BIND_HOST": "127.0.0.1", "IOT_MTLS_ENABLED": "0"}
    endpoint, certificate = f"http://127.0.0.1:{port}", None
    with tempfile.TemporaryDirectory(prefix="certificate-") as folder:
        if enforcing:
            endpoint, certificate = f"https://127.0.0.1:{port}", Path(folder, "authority.pem")
            authority, server = trustme.CA(), Path(folder, "server.pem")
            authority.cert_pem.write_to_path(certificate)
            authority.issue_cert("localhost", "127.0.0.1").private_key_and_cert_chain_pem.write_to_path(server)
            settings |= {"AUTH": "true", "USE_SSL": "1"}
            settings |= {"MINISTACK_SSL_CERT": str(server), "MINISTACK_SSL_KEY": str(server)}
        with _started([Path(sys.executable).with_name("ministack")], settings, endpoint, certificate) as emulator:
            yield emulator


@contextmanager
def localstack() -> Iterator[Emulator]:
    """Run LocalStack, without Docker, for as long as the block lasts."""
    port = free_port()
    settings = {
        "GATEWAY_LISTEN": f"127.0.0.1:{port}",
        # Queue URLs that are addresses of this machine; the default is a name that needs a resolver.
        "LOCALSTACK_HOST": f"127.0.0.1:{port}",
        "SQS_ENDPOINT_STRATEGY": "path",
        "SERVICES": "s3,sns,sqs",
        "DISABLE_EVENTS": "1",
        "SKIP_SSL_CERT_DOWNLOAD": "1",
    }
    command = [ROOT / ".venv/localstack/bin/python", "-m", "localstack.runtime.main"]
    with _started(command, settings, f"http://127.0.0.1:{port}") as emulator:
        yield emulator


@contextmanager
def _started(
    command: list[str | Path], settings: dict[str, str], endpoint: str, certificate: Path | None = None
) -> Iterator[Emulator]:
    with tempfile.TemporaryDirectory(prefix="emulator-", ignore_cleanup_errors=True) as folder:
        emulator = Emulator(endpoint, Path(folder, "log"), certificate)
        trust = ssl.create_default_context(cafile=certificate)
        state = {"TMPDIR": folder, "STATE_DIR": f"{folder}/state", "FILESYSTEM_ROOT": f"{folder}/state"}
        # A deployed function inherits MiniStack's environment, and finds the emulator through it.
        with process(command, emulator.environment | settings | state, emulator.log) as child:

            def ready() -> bool:
                if child.poll() is not None:
                    raise RuntimeError(f"{command[0]} ended before it was ready:\n{emulator.log.read_text()}")
                with (
                    suppress(OSError),
                    urllib.request.urlopen(f"{endpoint}/_localstack/health", None, 2, context=trust),
                ):
                    return True
                return False

            wait_until(ready, START_SECONDS, f"an answer from {command[0]}")
            yield emulator


def run(main: Callable[[], int]) -> NoReturn:
    """Exit with what ``main`` returns; when asked to stop, end first what it started, as after any exception."""
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("interrupted; everything that was started has ended", file=sys.stderr)
        sys.exit(128 + signal.SIGINT)


def main() -> int:
    emulators = {"ministack": ministack, "localstack": localstack}
    match sys.argv[1:]:
        case [name, "--", *command] if name in emulators and command:
            with emulators[name]() as emulator:
                variables = emulator.environment | {f"{name.upper()}_ENDPOINT": emulator.endpoint}
                return subprocess.run(command, env=variables, check=False).returncode
        case _:
            print(__doc__, file=sys.stderr)
            return 2


if __name__ == "__main__":
    run(main)
