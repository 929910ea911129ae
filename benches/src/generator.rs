//! Generates deliveries with the shapes, sizes and rates of real ones. The same seed gives the same delivery.
//!
//! A record is about 1.3 kB and compresses about tenfold. Services, callers and addresses repeat as they do in a real
//! account: four services account for three quarters of the records and a few roles for most of the calls, with new
//! identifiers each time. One record in seven is a candidate for some rule of `rule_shapes.py`, by provider and action.

use std::fmt::Write as _;
use std::io::{self, Write};

/// What to generate.
pub struct Plan {
    /// The number of records.
    pub records: u64,
    /// One record in this many matches the embedded rule; 0 for none.
    pub match_every: u64,
    /// The same seed gives the same records.
    pub seed: u64,
}

/// A service and the calls to it.
struct Service {
    /// How many of a hundred records are for this service.
    share: usize,
    source: &'static str,
    /// Equally often.
    actions: &'static [&'static str],
    /// A template, in which `%` becomes an identifier.
    request: &'static str,
}

/// Four services account for three quarters of the records, and most calls only read.
const SERVICES: &[Service] = &[
    Service {
        share: 22,
        source: "ec2.amazonaws.com",
        actions: &[
            "DescribeInstances",
            "DescribeVolumes",
            "DescribeSecurityGroups",
            "DescribeNetworkInterfaces",
        ],
        request: r#"{"maxResults":1000,"filterSet":{"items":[{"name":"instance-state-name","valueSet":{"items":[{"value":"running"}]}},{"name":"tag:aws:autoscaling:groupName","valueSet":{"items":[{"value":"workers-%"}]}}]}}"#,
    },
    Service {
        share: 20,
        source: "sts.amazonaws.com",
        actions: &["AssumeRole"],
        request: r#"{"roleArn":"arn:aws:iam::111122223333:role/service/batch-worker","roleSessionName":"batch-%","durationSeconds":3600,"externalId":"%"}"#,
    },
    Service {
        share: 18,
        source: "s3.amazonaws.com",
        actions: &["GetBucketAcl", "ListObjects", "GetBucketLocation", "PutObject"],
        request: r#"{"bucketName":"example-data-lake","Host":"example-data-lake.s3.us-east-1.amazonaws.com","prefix":"raw/2026/11/%/","key":"raw/2026/11/%/part-00000.snappy.parquet"}"#,
    },
    Service {
        share: 14,
        source: "kms.amazonaws.com",
        actions: &["Decrypt", "GenerateDataKey"],
        request: r#"{"encryptionContext":{"aws:s3:arn":"arn:aws:s3:::example-data-lake","service":"ingest"},"keyId":"arn:aws:kms:us-east-1:111122223333:key/%","encryptionAlgorithm":"SYMMETRIC_DEFAULT"}"#,
    },
    Service {
        share: 6,
        source: "lambda.amazonaws.com",
        actions: &["ListFunctions20150331", "GetFunction20150331v2", "UpdateFunctionConfiguration20150331v2"],
        request: r#"{"functionName":"arn:aws:lambda:us-east-1:111122223333:function:ingest-%","qualifier":"live"}"#,
    },
    Service {
        share: 5,
        source: "iam.amazonaws.com",
        actions: &["GetRole", "ListAttachedRolePolicies", "GetPolicyVersion", "PutRolePolicy"],
        request: r#"{"roleName":"batch-worker","policyDocument":"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":[\"s3:GetObject\"],\"Resource\":\"arn:aws:s3:::example-data-lake/%\"}]}"}"#,
    },
    Service {
        share: 5,
        source: "logs.amazonaws.com",
        actions: &["DescribeLogGroups", "CreateLogStream"],
        request: r#"{"logGroupName":"/aws/lambda/ingest-%","logStreamName":"2026/11/23/[$LATEST]%"}"#,
    },
    Service {
        share: 4,
        source: "dynamodb.amazonaws.com",
        actions: &["DescribeTable", "UpdateTable", "ListTables"],
        request: r#"{"tableName":"sessions-%","tableArn":"arn:aws:dynamodb:us-east-1:111122223333:table/sessions-%"}"#,
    },
    Service {
        share: 3,
        source: "monitoring.amazonaws.com",
        actions: &["DescribeAlarms", "GetMetricData"],
        request: r#"{"alarmNamePrefix":"ingest-","maxRecords":100}"#,
    },
    Service {
        share: 3,
        source: "ssm.amazonaws.com",
        actions: &["GetParametersByPath", "DescribeInstanceInformation", "UpdateInstanceInformation"],
        request: r#"{"path":"/ingest/%","recursive":true,"withDecryption":true}"#,
    },
];

