"""Calls that look like a match and are none: what a careless detector would take."""

import json

from _lambda_records import configuration, create, function_arn, update_code
from _shapes import (
    BOTO,
    CLI,
    MAIN_ACCOUNT,
    TERRAFORM,
    Entry,
    Json,
    Recorder,
    role,
    user,
)


def near_misses(at: Recorder) -> list[Entry]:
    """One of each; the rule takes none of them."""
    return [Entry(record) for record in _other_actions(at) + _other_providers(at) + _failures(at) + _mentions(at)]


def _other_actions(at: Recorder) -> list[Json]:
    deployer, name = role("deploy-pipeline", "GitHubActions"), "orders-api"
    arn = function_arn(at, name)

    def call(action: str, params: Json, response: Json | None) -> Json:
        return at.record(
            action, deployer, "lambda", action, params, response, ip="198.51.100.23", apiVersion="2015-03-31"
        )

    layer = f"arn:aws:lambda:{at.region}:{at.account}:layer:shared-deps"
    statement = {
        "Sid": "events",
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "lambda:InvokeFunction",
        "Resource": arn,
    }
    config = f"arn:aws:lambda:{at.region}:{at.account}:code-signing-config:csc-0a1b2c3d4e5f6a7b8"
    return [
        call(
            "UpdateFunctionConfiguration20150331v2",
            {"functionName": name, "memorySize": 512, "environment": {}},
            configuration(at, name, memorySize=512, lastUpdateStatus="InProgress"),
        ),
        call(
            "UpdateFunctionUrlConfig",
            {"functionName": name, "authType": "AWS_IAM"},
            {"functionArn": arn, "authType": "AWS_IAM", "invokeMode": "BUFFERED"},
        ),
        call(
            "UpdateFunctionEventInvokeConfig",
            {"functionName": name, "maximumRetryAttempts": 1},
            {"functionArn": f"{arn}:$LATEST", "maximumRetryAttempts": 1},
        ),
        call(
            "PutFunctionCodeSigningConfig",
            {"functionName": name, "codeSigningConfigArn": config},
            {"functionName": name, "codeSigningConfigArn": config},
        ),
        call(
            "PublishLayerVersion20181031",
            {"layerName": "shared-deps", "compatibleRuntimes": ["python3.13"], "content": {}},
            {
                "layerArn": layer,
                "layerVersionArn": f"{layer}:7",
                "version": 7,
                "createdDate": "2026-11-23T09:59:02.117+0000",
            },
        ),
        call(
            "AddPermission20150331v2",
            {
                "functionName": name,
                "statementId": "events",
                "action": "lambda:InvokeFunction",
                "principal": "events.amazonaws.com",
            },
            {"statement": json.dumps(statement, separators=(",", ":"))},
        ),
        call(
            "CreateAlias20150331",
            {"functionName": name, "name": "live", "functionVersion": "41"},
            {"aliasArn": f"{arn}:live", "name": "live", "functionVersion": "41", "description": ""},
        ),
        # Values are compared with their case.
        call("createfunction20150331", *create(at, "lower-case")),
    ]


def _other_providers(at: Recorder) -> list[Json]:
    admin = role("edge-admin", "erin")
    edge = f"arn:aws:cloudfront::{at.account}:function/rewrite-path"
    summary = {
        "name": "rewrite-path",
        "status": "UNPUBLISHED",
        "functionConfig": {"comment": "adds index.html", "runtime": "cloudfront-js-2.0"},
        "functionMetadata": {"functionARN": edge, "stage": "DEVELOPMENT", "createdTime": "Nov 23, 2026, 10:00:09 AM"},
    }
    code = 'export function request(ctx) {\n  return { operation: "GetItem" };\n}\n'
    return [
        at.record(
            "edge",
            admin,
            "cloudfront",
            "CreateFunction2020_05_31",
            {
                "name": "rewrite-path",
                "functionConfig": summary["functionConfig"],
                "functionCode": "HIDDEN_DUE_TO_SECURITY_REASONS",
            },
            {
                "location": f"https://cloudfront.amazonaws.com/2020-05-31/function/{edge}",
                "eTag": "ETVPDKIKX0DER",
                "functionSummary": summary,
            },
            ip="203.0.113.140",
            agent=TERRAFORM,
            apiVersion="2020_05_31",
        ),
        at.record(
            "graph",
            admin,
            "appsync",
            "CreateFunction",
            {
                "apiId": "ex4mpl3apiid",
                "name": "loadOrder",
                "dataSourceName": "orders",
                "code": code,
                "runtime": {"name": "APPSYNC_JS", "runtimeVersion": "1.0.0"},
            },
            {
                "functionConfiguration": {
                    "functionId": "ex4mpl3functionid",
                    "name": "loadOrder",
                    "dataSourceName": "orders",
                }
            },
            ip="203.0.113.140",
            agent=TERRAFORM,
        ),
    ]


