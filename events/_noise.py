"""What fills a real trail: calls that have nothing to do with the rule, in the mix a busy account writes."""

from _shapes import (
    BOTO,
    Entry,
    Json,
    Recorder,
    digest,
    number,
    role,
    service,
    uid,
)

AUTO_SCALING = "autoscaling.amazonaws.com"
WORKLOADS = (
    "orders-api",
    "invoice-renderer",
    "thumbnailer",
    "nightly-report",
    "ledger",
    "search-indexer",
    "mail-relay",
)


def instance(*parts: str) -> str:
    """An EC2 instance id."""
    return "i-0" + digest("instance", *parts).hex()[:16]


def everyday(at: Recorder, rounds: int, label: str = "everyday") -> list[Entry]:
    """`rounds` times the calls that make up most of any trail, never two with the same content."""
    makers = (
        _assume_role,
        _decrypt,
        _get_object,
        _invoke,
        _describe_instances,
        _list_functions,
        _put_object,
        _create_log_stream,
    )
    return [
        Entry(
            maker(
                at,
                f"{label}-{turn}-{maker.__name__}",
                WORKLOADS[number(len(WORKLOADS), at.name, label, str(turn), maker.__name__)],
            )
        )
        for turn in range(rounds)
        for maker in makers
    ]


def _assume_role(at: Recorder, label: str, workload: str) -> Json:
    arn = f"arn:aws:iam::{at.account}:role/service-role/{workload}-role"
    session = f"{workload}-{number(10**6, label)}"
    return at.record(
        label,
        service("lambda"),
        "sts",
        "AssumeRole",
        {"roleArn": arn, "roleSessionName": session},
        {
            "credentials": {"accessKeyId": "ASIAIOSFODNN7EXAMPLE", "expiration": "Nov 23, 2026, 10:58:21 PM"},
            "assumedRoleUser": {
                "assumedRoleId": f"AROADBQP57FF2AEXAMPLE:{session}",
                "arn": f"arn:aws:sts::{at.account}:assumed-role/{workload}-role/{session}",
            },
        },
        ip="lambda.amazonaws.com",
        agent="lambda.amazonaws.com",
        read_only=True,
        resources=[{"accountId": at.account, "type": "AWS::IAM::Role", "ARN": arn}],
        sharedEventID=uid("shared", at.name, label),
    )


def _decrypt(at: Recorder, label: str, workload: str) -> Json:
    key = f"arn:aws:kms:{at.region}:{at.account}:key/{uid('key', workload)}"
    return at.record(
        label,
        role(f"{workload}-role", workload, invoked_by="secretsmanager.amazonaws.com"),
        "kms",
        "Decrypt",
        {
            "encryptionAlgorithm": "SYMMETRIC_DEFAULT",
            "encryptionContext": {
                "SecretARN": f"arn:aws:secretsmanager:{at.region}:{at.account}:secret:{workload}/db-x1Yz2E",
                "SecretVersionId": uid("secret", at.name, label),
            },
        },
        ip="secretsmanager.amazonaws.com",
        agent="secretsmanager.amazonaws.com",
        read_only=True,
        resources=[{"accountId": at.account, "type": "AWS::KMS::Key", "ARN": key}],
    )


def _get_object(at: Recorder, label: str, workload: str) -> Json:
    bucket, key = f"example-{workload}-data", f"in/2026/11/23/{uid('object', at.name, label)}.parquet"
    return at.record(
        label,
        role(f"{workload}-role", workload),
        "s3",
        "GetObject",
        {"bucketName": bucket, "Host": f"{bucket}.s3.{at.region}.amazonaws.com", "key": key},
        None,
        ip=f"192.0.2.{number(250, label)}",
        agent=f"[{BOTO}]",
        read_only=True,
        category="Data",
        additionalEventData={
            "SignatureVersion": "SigV4",
            "CipherSuite": "TLS_AES_128_GCM_SHA256",
            "bytesTransferredIn": 0,
            "AuthenticationMethod": "AuthHeader",
            "x-amz-id-2": digest("host", at.name, label).hex(),
            "bytesTransferredOut": number(9_000_000, label),
        },
        resources=[
            {"type": "AWS::S3::Object", "ARN": f"arn:aws:s3:::{bucket}/{key}"},
            {"accountId": at.account, "type": "AWS::S3::Bucket", "ARN": f"arn:aws:s3:::{bucket}"},
        ],
        vpcEndpointId="vpce-0a1b2c3d4e5f6a7b8",
    )


def _put_object(at: Recorder, label: str, workload: str) -> Json:
    bucket, key = f"example-{workload}-data", f"out/{uid('out', at.name, label)}/résumé {number(900, label)}.pdf"
    return at.record(
        label,
        role(f"{workload}-role", workload),
        "s3",
        "PutObject",
        {
            "bucketName": bucket,
            "Host": f"{bucket}.s3.amazonaws.com",
            "key": key,
            "x-amz-server-side-encryption": "aws:kms",
        },
        {"x-amz-server-side-encryption": "aws:kms"},
        ip=f"2001:db8:1::{number(65000, label):x}",
        category="Data",
        resources=[{"type": "AWS::S3::Object", "ARN": f"arn:aws:s3:::{bucket}/{key}"}],
    )


def _invoke(at: Recorder, label: str, workload: str) -> Json:
    arn = f"arn:aws:lambda:{at.region}:{at.account}:function:{workload}"
    return at.record(
        label,
        role("step-runner", "step-runner"),
        "lambda",
        "Invoke",
        {"functionName": arn, "invocationType": "RequestResponse", "logType": "None"},
        None,
        category="Data",
        ip=f"198.51.100.{number(250, label)}",
        apiVersion="2015-03-31",
        additionalEventData={"functionVersion": f"{arn}:$LATEST"},
        resources=[{"accountId": at.account, "type": "AWS::Lambda::Function", "ARN": arn}],
    )


def _describe_instances(at: Recorder, label: str, workload: str) -> Json:
    who = role(
        "AWSServiceRoleForAutoScaling",
        "AutoScaling",
        path=f"/aws-service-role/{AUTO_SCALING}/",
        invoked_by=AUTO_SCALING,
    )
    items = [{"instanceId": instance(at.name, label, str(n))} for n in range(1 + number(6, label))]
    return at.record(
        label,
        who,
        "ec2",
        "DescribeInstances",
        {"instancesSet": {"items": items}, "filterSet": {}},
        None,
        ip=AUTO_SCALING,
        agent=AUTO_SCALING,
        read_only=True,
    )


def _list_functions(at: Recorder, label: str, workload: str) -> Json:
    return at.record(
        label,
        role("inventory", workload),
        "lambda",
        "ListFunctions20150331",
        {"maxItems": 50, "functionVersion": "ALL"} if number(2, label) else None,
        None,
        read_only=True,
        ip=f"203.0.113.{number(250, label)}",
        apiVersion="2015-03-31",
    )


def _create_log_stream(at: Recorder, label: str, workload: str) -> Json:
    return at.record(
        label,
        role(f"{workload}-role", workload),
        "logs",
        "CreateLogStream",
        {
            "logGroupName": f"/aws/lambda/{workload}",
            "logStreamName": f"2026/11/23/[$LATEST]{digest('stream', at.name, label).hex()[:32]}",
        },
        None,
        ip=f"198.51.100.{number(250, label)}",
        agent="awslambda-worker/1.0 rusoto/0.48.0 rust/1.90.0 linux",
        apiVersion="20140328",
    )
