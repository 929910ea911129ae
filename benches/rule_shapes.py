"""Rules of the shapes that Elastic's and Sigma's rules for CloudTrail have, as many as wanted, the same for the same count.

Of 165 of Elastic's rules 145 name provider and action, and three quarters of those one to four further fields; 6 name an
action alone, 4 a provider alone, and 3 neither. Three in five want success. The busy providers of a trail make up many.

Of 58 of Sigma's rules 52 name source and name of the event, and half of those further fields; a third have a filter under
``not``; 6 name neither. They compare in any case.
"""

import json
import random
import sys
import uuid
from pathlib import Path


def providers(text: str) -> dict[str, list[str]]:
    """Return the actions of each provider, from lines of its name and theirs."""
    return {f"{service}.amazonaws.com": actions for service, *actions in map(str.split, text.strip().splitlines())}


BUSY = providers("""
iam CreateUser CreateAccessKey AttachUserPolicy PutRolePolicy UpdateAssumeRolePolicy
ec2 AuthorizeSecurityGroupIngress ModifySnapshotAttribute CreateImage DeleteFlowLogs
s3 GetBucketAcl PutBucketPolicy PutObject DeleteBucket
sts AssumeRoleWithSAML GetFederationToken AssumeRoot
lambda UpdateFunctionConfiguration* AddPermission* CreateFunction*
""")
QUIET = providers("""
kms DisableKey ScheduleKeyDeletion
dynamodb UpdateTable ExportTableToPointInTime
cloudtrail StopLogging DeleteTrail UpdateTrail
guardduty DeleteDetector UpdateDetector
rds DeleteDBInstance ModifyDBSnapshotAttribute CreateDBSnapshot
route53 DisassociateVPCFromHostedZone ChangeResourceRecordSets
config StopConfigurationRecorder DeleteConfigRule
ssm SendCommand StartSession GetParameter*
secretsmanager GetSecretValue BatchGetSecretValue
logs DeleteLogGroup DeleteLogStream
""")
# Conditions that no benchmark record meets come first.
FURTHER = [
    'aws.cloudtrail.user_identity.type: ("FederatedUser" or "Root")',
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
HOT = {"GetBucketAcl", "PutObject", "PutRolePolicy", "UpdateFunctionConfiguration*", "UpdateTable", "GetParameter*"}
CYCLE = 165


def queries(count: int) -> list[str]:
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


def rule(index: int, query: str, kind: str = "query", memory: str = "") -> str:
    return f'''[rule]
author = ["benches"]
description = "A rule of the usual shape."
language = "kuery"
name = "Rule {index}"
risk_score = 21
rule_id = "{uuid.UUID(int=index)}"
severity = "low"
type = "{kind}"
query = \'\'\'
{query}
\'\'\'
{memory}'''


# Part of a selection in Sigma, as JSON, which is YAML too. Conditions that no benchmark record meets come first.
SIGMA_FURTHER = [
    {"userAgent|contains": ["S3 Browser", "TruffleHog"]},
    {"requestParameters.attribute": "userData"},
    {"requestParameters|contains": "Suspended"},
    {"requestParameters.containerDefinitions.command|contains": "$AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"},
    {"userIdentity.arn|contains": ":user/break-glass"},
    {"requestParameters.policyArn|endswith": ["/AdministratorAccess", "/PowerUserAccess"]},
    {"requestParameters.roleName|exists": True},
    {"errorCode": None},
    {"userIdentity.type": ["IAMUser", "AssumedRole"]},
]
SIGMA_NEVER = 6
SIGMA_FILTERS = [
    {"userIdentity.type": "AWSService"},
    {"userIdentity.arn|fieldref": "requestParameters.userName"},
    {"sourceIPAddress|endswith": ".amazonaws.com"},
    {"errorMessage|exists": True},
    {"userAgent|contains": "aws-sdk-java"},
]


def matching(selection: dict, excluded: dict | None = None) -> dict:
    """Return what a rule of Sigma's looks for, and what it leaves out."""
    if excluded is None:
        return {"selection": selection, "condition": "selection"}
    return {"selection": selection, "filter": excluded, "condition": "selection and not filter"}


SIGMA_NEITHER = [
    matching({"userAgent|contains": ["kali", "parrot", "pentoo"]}),
    matching({"userAgent": "TruffleHog"}),
    matching({"userIdentity.type": "Root"}, {"eventType": "AwsServiceEvent"}),
    matching({"userIdentity.sessionContext.sessionIssuer.userName|startswith": "emergency-"}),
    matching({"userAgent|startswith": "aws-nuke", "errorCode|exists": False}),
    matching({"requestParameters|contains": ["169.254.169.254", "SecurityAudit/all"]}),
]
SIGMA_CYCLE = 58


def sigma_rules(count: int) -> list[str]:
    """Return this many of Sigma's rules, each as the text of a file."""
    chance = random.Random(SIGMA_CYCLE)
    return [sigma_rule(index, _detection(index % SIGMA_CYCLE, chance)) for index in range(count)]


def _detection(index: int, chance: random.Random) -> dict:
    if index < len(SIGMA_NEITHER):
        return SIGMA_NEITHER[index]
    providers = BUSY if chance.random() < 2 / 3 else QUIET
    provider = chance.choice(sorted(providers))
    actions = chance.sample(providers[provider], chance.randint(1, 2))
    exact = [action for action in actions if not action.endswith("*")]
    starts = [action.removesuffix("*") for action in actions if action.endswith("*")]
    selection = {"eventSource": provider} | ({"eventName|startswith": starts} if starts else {"eventName": exact})
    is_hot = not HOT.isdisjoint(actions)
    further = chance.sample(SIGMA_FURTHER, chance.randint(1, 2)) if chance.random() < 1 / 2 else []
    if is_hot and not any(part in SIGMA_FURTHER[:SIGMA_NEVER] for part in further):
        further.append(chance.choice(SIGMA_FURTHER[:SIGMA_NEVER]))
    for part in further:
        selection |= part
    return matching(selection, chance.choice(SIGMA_FILTERS) if chance.random() < 1 / 3 else None)


def sigma_rule(index: int, detection: dict) -> str:
    sections = "".join(f"    {name}: {json.dumps(section)}\n" for name, section in detection.items())
    return f"""title: Rule {index}
id: {uuid.UUID(int=1 << 64 | index)}
status: test
description: A rule of the usual shape.
author: benches
logsource:
    product: aws
    service: cloudtrail
detection:
{sections}level: medium
"""


# What rules that remember look at: half of the benchmark's records.
REMEMBERED = providers("""
sts AssumeRole
kms Decrypt
s3 GetBucketAcl PutObject
ec2 DescribeVolumes
logs CreateLogStream
iam PutRolePolicy
lambda UpdateFunctionConfiguration*
dynamodb UpdateTable
ssm GetParametersByPath
""")
COUNTED = providers("iam GetRole\ndynamodb ListTables")
NEW_TERMS = 43
THRESHOLDS = 4
THRESHOLD = "threshold", '[rule.threshold]\nfield = ["user.name"]\nvalue = 10\n'


def write_remembering(folder: Path) -> Path:
    """Write as many rules that remember as Elastic has for CloudTrail: 43 of type new_terms and 4 of type threshold."""
    folder.mkdir()
    remembered, counted, quiet = map(calls, (REMEMBERED, COUNTED, dict(sorted(QUIET.items()))))
    looked_at = [*(remembered + quiet * 2)[:NEW_TERMS], *(counted + quiet)[:THRESHOLDS]]
    for index, (provider, action) in enumerate(looked_at):
        kind, memory = THRESHOLD if index >= NEW_TERMS else _new_terms(index)
        query = f'event.dataset: "aws.cloudtrail" and event.provider: "{provider}" and event.action: {action}'
        (folder / f"{index:04}.toml").write_text(rule(index, query, kind, memory))
    return folder


def calls(actions: dict[str, list[str]]) -> list[tuple[str, str]]:
    return [(provider, action) for provider, named in actions.items() for action in named]


def _new_terms(index: int) -> tuple[str, str]:
    fields = [["cloud.account.id", "user.name"], ["user.name", "source.ip"]][index % 2]
    days = [5, 7, 10, 10][index % 4]
    window = f'[[rule.new_terms.history_window_start]]\nfield = "history_window_start"\nvalue = "now-{days}d"\n'
    return "new_terms", f'[rule.new_terms]\nfield = "new_terms_fields"\nvalue = {json.dumps(fields)}\n{window}'


def write(folder: Path, count: int, sigma: int = 0) -> Path:
    """Write this many rule files to a new folder, and return it."""
    folder.mkdir()
    for index, query in enumerate(queries(count)):
        (folder / f"{index:04}.toml").write_text(rule(index, query))
    for index, text in enumerate(sigma_rules(sigma)):
        (folder / f"{index:04}.yml").write_text(text)
    return folder


if __name__ == "__main__":
    write(Path(sys.argv[1]), *map(int, sys.argv[2:]))
