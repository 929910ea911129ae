"""Whole-process figures of the function and of scan, each as a ratio against something in the same run.

``make bench`` builds what is measured and runs this. Runs of two programs alternate, so that a machine that slows down
slows both; a ratio is taken pair by pair, and printed as its median with the least and the greatest.
"""

import os
import platform
import random
import re
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

import rule_shapes
from functions import functions, noticing, remembering, starting_with_many_rules, with_a_table
from measure import (
    PROGRAMS,
    ROOT,
    SCAN,
    by_name,
    compare,
    generate,
    header,
    inflated_megabytes,
    note,
    output,
    peak_of_runs,
    processor_seconds,
    seconds,
    seed_alone,
    spread,
    summary,
)

INFLATE, RSIGMA = PROGRAMS / "inflate", ROOT / "target/rsigma/release/rsigma"
RECORDS = 58_000
# The number of SigmaHQ's CloudTrail rules that name fields CloudTrail has.
SIGMA_RULES = 56
FILES = 4_044
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
    inflated, packed = inflated_megabytes(some), some.stat().st_size / 1e6
    print(f"\nOne delivery of {inflated:.1f} MB ({packed:.1f} MB gzip), {RECORDS} records.")
    header("scan against", "scan, ms", "the other, ms", "ratio", "target")
    seed = [SCAN, "--rules", seed_alone(folder)]
    for name, path, target in (("no match", none, "≤ 1.5"), ("one match in 700", some, "≤ 1.7")):
        short = f"time of `scan` with the seed rule, against only inflating the same file, {name}"
        compare(f"inflating alone; {name}", [*seed, path], [INFLATE, path], target, short)
    for name, path in (("no match", none), ("one match in 700", some)):
        short = f"time of `scan` with the rule on signals, against without it, {name}"
        compare(f"itself without the rule on signals; {name}", [SCAN, path], [*seed, path], "", short)
    python = [sys.executable, "-c", PYTHON_READER, some]
    compare("Python, gzip and json", [*seed, some], python, "≤ 1/10", "the same, against Python", runs=5)
    jq = ["sh", "-c", f"gunzip -c '{some}' | jq -c '{JQ_FILTER}'"]
    if shutil.which("jq"):
        compare("gunzip and jq", [*seed, some], jq, "≤ 1/14", "the same, against gunzip and jq", runs=5)
    else:
        print("| gunzip and jq | | | jq is not installed | ≤ 1/14 |")


def stages(folder: Path) -> None:
    """Take the work on a delivery apart."""
    path = generate(folder, "stages.json.gz", 700, 70)
    rounds = by_name(output(PROGRAMS / "stages", path))
    header("stage, on one record", "ns", "against inflating it")
    for name, values in rounds.items():
        ratios = [one / inflating for one, inflating in zip(values, rounds["inflate"], strict=True)]
        print(f"| {name} | {statistics.median(values):,.0f} | {spread(ratios)} |")


def growth(folder: Path) -> None:
    """Show that time is linear and memory constant."""
    header("delivery, inflated MB", "records", "scan, s", "MB/s", "peak memory, MiB")
    for records in (700, 7_000, 70_000, 700_000):
        path = generate(folder, f"{records}.json.gz", records, 700)
        times = [seconds([SCAN, path]) for _ in range(3)]
        median = statistics.median(times)
        inflated, peak = inflated_megabytes(path), peak_of_runs([SCAN, path]) / 2**20
        print(f"| {inflated:.1f} | {records} | {median:.3f} | {inflated / median:.0f} | {peak:.1f} |", flush=True)
        path.unlink()


def many_rules(folder: Path) -> None:
    """Compare many rules of the usual shape with one; one in seven records is a candidate of some rule."""
    delivery = generate(folder, "rules.json.gz", RECORDS, 0)
    one = [SCAN, "--rules", seed_alone(folder), delivery]
    header("rules", "many, ms of processor time", "one, ms", "ratio", "target")
    for elastic, sigma, target in ((85, 0, "≤ 1.6"), (165, 0, ""), (165, 58, "≤ 2"), (0, 58, ""), (1000, 0, "≤ 3")):
        many = rule_shapes.write(folder / f"{elastic}-{sigma}-rules", elastic, sigma)
        name = f"{elastic} of Elastic's shape and {sigma} of Sigma's"
        short = f"processor time of `scan` with {name}, against one"
        compare(name, [SCAN, "--rules", many, delivery], one, target, short, processor_seconds)


