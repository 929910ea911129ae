//! Elastic's rule that is compiled into the binary.

use detection::rule::Severity;

use crate::matching;

const NAME: &str = "AWS Lambda Function Created or Updated";

fn record(provider: &str, action: &str, more: &str) -> String {
    format!(r#"{{"eventSource":"{provider}","eventName":"{action}"{more}}}"#)
}

#[test]
fn the_embedded_rule_matches_what_elastics_rule_matches() {
    let rules = crate::repository::embedded();
    let rows = [
        ("CreateFunction20150331", ""),
        ("UpdateFunctionCode20150331v2", ""),
        ("CreateFunction", ""),
        ("UpdateFunctionCode", ""),
        ("CreateFunction20141111", ""),
        ("UpdateFunctionCode20141111", ""),
        ("UpdateFunctionCode20300101v9", ""),
        ("CreateFunctionUrlConfig", ""),
        ("UpdateFunctionCode20150331v2", r#","requestParameters":{"functionName":"f","dryRun":true}"#),
        ("CreateFunction20150331", r#","errorCode":"-","errorMessage":"none""#),
        ("CreateFunction20150331", r#","errorCode":null,"errorMessage":"""#),
        ("CreateFunction20150331", r#","errorCode":{"a":[null]}"#),
        (r"CreateFunction20150331", r#","userAgent":"\u00e9""#),
        (r"Create\u0046unction20150331", ""),
    ];
    for (action, more) in rows {
        let record = record("lambda.amazonaws.com", action, more);
        assert_eq!(matching(&rules, &record), [NAME], "{record}");
    }
    let escaped = record(r"lambda\u002eamazonaws.com", "CreateFunction20150331", "");
    assert_eq!(matching(&rules, &escaped), [NAME], "{escaped}");
}

#[test]
fn the_embedded_rule_matches_nothing_else() {
    let rules = crate::repository::embedded();
    let lambda = "lambda.amazonaws.com";
    let rows = [
        (lambda, "UpdateFunctionConfiguration20150331v2", ""),
        (lambda, "UpdateFunctionUrlConfig", ""),
        (lambda, "UpdateFunctionEventInvokeConfig", ""),
        (lambda, "PutFunctionCodeSigningConfig", ""),
        (lambda, "PublishLayerVersion20181031", ""),
        (lambda, "AddPermission20150331v2", ""),
        (lambda, "CreateAlias20150331", ""),
        (lambda, "createfunction20150331", ""),
        (lambda, "CREATEFUNCTION20150331", ""),
        (lambda, " CreateFunction20150331", ""),
        (lambda, "PreCreateFunction", ""),
        ("Lambda.amazonaws.com", "CreateFunction20150331", ""),
        ("lambda.amazonaws.com.cn", "CreateFunction20150331", ""),
        ("cloudfront.amazonaws.com", "CreateFunction2020_05_31", ""),
        ("appsync.amazonaws.com", "CreateFunction", ""),
        (lambda, "CreateFunction20150331", r#","errorCode":"AccessDenied""#),
        (lambda, "CreateFunction20150331", r#","errorMessage":"Function already exist: f""#),
        (lambda, "UpdateFunctionCode20150331v2", r#","errorCode":0"#),
        (
            "s3.amazonaws.com",
            "PutObject",
            r#","requestParameters":{"eventSource":"lambda.amazonaws.com","eventName":"CreateFunction"}"#,
        ),
        ("", "CreateFunction20150331", ""),
        (lambda, "", ""),
    ];
    for (provider, action, more) in rows {
        let record = record(provider, action, more);
        assert_eq!(matching(&rules, &record), Vec::<String>::new(), "{record}");
    }
    assert_eq!(matching(&rules, "{}"), Vec::<String>::new());
}

#[test]
fn the_last_of_two_equal_keys_counts() {
    let rules = crate::repository::embedded();
    let last = r#"{"eventSource":"x","eventSource":"lambda.amazonaws.com","eventName":"CreateFunction"}"#;
    assert_eq!(matching(&rules, last), [NAME]);
    let first = r#"{"eventSource":"lambda.amazonaws.com","eventSource":"x","eventName":"CreateFunction"}"#;
    assert_eq!(matching(&rules, first), Vec::<String>::new());
}

#[test]
fn the_embedded_rule_says_what_elastics_rule_says() {
    let rules = crate::repository::embedded();
    let rule = &rules
        .rules()
        .iter()
        .find(|rule| rule.definition.name == NAME)
        .expect("the rule is embedded")
        .definition;
    assert_eq!(rule.rule_id, "1251b98a-ff45-11ee-89a1-f661ea17fbce");
    assert_eq!(rule.rule_type, "query");
    assert_eq!(rule.author, ["Elastic"]);
    assert_eq!(rule.license.as_deref(), Some("Elastic License v2"));
    assert_eq!((rule.severity, rule.risk_score), (Severity::Low, 21));
    assert_eq!(rule.building_block_type.as_deref(), Some("default"));
    assert_eq!(rule.from.as_deref(), Some("now-60m"));
    assert_eq!(rule.interval.as_deref(), Some("10m"));
    assert_eq!(rule.timestamp_override.as_deref(), Some("event.ingested"));
    let tags = [
        "Domain: Cloud",
        "Data Source: AWS",
        "Data Source: Amazon Web Services",
        "Data Source: AWS Lambda",
        "Use Case: Asset Visibility",
        "Tactic: Execution",
        "Rule Type: BBR",
    ];
    assert_eq!(rule.tags, tags);
    let [threat] = rule.threat.as_slice() else { panic!("one threat: {:?}", rule.threat) };
    assert_eq!(threat.framework, "MITRE ATT&CK");
    assert_eq!((threat.tactic.id.as_str(), threat.tactic.name.as_str()), ("TA0002", "Execution"));
    assert_eq!(threat.tactic.reference, "https://attack.mitre.org/tactics/TA0002/");
    let [technique] = threat.technique.as_slice() else { panic!("one technique: {threat:?}") };
    assert_eq!((technique.id.as_str(), technique.name.as_str()), ("T1648", "Serverless Execution"));
    assert_eq!(technique.reference, "https://attack.mitre.org/techniques/T1648/");
    let references = [
        "https://mattslifebytes.com/2023/04/14/from-rebuilds-to-reloads-hacking-aws-lambda-to-enable-instant-code-updates/",
        "https://stratus-red-team.cloud/attack-techniques/AWS/aws.persistence.lambda-overwrite-code/",
        "https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionCode.html",
    ];
    assert_eq!(rule.references, references);
    assert_eq!(rule.false_positives.len(), 1);
    assert!(rule.false_positives[0].to_lowercase().contains("planned"), "{:?}", rule.false_positives);
    assert!(!rule.description.is_empty());
    for prose in rule.false_positives.iter().chain([&rule.description]) {
        assert!(
            !prose.contains(['\n', '\t']) && !prose.contains("  "),
            "the file's lines are not the text's: {prose:?}"
        );
    }
}
