"""``cloudtrail-scan`` on a terminal and in a pipe."""

import json
import re
import subprocess

from emulator import ROOT, SCAN
from screenshots import DELIVERIES, table


def test_a_terminal_gets_a_table_in_colour_that_fits_and_a_pipe_gets_json() -> None:
    coloured = table(120)
    assert "\x1b[36mlow" in coloured
    plain = re.sub(r"\x1b\[(1|36|0)m", "", coloured)
    assert plain.startswith("TIME ")
    assert max(len(line) for line in plain.splitlines()) <= 120
    piped = subprocess.check_output([SCAN, DELIVERIES], cwd=ROOT, text=True)
    signals = [json.loads(line) for line in piped.splitlines()]
    assert {signal["event"]["kind"] for signal in signals} == {"signal"}
    building_blocks = [signal for signal in signals if "building_block_type" in signal["kibana"]["alert"]]
    assert (len(signals), len(building_blocks)) == (17, 10)


def test_no_color_and_a_dumb_terminal_get_no_colours() -> None:
    for variable in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        assert "\x1b" not in table(120, **variable)
    assert "\x1b" in table(120, NO_COLOR="")