def rungs(folder: Path) -> None:
    """Show what each rung of the ladder gives, added one at a time, with one rule and with many."""
    delivery = generate(folder, "rungs.json.gz", RECORDS // 10, 0)
    rules = (seed_alone(folder), folder / "85-0-rules", folder / "165-58-rules")
    measured = [by_name(output(PROGRAMS / "rungs", each, delivery)) for each in rules]
    header("rung, added to those above", "1 rule, ns a record", "85", "165 and 58 of Sigma's")
    for name in measured[0]:
        cells = " | ".join(f"{statistics.median(each[name]):,.0f}" for each in measured)
        print(f"| {name} | {cells} |")


def against_rsigma(folder: Path) -> None:
    """Compare Sigma rules here with the same rules in another engine: whole processes, the rule files read."""
    delivery = generate(folder, "sigma.json.gz", RECORDS, 0)
    rules = rule_shapes.write(folder / "sigma-rules", 0, SIGMA_RULES)
    same_matches(folder, delivery)
    ours, theirs = [SCAN, "--rules", rules, delivery], [RSIGMA, rules, delivery]
    header(f"{SIGMA_RULES} Sigma rules", "scan, ms of processor time", "rsigma-eval, ms", "ratio", "target")
    name = f"{SIGMA_RULES} of Sigma's shape"
    short = f"processor time of `scan` with {name}, against `rsigma-eval`"
    compare(name, ours, theirs, "≤ 1/5", short, processor_seconds, 5)
    mine, other = (peak_of_runs(command) / 2**20 for command in (ours, theirs))
    header("peak memory", "scan, MiB", "rsigma-eval, MiB", "target")
    print(f"| {name} | {mine:.1f} | {other:.1f} | < 20 |")
    note(f"peak memory of `scan` with {name}, and of `rsigma-eval`", f"{mine:.1f} and {other:.1f} MiB", "< 20 MiB")


def same_matches(folder: Path, delivery: Path) -> None:
    """Make sure that both engines do the job: one of the rules matches."""
    rules = rule_shapes.write(folder / "sigma-check", 0, SIGMA_RULES)
    some = rule_shapes.matching({"eventSource": "iam.amazonaws.com", "eventName|startswith": "putrole"})
    (rules / "some.yml").write_text(rule_shapes.sigma_rule(SIGMA_RULES, some))
    matches = output(RSIGMA, rules, delivery)
    found = len(output(SCAN, "--rules", rules, delivery).splitlines())
    if not found or f", {found} matches" not in matches:
        raise RuntimeError(f"scan finds {found} signals, rsigma-eval {matches}")


def many_files(folder: Path) -> None:
    """Compare a folder of small deliveries with inflating them alone."""
    files = folder / "files"
    files.mkdir()
    chance = random.Random(FILES)
    for index in range(FILES):
        generate(files, f"{index:04}.json.gz", chance.randint(1, 2 * RECORDS // FILES), 0)
    header("small deliveries against", "scan, ms of processor time", "the other, ms", "ratio", "target")
    short = f"processor time of `scan` over {FILES} small deliveries, against only inflating them"
    compare(f"inflating {FILES} alone", [SCAN, files], [INFLATE, files], "≤ 1.4", short, processor_seconds)


def scanning_with_memory(folder: Path) -> None:
    """Compare rules that remember, with half of the records as candidates, with one rule that does not."""
    rules = rule_shapes.write_remembering(folder / "remembering")
    small, large = (generate(folder, f"remembering-{count}.json.gz", count, 0) for count in (RECORDS, 10 * RECORDS))
    many, one = [SCAN, "--rules", rules], [SCAN, "--rules", seed_alone(folder), small]
    header("47 rules that remember, half of the records candidates", "47, ms", "one rule, ms", "ratio", "target")
    for what, measure in (("time", seconds), ("processor time", processor_seconds)):
        short = f"{what} of `scan` with 47 rules that remember, against one rule without memory"
        compare(what, [*many, small], one, "≤ 2.5", short, measure)
    # Two sizes, so that the fixed memory of a run is not divided among the matches.
    more = peak_of_runs([*many, large]) - peak_of_runs([*many, small])
    matches = 9 * RECORDS / 2
    print(f"\nMemory for each match of a rule that remembers: {more / matches:.0f} bytes, target ≤ 200.")
    note("memory of `scan` for each match of a rule that remembers", f"{more / matches:.0f} bytes", "≤ 200")
    header("a million events of one group in one window", "ns a decision", "bytes of the state", "target")
    for line in output(PROGRAMS / "decisions").splitlines():
        kind, nanoseconds, size = line.split("\t")
        print(f"| {kind} | {int(nanoseconds):,} | {int(size):,} | < 10,000 ns, < 65,536 bytes |")
        note(f"a decision, {kind}, after a million events of one group", f"{int(nanoseconds):,} ns", "< 10,000 ns")


def machine() -> str:
    found = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return f"{found[1] if found else platform.machine()}, {os.cpu_count()} cores, Linux {platform.release()}"


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
    print(f"\nIn short, on {machine()}:")
    header("what", "measured", "target")
    print("\n".join(summary))


if __name__ == "__main__":
    main()
