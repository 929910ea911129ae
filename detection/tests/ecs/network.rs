//! Where the call came from, and how it was secured.

use crate::{ABSENT, Row, check};

const LITERAL: &str = r#"{"tlsDetails":{"tlsVersion":"tlsVersion","cipherSuite":"cipherSuite","keyExchange":"keyExchange",
    "clientProvidedHostHeader":"clientProvidedHostHeader"}}"#;

pub const ROWS: &[Row] = &[
    (r#"{"sourceIPAddress":"192.0.2.1"}"#, "source.address", r#""192.0.2.1""#),
    (r#"{"sourceIPAddress":"192.0.2.1"}"#, "source.ip", r#""192.0.2.1""#),
    (r#"{"sourceIPAddress":"2001:db8::1"}"#, "source.ip", r#""2001:db8::1""#),
    (r#"{"sourceIPAddress":"fe80::1%eth0"}"#, "source.ip", r#""fe80::1%eth0""#),
    (r#"{"sourceIPAddress":"fe80::1%eth0"}"#, "related.ip", r#"["fe80::1%eth0"]"#),
    (r#"{"sourceIPAddress":"fe80::1%"}"#, "source.ip", ABSENT),
    (r#"{"sourceIPAddress":"192.0.2.1%eth0"}"#, "source.ip", ABSENT),
    (
        r#"{"sourceIPAddress":"cloudformation.amazonaws.com"}"#,
        "source.address",
        r#""cloudformation.amazonaws.com""#,
    ),
    (r#"{"sourceIPAddress":"cloudformation.amazonaws.com"}"#, "source.ip", ABSENT),
    (r#"{"sourceIPAddress":"AWS Internal"}"#, "source.ip", ABSENT),
    (r#"{"sourceIPAddress":"192.0.2.256"}"#, "source.ip", ABSENT),
    (r#"{"sourceIPAddress":"192.0.02.1"}"#, "source.ip", ABSENT),
    (r#"{"tlsDetails":{"tlsVersion":"TLSv1.3"}}"#, "tls.version", r#""1.3""#),
    (r#"{"tlsDetails":{"tlsVersion":"TLSv1.3"}}"#, "tls.version_protocol", r#""tls""#),
    (r#"{"tlsDetails":{"tlsVersion":"TLSv1"}}"#, "tls.version", r#""1""#),
    (r#"{"tlsDetails":{"tlsVersion":"SSLv3"}}"#, "tls.version_protocol", r#""ssl""#),
    (r#"{"tlsDetails":{"tlsVersion":"UNKNOWN"}}"#, "tls", r#"{"version":"UNKNOWN"}"#),
    (r#"{"tlsDetails":{"tlsVersion":"TLSV1.2"}}"#, "tls", r#"{"version":"TLSV1.2"}"#),
    (r#"{"tlsDetails":{"tlsVersion":1.3}}"#, "tls", r#"{"version":"1.3"}"#),
    (r#"{"tlsDetails":{"tlsVersion":"TLSv"}}"#, "tls", r#"{"version_protocol":"tls"}"#),
    (LITERAL, "tls", ABSENT),
    (LITERAL, "aws", ABSENT),
    (LITERAL, "related", ABSENT),
    (
        r#"{"tlsDetails":{"cipherSuite":"TLS_AES_128_GCM_SHA256"}}"#,
        "tls.cipher",
        r#""TLS_AES_128_GCM_SHA256""#,
    ),
    (r#"{"tlsDetails":{"clientProvidedHostHeader":"x.aws"}}"#, "tls.client.server_name", r#""x.aws""#),
    (
        r#"{"tlsDetails":{"keyExchange":"X25519MLKEM768"}}"#,
        "aws.cloudtrail.tls_details.key_exchange",
        r#""X25519MLKEM768""#,
    ),
];

#[test]
fn addresses_and_tls_are_taken_apart() {
    check(ROWS);
}
