"""The page of ``cloudtrail-scan --format html`` in a real browser: no error, no request, and it sorts and folds."""

import html
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import browser
import pytest
from emulator import SCAN

BROWSER = browser.find()
HOSTILE = [
    "<script>document.title = 'ran'</script>",
    '"><img src=https://evil.example/x onerror="document.title = \'ran\'">',
    "</summary></details><style>* { display: none }</style>",
    "<link rel=stylesheet href=https://evil.example/x>",
    "<iframe src=https://evil.example/x></iframe>",
]
# Runs before everything else in the page, and notes what goes wrong.
BEFORE = """<script>
window.faults = [];
addEventListener("error", (event) => faults.push(String(event.message)), true);
addEventListener("securitypolicyviolation", (event) => faults.push(event.violatedDirective + " " + event.blockedURI));
</script>"""
# Runs after everything else: clicks, and leaves what it finds in the page.
AFTER = """<script>
const column = (table) => [...table.tBodies[0].rows].map((row) => row.cells[0].textContent);
const table = [...document.querySelectorAll("section")].find((s) => s.querySelector("h2")?.textContent === "Principals")
  .querySelector("table");
const [name, count] = table.querySelectorAll("th button");
const found = { start: column(table) };
name.click(); found.up = column(table);
name.click(); found.down = column(table);
count.click(); found.counts = column(table);
const details = document.querySelector("details");
found.folded = !details.open && details.querySelector("dl").checkVisibility();
details.querySelector("summary").click();
found.unfolded = details.open && details.querySelector("dl").checkVisibility();
dispatchEvent(new Event("beforeprint"));
found.printed = [...document.querySelectorAll("details")].every((each) => each.open);
dispatchEvent(new Event("afterprint"));
found.again = [...document.querySelectorAll("details")].filter((each) => each.open).length;
found.requests = performance.getEntriesByType("resource").map((entry) => entry.name);
found.width = document.documentElement.scrollWidth - innerWidth;
found.title = document.title;
found.faults = faults;
const result = document.createElement("pre");
result.id = "result";
result.textContent = JSON.stringify(found);
document.body.append(result);
</script>"""

pytestmark = pytest.mark.skipif(BROWSER is None, reason="this machine has no Chromium: apt-get install chromium")


def record(event: int, user: str) -> dict[str, Any]:
    return {
        "eventID": f"e-{event}",
        "eventSource": "lambda.amazonaws.com",
        "eventName": "UpdateFunctionCode20150331v2",
        "eventTime": f"2026-11-23T10:{event:02}:00Z",
        "recipientAccountId": "111122223333",
        "userIdentity": {"type": "IAMUser", "userName": user, "accountId": "111122223333"},
        "requestParameters": {"functionName": user},
        "sourceIPAddress": user,
        "userAgent": user,
    }


def opened(folder: Path, users: list[str], *options: str) -> dict[str, Any]:
    """Make a page of one call by each user, open it, and return what the script behind it found."""
    (folder / "a.json").write_text(json.dumps({"Records": [record(index, user) for index, user in enumerate(users)]}))
    page = subprocess.check_output([SCAN, "--format", "html", folder / "a.json"], text=True)
    assert page.count("<style>") == 1
    page = page.replace("<style>", BEFORE + "<style>", 1).replace("</body>", AFTER + "</body>", 1)
    (folder / "page.html").write_text(page)
    assert BROWSER is not None
    done = browser.run(BROWSER, folder / "page.html", "--dump-dom", "--enable-logging=stderr", *options)
    assert "CONSOLE" not in done.stderr, done.stderr
    (result,) = re.findall(r'<pre id="result">(.*?)</pre>', done.stdout, re.DOTALL)
    return json.loads(html.unescape(result))


def test_the_page_has_no_error_makes_no_request_and_sorts_and_folds(tmp_path: Path) -> None:
    found = opened(tmp_path, ["bob", "ana", "role-10", "role-9", "bob"])
    assert found["faults"] == []
    assert found["requests"] == []
    assert found["start"] == ["bob", "ana", "role-10", "role-9"]
    assert found["up"] == ["ana", "bob", "role-9", "role-10"]
    assert found["down"] == found["up"][::-1]
    assert found["counts"][-1] == "bob"
    assert (found["folded"], found["unfolded"], found["printed"], found["again"]) == (False, True, True, 1)


def test_hostile_text_in_the_page_runs_nothing_and_loads_nothing(tmp_path: Path) -> None:
    found = opened(tmp_path, HOSTILE)
    assert (found["faults"], found["requests"], found["title"]) == ([], [], "CloudTrail signals")
    assert len(found["start"]) == len(HOSTILE)


def test_the_page_is_no_wider_than_a_phone(tmp_path: Path) -> None:
    found = opened(tmp_path, ["x" * 300, "ana"], "--window-size=390,800")
    assert found["width"] <= 0
