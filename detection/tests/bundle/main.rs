//! Bundles: what a rules folder becomes, and what is not a bundle.

mod damage;
mod files;

use detection::bundle::{Bundle, Contents, Texts};
use detection::rule::{self, Source};

/// A rule file with only the keys that a rule must have.
fn rule(id: &str, query: &str) -> String {
    format!(
        "[rule]\nauthor = [\"x\"]\ndescription = \"x\"\nlanguage = \"kuery\"\nname = \"Rule {id}\"\nrisk_score = 47\n\
         rule_id = \"{id}\"\nseverity = \"medium\"\ntype = \"query\"\nquery = '''\n{query}\n'''\n"
    )
}

fn files(files: &[(&str, &str)]) -> Vec<(String, String)> {
    files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
}

/// A folder `rules` with one rule, `a`, and these files beside it.
fn texts(more: &[(&str, &str)]) -> Texts {
    let below = |folder: &str| {
        let files = more.iter().filter(|(name, _)| name.starts_with(folder));
        files.map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect::<Vec<_>>()
    };
    Texts {
        rules: files(&[("rules/aws/a.toml", &rule("a", "event.action: Create*"))]),
        exceptions: below("rules/exceptions/"),
        routes: below("rules/routes/"),
        accounts: below("rules/accounts.json").pop(),
    }
}

/// What is wrong with a folder that holds the rule `a` and these files.
fn mistakes(more: &[(&str, &str)]) -> Vec<String> {
    let contents = Contents::read(texts(more), &embedded());
    contents.reading.errors.iter().map(ToString::to_string).collect()
}

/// A rule that is not in the folder, with the identifier `embedded`.
fn embedded() -> Vec<Source> {
    rule::read(files(&[("seed.toml", &rule("embedded", "event.provider: lambda.amazonaws.com"))]))
        .all()
        .expect("a good rule")
}

const EXCEPTION: &str = "rules = [\"a\", \"embedded\"]\nquery = 'user.name: \"é\"'\nreason = \"a pipeline\"\nowner = \"ops\"\n\
                         expires = 2026-12-24\n";
const ROUTE: &str =
    "query = 'cloud.region: eu-*'\ntopic = \"arn:aws:sns:eu-west-1:111122223333:europe\"\nstop = true\n";
const ACCOUNTS: &str =
    r#"{"Accounts": [{"Id": "111122223333", "Name": "payments-prod", "Status": "ACTIVE"}]}"#;

fn everything() -> Bundle {
    let texts = texts(&[
        ("rules/exceptions/ci.toml", EXCEPTION),
        ("rules/routes/eu.toml", ROUTE),
        ("rules/accounts.json", ACCOUNTS),
    ]);
    Contents::read(texts, &embedded()).bundle("rules").unwrap_or_else(|errors| panic!("{}", errors[0]))
}
