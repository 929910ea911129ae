#!/usr/bin/env python3
"""Pack the records in `events/records/` into the samples that AWS would send compressed.

    python3 events/pack.py            write them
    python3 events/pack.py --check    exit 1 and name every file that differs

Builds of zlib may compress the same text to different bytes, so a file that inflates to the right text stays as it is.
"""

import argparse
import base64
import contextlib
import gzip
import json
import sys
from pathlib import Path
from typing import Any

EVENTS = Path(__file__).resolve().parent
DELIVERIES = EVENTS / "deliveries"


def compact(value: Any, *, ascii_only: bool = False) -> str:
    """JSON as AWS services write it, without space between tokens."""
    return json.dumps(value, ensure_ascii=ascii_only, separators=(",", ":"))


def pretty(value: Any) -> bytes:
    """JSON as people write it."""
    return (json.dumps(value, ensure_ascii=False, indent=2) + "\n").encode()


def packed(text: str, there: bytes) -> bytes:
    """The gzip of `text`: the bytes that are `there` if they hold it, else new ones."""
    with contextlib.suppress(OSError, EOFError):
        if gzip.decompress(there) == text.encode():
            return there
    return gzip.compress(text.encode(), mtime=0)


def delivery(rows: list[dict[str, Any]]) -> str:
    """The text of a file that CloudTrail delivers."""
    records = (compact(row["record"], ascii_only=row.get("ascii_only", False)) for row in rows)
    return '{"Records":[' + ",".join(records) + "]}"


def logs(data: dict[str, Any]) -> str:
    """The text that a subscription to CloudWatch Logs carries. A record is a string in it."""
    for event in data["logEvents"]:
        if not isinstance(event["message"], str):
            event["message"] = compact(event["message"])
    return compact(data)


def read(path: Path) -> bytes:
    """The bytes of a file; none if it does not exist."""
    return path.read_bytes() if path.is_file() else b""


def outputs() -> dict[Path, bytes]:
    """Every file that is packed, and its content."""
    files: dict[Path, bytes] = {}
    expected = {}
    for source in sorted((EVENTS / "records").glob("*.json")):
        content = json.loads(source.read_text(encoding="utf-8"))
        if "key" in content:
            rows, path = content["records"], DELIVERIES / content["key"]
            files[path] = packed(delivery(rows), read(path))
            ids = [row["record"]["eventID"] for row in rows if row["fires"]]
            expected[content["key"]] = {"records": len(rows), "matched": len(ids), "event_ids": ids}
        else:
            path = EVENTS / source.name
            there = json.loads(read(path) or '{"awslogs": {"data": ""}}')["awslogs"]["data"]
            data = packed(logs(content), base64.b64decode(there))
            files[path] = pretty({"awslogs": {"data": base64.b64encode(data).decode()}})
    files[EVENTS / "deliveries-expected.json"] = pretty(expected)
    return files


def main() -> int:
    """Run; the exit code is 0, or 1 if `--check` found a difference."""
    parser = argparse.ArgumentParser(description="Pack the sample records.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a file on disk differs")
    check = parser.parse_args().check
    files = outputs()
    changed = [path for path, content in files.items() if read(path) != content]
    for path in changed:
        print(f"{'differs' if check else 'written'}: {path.relative_to(EVENTS)}")
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(files[path])
    extra = [path for path in DELIVERIES.rglob("*") if path.is_file() and path not in files]
    for path in extra:
        print(f"has no source: {path.relative_to(EVENTS)}")
    return 1 if check and (changed or extra) else 0


if __name__ == "__main__":
    sys.exit(main())
