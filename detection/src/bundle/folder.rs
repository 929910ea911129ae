//! The contents of a rules folder, given as names and texts.

use super::exception::Known;
use super::{Bundle, Exception, Files, Route, account, exception, route, sha256};
use crate::notice::Accounts;
use crate::query;
use crate::rule::{self, Reading, Source};
use crate::silence;

/// The files of a rules folder, each with its name and text, in order of name.
#[derive(Debug, Clone, Default)]
pub struct Texts {
    /// Rule files.
    pub rules: Vec<(String, String)>,
    /// `exceptions/*.toml`
    pub exceptions: Vec<(String, String)>,
    /// `routes/*.toml`
    pub routes: Vec<(String, String)>,
    /// `accounts.json`
    pub accounts: Option<(String, String)>,
}

/// What the files of a rules folder hold.
#[derive(Debug, Default)]
pub struct Contents {
    /// The rules, and every mistake in every file.
    pub reading: Reading,
    /// The exceptions that have no mistakes.
    pub exceptions: Vec<Exception>,
    /// Account names, by account id.
    pub accounts: Accounts,
    /// The routes that have no mistakes.
    pub routes: Vec<Route>,
    files: Vec<(String, String)>,
}

impl Contents {
    /// Reads the files. Exceptions may name the folder's rules and those in `others`, which already exist.
    #[must_use]
    pub fn read(texts: Texts, others: &[Source]) -> Self {
        let Texts { rules, exceptions, routes, accounts } = texts;
        let all = rules.iter().chain(&exceptions).chain(&routes).chain(&accounts);
        let files = all.map(|(name, text)| (name.clone(), sha256(text.as_bytes()))).collect();
        let reading = rule::read(rules);
        let mut contents = Self { files, ..Self::default() };
        let mut errors = Vec::new();
        {
            let not_run = reading.ids.keys().map(|id| (id.as_str(), None));
            let run = others.iter().chain(&reading.rules);
            let run = run.map(|rule| (rule.definition.rule_id.as_str(), Some(rule)));
            // No rule file holds the silence rule.
            let known: Known = not_run.chain(run).chain([(silence::RULE_ID, None)]).collect();
            for (file, text) in &exceptions {
                match exception::read(file, text, &known) {
                    Ok(exception) => contents.exceptions.push(exception),
                    Err(mistakes) => errors.extend(in_file(file, mistakes)),
                }
            }
        }
        for (file, text) in &routes {
            match route::read(file, text) {
                Ok(route) => contents.routes.push(route),
                Err(mistakes) => errors.extend(in_file(file, mistakes)),
            }
        }
        if let Some((file, text)) = &accounts {
            match account::read(text) {
                Ok(accounts) => contents.accounts = accounts,
                Err(mistake) => errors.extend(in_file(file, vec![mistake])),
            }
        }
        contents.reading = reading;
        contents.reading.errors.extend(errors);
        contents
    }

    /// The bundle in this version's format, if every file is valid and every rule can be run. `folder` is stripped from
    /// the names of its files.
    ///
    /// # Errors
    /// Every mistake, and every rule that cannot be run.
    pub fn bundle(self, folder: &str) -> Result<Bundle, Vec<rule::Error>> {
        let Self { reading, mut exceptions, accounts, mut routes, files } = self;
        let mut rules = reading.all()?;
        let relative = |name: &str| {
            let name = name.strip_prefix(folder).unwrap_or(name);
            name.trim_start_matches('/').to_owned()
        };
        let names = rules.iter_mut().map(|rule| &mut rule.file);
        let names = names.chain(exceptions.iter_mut().map(|exception| &mut exception.file));
        for name in names.chain(routes.iter_mut().map(|route| &mut route.file)) {
            *name = relative(name);
        }
        let count = files.len();
        let lines = files.iter().map(|(name, sha256)| format!("{sha256}  {}\n", relative(name)));
        let hash: String = lines.collect();
        let files = Files { count, sha256: sha256(hash.as_bytes()) };
        Ok(Bundle { tool: env!("CARGO_PKG_VERSION").to_owned(), files, rules, exceptions, accounts, routes })
    }
}

fn in_file(file: &str, mistakes: Vec<query::Error>) -> impl Iterator<Item = rule::Error> {
    mistakes.into_iter().map(move |error| rule::Error { file: file.to_owned(), error })
}
