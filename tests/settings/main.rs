//! Settings, of the function and of the AWS SDKs: an invalid one is named at once, and every request has a time-out.

mod process;
mod sdk;
mod start;
mod values;

const TOPIC: (&str, &str) = ("SIGNAL_TOPIC_ARN", "arn:aws:sns:us-east-1:111122223333:signals");
const KEYS: [(&str, &str); 2] = [("AWS_ACCESS_KEY_ID", "id"), ("AWS_SECRET_ACCESS_KEY", "secret")];
const REGION: (&str, &str) = ("AWS_REGION", "us-east-1");
const S3_AND_SNS: [(&str, &str); 2] =
    [("AWS_ENDPOINT_URL_S3", "http://{s3}"), ("AWS_ENDPOINT_URL_SNS", "http://{sns}")];
