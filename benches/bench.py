"""Whole-process figures of the function and of scan, each as a ratio against something in the same run.

``make bench`` builds what is measured and runs this. Runs of two programs alternate, so that a machine that slows down
slows both; a ratio is taken pair by pair, and printed as its median with the least and the greatest.
"""

import gzip
import io
import json
import os
import platform
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import rule_shapes
from sandbox import Sandbox, cpu_seconds, function, peak_bytes

ROOT = Path(__file__).resolve().parent.parent
PROGRAMS = ROOT / "target/release"
BOOTSTRAP = ROOT / "target/lambda/cloudtrail-signals/bootstrap"
SCAN, INFLATE, GENERATE, STAGES, RUNGS, DECISIONS = (
    PROGRAMS / name for name in ("cloudtrail-scan", "inflate", "generate", "stages", "rungs", "decisions")
)
RSIGMA = ROOT / "target/rsigma/release/rsigma"
SAMPLE = next((ROOT / "events/deliveries/AWSLogs").rglob("*hR3wZc8YfJ1uEa6o.json.gz"))
SEED = ROOT / "rules/aws_lambda_function_created_or_updated.toml"
RECORDS = 58_000
# As many of SigmaHQ's rules for CloudTrail name fields that CloudTrail has.
SIGMA_RULES = 56
FILES = 4_044
RUNS = 11
PYTHON_READER = """
import gzip, json, sys
with gzip.open(sys.argv[1]) as file:
    records = json.load(file)["Records"]
for record in records:
    if (record.get("eventSource") == "lambda.amazonaws.com" and not record.get("errorCode")
            and record.get("eventName", "").startswith(("CreateFunction", "UpdateFunctionCode"))):
        print(json.dumps(record))
"""
JQ_FILTER = """.Records[] | select(.eventSource == "lambda.amazonaws.com" and (.errorCode // "") == ""
    and (.eventName | startswith("CreateFunction") or startswith("UpdateFunctionCode")))"""

Command = list[str | Path]

# The lines of the table at the end, for readers in a hurry.
summary: list[str] = []


def seconds(command: Command) -> float:
    """Run a command to its end, and return how long it took."""
    started = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    return time.perf_counter() - started


def processor_seconds(command: Command) -> float:
    """Run a command to its end, and return the processor time that it took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def versus(one: Callable[[], float], other: Callable[[], float], runs: int = RUNS) -> tuple[list[float], list[float]]:
    """Measure two things in turn, after one run of each that does not count."""
    one(), other()
    pairs = [(one(), other()) for _ in range(runs)]
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


def spread(values: list[float], digits: int = 2) -> str:
    """Format the median of some values with the least and the greatest."""
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def row(what: str, ours: list[float], theirs: list[float], target: str, short: str) -> None:
    """Print one line of the table, times in milliseconds, and note it for the summary under a longer name."""
    ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
    ours, theirs = ([value * 1e3 for value in values] for values in (ours, theirs))
    milliseconds = f"{statistics.median(ours):.1f} | {statistics.median(theirs):.1f}"
    inverse = statistics.median(ratios) < 0.5
    shown = spread([1 / ratio for ratio in ratios], digits=1) if inverse else spread(ratios)
    ratio = f"{'1/' if inverse else ''}{shown}"
    print(f"| {what} | {milliseconds} | {ratio} | {target} |", flush=True)
    summary.append(f"| {short} | {ratio} | {target} |")


def generate(folder: Path, name: str, records: int, match_every: int) -> Path:
    """Write a generated delivery."""
    path = folder / name
    subprocess.run([GENERATE, str(records), str(match_every), "1", path], check=True)
    return path


def inflated_megabytes(path: Path) -> float:
    """Return the size of a delivery's text, from the summary of cloudtrail-scan."""
    summary = subprocess.run([SCAN, path], capture_output=True, text=True, check=True).stderr
    return int(summary.split(" inflated")[0].rsplit(" ", 1)[1]) / 1e6


def seed_alone(folder: Path) -> Path:
    """Return a folder of rules with the seed rule alone."""
    seed = folder / "seed"
    seed.mkdir(exist_ok=True)
    shutil.copy(ROOT / "rules/aws_lambda_function_created_or_updated.toml", seed)
    return seed


