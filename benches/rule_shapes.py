"""Rules of the shape that Elastic's rules for CloudTrail have, as many as wanted, the same for the same count.

Of 165 rules 145 name provider and action, and three quarters of those one to four further fields; 6 name an action
alone, 4 a provider alone, and 3 neither. Three in five want success. The busy providers of a trail make up many.
"""

import random
import uuid

BUSY = {
    "iam.amazonaws.com": [
        "CreateUser",
        "CreateAccessKey",
        "AttachUserPolicy",
        "PutRolePolicy",
        "UpdateAssumeRolePolicy",
    ],
    "ec2.amazonaws.com": ["AuthorizeSecurityGroupIngress", "ModifySnapshotAttribute", "CreateImage", "DeleteFlowLogs"],
    "s3.amazonaws.com": ["GetBucketAcl", "PutBucketPolicy", "PutObject", "DeleteBucket"],
    "sts.amazonaws.com": ["AssumeRoleWithSAML", "GetFederationToken", "AssumeRoot"],
    "lambda.amazonaws.com": ["UpdateFunctionConfiguration*", "AddPermission*", "CreateFunction*"],
}
QUIET = {
    "kms.amazonaws.com": ["DisableKey", "ScheduleKeyDeletion"],
    "dynamodb.amazonaws.com": ["UpdateTable", "ExportTableToPointInTime"],
    "cloudtrail.amazonaws.com": ["StopLogging", "DeleteTrail", "UpdateTrail"],
    "guardduty.amazonaws.com": ["DeleteDetector", "UpdateDetector"],
    "rds.amazonaws.com": ["DeleteDBInstance", "ModifyDBSnapshotAttribute", "CreateDBSnapshot"],
    "route53.amazonaws.com": ["DisassociateVPCFromHostedZone", "ChangeResourceRecordSets"],
    "config.amazonaws.com": ["StopConfigurationRecorder", "DeleteConfigRule"],
    "ssm.amazonaws.com": ["SendCommand", "StartSession", "GetParameter*"],
    "secretsmanager.amazonaws.com": ["GetSecretValue", "BatchGetSecretValue"],
    "logs.amazonaws.com": ["DeleteLogGroup", "DeleteLogStream"],
}
# What the records of the bench never have comes first.
FURTHER = [
    'aws.cloudtrail.user_identity.type: ("IAMUser" or "Root")',
    "aws.cloudtrail.user_identity.arn: *assumed-role/admin-*",
    "aws.cloudtrail.user_identity.session_context.session_issuer.arn: *role/*-break-glass*",
    "aws.cloudtrail.request_parameters: *policyName=AdministratorAccess*",
    "aws.cloudtrail.flattened.request_parameters.userName: *",
    "user_agent.original: (*terraform* or *pulumi*)",
    "not user_agent.original: *aws-sdk-java*",
    "not source.address: (*.amazonaws.com or AWS*)",
    "not user.name: deploy-pipeline",
]
NEITHER = [
    "user_agent.original: (*kali* or *parrot* or *pentoo*)",
    "aws.cloudtrail.user_identity.access_key_id: AKIAEXAMPLE*",
    "aws.cloudtrail.user_identity.type: AssumedRole and user.name: emergency-* and not event.provider: health.amazonaws.com"
    " and not event.action: (ListNotification* or GetNotification*)",
]
NEVER = 5
HOT = {"GetBucketAcl", "PutObject", "PutRolePolicy", "UpdateFunctionConfiguration*", "UpdateTable"}
CYCLE = 165


def queries(count: int) -> list[str]:
    """Return the queries of so many rules."""
    chance = random.Random(CYCLE)
    return [_query(index % CYCLE, chance) for index in range(count)]


def _query(index: int, chance: random.Random) -> str:
    dataset = 'event.dataset: "aws.cloudtrail"'
    if index < len(NEITHER):
        return f"{dataset} and {NEITHER[index]}"
    providers = BUSY if chance.random() < 2 / 3 else QUIET
    provider = chance.choice(sorted(providers))
    actions = chance.sample(providers[provider], chance.randint(1, 2))
    action = f"event.action: ({' or '.join(actions)})"
    success = ' and event.outcome: "success"' if chance.random() < 3 / 5 else ""
    if index < len(NEITHER) + 4:
        issuer = f"aws.cloudtrail.user_identity.session_context.session_issuer.arn: *role/unused-{index}-*"
        return f'{dataset} and event.provider: "{provider}" and {issuer}{success}'
    is_hot = not HOT.isdisjoint(actions)
    if index < len(NEITHER) + 10 and not is_hot:
        return f"{dataset} and {action}{success}"
    further = chance.sample(FURTHER, chance.randint(1, 4)) if is_hot or chance.random() < 3 / 4 else []
    if is_hot and not set(further) & set(FURTHER[:NEVER]):
        further.append(chance.choice(FURTHER[:NEVER]))
    return " and ".join([dataset, f'event.provider: "{provider}"', action, *further]) + success


def rule(index: int, query: str) -> str:
    """Return a rule file with this query."""
    return f'''[rule]
author = ["benches"]
description = "A rule of the usual shape."
language = "kuery"
name = "Rule {index}"
risk_score = 21
rule_id = "{uuid.UUID(int=index)}"
severity = "low"
type = "query"
query = \'\'\'
{query}
\'\'\'
'''
