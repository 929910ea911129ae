"""What ``make demo`` says about its alerts; test_pages.py runs it."""

import tomllib

from demo import LEARNING, notices_of
from emulator import ROOT
from stack import Received

RULE = ROOT / "rules/aws_lambda_function_created_or_updated_by_a_new_principal.toml"


def alert(name: str, rule: str = "new-principal") -> Received:
    return Received({"user": {"name": name}, "kibana": {"alert": {"rule": {"rule_id": rule}}}}, {})


def test_fewer_notices_than_alerts_are_explained_by_a_principal_that_has_several() -> None:
    alerts = [alert("alice"), alert("deploy-pipeline"), alert("deploy-pipeline")]
    assert notices_of(alerts, 2) == (
        "3 alerts gave 2 notices, since a rule and a principal get one in five minutes: deploy-pipeline has 2 alerts"
    )


def test_what_principals_do_not_explain_is_not_explained() -> None:
    assert notices_of([alert("alice"), alert("bob")], 2) == "2 alerts gave 2 notices"
    assert notices_of([alert("alice"), alert("bob")], 1) == "2 alerts gave 1 notices"
    assert notices_of([alert("alice"), alert("alice", "another-rule")], 1) == "2 alerts gave 1 notices"


def test_the_demo_names_the_days_for_which_the_embedded_rule_learns() -> None:
    (window,) = tomllib.loads(RULE.read_text())["rule"]["new_terms"]["history_window_start"]
    days = window["value"].removeprefix("now-").removesuffix("d")
    assert f"learns for {days} days" in LEARNING
