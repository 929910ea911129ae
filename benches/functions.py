"""The figures of the function, with S3, SNS and the runtime API on loopback."""

import gzip
import io
import json
import statistics
import subprocess
import sys
import time
import urllib.parse
import zipfile
from collections.abc import Iterator
from pathlib import Path

from measure import (
    BOOTSTRAP,
    ROOT,
    RUNS,
    SAMPLE,
    Command,
    bundled,
    generate,
    header,
    note,
    row,
    seed_alone,
    spread,
    versus,
)
from sandbox import Sandbox, cpu_seconds, function, peak_bytes


def started_and_replied(command: Command) -> tuple[float, float]:
    """Start a function, invoke it once; return the seconds to its first poll and to its first reply."""
    sandbox = Sandbox(SAMPLE.read_bytes())
    started = time.perf_counter()
    with function(command, sandbox) as (_, polled):
        sandbox.invoke()
        replied = time.perf_counter() - started
        check(sandbox, 1)
    return polled, replied


def starting_with_many_rules(folder: Path) -> None:
    """Compare a start with a bundle of many rules with one that has the seed rule alone."""
    bundle = bundled(folder / "165-58-rules")
    many, one = (["env", f"RULES_BUNDLE={path}", BOOTSTRAP] for path in (bundle, ""))

    def started(command: Command) -> tuple[float, float, float]:
        with function(command, Sandbox(SAMPLE.read_bytes())) as (child, polled):
            return polled * 1e3, cpu_seconds(child) * 1e3, peak_bytes(child.pid) / 2**20

    started(many), started(one)
    pairs = [(started(many), started(one)) for _ in range(RUNS)]
    print(f"\nA bundle of 165 rules of Elastic's shape and 58 of Sigma's, {bundle.stat().st_size / 1e6:.2f} MB.")
    header("start of the function", "with the bundle", "seed rule alone", "more", "target")
    rows = (
        ("time to first poll, ms", "≤ 10"),
        ("processor time to first poll, ms", "≤ 10"),
        ("memory when idle, MiB", "≤ 6"),
    )
    for index, (what, target) in enumerate(rows):
        ours, theirs = ([pair[side][index] for pair in pairs] for side in (0, 1))
        more = spread([a - b for a, b in zip(ours, theirs, strict=True)], digits=1)
        print(f"| {what} | {statistics.median(ours):.1f} | {statistics.median(theirs):.1f} | {more} | {target} |")
        note(f"{what}, with 223 rules in a bundle, more than with the seed rule alone", more, target)


def warm_cpu(command: Command, invocations: int = 200, settings: dict[str, str] | None = None) -> float:
    """Return the processor time of one warm invocation."""
    sandbox = Sandbox(SAMPLE.read_bytes(), settings=settings)
    with function(command, sandbox) as (child, _):
        for _ in range(20):
            sandbox.invoke()
        before = cpu_seconds(child)
        for _ in range(invocations):
            sandbox.invoke()
        check(sandbox, 20 + invocations)
        return (cpu_seconds(child) - before) / invocations


def published_fields(command: Command) -> list[set[str]]:
    """Return the fields of the signals that a function publishes."""
    sandbox = Sandbox(SAMPLE.read_bytes())
    with function(command, sandbox):
        sandbox.invoke()
    parameters = urllib.parse.parse_qs(sandbox.published)
    messages = [json.loads(values[0]) for name, values in parameters.items() if name.endswith(".Message")]
    return [set(leaves(message, "")) for message in messages]


def leaves(value: object, path: str) -> Iterator[str]:
    """Yield the dotted name of every leaf."""
    if isinstance(value, dict):
        for name, below in value.items():
            yield from leaves(below, f"{path}.{name}")
    else:
        yield path


def check(sandbox: Sandbox, invocations: int) -> None:
    """Make sure that what is measured is the job: a GET and a PublishBatch an invocation, and a good reply."""
    wanted = {"GetObject": invocations, "PublishBatch": invocations}
    made = {name: sandbox.requests.count(name) for name in sandbox.requests}
    if made != wanted or not all(reply.startswith("response") for reply in sandbox.replies):
        raise RuntimeError(f"expected {wanted}, got {made}; replies {sandbox.replies[:3]}")


