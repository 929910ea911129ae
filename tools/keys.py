"""What the key of an S3 object says about it: one of CloudTrail's deliveries, something else, or nothing.

The function judges by the same rules (``detection::key``), and ``events/keys.json`` holds both to them.
"""

import re
from datetime import date

DELIVERY = "delivery"
# Not of the form that AWS services write. The function tries such an object.
UNKNOWN = "unknown: tried"
FOLDER = "a folder"
MARKER = "a marker, not a log"
OTHER = "another service's log"
# A segment that is not here names another service.
SERVICES = {
    "CloudTrail": DELIVERY,
    "CloudTrail-NetworkActivity": DELIVERY,
    "CloudTrail-Digest": "a digest of CloudTrail deliveries",
    "CloudTrail-Insight": "CloudTrail Insights events",
    "CloudTrail-Aggregated": "aggregated CloudTrail events",
}
# Services write these to find out whether they may write at all.
MARKERS = {"aws-logs-write-test", "ELBAccessLogTestFile", "ConfigWritabilityCheckFile"}


def verdict(key: str) -> str:
    """Return ``DELIVERY``, ``UNKNOWN``, or why the object is not one of CloudTrail's deliveries."""
    _, _, name = key.rpartition("/")
    if key.endswith("/"):
        return FOLDER
    if name.endswith("_$folder$") or name in MARKERS:
        return MARKER
    # Anything before the last AWSLogs is a prefix that a user chose, even if it looks like a key.
    _, logs, below = f"/{key}".rpartition("/AWSLogs/")
    if not logs:
        return UNKNOWN
    *folders, _ = below.split("/")
    for place, segment in enumerate(folders):
        # Hive style: AWSLogs/aws-account-id=…/aws-service=…/
        if segment.startswith("aws-account-id="):
            return OTHER
        # The account may follow an organization's id, once or twice, and names that a user chose.
        if re.fullmatch("[0-9]{12}", segment):
            # A file directly below the account names no service.
            return SERVICES.get(folders[place + 1], OTHER) if place + 1 < len(folders) else UNKNOWN
    return UNKNOWN


def day(key: str) -> date | None:
    """Return the day before the last segment of a key, if there is one."""
    found = re.search(r"/([0-9]{4})/([0-9]{2})/([0-9]{2})/[^/]+$", key)
    try:
        return date(*map(int, found.groups())) if found else None
    except ValueError:
        return None
