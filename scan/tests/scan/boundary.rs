//! What the command is built from.

use std::process::Command;

#[test]
fn the_command_builds_no_aws_sdk_and_no_tokio() {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--locked", "--offline", "--package", "cloudtrail-scan", "--edges", "normal,build"])
        .args(["--prefix", "none", "--format", "{p}"])
        .current_dir(crate::root())
        .output()
        .expect("cargo runs");
    let tree = String::from_utf8(output.stdout).expect("cargo writes UTF-8");
    let packages: Vec<_> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(packages.contains(&"detection"), "{}", String::from_utf8_lossy(&output.stderr));
    for package in packages {
        let sdk = ["aws-", "aws_", "tokio", "hyper", "lambda_", "cloudtrail-signals"];
        assert!(!sdk.iter().any(|start| package.starts_with(start)), "{package}");
    }
}
