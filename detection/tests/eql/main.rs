//! EQL on one event: what it says about documents, and what it refuses.

mod limits;
mod refusals;
mod verdicts;

use detection::query::{Error, Field, Kind, Query, Values};

/// A schema with a field of every kind.
fn schema(field: &str) -> Result<Field, String> {
    let kind = match field {
        "x" | "y" | "z" | "category" | "user.name" | "odd name" | "in" => Kind::Keyword,
        "flag" => Kind::Boolean,
        "size" => Kind::Long,
        "ip" => Kind::Ip,
        "@timestamp" => Kind::Date,
        _ => return Err(format!("no field {field} in the test's schema")),
    };
    Ok(Field { kind, values: Values::Many })
}

fn parse(query: &str) -> Result<Query, Vec<Error>> {
    Query::parse_eql(query, "category", schema)
}
