//! The actions that have a category and types of their own.

use serde_json::{Value, json};

use super::mapping::Mapping;

/// A category, the types that go with it, and the exact names of the actions that have them.
pub type Group = (&'static str, &'static [&'static str], &'static [&'static str]);

/// Every other action has no category and the type `info`.
#[rustfmt::skip]
pub static CATEGORIES: &[Group] = &[
    ("iam", &["user", "change"], &[
        "AttachUserPolicy", "ChangePassword", "CreateAccessKey", "CreateVirtualMFADevice", "DeactivateMFADevice", "DeleteAccessKey",
        "DeleteSSHPublicKey", "DeleteUserPermissionsBoundary", "DeleteUserPolicy", "DeleteVirtualMFADevice", "DetachUserPolicy",
        "EnableMFADevice", "PutUserPermissionsBoundary", "PutUserPolicy", "TagUser", "UntagUser", "UpdateAccessKey",
        "UpdateLoginProfile", "UpdateSSHPublicKey", "UpdateUser",
    ]),
    ("iam", &["group", "change"], &[
        "AddUserToGroup", "AttachGroupPolicy", "DeleteGroupPolicy", "DetachGroupPolicy", "PutGroupPolicy", "RemoveUserFromGroup",
        "UpdateGroup",
    ]),
    ("iam", &["admin", "change"], &[
        "SetDefaultPolicyVersion", "SetSecurityTokenServicePreferences", "UpdateAccountPasswordPolicy", "UpdateRole",
    ]),
    ("iam", &["user", "info"], &[
        "GetUser", "GetUserPolicy", "ListAttachedUserPolicies", "ListGroupsForUser", "ListUserPolicies", "ListUsers", "ListUserTags",
    ]),
    ("iam", &["group", "info"], &[
        "GetGroup", "GetGroupPolicy", "ListAttachedGroupPolicies", "ListGroupPolicies", "ListGroups",
    ]),
    ("iam", INFO, &["ListRoles", "GetPolicy", "ListAttachedRolePolicies"]),
    ("iam", &["user", "creation"], &["CreateUser"]),
    ("iam", &["user", "deletion"], &["DeleteUser"]),
    ("iam", &["group", "creation"], &["CreateGroup"]),
    ("iam", &["group", "deletion"], &["DeleteGroup"]),
    ("iam", &["admin", "creation"], &["CreateKeyPair"]),
    ("iam", &["creation"], &["CreatePolicy"]),
    ("iam", &["change"], &["AttachRolePolicy"]),
    ("authentication", INFO, &["AssumeRole", "ConsoleLogin", "GetCallerIdentity"]),
    ("file", &["creation"], &["CreateBucket", "CreateDocument"]),
    ("file", &["deletion"], &["DeleteBucket", "DeleteObject"]),
    ("file", &["change"], &["PutObject"]),
    ("file", INFO, &["ListBuckets", "ListObjects", "HeadObject", "GetObject"]),
    ("host", INFO, &["DescribeInstances", "DescribeVolumes", "ListInstanceAssociations"]),
    ("network", INFO, &[
        "DescribeSecurityGroups", "DescribeNetworkInterfaces", "DescribeVpcs", "DescribeNetworkAcls", "DescribeLoadBalancers",
    ]),
    ("network", &["access"], &["AuthorizeSecurityGroupIngress"]),
    ("api", INFO, &["DescribeRegions", "Publish", "Converse"]),
    ("configuration", INFO, &["DescribeTrails"]),
    ("configuration", &["creation"], &["CreateTopic"]),
    ("configuration", &["change"], &["Subscribe"]),
    ("configuration", &["deletion"], &["DeleteTrail"]),
    ("package", INFO, &["ListFunctions"]),
    ("database", INFO, &["ListTables", "DescribeDBInstances"]),
    ("process", &["start"], &["SendCommand"]),
    ("session", &["start"], &["StartSession", "CreateControlChannel", "OpenControlChannel", "CreateDataChannel", "OpenDataChannel"]),
    ("session", &["end"], &["TerminateSession"]),
];

const INFO: &[&str] = &["info"];

/// The category of an action, if it has one.
pub(crate) fn category_of(action: &str) -> Option<&'static str> {
    group(action).map(|(category, ..)| *category)
}

/// The types of an action.
pub(crate) fn types_of(action: &str) -> &'static [&'static str] {
    group(action).map_or(INFO, |(_, types, _)| types)
}

fn group(action: &str) -> Option<&'static Group> {
    CATEGORIES.iter().find(|(.., actions)| actions.contains(&action))
}

pub(super) fn category(mapping: &Mapping<'_>) -> Option<Value> {
    category_of(mapping.text("eventName")?).map(|category| json!([category]))
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "it stands in the table beside functions that may have no value"
)]
pub(super) fn types(mapping: &Mapping<'_>) -> Option<Value> {
    Some(json!(types_of(mapping.text("eventName").unwrap_or_default())))
}
