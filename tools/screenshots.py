"""Make the pictures of the README: the table, the page and the mail, as the programs of this repository give them."""

import contextlib
import fcntl
import html
import os
import pty
import re
import struct
import subprocess
import sys
import tempfile
import termios
from pathlib import Path

import browser
from emulator import ROOT, SCAN

IMAGES = ROOT / "docs/images"
DELIVERIES = "events/deliveries"
# Wide enough for whole rule names, next to the signals with the shortest principals and targets.
COLUMNS = 160
OPTIONS = ("--since", "2026-11-23T10:02:00Z")
COLOURS = {"1": "font-weight:bold", "36": "color:#5fd7d7", "33": "color:#ffd75f", "31": "color:#ff8787"}
TERMINAL = "background:#1c1c1c;color:#e4e4e4;margin:-8px;padding:16px;white-space:pre-wrap;font:14px/1.35 'DejaVu Sans Mono',monospace"
MAILBOX = "background:#fff;color:#000;margin:-8px;padding:16px;white-space:pre-wrap;font:14px/1.35 'DejaVu Sans Mono',monospace"


def table(columns: int, *options: str, **variables: str) -> str:
    """Return what ``cloudtrail-scan`` prints on a terminal with this many columns."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 60, columns, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    environment |= {"TERM": "xterm"} | variables
    command = [SCAN, *options, DELIVERIES]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=its, stderr=subprocess.DEVNULL):
        os.close(its)
        printed = b""
        # Reading from a terminal that its program has left is an error.
        with contextlib.suppress(OSError):
            while chunk := os.read(ours, 65536):
                printed += chunk
    return printed.decode().replace("\r", "")


def coloured(text: str) -> str:
    text = html.escape(text)
    for code, style in COLOURS.items():
        text = text.replace(f"\x1b[{code}m", f'<span style="{style}">')
    return re.sub(r"\x1b\[0m", "</span>", text)


def picture(program: str, name: str, content: str, width: int, height: int) -> None:
    with tempfile.TemporaryDirectory(prefix="screenshot-") as folder:
        page = Path(folder, "page.html")
        page.write_text(content)
        target = IMAGES / f"{name}.png"
        browser.run(program, page, f"--window-size={width},{height}", f"--screenshot={target}")
        print(target.relative_to(ROOT))


def main() -> None:
    program = browser.find()
    if program is None:
        sys.exit("this machine has no Chromium: apt-get install chromium")
    subprocess.run(["cargo", "build", "--locked", "-p", "cloudtrail-scan"], cwd=ROOT, check=True)
    IMAGES.mkdir(exist_ok=True)
    text = f"$ cloudtrail-scan {' '.join(OPTIONS)} {DELIVERIES}\n{table(COLUMNS, *OPTIONS)}"
    picture(program, "table", f'<meta charset="utf-8"><pre style="{TERMINAL}">{coloured(text)}</pre>', 1382, 374)
    page = subprocess.check_output([SCAN, "--format", "html", DELIVERIES], cwd=ROOT, text=True)
    picture(program, "page", page, 1280, 1000)
    mail = (ROOT / "detection/tests/notice/golden/new_principal.txt").read_text().split("\n=== sms ===")[0]
    picture(program, "mail", f'<meta charset="utf-8"><pre style="{MAILBOX}">{html.escape(mail)}</pre>', 730, 1944)


if __name__ == "__main__":
    main()