/// Actions that change something begin with one of these.
const WRITES: [&str; 3] = ["Create", "Put", "Update"];

const MATCHES: &[&str] = &["CreateFunction20150331", "UpdateFunctionCode20150331v2"];
const FUNCTION: &str = r#"{"functionName":"ingest-%","runtime":"python3.13","role":"arn:aws:iam::111122223333:role/ingest","handler":"app.handler","code":{},"timeout":30,"memorySize":512,"publish":true,"dryRun":false}"#;
const RESPONSE: &str = r#"{"functionName":"ingest-%","functionArn":"arn:aws:lambda:us-east-1:111122223333:function:ingest-%","codeSize":184213,"version":"7","lastUpdateStatus":"InProgress"}"#;

const ROLES: &[&str] = &["batch-worker", "deploy-pipeline", "inventory-scanner", "platform-admin"];
const CALLING_SERVICES: &[&str] =
    &["ec2.amazonaws.com", "autoscaling.amazonaws.com", "lambda.amazonaws.com", "eks.amazonaws.com"];
const AGENTS: &[&str] = &[
    "aws-sdk-java/2.29.6 md/io#async md/http#NettyNio ua/2.1 os/Linux#5.10.226 lang/java#21.0.5 md/OpenJDK_64-Bit_Server_VM md/vendor#Amazon.com_Inc. exec-env/AWS_ECS_FARGATE m/C,E",
    "Boto3/1.35.63 md/Botocore#1.35.63 ua/2.0 os/linux#6.1.112 md/arch#x86_64 lang/python#3.12.7 md/pyimpl#CPython cfg/retry-mode#standard Botocore/1.35.63",
    "aws-cli/2.22.0 md/awscrt#0.22.0 ua/2.0 os/linux#6.8.0 md/arch#x86_64 lang/python#3.12.6 md/pyimpl#CPython md/command#s3.ls",
    "APN/1.0 HashiCorp/1.0 Terraform/1.9.8 (+https://www.terraform.io) terraform-provider-aws/5.76.0 (+https://registry.terraform.io/providers/hashicorp/aws) aws-sdk-go-v2/1.32.5",
];

