//! `rsigma RULES DELIVERY` applies a folder's Sigma rules to a delivery with rsigma-eval, as its documentation shows,
//! and prints the number of matches. It parses one record at a time, so that its memory is that of the delivery's text.

use std::error::Error;
use std::fs::{self, File};
use std::io::Read;

use flate2::read::MultiGzDecoder;
use rsigma_eval::Engine;
use rsigma_eval::event::JsonEvent;
use rsigma_parser::parse_sigma_yaml;
use serde_json::Value;
use serde_json::value::RawValue;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [rules, delivery] = &arguments[..] else { return Err("usage: rsigma RULES DELIVERY".into()) };
    let mut engine = Engine::new();
    for entry in fs::read_dir(rules)? {
        engine.add_collection(&parse_sigma_yaml(&fs::read_to_string(entry?.path())?)?)?;
    }
    let mut text = String::new();
    MultiGzDecoder::new(File::open(delivery)?).read_to_string(&mut text)?;
    let text = text.strip_prefix(r#"{"Records":"#).and_then(|text| text.strip_suffix('}'));
    let records: Vec<&RawValue> = serde_json::from_str(text.ok_or("it is no delivery")?)?;
    let mut matches = 0;
    for record in &records {
        let record: Value = serde_json::from_str(record.get())?;
        matches += engine.evaluate(&JsonEvent::borrow(&record)).len();
    }
    println!("{} rules, {} records, {matches} matches", engine.rule_count(), records.len());
    Ok(())
}
