"""Building blocks of a CloudTrail record: identities, and the fields around them.

Everything is derived from labels by hashing, never from a clock or a random number, so that the same
source always gives the same bytes. Accounts, addresses and key ids are the ones AWS and the RFCs
reserve for documentation; nothing here belongs to anybody.
"""

import base64
import hashlib
import json
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

Json = dict[str, Any]

MAIN_ACCOUNT = "111122223333"
OTHER_ACCOUNT = "444455556666"
ORGANIZATION = "o-a1b2c3d4e5"

CLI = "aws-cli/2.31.4 md/awscrt#0.27.6 ua/2.1 os/linux#6.8.0 md/arch#x86_64 lang/python#3.13.7 md/command#"
BOTO = "Boto3/1.40.61 md/Botocore#1.40.61 ua/2.1 os/linux#6.8.0-1031-aws md/arch#x86_64 lang/python#3.12.11"
TERRAFORM = "APN/1.0 HashiCorp/1.0 Terraform/1.13.4 (+https://www.terraform.io) terraform-provider-aws/6.17.0"
BROWSER = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"


def digest(*parts: str) -> bytes:
    """SHA-256 of the parts, unambiguously joined."""
    return hashlib.sha256("\x1f".join(parts).encode()).digest()


def number(below: int, *parts: str) -> int:
    """A number from 0 up to, not including, `below`."""
    return int.from_bytes(digest("number", *parts)[:8], "big") % below


def uid(*parts: str) -> str:
    """A well-formed version 4 UUID."""
    return str(uuid.UUID(bytes=digest("uuid", *parts)[:16], version=4))


def sha256_base64(*parts: str) -> str:
    """What Lambda prints as codeSha256."""
    return base64.b64encode(digest("code", *parts)).decode()


def iso(when: datetime) -> str:
    """CloudTrail's time format: UTC, whole seconds, Z."""
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


def user(name: str, *, account: str = MAIN_ACCOUNT, key: str = "AKIAIOSFODNN7EXAMPLE") -> Json:
    """An IAM user calling with a long-lived key."""
    return {
        "type": "IAMUser",
        "principalId": "AIDACKCEVSQ6C2EXAMPLE",
        "arn": f"arn:aws:iam::{account}:user/{name}",
        "accountId": account,
        "accessKeyId": key,
        "userName": name,
    }


def role(
    name: str,
    session: str,
    *,
    account: str = MAIN_ACCOUNT,
    path: str = "/",
    mfa: bool = False,
    invoked_by: str | None = None,
) -> Json:
    """A session of an IAM role; `path` distinguishes service-linked and Identity Center roles."""
    identity: Json = {
        "type": "AssumedRole",
        "principalId": f"AROADBQP57FF2AEXAMPLE:{session}",
        "arn": f"arn:aws:sts::{account}:assumed-role/{name}/{session}",
        "accountId": account,
        "accessKeyId": "ASIAIOSFODNN7EXAMPLE",
        "sessionContext": {
            "sessionIssuer": {
                "type": "Role",
                "principalId": "AROADBQP57FF2AEXAMPLE",
                "arn": f"arn:aws:iam::{account}:role{path}{name}",
                "accountId": account,
                "userName": name,
            },
            "attributes": {"creationDate": "2026-11-23T09:41:07Z", "mfaAuthenticated": str(mfa).lower()},
        },
    }
    if invoked_by:
        identity["invokedBy"] = invoked_by
    return identity


def root(account: str = MAIN_ACCOUNT) -> Json:
    """The account's root user in a console session."""
    return {
        "type": "Root",
        "principalId": account,
        "arn": f"arn:aws:iam::{account}:root",
        "accountId": account,
        "accessKeyId": "ASIAI44QH8DHBEXAMPLE",
        "sessionContext": {"attributes": {"creationDate": "2026-11-23T09:12:44Z", "mfaAuthenticated": "true"}},
    }


def service(name: str) -> Json:
    """An AWS service acting by itself."""
    return {"type": "AWSService", "invokedBy": f"{name}.amazonaws.com"}


def other_account(session: str, account: str = OTHER_ACCOUNT) -> Json:
    """A caller from a foreign account, as the owner of the resource gets to see it."""
    return {"type": "AWSAccount", "principalId": f"AROAJQABLZS4A3EXAMPLE:{session}", "accountId": account}


def federated(name: str) -> Json:
    """A federation token issued by an IAM user."""
    return {
        "type": "FederatedUser",
        "principalId": f"{MAIN_ACCOUNT}:{name}",
        "arn": f"arn:aws:sts::{MAIN_ACCOUNT}:federated-user/{name}",
        "accountId": MAIN_ACCOUNT,
        "accessKeyId": "ASIAI44QH8DHBEXAMPLE",
        "sessionContext": {
            "sessionIssuer": {
                "type": "IAMUser",
                "principalId": "AIDACKCEVSQ6C2EXAMPLE",
                "arn": f"arn:aws:iam::{MAIN_ACCOUNT}:user/token-vendor",
                "accountId": MAIN_ACCOUNT,
                "userName": "token-vendor",
            },
            "attributes": {"creationDate": "2026-11-23T09:50:30Z", "mfaAuthenticated": "false"},
        },
    }


