//! The words by which answers are told apart are those that the gateway's own description has.

#![expect(clippy::unwrap_used, reason = "tests end by panicking")]

use loadtest::outcome::Word;

/// The words of one field of one schema of the description.
fn described(schema: &str, field: &str) -> Vec<String> {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../gateway/openapi.json");
    let text = std::fs::read_to_string(file).unwrap();
    let description: serde_json::Value = serde_json::from_str(&text).unwrap();
    let words = &description["components"]["schemas"][schema]["properties"][field]["enum"];
    words.as_array().unwrap().iter().map(|word| word.as_str().unwrap().to_owned()).collect()
}

#[test]
fn every_status_and_problem_of_the_gateway_has_a_word() {
    for (schema, field) in [("Answer", "status"), ("Problem", "code")] {
        let words = described(schema, field);
        assert!(words.len() >= 8, "{schema}.{field}: {words:?}");
        for word in words {
            assert_eq!(Word::of(word.as_bytes()).text(), word, "{schema}.{field} is not told apart");
        }
    }
}
