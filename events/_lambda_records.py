"""Calls to AWS Lambda that the rule is meant to match, and what such calls are made of."""

from _shapes import (
    BROWSER,
    CLI,
    Entry,
    Json,
    Recorder,
    other_account,
    role,
    root,
    sha256_base64,
    uid,
    user,
)

CLOUDFORMATION = "cloudformation.amazonaws.com"


def function_arn(recorder: Recorder, name: str) -> str:
    """The ARN of a function in the account and region of the delivery."""
    return f"arn:aws:lambda:{recorder.region}:{recorder.account}:function:{name}"


def configuration(recorder: Recorder, name: str, *, state: str = "Active", **fields: object) -> Json:
    """The function configuration that Lambda answers with."""
    answer: Json = {
        "functionName": name,
        "functionArn": function_arn(recorder, name),
        "runtime": "python3.13",
        "role": f"arn:aws:iam::{recorder.account}:role/service-role/{name}-role",
        "handler": "app.handler",
        "codeSize": 1000 + len(name) * 977,
        "description": "",
        "timeout": 15,
        "memorySize": 256,
        "lastModified": "",
        "codeSha256": sha256_base64(name),
        "version": "$LATEST",
        "tracingConfig": {"mode": "PassThrough"},
        "revisionId": uid("revision", recorder.name, name),
        "layers": [],
        "state": state,
        "packageType": "Zip",
        "architectures": ["x86_64"],
        "ephemeralStorage": {"size": 512},
        "snapStart": {"applyOn": "None", "optimizationStatus": "Off"},
        "loggingConfig": {"logFormat": "JSON", "applicationLogLevel": "INFO", "logGroup": f"/aws/lambda/{name}"},
    }
    if state == "Pending":
        answer |= {"stateReason": "The function is being created.", "stateReasonCode": "Creating"}
    return answer | fields


def create(recorder: Recorder, name: str, **fields: object) -> tuple[Json, Json]:
    """Request and response of CreateFunction."""
    request: Json = {
        "functionName": name,
        "runtime": "python3.13",
        "role": f"arn:aws:iam::{recorder.account}:role/service-role/{name}-role",
        "handler": "app.handler",
        "code": {},
        "timeout": 15,
        "memorySize": 256,
        "publish": False,
        "packageType": "Zip",
        "architectures": ["x86_64"],
        "environment": {},
    }
    return request | fields, configuration(recorder, name, state="Pending")


def update_code(recorder: Recorder, name: str, *, dry_run: bool = False) -> tuple[Json, Json]:
    """Request and response of UpdateFunctionCode."""
    request = {
        "functionName": name,
        "publish": False,
        "dryRun": dry_run,
        "s3Bucket": "example-build-artifacts",
        "s3Key": f"{name}/{uid('build', recorder.name, name)}.zip",
    }
    return request, configuration(recorder, name, lastUpdateStatus="Successful" if dry_run else "InProgress")


def matches(at: Recorder) -> list[Entry]:
    """The eight records of the main delivery that the rule matches."""
    url = f"https://q3x7example5dk2vexample0urlid.lambda-url.{at.region}.on.aws/"
    records = [
        at.record(
            "create",
            user("alice"),
            "lambda",
            "CreateFunction20150331",
            *create(at, "invoice-renderer"),
            ip="203.0.113.17",
            agent=CLI + "lambda.create-function",
            apiVersion="2015-03-31",
        ),
        at.record(
            "update",
            role("deploy-pipeline", "GitHubActions"),
            "lambda",
            "UpdateFunctionCode20150331v2",
            *update_code(at, "orders-api"),
            ip="198.51.100.23",
            apiVersion="2015-03-31",
        ),
        # A rehearsal: nothing changes, and CloudTrail logs a success all the same.
        at.record(
            "dry-run",
            user("bob"),
            "lambda",
            "UpdateFunctionCode",
            *update_code(at, "orders-api", dry_run=True),
            ip="2001:db8:2f::8a1",
            agent=CLI + "lambda.update-function-code",
        ),
        # The name begins with CreateFunction, so the rule's wildcard takes it.
        at.record(
            "url",
            role("developer", "dave"),
            "lambda",
            "CreateFunctionUrlConfig",
            {
                "functionName": "invoice-renderer",
                "authType": "NONE",
                "cors": {"allowOrigins": ["*"]},
                "invokeMode": "BUFFERED",
            },
            {
                "functionUrl": url,
                "functionArn": function_arn(at, "invoice-renderer"),
                "authType": "NONE",
                "cors": {"allowOrigins": ["*"]},
                "creationTime": "2026-11-23T10:01:12.408Z",
                "invokeMode": "BUFFERED",
            },
            ip="203.0.113.88",
            agent=BROWSER,
            sessionCredentialFromConsole="true",
        ),
        # "-" stands for nothing: not a failure.
        at.record(
            "dash",
            root(),
            "lambda",
            "CreateFunction20150331",
            *create(at, "break-glass"),
            ip="192.0.2.10",
            agent=BROWSER,
            errorCode="-",
            apiVersion="2015-03-31",
            sessionCredentialFromConsole="true",
        ),
        at.record(
            "foreign",
            other_account("release-bot"),
            "lambda",
            "UpdateFunctionCode20150331v2",
            *update_code(at, "shared-audit-forwarder"),
            ip="198.51.100.77",
            apiVersion="2015-03-31",
            sharedEventID=uid("shared", at.name, "foreign"),
        ),
        # Tags are the caller's own words: neither their names nor their values say how the call ended.
        at.record(
            "stack",
            role("platform-admin", "AWSCloudFormation", invoked_by=CLOUDFORMATION),
            "lambda",
            "CreateFunction20150331",
            *create(
                at,
                "nightly-report-Handler886CB40B-x1Yz2Example",
                tags={"aws:cloudformation:stack-name": "nightly-report", "errorCode": "budget-17"},
            ),
            ip=CLOUDFORMATION,
            agent=CLOUDFORMATION,
            apiVersion="2015-03-31",
        ),
        at.record(
            "mail",
            role(
                "AWSReservedSSO_PowerUser_0123456789abcdef",
                "carol@example.com",
                path="/aws-reserved/sso.amazonaws.com/eu-west-1/",
                mfa=True,
            ),
            "lambda",
            "UpdateFunctionCode20150331v2",
            *update_code(at, "größen-rechner"),
            ip="203.0.113.201",
            agent=BROWSER,
            apiVersion="2015-03-31",
            sessionCredentialFromConsole="true",
        ),
    ]
    return [Entry(record, matches=True) for record in records]