def concurrent(deliveries: int) -> float:
    """Return the seconds of a warm invocation with several deliveries, each GET of which takes 50 ms."""
    sandbox = Sandbox(SAMPLE.read_bytes(), deliveries, 0.05)
    with function([BOOTSTRAP], sandbox):
        sandbox.invoke()
        return statistics.median(sandbox.invoke() for _ in range(5))


def memory_above_idle(folder: Path) -> tuple[float, float]:
    """Return the function's memory when idle, and how much more a large delivery takes, in MiB."""
    large = generate(folder, "large.json.gz", 200_000, 0)
    sandbox = Sandbox(large.read_bytes())
    with function([BOOTSTRAP], sandbox) as (child, _):
        idle = peak_bytes(child.pid)
        sandbox.invoke()
        return idle / 2**20, (peak_bytes(child.pid) - idle) / 2**20


def functions(folder: Path) -> None:
    """Compare the function with the same job in Python."""
    python = [sys.executable, ROOT / "benches/python_function.py"]
    print("\nA small delivery (8 records, 2 of them matches), with S3, SNS and the runtime API on loopback.")
    header("the function against Python", "function, ms", "Python, ms", "ratio", "target")
    if published_fields([BOOTSTRAP]) != published_fields(python):
        raise RuntimeError("the two functions do not publish the same fields")
    pairs = [(started_and_replied([BOOTSTRAP]), started_and_replied(python)) for _ in range(RUNS)]
    for index, (what, target) in enumerate((("start to first poll", "≤ 1/20"), ("start to first reply", "≤ 1/15"))):
        ours, theirs = [ours[index] for ours, _ in pairs], [theirs[index] for _, theirs in pairs]
        row(what, ours, theirs, target, f"{what} of the function, against Python")
    ours, theirs = versus(lambda: warm_cpu([BOOTSTRAP]), lambda: warm_cpu(python), 5)
    row("processor time of a warm invocation", ours, theirs, "≤ 1/6", "processor time of it when warm, against Python")
    ours, theirs = versus(lambda: warm_cpu([BOOTSTRAP]), lambda: warm_cpu([*python, "raw"]), 5)
    raw = "the same, Python publishing only the records"
    row(raw, ours, theirs, "", raw)
    with_bundle = {"RULES_BUNDLE": str(bundled(folder / "165-0-rules"))}
    many, one = versus(lambda: warm_cpu([BOOTSTRAP], settings=with_bundle), lambda: warm_cpu([BOOTSTRAP]))
    header("the function, warm", "166 rules, ms", "one, ms", "ratio", "target")
    name = "processor time of a warm invocation with 166 rules"
    row(name, many, one, "≤ 1.3", f"{name}, against one")
    ten, one = versus(lambda: concurrent(10), lambda: concurrent(1), 3)
    header("ten deliveries, 50 ms a GET", "ten, ms", "one, ms", "ratio", "target")
    row("one invocation", ten, one, "≤ 2", "time for ten deliveries, 50 ms a GET, against one")
    idle, more = memory_above_idle(folder)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.write(BOOTSTRAP, "bootstrap")
    header("the function", "measured", "target")
    print(f"| memory when idle, MiB | {idle:.1f} | |")
    print(f"| more for a delivery of 300 MB inflated, MiB | {more:.1f} | ≤ 6 |")
    print(f"| artifact, MB | {BOOTSTRAP.stat().st_size / 1e6:.1f} | |")
    print(f"| artifact zipped, MB | {len(packed.getvalue()) / 1e6:.2f} | ≤ 4.1 |")
    memory = f"{idle:.1f} and {more:.1f} MiB"
    note("memory of the function, idle, and more for 300 MB inflated", memory, "≤ 6 more")
    note("artifact, zipped", f"{len(packed.getvalue()) / 1e6:.2f} MB", "≤ 4.1 MB")