def identity_center_user(label: str) -> Json:
    """A person signed in through IAM Identity Center, before any role is assumed."""
    return {
        "type": "IdentityCenterUser",
        "accountId": MAIN_ACCOUNT,
        "onBehalfOf": {
            "userId": uid("identity-store-user", label),
            "identityStoreArn": f"arn:aws:identitystore::{MAIN_ACCOUNT}:identitystore/d-9067642ac7",
        },
        "credentialId": uid("credential", label),
    }


def saml_user(email: str) -> Json:
    """A person vouched for by a SAML identity provider."""
    return {
        "type": "SAMLUser",
        "principalId": f"b3xAmPl3SamlNameQualifier=:{email}",
        "userName": email,
        "identityProvider": "b3xAmPl3SamlNameQualifier=",
    }


def web_identity(repository: str) -> Json:
    """A workload that presents an OpenID Connect token."""
    provider = f"arn:aws:iam::{MAIN_ACCOUNT}:oidc-provider/token.actions.githubusercontent.com"
    subject = f"repo:{repository}:ref:refs/heads/main"
    return {
        "type": "WebIdentityUser",
        "principalId": f"{provider}:sts.amazonaws.com:{subject}",
        "userName": subject,
        "identityProvider": provider,
    }


ORDER = (
    "eventVersion",
    "userIdentity",
    "eventTime",
    "eventSource",
    "eventName",
    "awsRegion",
    "sourceIPAddress",
    "userAgent",
    "errorCode",
    "errorMessage",
    "requestParameters",
    "responseElements",
    "additionalEventData",
    "requestID",
    "eventID",
    "readOnly",
    "resources",
    "eventType",
    "apiVersion",
    "managementEvent",
    "recipientAccountId",
    "serviceEventDetails",
    "sharedEventID",
    "vpcEndpointId",
    "addendum",
    "eventCategory",
    "sessionCredentialFromConsole",
    "tlsDetails",
)


def in_order(record: Json) -> Json:
    """The record with its fields as CloudTrail orders them; fields it does not have yet come last."""
    known = {field: record[field] for field in ORDER if field in record}
    return known | record


@dataclass(frozen=True)
class Entry:
    """One record of a delivery, and whether the rule is meant to match it.

    `matches` is what the author of the record decided; no detector was asked. `ascii_only` writes every
    other character as a \\u escape, as some JSON writers do.
    """

    record: Json
    matches: bool = False
    ascii_only: bool = False

    def text(self) -> str:
        """The record as CloudTrail would write it: no space between tokens."""
        return json.dumps(self.record, ensure_ascii=self.ascii_only, separators=(",", ":"))


@dataclass(frozen=True)
class Recorder:
    """Fills in what all records of one delivery have in common."""

    name: str
    account: str
    region: str
    start: datetime
    seconds: int

    def record(
        self,
        label: str,
        who: Json,
        source: str,
        action: str,
        params: Json | None = None,
        response: Json | None = None,
        *,
        ip: str = "192.0.2.44",
        agent: str = BOTO,
        read_only: bool = False,
        category: str = "Management",
        kind: str = "AwsApiCall",
        **extra: Any,
    ) -> Json:
        """One CloudTrail record in CloudTrail's own order of fields.

        `source` is the service without `.amazonaws.com`; `extra` are further top-level fields.
        """
        when = self.start + timedelta(seconds=number(self.seconds, self.name, label))
        if response and "lastModified" in response:
            response = response | {"lastModified": when.strftime("%Y-%m-%dT%H:%M:%S.000+0000")}
        record: Json = {
            "eventVersion": "1.11",
            "userIdentity": who,
            "eventTime": iso(when),
            "eventSource": f"{source}.amazonaws.com",
            "eventName": action,
            "awsRegion": self.region,
            "sourceIPAddress": ip,
            "userAgent": agent,
            "requestParameters": params,
            "responseElements": response,
            "requestID": uid("request", self.name, label),
            "eventID": uid("event", self.name, label),
            "readOnly": read_only,
            "eventType": kind,
            "managementEvent": category == "Management",
            "recipientAccountId": self.account,
            "eventCategory": category,
        }
        if not ip.endswith(".amazonaws.com"):
            record["tlsDetails"] = {
                "tlsVersion": "TLSv1.3",
                "cipherSuite": "TLS_AES_128_GCM_SHA256",
                "clientProvidedHostHeader": f"{source}.{self.region}.amazonaws.com",
            }
        return in_order(record | extra)
