"""What is rarer in a trail than the everyday calls: people signing in, and records that are hard to read."""

import json

from _noise import instance
from _shapes import (
    BROWSER,
    CLI,
    TERRAFORM,
    Entry,
    Json,
    Recorder,
    federated,
    identity_center_user,
    role,
    root,
    saml_user,
    service,
    uid,
    user,
    web_identity,
)


def sign_ins(at: Recorder) -> list[Entry]:
    """People arriving: console, SAML, OpenID Connect, Identity Center."""
    login = {
        "LoginTo": "https://console.aws.amazon.com/console/home?state=hashArgs%23&isauthcode=true",
        "MobileVersion": "No",
    }
    wrong = {key: value for key, value in user("mallory").items() if key != "arn"}
    saml, web = saml_user("grace@example.com"), web_identity("example-org/orders")
    role_arn = f"arn:aws:iam::{at.account}:role/"
    return [
        Entry(record)
        for record in (
            at.record(
                "login",
                user("alice") | {"accessKeyId": ""},
                "signin",
                "ConsoleLogin",
                None,
                {"ConsoleLogin": "Success"},
                ip="203.0.113.17",
                agent=BROWSER,
                kind="AwsConsoleSignIn",
                additionalEventData=login | {"MFAUsed": "Yes"},
            ),
            at.record(
                "login-failed",
                wrong,
                "signin",
                "ConsoleLogin",
                None,
                {"ConsoleLogin": "Failure"},
                ip="192.0.2.199",
                agent=BROWSER,
                kind="AwsConsoleSignIn",
                errorMessage="Failed authentication",
                additionalEventData=login | {"MFAUsed": "No"},
            ),
            at.record(
                "root-login",
                root(),
                "signin",
                "ConsoleLogin",
                None,
                {"ConsoleLogin": "Success"},
                ip="192.0.2.10",
                agent=BROWSER,
                kind="AwsConsoleSignIn",
                additionalEventData=login | {"MFAUsed": "Yes"},
            ),
            at.record(
                "saml",
                saml,
                "sts",
                "AssumeRoleWithSAML",
                {
                    "roleArn": role_arn + "developer",
                    "principalArn": f"arn:aws:iam::{at.account}:saml-provider/example-idp",
                    "roleSessionName": "grace@example.com",
                    "durationSeconds": 3600,
                },
                {"subject": "grace@example.com", "subjectType": "persistent", "issuer": "https://idp.example.com/saml"},
                ip="203.0.113.52",
                agent=BROWSER,
                read_only=True,
            ),
            at.record(
                "oidc",
                web,
                "sts",
                "AssumeRoleWithWebIdentity",
                {"roleArn": role_arn + "deploy-pipeline", "roleSessionName": "GitHubActions"},
                {
                    "subjectFromWebIdentityToken": web["userName"],
                    "audience": "sts.amazonaws.com",
                    "provider": web["identityProvider"],
                },
                ip="198.51.100.23",
                read_only=True,
            ),
            at.record(
                "identity-center",
                identity_center_user("carol"),
                "sso",
                "ListAccountRoles",
                {"accountId": at.account},
                None,
                ip="203.0.113.201",
                agent=BROWSER,
                read_only=True,
                kind="AwsServiceEvent",
                serviceEventDetails={"relayId": uid("relay", "carol")},
            ),
            at.record(
                "federation",
                federated("reporting"),
                "athena",
                "StartQueryExecution",
                {
                    "queryString": 'SELECT "day", count(*)\nFROM "sales"\nWHERE note LIKE \'%\\\\_%\'\nGROUP BY 1',
                    "workGroup": "primary",
                },
                {"queryExecutionId": uid("athena", at.name)},
                ip="203.0.113.73",
            ),
        )
    ]