def noticing() -> None:
    """Compare an invocation with one alert and its notice with one that sends no notice."""
    records = json.loads((ROOT / "events/records/main.json").read_text())["records"]
    record = next(row["record"] for row in records if row["fires"])
    delivery = gzip.compress(json.dumps({"Records": [record]}).encode())
    topic = "arn:aws:sns:us-east-1:111122223333:notices"
    noticed = {"NOTICE_TOPIC_ARN": topic, "NOTICES": "all", "NOTICE_QUIET_SECONDS": "0"}

    def invocation(settings: dict[str, str], requests: list[str]) -> float:
        sandbox = Sandbox(delivery, settings=settings)
        with function([BOOTSTRAP], sandbox):
            sandbox.invoke()
            sandbox.requests.clear()
            sandbox.invoke()
            if sorted(sandbox.requests) != requests:
                raise RuntimeError(f"{sandbox.requests} where {requests} was expected")
            return statistics.median(sandbox.invoke() for _ in range(100))

    with_notice, without = versus(
        lambda: invocation(noticed, ["GetObject", "PublishBatch", "PublishBatch"]),
        lambda: invocation({}, ["GetObject", "PublishBatch"]),
    )
    more = [(a - b) * 1e3 for a, b in zip(with_notice, without, strict=True)]
    header("a warm invocation with one signal", "with its notice, ms", "without, ms", "more, ms", "target")
    ours, theirs = (f"{statistics.median(values) * 1e3:.1f}" for values in (with_notice, without))
    print(f"| one request to SNS more | {ours} | {theirs} | {spread(more)} | ≤ 2 |")
    note("one notice: milliseconds more in a warm invocation", spread(more), "≤ 2")


def with_a_table(folder: Path) -> None:
    """Compare the function that has a table, and no rule that remembers, with one that has none."""
    alone = {"EMBEDDED_RULES": "none", "RULES_BUNDLE": str(bundled(seed_alone(folder)))}
    table = alone | {"MEMORY_TABLE": "memory"}

    def started(settings: dict[str, str]) -> tuple[float, float]:
        with function([BOOTSTRAP], Sandbox(SAMPLE.read_bytes(), settings=settings)) as (child, _):
            return cpu_seconds(child), peak_bytes(child.pid)

    started(table), started(alone)
    pairs = [(started(table), started(alone)) for _ in range(RUNS)]
    header("the seed rule alone", "with a table, ms", "without, ms", "ratio", "target")
    ours, theirs = ([pair[side][0] for pair in pairs] for side in (0, 1))
    what = "processor time to first poll"
    row(what, ours, theirs, "≤ 1.05", f"the seed rule with a table: {what}, against without")
    ours, theirs = versus(lambda: warm_cpu([BOOTSTRAP], settings=table), lambda: warm_cpu([BOOTSTRAP], settings=alone))
    what = "processor time of a warm invocation"
    row(what, ours, theirs, "≤ 1.05", f"the seed rule with a table: {what}, against without")
    ratio = spread([ours[1] / theirs[1] for ours, theirs in pairs])
    print(f"\nMemory when idle, with a table against without: {ratio}, target ≤ 1.05.")
    note("the seed rule with a table: memory when idle, against without", ratio, "≤ 1.05")


def remembering() -> None:
    """Count what rules that remember ask of their table, in the test that holds the cost."""
    command = ["cargo", "test", "--locked", "--test", "faults", "--", "--nocapture", "a_million_records"]
    printed = subprocess.run(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True
    )
    lines = [line for line in printed.stdout.splitlines() if line.startswith("|")]
    print("\n47 rules that remember, for a million records:\n\n" + "\n".join(lines))
    _, requests, _, _, dollars = (cell.strip() for cell in lines[-1].strip("|").split("|"))
    what = "requests of 47 rules to their table, and their price, for a million records"
    note(what, f"{int(requests):,}, ${dollars}", "≤ $0.10")
