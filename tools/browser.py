"""A headless Chromium, if this machine has one."""

import shutil
import subprocess
import tempfile
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome")
SECONDS = 60
# Without a sandbox of its own: as root, in a container, it has none. The page is our own, and any request that it made
# would fail, and show.
ALWAYS = [
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run"),
    "--host-resolver-rules=MAP * ~NOTFOUND",
]


def find() -> str | None:
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def run(browser: str, page: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Open a page with its own profile, and return what the browser wrote."""
    with tempfile.TemporaryDirectory(prefix="browser-") as profile:
        command = [browser, *ALWAYS, f"--user-data-dir={profile}", *options, page.as_uri()]
        return subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=True)
