//! What holds for any text and any record.

use detection::query::Query;
use detection::query::sigma::Item;
use proptest::prelude::*;
use serde_json::json;

use crate::{compares, read, rule_text};

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_or_refused(text in ".{0,200}") {
        read(&text);
        read(&rule_text(&text));
        read(&rule_text(&format!("  s:\n    eventName: {text}\n  condition: s")));
        read(&rule_text(&format!("  s:\n    {text}: x\n  condition: s")));
        read(&rule_text(&format!("  s:\n    eventName: x\n  condition: {text}")));
    }

    #[test]
    fn any_few_words_of_a_condition_are_read_or_refused(words in proptest::collection::vec(
        proptest::sample::select(&["and", "or", "not", "(", ")", "1", "of", "all", "them", "s", "s*", "|", "near"][..]), 0..12,
    )) {
        let reading = read(&rule_text(&format!("  s:\n    eventName: x\n  condition: {:?}", words.join(" "))));
        prop_assert_eq!(reading.rules.len() + usize::from(!reading.errors.is_empty()) + usize::from(!reading.not_run.is_empty() && reading.errors.is_empty()), 1);
    }

    #[test]
    fn a_text_with_its_wildcards_escaped_matches_itself_and_no_other(text in "[a-zA-Z*?\\\\äÖ ]{0,12}", other in "[a-z*?\\\\ ]{0,3}") {
        let escaped: String = text.chars().flat_map(|character| {
            matches!(character, '*' | '?' | '\\').then_some('\\').into_iter().chain([character])
        }).collect();
        let value = json!(escaped).to_string();
        let record = |text: &str| json!({"userAgent": text}).to_string();
        prop_assert!(compares("userAgent", &value, &record(&text)));
        prop_assert!(compares("userAgent", &value, &record(&text.to_uppercase())));
        let around = format!("{other}{text}{other}");
        prop_assert!(compares("userAgent|contains", &value, &record(&around)));
        let same = other.to_lowercase() == text.to_lowercase();
        prop_assert_eq!(compares("userAgent", &value, &record(&other)), same);
    }

    #[test]
    fn stars_match_as_the_slow_way_says(pattern in "[ab*?]{0,8}", text in "[abAB]{0,10}") {
        fn slow(pattern: &[char], text: &[char]) -> bool {
            match (pattern, text) {
                ([], []) => true,
                (['*', rest @ ..], _) => (0..=text.len()).any(|skipped| slow(rest, &text[skipped..])),
                (['?', rest @ ..], [_, others @ ..]) => slow(rest, others),
                ([one, rest @ ..], [other, others @ ..]) => one.eq_ignore_ascii_case(other) && slow(rest, others),
                _ => false,
            }
        }
        let characters = |text: &str| text.chars().collect::<Vec<_>>();
        let record = json!({"userAgent": text}).to_string();
        let found = compares("userAgent", &json!(pattern).to_string(), &record);
        prop_assert_eq!(found, slow(&characters(&pattern), &characters(&text)));
    }

    #[test]
    fn any_json_as_a_detection_is_taken_or_refused(text in r#"[\[\]{}:,"a-z|*1 ]{0,40}"#) {
        for text in [text.clone(), format!(r#"{{"s":{text},"condition":"s"}}"#)] {
            if let Ok(item) = serde_json::from_str::<Item>(&text) {
                let _ = Query::parse_sigma(&item);
            }
        }
    }
}
