//! What each rule of the corpus makes of records that fire it, and of records that nearly do.

/// A rule, records that it matches and records that it does not.
pub type Case = (&'static str, &'static [&'static str], &'static [&'static str]);

#[rustfmt::skip]
pub const CASES: &[Case] = &[
    ("trail_stopped", &[
        r#"{"eventSource":"cloudtrail.amazonaws.com","eventName":"StopLogging"}"#,
        r#"{"eventSource":"cloudtrail.amazonaws.com","eventName":"deletetrail"}"#,
        r#"{"eventSource":"CloudTrail.amazonaws.com","eventName":"STOPLOGGING"}"#,
    ], &[
        r#"{"eventSource":"cloudtrail.amazonaws.com","eventName":"StartLogging"}"#,
        r#"{"eventSource":"cloudtrail.amazonaws.com","eventName":"StopLogging2"}"#,
        r#"{"eventSource":"iam.amazonaws.com","eventName":"StopLogging"}"#,
        r#"{"eventName":"StopLogging"}"#,
    ]),
    ("root_signs_in", &[
        r#"{"eventSource":"signin.amazonaws.com","eventName":"ConsoleLogin","userIdentity":{"type":"Root"},"responseElements":{"ConsoleLogin":"Success"}}"#,
        r#"{"eventSource":"signin.amazonaws.com","eventName":"ConsoleLogin","userIdentity":{"type":"Root"},"responseElements":{"ConsoleLogin":"Success"},"additionalEventData":{"MFAUsed":"No"}}"#,
    ], &[
        r#"{"eventSource":"signin.amazonaws.com","eventName":"ConsoleLogin","userIdentity":{"type":"Root"},"responseElements":{"ConsoleLogin":"Success"},"additionalEventData":{"MFAUsed":"yes"}}"#,
        r#"{"eventSource":"signin.amazonaws.com","eventName":"ConsoleLogin","userIdentity":{"type":"IAMUser"},"responseElements":{"ConsoleLogin":"Success"}}"#,
        r#"{"eventSource":"signin.amazonaws.com","eventName":"ConsoleLogin","userIdentity":{"type":"Root"},"responseElements":null}"#,
    ]),
    ("bucket_versioning_suspended", &[
        r#"{"eventSource":"s3.amazonaws.com","eventName":"PutBucketVersioning","requestParameters":{"VersioningConfiguration":{"Status":"Suspended"}}}"#,
        r#"{"eventSource":"s3.amazonaws.com","eventName":"PutBucketVersioning","requestParameters":"status=suspended"}"#,
    ], &[
        r#"{"eventSource":"s3.amazonaws.com","eventName":"PutBucketVersioning","requestParameters":{"VersioningConfiguration":{"Status":"Enabled"}}}"#,
        r#"{"eventSource":"s3.amazonaws.com","eventName":"PutBucketVersioning","requestParameters":null}"#,
    ]),
    ("policy_text_in_object", &[
        r#"{"eventSource":"s3.amazonaws.com","eventName":"PutBucketPolicy","requestParameters":{"bucketPolicy":"{\"Principal\":\"*\",\"Action\":\"s3:GetObject\"}"}}"#,
        r#"{"eventSource":"s3.amazonaws.com","eventName":"PutBucketPolicy","requestParameters":{"bucketPolicy":{"Principal":"*","Action":["s3:GetObject"]}}}"#,
    ], &[
        r#"{"eventSource":"s3.amazonaws.com","eventName":"PutBucketPolicy","requestParameters":{"bucketPolicy":{"Principal":"x*","Action":["s3:GetObject"]}}}"#,
        r#"{"eventSource":"s3.amazonaws.com","eventName":"PutBucketPolicy","requestParameters":{"bucketPolicy":{"Principal":"*","Action":["s3:GetObjectAcl"]}}}"#,
    ]),
    ("user_agent_of_a_tool", &[
        r#"{"userAgent":"Boto3/1.9 Linux/5-KALI4"}"#,
        r#"{"userAgent":"PACU"}"#,
        r#"{"userAgent":"x CloudFox y"}"#,
    ], &[
        r#"{"userAgent":"aws-cli/2"}"#,
        r#"{"userAgent":"cloudox"}"#,
        r#"{"userAgent":null}"#,
        r#"{"requestParameters":{"userAgent":"pacu"}}"#,
    ]),
    ("secrets_in_bulk", &[
        r#"{"eventSource":"ssm.amazonaws.com","eventName":"GetParameters"}"#,
        r#"{"eventSource":"secretsmanager.amazonaws.com","eventName":"BatchGetSecretValue"}"#,
    ], &[
        r#"{"eventSource":"ssm.amazonaws.com","eventName":"PutParameter"}"#,
        r#"{"eventSource":"secretsmanager.amazonaws.com","eventName":"GetSecretValues"}"#,
        r#"{"eventSource":"secretsmanager.amazonaws.com","eventName":"GetParameter"}"#,
    ]),
    ("snapshot_shared_with_all", &[
        r#"{"eventSource":"ec2.amazonaws.com","eventName":"ModifySnapshotAttribute","requestParameters":{"createVolumePermission":{"add":{"items":[{"userId":"1"},{"group":"all"}]}}}}"#,
    ], &[
        r#"{"eventSource":"ec2.amazonaws.com","eventName":"ModifySnapshotAttribute","requestParameters":{"createVolumePermission":{"remove":{"items":[{"group":"all"}]}}}}"#,
        r#"{"eventSource":"ec2.amazonaws.com","eventName":"ModifySnapshotAttribute","requestParameters":{"createVolumePermission":{"add":{"items":[{"group":["some"]}]}}}}"#,
    ]),
    ("port_opened", &[
        r#"{"eventName":"AuthorizeSecurityGroupIngress","requestParameters":{"ipPermissions":{"items":[{"fromPort":0,"toPort":65535}]}}}"#,
        r#"{"eventName":"AuthorizeSecurityGroupIngress","requestParameters":{"ipPermissions":{"items":[{"fromPort":"22","toPort":"22"}]}}}"#,
    ], &[
        r#"{"eventName":"AuthorizeSecurityGroupIngress","requestParameters":{"ipPermissions":{"items":[{"fromPort":23,"toPort":80}]}}}"#,
        r#"{"eventName":"AuthorizeSecurityGroupIngress","requestParameters":{"ipPermissions":{"items":[{"fromPort":"all","toPort":true}]}}}"#,
    ]),
    ("large_instance", &[
        r#"{"eventName":"RunInstances","requestParameters":{"instancesSet":{"items":[{"maxCount":11}]}}}"#,
    ], &[
        r#"{"eventName":"RunInstances","requestParameters":{"instancesSet":{"items":[{"maxCount":9}]}}}"#,
        r#"{"eventName":"RunInstances","requestParameters":{"instancesSet":{"items":[{"maxCount":10}]}}}"#,
    ]),
    ("sign_in_from_outside", &[
        r#"{"eventName":"ConsoleLogin","sourceIPAddress":"198.51.100.7"}"#,
        r#"{"eventName":"ConsoleLogin","sourceIPAddress":"2001:db9::1"}"#,
        r#"{"eventName":"ConsoleLogin","sourceIPAddress":"signin.amazonaws.com"}"#,
        r#"{"eventName":"ConsoleLogin"}"#,
    ], &[
        r#"{"eventName":"ConsoleLogin","sourceIPAddress":"10.255.0.1"}"#,
        r#"{"eventName":"ConsoleLogin","sourceIPAddress":"2001:DB8:1::1"}"#,
        r#"{"eventName":"Other","sourceIPAddress":"198.51.100.7"}"#,
    ]),
    ("assumed_without_session_name", &[
        r#"{"eventName":"AssumeRole","requestParameters":{"roleArn":"arn:aws:iam::1:role/A"},"userIdentity":{"sessionContext":{"sessionIssuer":{"arn":"ARN:aws:iam::1:role/a"}}}}"#,
    ], &[
        r#"{"eventName":"AssumeRole","requestParameters":{"roleArn":"arn:aws:iam::1:role/A"}}"#,
        r#"{"eventName":"AssumeRole","userIdentity":{"sessionContext":{"sessionIssuer":{"arn":"x"}}}}"#,
        r#"{"eventName":"AssumeRole","requestParameters":{"roleArn":"a"},"userIdentity":{"sessionContext":{"sessionIssuer":{"arn":"ab"}}}}"#,
    ]),
    ("key_for_somebody_else", &[
        r#"{"eventSource":"iam.amazonaws.com","eventName":"CreateAccessKey","userIdentity":{"userName":"a"},"requestParameters":{"userName":"b"}}"#,
        r#"{"eventSource":"iam.amazonaws.com","eventName":"CreateAccessKey","userIdentity":{"userName":"a"},"requestParameters":null}"#,
    ], &[
        r#"{"eventSource":"iam.amazonaws.com","eventName":"CreateAccessKey","userIdentity":{"userName":"Alice"},"requestParameters":{"userName":"alice"}}"#,
    ]),
    ("no_error", &[
        r#"{"eventSource":"kms.amazonaws.com","eventName":"ScheduleKeyDeletion"}"#,
        r#"{"eventSource":"kms.amazonaws.com","eventName":"ScheduleKeyDeletion","errorCode":null}"#,
        r#"{"eventSource":"kms.amazonaws.com","eventName":"ScheduleKeyDeletion","errorCode":[]}"#,
    ], &[
        r#"{"eventSource":"kms.amazonaws.com","eventName":"ScheduleKeyDeletion","errorCode":"AccessDenied"}"#,
        r#"{"eventSource":"kms.amazonaws.com","eventName":"ScheduleKeyDeletion","errorCode":""}"#,
        r#"{"eventSource":"kms.amazonaws.com","eventName":"ScheduleKeyDeletion","errorCode":[null,"x"]}"#,
    ]),
    ("some_error", &[
        r#"{"userIdentity":{"type":"AssumedRole"},"errorCode":"AccessDenied"}"#,
        r#"{"userIdentity":{"type":"AssumedRole"},"errorCode":""}"#,
        r#"{"userIdentity":{"type":"AssumedRole"},"errorCode":{}}"#,
    ], &[
        r#"{"userIdentity":{"type":"AssumedRole"}}"#,
        r#"{"userIdentity":{"type":"AssumedRole"},"errorCode":null}"#,
        r#"{"userIdentity":{"type":"AssumedRole"},"errorCode":[[],null]}"#,
    ]),
    ("denied_calls", &[
        r#"{"errorCode":"AccessDenied"}"#,
        r#"{"errorCode":"Client.UnauthorizedOperation"}"#,
        r#"{"errorCode":"accessdeniedexception"}"#,
    ], &[
        r#"{"errorCode":"AccessDenied "}"#,
        r#"{"errorCode":"UnauthorizedOperation"}"#,
        "{}",
    ]),
    ("exists_true", &[
        r#"{"userIdentity":{"invokedBy":"x"}}"#,
        r#"{"userIdentity":{"invokedBy":""}}"#,
        r#"{"userIdentity":{"invokedBy":{}},"vpcEndpointId":null}"#,
    ], &[
        r#"{"userIdentity":{"invokedBy":"x"},"vpcEndpointId":"vpce-1"}"#,
        r#"{"userIdentity":{"invokedBy":[]}}"#,
        r#"{"userIdentity":{}}"#,
    ]),
    ("regex_of_names", &[
        r#"{"eventName":"CreateFunction20150331","requestParameters":{"functionName":"ABCdef012345"}}"#,
    ], &[
        r#"{"eventName":"createFunction20150331","requestParameters":{"functionName":"ABCdef012345"}}"#,
        r#"{"eventName":"CreateFunction20150331","requestParameters":{"functionName":"ABCdef0123456"}}"#,
    ]),
    ("regex_over_lines", &[
        r#"{"eventName":"SendCommand","requestParameters":{"parameters":{"commands":["echo\ncurl x"]}}}"#,
        r#"{"eventName":"SendCommand","requestParameters":{"parameters":{"commands":["wget x\n| sh"]}}}"#,
    ], &[
        r#"{"eventName":"SendCommand","requestParameters":{"parameters":{"commands":["echo curl x"]}}}"#,
        r#"{"eventName":"SendCommand","requestParameters":{"parameters":{"commands":["CURL x"]}}}"#,
        r#"{"eventName":"SendCommand"}"#,
    ]),
    ("cased_words", &[
        r#"{"eventName":"createtags","requestParameters":{"tagSet":{"items":[{"key":"xPRODx"}]}}}"#,
    ], &[
        r#"{"eventName":"CreateTags","requestParameters":{"tagSet":{"items":[{"key":"prod"}]}}}"#,
    ]),
    ("cased_whole", &[
        r#"{"userIdentity":{"userName":"Admin"}}"#,
        r#"{"userIdentity":{"userName":"RootX"}}"#,
    ], &[
        r#"{"userIdentity":{"userName":"admin"}}"#,
        r#"{"userIdentity":{"userName":"ADMIN"}}"#,
        r#"{"userIdentity":{"userName":"xAdmin"}}"#,
    ]),
    ("words_anywhere", &[
        r#"{"requestParameters":{"a":[{"b":"x-Stratus-Red-Team-y"}]}}"#,
        r#"{"userAgent":"PACU/1"}"#,
    ], &[
        r#"{"requestParameters":{"pacu":"x"}}"#,
        r#"{"eventName":"stratus"}"#,
    ]),
    ("all_words_anywhere", &[
        r#"{"requestParameters":{"a":"CURL http://169.254.169.254/"}}"#,
        r#"{"userAgent":"curl/8","requestParameters":["169.254.169.254"]}"#,
    ], &[
        r#"{"userAgent":"curl/8"}"#,
        r#"{"requestParameters":"169.254.169.254"}"#,
    ]),
    ("maps_in_a_list", &[
        r#"{"eventSource":"guardduty.amazonaws.com","eventName":"DeleteDetector"}"#,
        r#"{"eventSource":"securityhub.amazonaws.com","eventName":"DisableSecurityHub"}"#,
        r#"{"userAgent":"all gone"}"#,
    ], &[
        r#"{"eventSource":"guardduty.amazonaws.com","eventName":"DisableSecurityHub"}"#,
        r#"{"eventSource":"securityhub.amazonaws.com","eventName":"DeleteDetector"}"#,
    ]),
    ("them_all", &[
        r#"{"eventSource":"ec2.amazonaws.com","eventName":"GetPasswordData"}"#,
    ], &[
        r#"{"eventSource":"ec2.amazonaws.com","eventName":"NeverThis"}"#,
        r#"{"eventSource":"iam.amazonaws.com","eventName":"GetPasswordData"}"#,
    ]),
    ("any_of_them", &[
        r#"{"eventName":"DisableEbsEncryptionByDefault"}"#,
        r#"{"eventName":"DisableEbsSnapshotBlockPublicAccess"}"#,
    ], &[
        r#"{"eventName":"DescribeInstances"}"#,
    ]),
    ("all_of_a_pattern", &[
        r#"{"eventSource":"s3.amazonaws.com","eventName":"PutBucketAcl"}"#,
    ], &[
        r#"{"eventSource":"s3.amazonaws.com","eventName":"PutObject"}"#,
        r#"{"eventSource":"s3.amazonaws.com","eventName":"GetObject"}"#,
        r#"{"eventSource":"iam.amazonaws.com","eventName":"PutBucketAcl"}"#,
    ]),
    ("precedence", &[
        r#"{"eventName":"A","awsRegion":"c"}"#,
        r#"{"awsRegion":"b"}"#,
    ], &[
        r#"{"awsRegion":"c"}"#,
        r#"{"eventName":"B"}"#,
    ]),
    ("parentheses", &[
        r#"{"eventName":"A"}"#,
        r#"{"awsRegion":"b","readOnly":false}"#,
    ], &[
        r#"{"eventName":"A","readOnly":true}"#,
        r#"{"awsRegion":"b","readOnly":"TRUE"}"#,
        "{}",
    ]),
    ("several_conditions", &[
        r#"{"eventSource":"ec2.amazonaws.com","eventName":"DeleteFlowLogs"}"#,
        r#"{"eventSource":"s3.amazonaws.com","eventName":"DeleteBucketLogging"}"#,
    ], &[
        r#"{"eventSource":"s3.amazonaws.com","eventName":"DeleteFlowLogs"}"#,
        r#"{"eventSource":"ec2.amazonaws.com","eventName":"Other"}"#,
    ]),
    ("double_not", &[
        r#"{"eventName":"DeleteMembers"}"#,
    ], &[
        r#"{"eventName":"x"}"#,
        "{}",
    ]),
    ("not_of_the_missing", &[
        r#"{"eventName":"RunInstances"}"#,
        r#"{"eventName":"RunInstances","awsRegion":"us-east-1"}"#,
        r#"{"eventName":"RunInstances","awsRegion":null}"#,
    ], &[
        r#"{"eventName":"RunInstances","awsRegion":"EU-CENTRAL-1"}"#,
    ]),
    ("numbers_and_booleans", &[
        r#"{"readOnly":false,"requestParameters":{"port":22,"force":true}}"#,
        r#"{"readOnly":"False","requestParameters":{"port":"22","force":"TRUE"}}"#,
    ], &[
        r#"{"readOnly":false,"requestParameters":{"port":22.5,"force":true}}"#,
        r#"{"readOnly":0,"requestParameters":{"port":22,"force":1}}"#,
        r#"{"readOnly":false,"requestParameters":{"port":220,"force":true}}"#,
    ]),
    ("account_with_zeros", &[
        r#"{"recipientAccountId":"001234567890"}"#,
    ], &[
        r#"{"recipientAccountId":"1234567890"}"#,
        r#"{"recipientAccountId":"342391"}"#,
    ]),
    ("escapes", &[
        r#"{"requestParameters":{"policy":"a*b"}}"#,
        r#"{"requestParameters":{"policy":"C?D"}}"#,
        r#"{"requestParameters":{"policy":"e\\"}}"#,
        r#"{"requestParameters":{"policy":"e\\xyz"}}"#,
        r#"{"requestParameters":{"policy":"f\\g"}}"#,
        r#"{"requestParameters":{"policy":"hixj"}}"#,
        r#"{"requestParameters":{"policy":"h---iJj"}}"#,
    ], &[
        r#"{"requestParameters":{"policy":"axb"}}"#,
        r#"{"requestParameters":{"policy":"cxd"}}"#,
        r#"{"requestParameters":{"policy":"e"}}"#,
        r#"{"requestParameters":{"policy":"exyz"}}"#,
        r#"{"requestParameters":{"policy":"fg"}}"#,
        r#"{"requestParameters":{"policy":"hij"}}"#,
        r#"{"requestParameters":{"policy":"f\\\\g"}}"#,
    ]),
    ("unicode_case", &[
        r#"{"userIdentity":{"userName":"j\u00f6rg m\u00fcller"}}"#,
        r#"{"userIdentity":{"userName":"\u03a3\u039f\u03a6\u038a\u0391\u03a3"}}"#,
        r#"{"userIdentity":{"userName":"\u212aelvin"}}"#,
    ], &[
        r#"{"userIdentity":{"userName":"muller"}}"#,
        r#"{"userIdentity":{"userName":"celvin"}}"#,
    ]),
    ("null_or_empty", &[
        "{}",
        r#"{"userAgent":null}"#,
        r#"{"userAgent":""}"#,
        r#"{"userAgent":"-"}"#,
        r#"{"userAgent":[]}"#,
    ], &[
        r#"{"userAgent":"aws-cli"}"#,
        r#"{"userAgent":" "}"#,
        r#"{"userAgent":{}}"#,
    ]),
    ("arrays", &[
        r#"{"resources":[{"ARN":"arn:aws:iam::1:x","type":"AWS::S3::Bucket"},{"ARN":"arn:aws:S3:::b"}]}"#,
        r#"{"resources":{"ARN":"arn:aws:s3:::","type":"aws::s3::bucket"}}"#,
    ], &[
        r#"{"resources":[{"ARN":"arn:aws:s3::b","type":"AWS::S3::Bucket"}]}"#,
        r#"{"resources":["arn:aws:s3:::b"]}"#,
        r#"{"resources":[]}"#,
    ]),
    ("all_over_an_array", &[
        r#"{"requestParameters":{"subnetIds":["Subnet-2","x","subnet-1"]}}"#,
    ], &[
        r#"{"requestParameters":{"subnetIds":["subnet-1"]}}"#,
        r#"{"requestParameters":{"subnetIds":["subnet-1 subnet-2"]}}"#,
    ]),
    ("dotted_keys", &[
        r#"{"requestParameters":{"tags":{"aws.owner":"me"}}}"#,
        r#"{"requestParameters":{"tags.aws":{"owner":"ME"}}}"#,
        r#"{"requestParameters":{"tags":[{"aws":{"owner":"me"}}]}}"#,
    ], &[
        r#"{"requestParameters":{"tags":{"aws":{"Owner":"me"}}}}"#,
        r#"{"requestParameters":{"aws.owner":"me"}}"#,
    ]),
    ("decoded_escapes", &[
        r#"{"requestParameters":{"userData":"a<SCRIPT>b"}}"#,
    ], &[
        r#"{"requestParameters":{"userData":"a\\u003cscript>b"}}"#,
    ]),
    ("anchors", &[
        r#"{"eventSource":"iam.amazonaws.com","eventName":"CreateUser"}"#,
        r#"{"eventSource":"iam.amazonaws.com","eventName":"createrole"}"#,
    ], &[
        r#"{"eventSource":"sts.amazonaws.com","eventName":"CreateUser"}"#,
        r#"{"eventSource":"iam.amazonaws.com","eventName":"CreateGroup"}"#,
    ]),
    ("starts_and_ends", &[
        r#"{"eventName":"DeleteBucketPolicy"}"#,
        r#"{"eventName":"delete-x-bucket-y-policy"}"#,
        r#"{"eventName":"UpdateDetector"}"#,
        r#"{"eventName":"PutUserPolicy"}"#,
        r#"{"eventName":"PutRolePolicy"}"#,
    ], &[
        r#"{"eventName":"DeletePolicyBucket"}"#,
        r#"{"eventName":"DetectorX"}"#,
        r#"{"eventName":"PutGroupPolicy"}"#,
        r#"{"eventName":"PutPolicy"}"#,
    ]),
];
