"""What the benches measure, and how: runs of two programs in turn, ratios pair by pair, and the rows of their tables."""

import resource
import shutil
import statistics
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sandbox import peak_bytes

ROOT = Path(__file__).resolve().parent.parent
PROGRAMS = ROOT / "target/release"
BOOTSTRAP = ROOT / "target/lambda/cloudtrail-signals/bootstrap"
SCAN = PROGRAMS / "cloudtrail-scan"
SAMPLE = next((ROOT / "events/deliveries/AWSLogs").rglob("*hR3wZc8YfJ1uEa6o.json.gz"))
RUNS = 11
Command = list[str | Path]

# The rows of the summary table at the end.
summary: list[str] = []


def header(*columns: str) -> None:
    """Print the head of a table."""
    print(f"\n| {' | '.join(columns)} |\n{'|---' * len(columns)}|")


def note(what: str, measured: str, target: str) -> None:
    """Keep a line for the summary."""
    summary.append(f"| {what} | {measured} | {target} |")


def output(*command: str | Path) -> str:
    """Run a command to its end, and return what it printed."""
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


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


def versus(one: Callable[[], Any], other: Callable[[], Any], runs: int = RUNS) -> tuple[list[Any], list[Any]]:
    """Measure two things in turn, after one run of each that does not count."""
    one(), other()
    pairs = [(one(), other()) for _ in range(runs)]
    return [ours for ours, _ in pairs], [theirs for _, theirs in pairs]


def spread(values: list[float], digits: int = 2) -> str:
    """Format the median of some values with the least and the greatest."""
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f}–{max(values):.{digits}f})"


def row(what: str, ours: list[float], theirs: list[float], target: str, short: str) -> None:
    """Print one line of the table, times in milliseconds, and note it for the summary under a longer name."""
    ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
    ours, theirs = ([value * 1e3 for value in values] for values in (ours, theirs))
    milliseconds = f"{statistics.median(ours):.1f} | {statistics.median(theirs):.1f}"
    inverse = statistics.median(ratios) < 0.5
    shown = spread([1 / ratio for ratio in ratios], digits=1) if inverse else spread(ratios)
    ratio = f"{'1/' if inverse else ''}{shown}"
    print(f"| {what} | {milliseconds} | {ratio} | {target} |", flush=True)
    note(short, ratio, target)


def compare(
    what: str,
    ours: Command,
    theirs: Command,
    target: str,
    short: str,
    measure: Callable[[Command], float] = seconds,
    runs: int = RUNS,
) -> None:
    """Print the line about two commands, each run to its end."""
    row(what, *versus(lambda: measure(ours), lambda: measure(theirs), runs), target, short)


def peak_of_runs(command: Command) -> int:
    """Run a command to its end, three times, and return its peak memory, read every millisecond."""
    peak = 0
    for _ in range(3):
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
            while child.poll() is None:
                peak = max(peak, peak_bytes(child.pid))
                time.sleep(0.001)
    return peak


def by_name(printed: str) -> dict[str, list[float]]:
    """Collect the values that a program prints behind names, round after round."""
    rounds: dict[str, list[float]] = {}
    for line in printed.splitlines():
        name, value = line.split("\t")
        rounds.setdefault(name, []).append(float(value))
    return rounds


def generate(folder: Path, name: str, records: int, match_every: int) -> Path:
    path = folder / name
    subprocess.run([PROGRAMS / "generate", str(records), str(match_every), "1", path], check=True)
    return path


def inflated_megabytes(path: Path) -> float:
    """Return the size of a delivery's text, from the summary of cloudtrail-scan."""
    printed = subprocess.run([SCAN, path], capture_output=True, text=True, check=True).stderr
    return int(printed.split(" inflated")[0].rsplit(" ", 1)[1]) / 1e6


def seed_alone(folder: Path) -> Path:
    """Return a folder of rules with the seed rule alone."""
    seed = folder / "seed"
    seed.mkdir(exist_ok=True)
    shutil.copy(ROOT / "rules/aws_lambda_function_created_or_updated.toml", seed)
    return seed


def bundled(rules: Path) -> Path:
    """Bundle a folder of rules into a file beside it."""
    bundle = rules.with_suffix(".json")
    subprocess.run([SCAN, "--rules", rules, "--bundle", bundle], stderr=subprocess.DEVNULL, check=True)
    return bundle
