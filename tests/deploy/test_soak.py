"""The soak's account of what must arrive fails for every way in which the function can be wrong."""

from collections.abc import Iterable

import pytest
from soak import Plan, alert_id, compare, plan


def right(made: Plan) -> tuple[set[str], dict[str, str]]:
    """Return what a function that does everything right publishes, and the match that made each user new."""
    first: dict[str, str] = {}
    for parent, user in made.expected.items():
        first.setdefault(user, parent)
    return set(made.expected) | {alert_id(parent, user) for user, parent in first.items()}, first


def wrong(made: Plan, received: Iterable[str]) -> dict[str, tuple[int, int]]:
    """Return what is missing and what is too much, of the rows in which there is something."""
    rows = compare(made, set(received))
    return {row.name: (row.missing, row.unexpected) for row in rows if row.missing or row.unexpected}


@pytest.fixture(scope="module")
def made() -> Plan:
    return plan(2000, 1)


def test_what_a_right_function_publishes_passes(made: Plan) -> None:
    received, first = right(made)
    assert made.poisoned
    assert len(first) > 10
    assert wrong(made, received) == {}
    # Signals from before the cut of a poisoned delivery may arrive.
    assert made.possible
    assert wrong(made, received | set(made.possible)) == {}


def test_a_lost_signal_a_lost_alert_and_a_second_alert_of_a_user_are_found(made: Plan) -> None:
    received, first = right(made)
    known = next(parent for parent, user in made.expected.items() if first[user] != parent)
    user = made.expected[known]
    assert wrong(made, received - {known})["signals"] == (1, 0)
    assert wrong(made, received - {alert_id(first[user], user)})["alerts"] == (1, 0)
    again = wrong(made, received | {alert_id(known, user)})
    assert again == {"alerts": (0, 1), "known": (1, 0)}


def test_a_signal_of_nothing_that_was_uploaded_is_found(made: Plan) -> None:
    received, _ = right(made)
    assert wrong(made, received | {"0" * 64}) == {"signals": (0, 1)}
