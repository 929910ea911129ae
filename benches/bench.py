"""Whole-process figures of the function and of scan, each as a ratio against something in the same run.

``make bench`` builds what is measured and runs this. Runs of two programs alternate, so that a machine that slows down
slows both; a ratio is taken pair by pair, and printed as its median with the least and the greatest.
"""

import os
import platform
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import rule_shapes
from functions import functions, noticing, remembering, starting_with_many_rules, with_a_table
from measure import (
    DECISIONS,
    FILES,
    INFLATE,
    RECORDS,
    RSIGMA,
    RUNGS,
    SCAN,
    SEED,
    SIGMA_RULES,
    STAGES,
    by_name,
    generate,
    inflated_megabytes,
    peak_of_run,
    processor_seconds,
    row,
    seconds,
    seed_alone,
    spread,
    summary,
    versus,
)

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


def stages(folder: Path) -> None:
    """Take the work on a delivery apart."""
    path = generate(folder, "stages.json.gz", 700, 70)
    printed = subprocess.run([STAGES, path], capture_output=True, text=True, check=True).stdout
    rounds = by_name(printed)
    print("\n| stage, on one record | ns | against inflating it |\n|---|---|---|")
    for name, values in rounds.items():
        ratios = [one / inflating for one, inflating in zip(values, rounds["inflate"], strict=True)]
        print(f"| {name} | {statistics.median(values):,.0f} | {spread(ratios)} |")


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
    row(
        f"{name}, half of the records candidates",
        *times,
        "≤ 2.5",
        f"processor time of `scan` with {name}, against one rule without memory",
    )
    # Two sizes, so that what a run takes whatever the number of matches is not divided among them.
    more = max(peak_of_run([*many, large]) for _ in range(3)) - max(peak_of_run([*many, small]) for _ in range(3))
    matches = 9 * RECORDS / 2
    print(f"\nMemory for each match of a rule that remembers: {more / matches:.0f} bytes, target ≤ 200.")
    summary.append(f"| memory of `scan` for each match of a rule that remembers | {more / matches:.0f} bytes | ≤ 200 |")
    printed = subprocess.run([DECISIONS], capture_output=True, text=True, check=True).stdout
    print(
        "\n| a million events of one group in one window | ns a decision | bytes of the state | target |\n|---|---|---|---|"
    )
    for line in printed.splitlines():
        kind, nanoseconds, size = line.split("\t")
        print(f"| {kind} | {int(nanoseconds):,} | {int(size):,} | < 10,000 ns, < 65,536 bytes |")
        summary.append(
            f"| a decision, {kind}, after a million events of one group | {int(nanoseconds):,} ns | < 10,000 ns |"
        )


def machine() -> str:
    names = [
        line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line
    ]
    return f"{names[0] if names else platform.machine()}, {os.cpu_count()} cores, Linux {platform.release()}"


def main() -> None:
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
