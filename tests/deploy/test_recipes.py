"""The filter policies of the receiver's page, each as a subscription to a topic that the sample deliveries feed."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from conftest import Deployment, Listener, Sample
from emulator import ROOT
from stack import Received

PAGE = (ROOT / "docs/receive.md").read_text()
RECIPES: dict[str, str] = dict(re.findall(r"^### (.+?)\n```json\n(.+?)\n```", PAGE, re.DOTALL | re.MULTILINE))

Signal = dict[str, Any]


def parameters(signal: Signal) -> dict[str, Any]:
    return signal["aws"]["cloudtrail"]["flattened"]["request_parameters"]


# What each recipe promises, restated in Python.
WANTED: dict[str, Callable[[Signal], bool]] = {
    "By account": lambda signal: signal["aws"]["cloudtrail"]["recipient_account_id"] == "111122223333",
    "New functions": lambda signal: signal["event"]["action"] == "CreateFunction20150331",
    "High or critical severity": lambda signal: signal["kibana"]["alert"]["severity"] in ("high", "critical"),
    "Risk from 21 upwards": lambda signal: signal["kibana"]["alert"]["risk_score"] >= 21,
    "Alerts, without building blocks": lambda signal: "building_block_type" not in signal["kibana"]["alert"],
    "By rule": lambda signal: signal["kibana"]["alert"]["rule"]["rule_id"] == "1251b98a-ff45-11ee-89a1-f661ea17fbce",
    "Outside of the regions you use": lambda signal: signal["cloud"]["region"] == "us-west-2",
    "A function got a URL": lambda signal: signal["event"]["action"] == "CreateFunctionUrlConfig",
    "A function got a URL without authentication (MessageBody)": lambda signal: (
        parameters(signal).get("authType") == "NONE"
    ),
    "A deployer outside the list": lambda signal: (
        signal.get("user", {}).get("name") not in ("deploy-pipeline", "release-bot")
    ),
}


@pytest.fixture(scope="module")
def received(own_bucket: Deployment, samples: list[Sample]) -> dict[str, list[Received]]:
    """Return what a subscriber with each recipe, and one with none, receives of the sample deliveries."""
    listeners: dict[str, Listener] = {"": own_bucket.subscribe()}
    for name, policy in RECIPES.items():
        scope = "MessageBody" if "MessageBody" in name else "MessageAttributes"
        listeners[name] = own_bucket.subscribe(FilterPolicy=policy, FilterPolicyScope=scope)
    own_bucket.deliver(*samples)
    publish_alert(own_bucket)
    return {name: listener.collect() for name, listener in listeners.items()}


def publish_alert(deployment: Deployment) -> None:
    """Publish what another rule might: a signal of high severity that is no building block."""
    attributes = {"severity": "high", "rule_id": "8f0d9c1e-5b1a-4c55-9a37-0d6f5f0c2a11", "user_name": "release-bot"}
    signal = {
        "event": {"action": "StopLogging"},
        "cloud": {"region": "us-east-1"},
        "user": {"name": "release-bot"},
        "aws": {"cloudtrail": {"recipient_account_id": "444455556666", "flattened": {"request_parameters": {}}}},
        "kibana": {"alert": {"severity": "high", "risk_score": 20, "rule": {"rule_id": attributes["rule_id"]}}},
    }
    attributes |= {"account_id": "444455556666", "region": "us-east-1", "event_action": "StopLogging"}
    strings = attributes | {"signal_id": "an alert"}
    deployment.client("sns").publish(
        TopicArn=deployment.outputs["TopicArn"],
        Message=json.dumps(signal),
        MessageAttributes={name: {"DataType": "String", "StringValue": value} for name, value in strings.items()}
        | {"risk_score": {"DataType": "Number", "StringValue": "20"}},
    )


def test_every_recipe_of_the_page_has_a_test() -> None:
    assert RECIPES.keys() == WANTED.keys()


@pytest.mark.parametrize("name", WANTED)
def test_each_recipe_lets_through_what_it_says_and_nothing_else(received: dict[str, list[Received]], name: str) -> None:
    def known(messages: list[Received]) -> set[str]:
        return {json.dumps(message.signal | {"@timestamp": ""}, sort_keys=True) for message in messages}

    everything = received[""]
    wanted = [message for message in everything if WANTED[name](message.signal)]
    assert 0 < len(wanted) < len(everything), "the samples would not show a filter that does nothing"
    assert known(received[name]) == known(wanted)