def reading(folder: Path) -> None:
    """Compare scan with what else can read a delivery."""
    none = generate(folder, "none.json.gz", RECORDS, 0)
    some = generate(folder, "some.json.gz", RECORDS, 700)
    print(
        f"\nOne delivery of {inflated_megabytes(some):.1f} MB ({some.stat().st_size / 1e6:.1f} MB gzip), {RECORDS} records.\n"
    )
    print("| scan against | scan, ms | the other, ms | ratio | target |\n|---|---|---|---|---|")
    seed = [SCAN, "--rules", seed_alone(folder)]
    for name, path, target in (("no match", none, "≤ 1.5"), ("one match in 700", some, "≤ 1.7")):
        row(
            f"inflating alone; {name}",
            *versus(lambda p=path: seconds([*seed, p]), lambda p=path: seconds([INFLATE, p])),
            target,
            f"time of `scan` with the seed rule, against only inflating the same file, {name}",
        )
    for name, path in (("no match", none), ("one match in 700", some)):
        row(
            f"itself without the rule on signals; {name}",
            *versus(lambda p=path: seconds([SCAN, p]), lambda p=path: seconds([*seed, p])),
            "",
            f"time of `scan` with the rule on signals, against without it, {name}",
        )
    python = [sys.executable, "-c", PYTHON_READER, some]
    row(
        "Python, gzip and json",
        *versus(lambda: seconds([*seed, some]), lambda: seconds(python), 5),
        "≤ 1/10",
        "the same, against Python",
    )
    if shutil.which("jq"):
        jq = ["sh", "-c", f"gunzip -c '{some}' | jq -c '{JQ_FILTER}'"]
        row(
            "gunzip and jq",
            *versus(lambda: seconds([*seed, some]), lambda: seconds(jq), 5),
            "≤ 1/14",
            "the same, against gunzip and jq",
        )
    else:
        print("| gunzip and jq | | | jq is not installed | ≤ 1/14 |")


def by_name(printed: str) -> dict[str, list[float]]:
    """Collect the values that a program prints behind names, round after round."""
    rounds: dict[str, list[float]] = {}
    for line in printed.splitlines():
        name, value = line.split("\t")
        rounds.setdefault(name, []).append(float(value))
    return rounds


def stages(folder: Path) -> None:
    """Take the work on a delivery apart."""
    path = generate(folder, "stages.json.gz", 700, 70)
    printed = subprocess.run([STAGES, path], capture_output=True, text=True, check=True).stdout
    rounds = by_name(printed)
    print("\n| stage, on one record | ns | against inflating it |\n|---|---|---|")
    for name, values in rounds.items():
        ratios = [one / inflating for one, inflating in zip(values, rounds["inflate"], strict=True)]
        print(f"| {name} | {statistics.median(values):,.0f} | {spread(ratios)} |")


def peak_of_run(command: Command) -> int:
    """Run a command to its end, and return its peak memory, read every millisecond."""
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    peak = 0
    while child.poll() is None:
        try:
            peak = max(peak, peak_bytes(child.pid))
        except OSError:
            break
        time.sleep(0.001)
    child.wait()
    return peak


def growth(folder: Path) -> None:
    """Show that time is linear and memory constant."""
    print("\n| delivery, inflated MB | records | scan, s | MB/s | peak memory, MiB |\n|---|---|---|---|---|")
    for records in (700, 7_000, 70_000, 700_000):
        path = generate(folder, f"{records}.json.gz", records, 700)
        times = [seconds([SCAN, path]) for _ in range(3)]
        median = statistics.median(times)
        inflated = inflated_megabytes(path)
        peak = max(peak_of_run([SCAN, path]) for _ in range(3)) / 2**20
        print(f"| {inflated:.1f} | {records} | {median:.3f} | {inflated / median:.0f} | {peak:.1f} |", flush=True)
        path.unlink()


def many_rules(folder: Path) -> None:
    """Compare many rules of the usual shape with one, over records of which one in seven is a candidate of some rule."""
    delivery = generate(folder, "rules.json.gz", RECORDS, 0)
    one = folder / "1-rules"
    one.mkdir()
    (one / "0.toml").write_text(SEED.read_text())
    print("\n| rules | many, ms of processor time | one, ms | ratio | target |\n|---|---|---|---|---|")
    for elastic, sigma, target in ((85, 0, "≤ 1.6"), (165, 0, ""), (165, 58, "≤ 2"), (0, 58, ""), (1000, 0, "≤ 3")):
        many = rule_shapes.write(folder / f"{elastic}-{sigma}-rules", elastic, sigma)
        commands = ([SCAN, "--rules", path, delivery] for path in (many, one))
        many_seconds, one_second = (lambda command=command: processor_seconds(command) for command in commands)
        name = f"{elastic} of Elastic's shape and {sigma} of Sigma's"
        row(name, *versus(many_seconds, one_second), target, f"processor time of `scan` with {name}, against one")


