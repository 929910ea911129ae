#!/usr/bin/env python3
"""Write the sample deliveries and payloads, or check that the files on disk are what would be written.

    python3 events/make_deliveries.py            write them
    python3 events/make_deliveries.py --check    exit 1 and name every file that differs

Standard library only, Python 3.11 or later. The result depends on nothing but this source: no clock, no
random numbers, gzip headers without time or file name. Builds of zlib may compress the same text to
different bytes; a gzip file that is there and inflates to the right text is therefore left as it is.
"""

import argparse
import base64
import contextlib
import json
import sys
import zlib
from pathlib import Path
from typing import Any

from _deliveries import cut_short, deliveries
from _payloads import payloads

EVENTS = Path(__file__).resolve().parent
DELIVERIES = EVENTS / "deliveries"
TEST_DATA = EVENTS.parent / "tests" / "data"
BY_HAND = {EVENTS / "keys.json"}

GZIP_HEADER = bytes([0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF])
"""Deflate, no flags, no time, unknown system."""

KEPT_OF_TRUNCATED = 0.8


def compress(text: str) -> bytes:
    """One gzip member."""
    data = text.encode()
    deflate = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    body = deflate.compress(data) + deflate.flush()
    return GZIP_HEADER + body + zlib.crc32(data).to_bytes(4, "little") + (len(data) & 0xFFFFFFFF).to_bytes(4, "little")


def inflate(data: bytes) -> bytes | None:
    """What a whole gzip member of ours holds; None if it is none."""
    stream = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        text = stream.decompress(data)
    except zlib.error:
        return None
    whole = data.startswith(GZIP_HEADER) and stream.eof and not stream.unused_data
    return text if whole else None


def packed(text: str, there: bytes | None) -> bytes:
    """The gzip of `text`: the bytes that are `there` already if they are right, else new ones."""
    return there if there is not None and inflate(there) == text.encode() else compress(text)


def truncated(text: str, there: bytes | None) -> bytes:
    """The first part of the gzip of `text`; never all of it."""
    if there is not None:
        try:
            found = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(there)
        except zlib.error:
            found = b""
        share = len(found) / len(text.encode())
        if there.startswith(GZIP_HEADER) and text.encode().startswith(found) and 0.7 < share < 0.9:
            return there
    whole = compress(text)
    return whole[: int(len(whole) * KEPT_OF_TRUNCATED)]


def read(path: Path) -> bytes | None:
    """The bytes of a file; None if there is none."""
    return path.read_bytes() if path.is_file() else None


def pretty(value: Any) -> bytes:
    """JSON for people: two spaces, a newline at the end."""
    return (json.dumps(value, ensure_ascii=False, indent=2) + "\n").encode()


def pack_for_logs(name: str, text: str) -> str:
    """The base64 gzip of a CloudWatch Logs payload."""
    there = None
    # Without such a file yet, or with one that is none of ours, it is made anew.
    with contextlib.suppress(ValueError, KeyError, TypeError):
        there = base64.b64decode(json.loads(read(EVENTS / name) or b"")["awslogs"]["data"], validate=True)
    return base64.b64encode(packed(text, there)).decode()


def outputs() -> dict[Path, bytes]:
    """Every file that belongs on disk, and its content."""
    made = deliveries()
    paths = [DELIVERIES / delivery.key for delivery in made]
    contents = [packed(delivery.text(), read(path)) for delivery, path in zip(made, paths, strict=True)]
    files = dict(zip(paths, contents, strict=True))
    files[EVENTS / "deliveries-expected.json"] = pretty({delivery.key: delivery.expected() for delivery in made})
    for name, payload in payloads(made, contents, pack_for_logs).items():
        files[EVENTS / name] = pretty(payload)
    cut = cut_short()
    poisoned = TEST_DATA / "truncated.json.gz"
    files[poisoned] = truncated(cut.text(), read(poisoned))
    files[TEST_DATA / "truncated-expected.json"] = pretty({"key": cut.key, "event_ids": cut.expected()["event_ids"]})
    return files


def unexpected(files: dict[Path, bytes]) -> list[Path]:
    """Files in our folders that this script does not write."""
    there = [*EVENTS.glob("*.json"), *(path for path in DELIVERIES.rglob("*") if path.is_file())]
    return sorted(path for path in there if path not in files and path not in BY_HAND)


def main() -> int:
    """Run; the exit code is 0, or 1 if `--check` found a difference."""
    parser = argparse.ArgumentParser(description="Write the sample deliveries and payloads.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a file on disk differs")
    check = parser.parse_args().check
    files = outputs()
    changed = [path for path, content in files.items() if read(path) != content]
    for path in changed:
        print(f"{'differs' if check else 'written'}: {path.relative_to(EVENTS.parent)}")
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(files[path])
    extra = unexpected(files)
    for path in extra:
        print(f"not one of ours: {path.relative_to(EVENTS.parent)}", file=sys.stderr)
    print(f"{len(files)} files, {len(changed)} {'differ' if check else 'written'}", file=sys.stderr)
    return 1 if check and (changed or extra) else 0


if __name__ == "__main__":
    sys.exit(main())
