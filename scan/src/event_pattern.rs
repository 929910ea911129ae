//! `--event-pattern`: prints the pattern for EventBridge on standard output, and what makes it broad on standard error.

use std::io::{self, Write};

use detection::detect::Ruleset;

/// EventBridge refuses a longer pattern unless its quota is raised.
const MAX_PATTERN: usize = 2048;
/// CloudFormation refuses a longer parameter value.
const MAX_PARAMETER: usize = 4096;

/// Prints the pattern. Returns whether it could be written to standard output.
pub fn print(rules: &Ruleset) -> bool {
    let pattern = rules.event_pattern();
    for name in &pattern.of_everything {
        eprintln!(
            "warning: {name}: names neither event.provider nor event.action, so that the pattern asks for every event"
        );
    }
    for name in &pattern.of_reading {
        eprintln!(
            "warning: {name}: asks for calls that only read; EventBridge brings those only to a rule whose state is \
             ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS, and the delivery brings them in any case"
        );
    }
    let text = pattern.pattern.to_string();
    if text.len() > MAX_PARAMETER {
        eprintln!(
            "warning: the pattern has {} bytes; the template's parameter holds {MAX_PARAMETER}",
            text.len()
        );
    }
    if text.len() > MAX_PATTERN {
        eprintln!(
            "warning: the pattern has {} bytes; EventBridge accepts {MAX_PATTERN} unless its quota is raised",
            text.len()
        );
    }
    writeln!(io::stdout(), "{text}").is_ok()
}
