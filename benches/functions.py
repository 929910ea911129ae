"""The figures of the function, with S3, SNS and the runtime API on loopback."""

import gzip
import json
import statistics
import subprocess
import sys
import urllib.parse
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from measure import BOOTSTRAP, ROOT, SAMPLE, Command, bundled, generate, header, note, row, seed_alone, spread, versus
from sandbox import Sandbox, cpu_seconds, function, peak_bytes

# How long a start takes.
POLLED, REPLIED = "time to first poll", "time to first reply"
PROCESSOR, IDLE = "processor time to first poll", "memory when idle"


def start(command: Command, settings: dict[str, str] | None = None) -> dict[str, float]:
    """Start a function and invoke it once; return what that took, by name: seconds, and bytes of memory when idle."""
    sandbox = Sandbox(SAMPLE.read_bytes(), settings=settings)
    with function(command, sandbox) as (child, polled):
        found = {POLLED: polled, PROCESSOR: cpu_seconds(child), IDLE: peak_bytes(child.pid)}
        found[REPLIED] = polled + sandbox.invoke()
        check(sandbox, 1)
    return found


def starts(one: Callable[[], dict], other: Callable[[], dict]) -> dict[str, tuple[list[float], list[float]]]:
    """Start two functions in turn; return what that took by name, of the one and of the other."""
    ours, theirs = versus(one, other)
    return {name: ([each[name] for each in ours], [each[name] for each in theirs]) for name in ours[0]}


def starting_with_many_rules(folder: Path) -> None:
    """Compare a start with a bundle of many rules with one that has the seed rule alone."""
    bundle = bundled(folder / "165-58-rules")
    found = starts(lambda: start([BOOTSTRAP], {"RULES_BUNDLE": str(bundle)}), lambda: start([BOOTSTRAP]))
    print(f"\nA bundle of 165 rules of Elastic's shape and 58 of Sigma's, {bundle.stat().st_size / 1e6:.2f} MB.")
    header("start of the function", "with the bundle", "seed rule alone", "more", "target")
    for name, unit, scale, target in (
        (POLLED, "ms", 1e3, "≤ 10"),
        (PROCESSOR, "ms", 1e3, "≤ 10"),
        (IDLE, "MiB", 2**-20, "≤ 6"),
    ):
        what, (ours, theirs) = f"{name}, {unit}", found[name]
        more = spread([(a - b) * scale for a, b in zip(ours, theirs, strict=True)], digits=1)
        medians = (f"{statistics.median(values) * scale:.1f}" for values in (ours, theirs))
        print(f"| {what} | {' | '.join(medians)} | {more} | {target} |")
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
    return [leaves(json.loads(values[0])) for name, values in parameters.items() if name.endswith(".Message")]


def leaves(value: object, path: str = "") -> set[str]:
    """Return the dotted name of every leaf."""
    if not isinstance(value, dict):
        return {path}
    return {leaf for name, below in value.items() for leaf in leaves(below, f"{path}.{name}")}


def check(sandbox: Sandbox, invocations: int) -> None:
    """Make sure that what is measured is the job: a GET and a PublishBatch an invocation, and a good reply."""
    wanted = {"GetObject": invocations, "PublishBatch": invocations}
    made = Counter(sandbox.requests)
    if made != wanted or not all(reply.startswith("response") for reply in sandbox.replies):
        raise RuntimeError(f"expected {wanted}, got {made}; replies {sandbox.replies[:3]}")


def concurrent(deliveries: int) -> float:
    """Return the seconds of a warm invocation with several deliveries, when each GET takes 50 ms."""
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
    found = starts(lambda: start([BOOTSTRAP]), lambda: start(python))
    for name, what, target in ((POLLED, "start to first poll", "≤ 1/20"), (REPLIED, "start to first reply", "≤ 1/15")):
        row(what, *found[name], target, f"{what} of the function, against Python")
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
    with zipfile.ZipFile(folder / "function.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.write(BOOTSTRAP, "bootstrap")
    packed = (folder / "function.zip").stat().st_size / 1e6
    header("the function", "measured", "target")
    print(f"| memory when idle, MiB | {idle:.1f} | |")
    print(f"| more for a delivery of 300 MB inflated, MiB | {more:.1f} | ≤ 6 |")
    print(f"| artifact, MB | {BOOTSTRAP.stat().st_size / 1e6:.1f} | |")
    print(f"| artifact zipped, MB | {packed:.2f} | ≤ 4.1 |")
    memory = f"{idle:.1f} and {more:.1f} MiB"
    note("memory of the function, idle, and more for 300 MB inflated", memory, "≤ 6 more")
    note("artifact, zipped", f"{packed:.2f} MB", "≤ 4.1 MB")


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
    found = starts(lambda: start([BOOTSTRAP], table), lambda: start([BOOTSTRAP], alone))
    warm = versus(lambda: warm_cpu([BOOTSTRAP], settings=table), lambda: warm_cpu([BOOTSTRAP], settings=alone))
    header("the seed rule alone", "with a table, ms", "without, ms", "ratio", "target")
    for what, values in ((PROCESSOR, found[PROCESSOR]), ("processor time of a warm invocation", warm)):
        row(what, *values, "≤ 1.05", f"the seed rule with a table: {what}, against without")
    ratio = spread([ours / theirs for ours, theirs in zip(*found[IDLE], strict=True)])
    print(f"\nMemory when idle, with a table against without: {ratio}, target ≤ 1.05.")
    note("the seed rule with a table: memory when idle, against without", ratio, "≤ 1.05")


def remembering() -> None:
    """Count what rules that remember ask of their table, in the test that holds the cost."""
    command = ["cargo", "test", "--locked", "--test", "faults", "--", "--nocapture", "a_million_records"]
    printed = subprocess.check_output(command, cwd=ROOT, stderr=subprocess.DEVNULL, text=True)
    lines = [line for line in printed.splitlines() if line.startswith("|")]
    print("\n47 rules that remember, for a million records:\n\n" + "\n".join(lines))
    _, requests, _, _, dollars = (cell.strip() for cell in lines[-1].strip("|").split("|"))
    what = "requests of 47 rules to their table, and their price, for a million records"
    note(what, f"{int(requests):,}, ${dollars}", "≤ $0.10")
