"""``cloudtrail-scan`` on a terminal and in a pipe."""

import contextlib
import fcntl
import json
import os
import pty
import struct
import subprocess
import termios

from emulator import ROOT

SCAN = [ROOT / "target/debug/cloudtrail-scan", "events/deliveries"]


def on_a_terminal(columns: int, **variables: str) -> str:
    """Return what the command writes on a terminal of this width."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "TERM")}
    with subprocess.Popen(
        SCAN, cwd=ROOT, env=environment | {"TERM": "xterm"} | variables, stdout=its, stderr=subprocess.DEVNULL
    ):
        os.close(its)
        printed = b""
        # A terminal that its program has left is an error to read from.
        with contextlib.suppress(OSError):
            while chunk := os.read(ours, 65536):
                printed += chunk
    return printed.decode().replace("\r", "")


def test_a_terminal_gets_a_table_in_colour_that_fits_and_a_pipe_gets_json() -> None:
    coloured = on_a_terminal(120)
    assert "\x1b[36mlow" in coloured
    plain = coloured
    for code in ("\x1b[1m", "\x1b[36m", "\x1b[0m"):
        plain = plain.replace(code, "")
    assert plain.startswith("TIME ")
    assert max(len(line) for line in plain.splitlines()) <= 120
    piped = subprocess.run(SCAN, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True)
    signals = [json.loads(line) for line in piped.stdout.splitlines()]
    assert {signal["event"]["kind"] for signal in signals} == {"signal"}
    building_blocks = [signal for signal in signals if "building_block_type" in signal["kibana"]["alert"]]
    assert (len(signals), len(building_blocks)) == (17, 10)


def test_no_color_and_a_dumb_terminal_get_no_colours() -> None:
    for variable in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        assert "\x1b" not in on_a_terminal(120, **variable)
    assert "\x1b" in on_a_terminal(120, NO_COLOR="")