def _failures(at: Recorder) -> list[Json]:
    request, _ = create(at, "invoice-renderer")
    code, _ = update_code(at, "payment-gateway")
    arn = function_arn(at, "payment-gateway")
    denied = (
        f"User: arn:aws:iam::{MAIN_ACCOUNT}:user/mallory is not authorized to perform: lambda:UpdateFunctionCode on "
        f"resource: {arn} because no identity-based policy allows the lambda:UpdateFunctionCode action"
    )
    return [
        at.record(
            "exists",
            user("alice"),
            "lambda",
            "CreateFunction20150331",
            request,
            None,
            ip="203.0.113.17",
            agent=CLI,
            errorCode="ResourceConflictException",
            errorMessage="Function already exist: invoice-renderer",
            apiVersion="2015-03-31",
        ),
        # No errorCode: the message alone makes it a failure.
        at.record(
            "message-only",
            user("alice"),
            "lambda",
            "CreateFunction20150331",
            request,
            None,
            ip="203.0.113.17",
            agent=CLI,
            errorMessage="The role defined for the function cannot be assumed by Lambda.",
            apiVersion="2015-03-31",
        ),
        at.record(
            "denied",
            user("mallory", key="AKIAI44QH8DHBEXAMPLE"),
            "lambda",
            "UpdateFunctionCode20150331v2",
            code,
            None,
            ip="192.0.2.199",
            agent=BOTO,
            errorCode="AccessDenied",
            errorMessage=denied,
            apiVersion="2015-03-31",
        ),
    ]


def _mentions(at: Recorder) -> list[Json]:
    """The words of a match in places where they mean nothing."""
    analyst = role("SecurityAudit", "frank@example.com")
    pattern = '{"source":["aws.lambda"],"detail":{"eventSource":["lambda.amazonaws.com"],"eventName":["CreateFunction20150331"]}}'
    return [
        at.record(
            "lookup",
            analyst,
            "cloudtrail",
            "LookupEvents",
            {
                "lookupAttributes": [{"attributeKey": "EventName", "attributeValue": "CreateFunction20150331"}],
                "maxResults": 50,
            },
            read_only=True,
            ip="203.0.113.61",
            agent=CLI + "cloudtrail.lookup-events",
        ),
        at.record(
            "put-rule",
            analyst,
            "events",
            "PutRule",
            {"name": "watch-functions", "eventPattern": pattern, "state": "ENABLED"},
            {"ruleArn": f"arn:aws:events:{at.region}:{at.account}:rule/watch-functions"},
            ip="203.0.113.61",
            agent=TERRAFORM,
        ),
        # The same field names, one level further in.
        at.record(
            "seen",
            role("signal-ledger", "signal-ledger"),
            "dynamodb",
            "UpdateItem",
            {
                "tableName": "seen-events",
                "key": {"eventSource": "lambda.amazonaws.com", "eventName": "CreateFunction20150331"},
            },
            None,
            category="Data",
            apiVersion="2012-08-10",
            resources=[
                {
                    "accountId": at.account,
                    "type": "AWS::DynamoDB::Table",
                    "ARN": f"arn:aws:dynamodb:{at.region}:{at.account}:table/seen-events",
                }
            ],
        ),
    ]