def oddities(at: Recorder) -> list[Entry]:
    """Records that are hard to read: quotes, escapes, other scripts, depth, missing and unknown fields."""
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "Deploy",
                "Effect": "Allow",
                "Action": ["lambda:CreateFunction*", "lambda:UpdateFunctionCode"],
                "Resource": "*",
                "Condition": {"StringLike": {"aws:PrincipalArn": f"arn:aws:iam::{at.account}:role/deploy-*"}},
            }
        ],
    }
    depth: Json = {"leaf": ["}", "{", "]", "[", "\\", '"}]}']}
    for level in range(12, 0, -1):
        depth = {f"level{level}": depth, "siblings": [{"n": level}, [level, [level]]]}
    script = (
        '#!/bin/bash\nset -eu\necho "{\\"eventName\\": \\"CreateFunction20150331\\"}" | tee C:\\temp\\x\n\t# end\r\n'
    )
    backup = f"arn:aws:iam::{at.account}:role/backup"
    return [
        Entry(
            at.record(
                "policy",
                user("alice"),
                "iam",
                "PutRolePolicy",
                {"roleName": "deploy-pipeline", "policyName": "deploy", "policyDocument": json.dumps(policy, indent=4)},
                None,
                ip="203.0.113.17",
                agent=CLI + "iam.put-role-policy",
            )
        ),
        Entry(
            at.record(
                "bucket-policy",
                role("platform-admin", "erin"),
                "s3",
                "PutBucketPolicy",
                {"bucketName": "example-build-artifacts", "bucketPolicy": policy, "policy": ""},
                None,
                ip="203.0.113.140",
                agent=TERRAFORM,
                additionalEventData={"SignatureVersion": "SigV4", "bytesTransferredIn": 512, "bytesTransferredOut": 0},
            )
        ),
        Entry(
            at.record(
                "script",
                role("ops", "heidi"),
                "ssm",
                "SendCommand",
                {
                    "documentName": "AWS-RunShellScript",
                    "instanceIds": [instance("script")],
                    "parameters": {"commands": [script]},
                },
                {"command": {"commandId": uid("command", at.name), "status": "Pending", "targetCount": 1}},
                ip="203.0.113.9",
            )
        ),
        Entry(
            at.record(
                "names",
                user("zoë"),
                "iam",
                "CreateGroup",
                {"groupName": "開発チーム", "path": "/日本/東京/"},
                {"group": {"groupName": "開発チーム", "arn": f"arn:aws:iam::{at.account}:group/日本/東京/開発チーム"}},
                ip="2001:db8::51",
                agent=BROWSER,
            )
        ),
        Entry(
            at.record(
                "escaped",
                user("søren"),
                "ec2",
                "CreateTags",
                {
                    "resourcesSet": {"items": [{"resourceId": instance("tagged")}]},
                    "tagSet": {
                        "items": [{"key": "Überschrift", "value": "grün 🌿 und 𝔐athe"}, {"key": "empty", "value": ""}]
                    },
                },
                {"_return": True},
                ip="2001:db8::52",
            ),
            ascii_only=True,
        ),
        Entry(
            at.record(
                "depth",
                role("platform-admin", "erin"),
                "states",
                "CreateStateMachine",
                {"name": "nested", "definition": depth, "type": "STANDARD"},
                {"stateMachineArn": f"arn:aws:states:{at.region}:{at.account}:stateMachine:nested"},
                ip="203.0.113.140",
                agent=TERRAFORM,
            )
        ),
        # Fields that no documentation names yet have to be passed over.
        Entry(
            at.record(
                "future",
                role("inventory", "inventory"),
                "lambda",
                "GetFunction20150331v2",
                {"functionName": "orders-api"},
                None,
                read_only=True,
                ip="203.0.113.5",
                apiVersion="2015-03-31",
                futureField={"since": 1.12, "values": [None, True, -7e-3]},
            )
        ),
        # CloudTrail restates an older event when it learns more about it.
        Entry(
            at.record(
                "addendum",
                service("backup"),
                "sts",
                "AssumeRole",
                {"roleArn": backup, "roleSessionName": "nightly"},
                None,
                ip="backup.amazonaws.com",
                agent="backup.amazonaws.com",
                read_only=True,
                addendum={
                    "reason": "UPDATED_DATA",
                    "updatedFields": "responseElements",
                    "originalRequestID": uid("request", "older"),
                    "originalEventID": uid("event", "older"),
                },
            )
        ),
        Entry(
            at.record(
                "key-rotation",
                service("kms"),
                "kms",
                "RotateKey",
                None,
                None,
                ip="kms.amazonaws.com",
                agent="kms.amazonaws.com",
                kind="AwsServiceEvent",
                serviceEventDetails={"keyId": uid("key", "rotated"), "rotationType": "AUTOMATIC"},
            )
        ),
    ]