def rungs(folder: Path) -> None:
    """Show what each rung of the ladder gives, added one at a time, with one rule and with many."""
    delivery = generate(folder, "rungs.json.gz", RECORDS // 10, 0)
    counts = ((1, 0), (85, 0), (165, 58))
    measured: list[dict[str, list[float]]] = []
    for elastic, sigma in counts:
        rules = folder / ("1-rules" if elastic == 1 else f"{elastic}-{sigma}-rules")
        printed = subprocess.run([RUNGS, rules, delivery], capture_output=True, text=True, check=True).stdout
        measured.append(by_name(printed))
    print("\n| rung, added to those above | 1 rule, ns a record | 85 | 165 and 58 of Sigma's |\n|---|---|---|---|")
    for name in measured[0]:
        cells = " | ".join(f"{statistics.median(each[name]):,.0f}" for each in measured)
        print(f"| {name} | {cells} |")


def against_rsigma(folder: Path) -> None:
    """Compare Sigma rules here with the same rules in another engine: whole processes, the rule files read."""
    delivery = generate(folder, "sigma.json.gz", RECORDS, 0)
    rules = rule_shapes.write(folder / "sigma-rules", 0, SIGMA_RULES)
    same_matches(folder, delivery)
    ours, theirs = [SCAN, "--rules", rules, delivery], [RSIGMA, rules, delivery]
    print(f"\n| {SIGMA_RULES} Sigma rules | scan, ms of processor time | rsigma-eval, ms | ratio | target |")
    print("|---|---|---|---|---|")
    name = f"{SIGMA_RULES} of Sigma's shape"
    times = versus(lambda: processor_seconds(ours), lambda: processor_seconds(theirs), 5)
    row(name, *times, "≤ 1/5", f"processor time of `scan` with {name}, against `rsigma-eval`")
    mine, other = (max(peak_of_run(command) for _ in range(3)) / 2**20 for command in (ours, theirs))
    print("\n| peak memory | scan, MiB | rsigma-eval, MiB | target |\n|---|---|---|---|")
    print(f"| {name} | {mine:.1f} | {other:.1f} | < 20 |")
    summary.append(
        f"| peak memory of `scan` with {name}, and of `rsigma-eval` | {mine:.1f} and {other:.1f} MiB | < 20 MiB |"
    )


def same_matches(folder: Path, delivery: Path) -> None:
    """Make sure that both engines do the job, with rules of which one matches."""
    rules = rule_shapes.write(folder / "sigma-check", 0, SIGMA_RULES)
    some = {
        "selection": {"eventSource": "iam.amazonaws.com", "eventName|startswith": "putrole"},
        "condition": "selection",
    }
    (rules / "some.yml").write_text(rule_shapes.sigma_rule(SIGMA_RULES, some))
    signals = subprocess.run([SCAN, "--rules", rules, delivery], capture_output=True, text=True, check=True).stdout
    matches = subprocess.run([RSIGMA, rules, delivery], capture_output=True, text=True, check=True).stdout
    found = len(signals.splitlines())
    if not found or f", {found} matches" not in matches:
        raise RuntimeError(f"scan finds {found} signals, rsigma-eval {matches}")


def many_files(folder: Path) -> None:
    """Compare a folder of small deliveries with inflating them alone."""
    files = folder / "files"
    files.mkdir()
    chance = random.Random(FILES)
    for index in range(FILES):
        generate(files, f"{index:04}.json.gz", chance.randint(1, 2 * RECORDS // FILES), 0)
    print(
        "\n| small deliveries against | scan, ms of processor time | the other, ms | ratio | target |\n|---|---|---|---|---|"
    )
    row(
        f"inflating {FILES} alone",
        *versus(lambda: processor_seconds([SCAN, files]), lambda: processor_seconds([INFLATE, files])),
        "≤ 1.4",
        f"processor time of `scan` over {FILES} small deliveries, against only inflating them",
    )


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
    bundle = folder / "rules.json"
    rules = rule_shapes.write(folder / "bundled", 165, 58)
    subprocess.run([SCAN, "--rules", rules, "--bundle", bundle], stderr=subprocess.DEVNULL, check=True)
    many, one = (["env", f"RULES_BUNDLE={path}", BOOTSTRAP] for path in (bundle, ""))

    def started(command: Command) -> tuple[float, float, float]:
        with function(command, Sandbox(SAMPLE.read_bytes())) as (child, polled):
            return polled * 1e3, cpu_seconds(child) * 1e3, peak_bytes(child.pid) / 2**20

    started(many), started(one)
    pairs = [(started(many), started(one)) for _ in range(RUNS)]
    print(f"\nA bundle of 165 rules of Elastic's shape and 58 of Sigma's, {bundle.stat().st_size / 1e6:.2f} MB.\n")
    print("| start of the function | with the bundle | seed rule alone | more | target |\n|---|---|---|---|---|")
    rows = (
        ("time to first poll, ms", "≤ 10"),
        ("processor time to first poll, ms", "≤ 10"),
        ("memory when idle, MiB", "≤ 6"),
    )
    for index, (what, target) in enumerate(rows):
        ours, theirs = ([pair[side][index] for pair in pairs] for side in (0, 1))
        more = spread([a - b for a, b in zip(ours, theirs, strict=True)], digits=1)
        print(f"| {what} | {statistics.median(ours):.1f} | {statistics.median(theirs):.1f} | {more} | {target} |")
        summary.append(
            f"| {what}, with 223 rules in a bundle, more than with the seed rule alone | {more} | {target} |"
        )


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
    print("\nA small delivery (8 records, 2 of them matches), with S3, SNS and the runtime API on loopback.\n")
    print("| the function against Python | function, ms | Python, ms | ratio | target |\n|---|---|---|---|---|")
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
    bundle = folder / "rules.json"
    subprocess.run([SCAN, "--rules", folder / "165-0-rules", "--bundle", bundle], stderr=subprocess.DEVNULL, check=True)
    with_bundle = {"RULES_BUNDLE": str(bundle)}
    many, one = versus(lambda: warm_cpu([BOOTSTRAP], settings=with_bundle), lambda: warm_cpu([BOOTSTRAP]))
    print("\n| the function, warm | 166 rules, ms | one, ms | ratio | target |\n|---|---|---|---|---|")
    name = "processor time of a warm invocation with 166 rules"
    row(name, many, one, "≤ 1.3", f"{name}, against one")
    ten, one = versus(lambda: concurrent(10), lambda: concurrent(1), 3)
    print("\n| ten deliveries, 50 ms a GET | ten, ms | one, ms | ratio | target |\n|---|---|---|---|---|")
    row("one invocation", ten, one, "≤ 2", "time for ten deliveries, 50 ms a GET, against one")
    idle, more = memory_above_idle(folder)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.write(BOOTSTRAP, "bootstrap")
    print("\n| the function | measured | target |\n|---|---|---|")
    print(f"| memory when idle, MiB | {idle:.1f} | |")
    print(f"| more for a delivery of 300 MB inflated, MiB | {more:.1f} | ≤ 6 |")
    print(f"| artifact, MB | {BOOTSTRAP.stat().st_size / 1e6:.1f} | |")
    print(f"| artifact zipped, MB | {len(packed.getvalue()) / 1e6:.2f} | ≤ 4 |")
    summary.append(
        f"| memory of the function, idle, and more for 300 MB inflated | {idle:.1f} and {more:.1f} MiB | ≤ 6 more |"
    )
    summary.append(f"| artifact, zipped | {len(packed.getvalue()) / 1e6:.2f} MB | ≤ 4 MB |")


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
    print(
        "\n| a warm invocation with one signal | with its notice, ms | without, ms | more, ms | target |\n|---|---|---|---|---|"
    )
    ours, theirs = (f"{statistics.median(values) * 1e3:.1f}" for values in (with_notice, without))
    print(f"| one request to SNS more | {ours} | {theirs} | {spread(more)} | ≤ 2 |")
    summary.append(f"| one notice: milliseconds more in a warm invocation | {spread(more)} | ≤ 2 |")


def with_a_table(folder: Path) -> None:
    """Compare the function that has a table, and no rule that remembers, with one that has none."""
    bundle = folder / "seed.json"
    subprocess.run([SCAN, "--rules", seed_alone(folder), "--bundle", bundle], stderr=subprocess.DEVNULL, check=True)
    alone = {"EMBEDDED_RULES": "none", "RULES_BUNDLE": str(bundle)}
    table = alone | {"MEMORY_TABLE": "memory"}

    def started(settings: dict[str, str]) -> tuple[float, float]:
        with function([BOOTSTRAP], Sandbox(SAMPLE.read_bytes(), settings=settings)) as (child, _):
            return cpu_seconds(child), peak_bytes(child.pid)

    started(table), started(alone)
    pairs = [(started(table), started(alone)) for _ in range(RUNS)]
    print("\n| the seed rule alone | with a table, ms | without, ms | ratio | target |\n|---|---|---|---|---|")
    ours, theirs = ([pair[side][0] for pair in pairs] for side in (0, 1))
    what = "processor time to first poll"
    row(what, ours, theirs, "≤ 1.05", f"the seed rule with a table: {what}, against without")
    ours, theirs = versus(lambda: warm_cpu([BOOTSTRAP], settings=table), lambda: warm_cpu([BOOTSTRAP], settings=alone))
    what = "processor time of a warm invocation"
    row(what, ours, theirs, "≤ 1.05", f"the seed rule with a table: {what}, against without")
    ratio = spread([ours[1] / theirs[1] for ours, theirs in pairs])
    print(f"\nMemory when idle, with a table against without: {ratio}, target ≤ 1.05.")
    summary.append(f"| the seed rule with a table: memory when idle, against without | {ratio} | ≤ 1.05 |")


def scanning_with_memory(folder: Path) -> None:
    """Compare scan with rules that remember, of which half of the records are candidates, with one that does not."""
    rules = rule_shapes.write_remembering(folder / "remembering")
    small, large = (generate(folder, f"remembering-{count}.json.gz", count, 0) for count in (RECORDS, 10 * RECORDS))
    one = [SCAN, "--rules", folder / "1-rules"]
    many = [SCAN, "--rules", rules]
    print("\n| rules that remember | 47, ms of processor time | one without memory, ms | ratio | target |")
    print("|---|---|---|---|---|")
    name = "47 rules that remember"
    times = versus(lambda: processor_seconds([*many, small]), lambda: processor_seconds([*one, small]))
    row(f"{name}, half of the records candidates", *times, "≤ 2.5", f"processor time of `scan` with {name}, against one rule without memory")
    # Two sizes, so that what a run takes whatever the number of matches is not divided among them.
    more = max(peak_of_run([*many, large]) for _ in range(3)) - max(peak_of_run([*many, small]) for _ in range(3))
    matches = 9 * RECORDS / 2
    print(f"\nMemory for each match of a rule that remembers: {more / matches:.0f} bytes, target ≤ 200.")
    summary.append(f"| memory of `scan` for each match of a rule that remembers | {more / matches:.0f} bytes | ≤ 200 |")
    printed = subprocess.run([DECISIONS], capture_output=True, text=True, check=True).stdout
    print("\n| a million events of one group in one window | ns a decision | bytes of the state | target |\n|---|---|---|---|")
    for line in printed.splitlines():
        kind, nanoseconds, size = line.split("\t")
        print(f"| {kind} | {int(nanoseconds):,} | {int(size):,} | < 10,000 ns, < 65,536 bytes |")
        summary.append(f"| a decision, {kind}, after a million events of one group | {int(nanoseconds):,} ns | < 10,000 ns |")


def remembering() -> None:
    """Count what rules that remember ask of their table, in the test that holds the cost."""
    command = ["cargo", "test", "--locked", "--test", "faults", "--", "--nocapture", "a_million_records"]
    printed = subprocess.run(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True
    )
    lines = [line for line in printed.stdout.splitlines() if line.startswith("|")]
    print("\n47 rules that remember, for a million records:\n\n" + "\n".join(lines))
    _, requests, _, _, dollars = (cell.strip() for cell in lines[-1].strip("|").split("|"))
    summary.append(
        f"| requests of 47 rules to their table, and their price, for a million records | {int(requests):,}, ${dollars} | ≤ $0.10 |"
    )


def machine() -> str:
    """Name the machine."""
    names = [
        line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line
    ]
    return f"{names[0] if names else platform.machine()}, {os.cpu_count()} cores, Linux {platform.release()}"


def main() -> None:
    """Print every table."""
    print(f"Measured on {machine()}; Python {platform.python_version()}. Medians, least and greatest in parentheses.")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        reading(folder)
        stages(folder)
        growth(folder)
        many_rules(folder)
        rungs(folder)
        against_rsigma(folder)
        scanning_with_memory(folder)
        many_files(folder)
        functions(folder)
        starting_with_many_rules(folder)
        noticing()
        with_a_table(folder)
        remembering()
    print(f"\nIn short, on {machine()}:\n\n| what | measured | target |\n|---|---|---|")
    print("\n".join(summary))


if __name__ == "__main__":
    main()