/// Writes a delivery as JSON.
pub fn write(plan: &Plan, output: &mut impl Write) -> io::Result<()> {
    let mut random = fastrand::Rng::with_seed(plan.seed);
    let mut record = String::new();
    output.write_all(br#"{"Records":["#)?;
    for index in 0..plan.records {
        record.clear();
        if index > 0 {
            record.push(',');
        }
        let matches = plan.match_every > 0 && index % plan.match_every == plan.match_every / 2;
        push_record(&mut record, index * 3600 / plan.records, matches, &mut random);
        output.write_all(record.as_bytes())?;
    }
    output.write_all(b"]}")
}

/// Writes a record at this second of the hour.
fn push_record(record: &mut String, second: u64, matches: bool, random: &mut fastrand::Rng) {
    let (source, action, request) = if matches {
        ("lambda.amazonaws.com", MATCHES[random.usize(..MATCHES.len())], FUNCTION)
    } else {
        let service = service(random.usize(..100));
        (service.source, service.actions[random.usize(..service.actions.len())], service.request)
    };
    let read_only = !WRITES.iter().any(|start| action.starts_with(start));
    let (minute, second) = (second / 60, second % 60);
    let service = source.trim_end_matches(".amazonaws.com");
    record.push_str(r#"{"eventVersion":"1.11","userIdentity":"#);
    let (address, agent) = push_caller(record, random);
    // Writing to a String cannot fail.
    let _ = write!(
        record,
        r#","eventTime":"2026-11-23T10:{minute:02}:{second:02}Z","eventSource":"{source}","eventName":"{action}","awsRegion":"us-east-1","sourceIPAddress":"{address}","userAgent":"{agent}","#,
    );
    if !matches && random.u8(..) < 8 {
        record.push_str(r#""errorCode":"AccessDenied","errorMessage":"User is not authorized to perform this action because no identity-based policy allows it","#);
    }
    record.push_str(r#""requestParameters":"#);
    push_filled(record, request, random);
    record.push_str(r#","responseElements":"#);
    push_filled(record, if matches { RESPONSE } else { "null" }, random);
    if source == "s3.amazonaws.com" {
        let id: String = (0..88).map(|_| random.alphanumeric()).collect();
        let _ = write!(
            record,
            r#","additionalEventData":{{"SignatureVersion":"SigV4","CipherSuite":"TLS_AES_128_GCM_SHA256","bytesTransferredIn":0,"AuthenticationMethod":"AuthHeader","x-amz-id-2":"{id}","bytesTransferredOut":{}}}"#,
            random.u16(..)
        );
    }
    let _ = write!(
        record,
        r#","requestID":"{}","eventID":"{}","readOnly":{read_only},"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"111122223333","eventCategory":"Management","tlsDetails":{{"tlsVersion":"TLSv1.3","cipherSuite":"TLS_AES_128_GCM_SHA256","clientProvidedHostHeader":"{service}.us-east-1.amazonaws.com"}}}}"#,
        uuid(random),
        uuid(random),
    );
}

/// The service for `position`, from 0 to 99.
fn service(mut position: usize) -> &'static Service {
    SERVICES
        .iter()
        .find(|service| {
            let falls = position < service.share;
            position = position.saturating_sub(service.share);
            falls
        })
        .unwrap_or(&SERVICES[0])
}

/// Writes the caller, and returns its address and user agent: of ten calls, seven come from a role, two from an AWS
/// service and one from a user.
fn push_caller(record: &mut String, random: &mut fastrand::Rng) -> (String, &'static str) {
    let address = format!("198.51.100.{}", random.u8(1..40));
    let agent = AGENTS[random.usize(..AGENTS.len())];
    let key = random.u32(..);
    let _ = match random.u8(..10) {
        0..7 => {
            let role = ROLES[random.usize(..ROLES.len())];
            let session = format!("{role}-{:08x}", random.u32(..));
            write!(
                record,
                r#"{{"type":"AssumedRole","principalId":"AROAEXAMPLE{role}:{session}","arn":"arn:aws:sts::111122223333:assumed-role/{role}/{session}","accountId":"111122223333","accessKeyId":"ASIA{key:08X}EXAMPLE","sessionContext":{{"sessionIssuer":{{"type":"Role","principalId":"AROAEXAMPLE{role}","arn":"arn:aws:iam::111122223333:role/{role}","accountId":"111122223333","userName":"{role}"}},"attributes":{{"creationDate":"2026-11-23T09:{:02}:00Z","mfaAuthenticated":"false"}}}}}}"#,
                random.u8(..60)
            )
        }
        7..9 => {
            let caller = CALLING_SERVICES[random.usize(..CALLING_SERVICES.len())];
            let _ = write!(record, r#"{{"type":"AWSService","invokedBy":"{caller}"}}"#);
            return (caller.to_owned(), caller);
        }
        _ => write!(
            record,
            r#"{{"type":"IAMUser","principalId":"AIDA{key:08X}EXAMPLE","arn":"arn:aws:iam::111122223333:user/backup","accountId":"111122223333","accessKeyId":"AKIA{key:08X}BACKUP","userName":"backup"}}"#
        ),
    };
    (address, agent)
}

fn push_filled(record: &mut String, template: &str, random: &mut fastrand::Rng) {
    for (index, part) in template.split('%').enumerate() {
        if index > 0 {
            let _ = write!(record, "{:016x}", random.u64(..));
        }
        record.push_str(part);
    }
}

fn uuid(random: &mut fastrand::Rng) -> String {
    let hex = format!("{:032x}", random.u128(..));
    format!("{}-{}-4{}-a{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..])
}
