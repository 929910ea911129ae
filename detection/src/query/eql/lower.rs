//! From syntax to the tree.
//!
//! Elasticsearch turns a comparison into an index query: for a missing field it is false, and `not` of it is true. A
//! function becomes a script, which returns null for a missing field, and so does a `not` directly before it; null is
//! not a match. Anything around that is a query again. So `not f(x)` is lowered to `x != null and not f(x)`, and
//! nothing else needs a third value.

use super::syntax::{Condition, Event, How, Kind as Syntax, Operand, Place, Sign};
use super::values::{Refusal, equality, like, range, regex};
use crate::query::kql::network;
use crate::query::regex::{MAX_PER_RULE, TOO_MANY};
use crate::query::{Comparison, Error, Field, Glob, Kind, Node, Parsed, Relation, Subject, Test};

const FUNCTIONS: &str = "stringContains, startsWith, endsWith, length, cidrMatch, wildcard and match";

pub(super) fn lower(
    text: &str,
    event: &Event,
    category_field: &str,
    schema: &dyn Fn(&str) -> Result<Field, String>,
) -> Result<Parsed, Vec<Error>> {
    let mut lowering = Lowering { text, schema, regexes: 0, refusals: Vec::new(), places: Vec::new() };
    let category = event.category.as_ref().map(|(word, place)| {
        let kind = Syntax::Field { name: category_field.to_owned(), optional: false };
        let operand = Operand { kind, place: place.clone() };
        lowering.text_test(&operand, |_| Ok(Test::Text(word.clone())))
    });
    let condition = lowering.condition(&event.condition);
    let root = match (category, condition) {
        (None, condition) => condition,
        (Some(category), Node::And(mut nodes)) => {
            nodes.insert(0, category);
            Node::And(nodes)
        }
        (Some(category), condition) => Node::And(vec![category, condition]),
    };
    let Lowering { refusals, places, .. } = lowering;
    if refusals.is_empty() { Ok(Parsed { root, places }) } else { Err(refusals) }
}

struct Lowering<'a> {
    text: &'a str,
    schema: &'a dyn Fn(&str) -> Result<Field, String>,
    regexes: usize,
    /// Well-formed parts that cannot be used: all of them are reported.
    refusals: Vec<Error>,
    /// The place of every test, in the order of the tree.
    places: Vec<Place>,
}

/// Never holds: a test of a field that no record has.
fn never() -> Node {
    Node::Or(Vec::new())
}

fn any_of(mut nodes: Vec<Node>) -> Node {
    if nodes.len() == 1 { nodes.remove(0) } else { Node::Or(nodes) }
}

fn not(node: Node) -> Node {
    Node::Not(Box::new(node))
}

impl Lowering<'_> {
    fn condition(&mut self, condition: &Condition) -> Node {
        match condition {
            Condition::And(parts) => Node::And(parts.iter().map(|part| self.condition(part)).collect()),
            Condition::Or(parts) => Node::Or(parts.iter().map(|part| self.condition(part)).collect()),
            Condition::Not(inner) => match inner.as_ref() {
                Condition::Not(inner) => self.condition(inner),
                inner => self.negated(inner),
            },
            Condition::Compare(left, sign, right) => self.compare(left, *sign, right),
            Condition::In { operand, any_case, values } => {
                let tests = values.iter().map(|value| self.member(operand, *any_case, value)).collect();
                any_of(tests)
            }
            Condition::Match { operand, how, patterns } => self.matching(operand, *how, patterns),
            Condition::Operand(operand) => self.alone(operand),
        }
    }

    /// `not` of something that is not itself a `not`.
    fn negated(&mut self, inner: &Condition) -> Node {
        let calls = called(inner);
        let mut nodes: Vec<_> = calls.into_iter().map(|field| self.exists(field)).collect();
        nodes.push(not(self.condition(inner)));
        if nodes.len() == 1 { nodes.remove(0) } else { Node::And(nodes) }
    }

    fn compare(&mut self, left: &Operand, sign: Sign, right: &Operand) -> Node {
        if left.is_constant() && !right.is_constant() {
            let turned = match sign {
                Sign::Order(Comparison::Less) => Sign::Order(Comparison::Greater),
                Sign::Order(Comparison::LessOrEqual) => Sign::Order(Comparison::GreaterOrEqual),
                Sign::Order(Comparison::Greater) => Sign::Order(Comparison::Less),
                Sign::Order(Comparison::GreaterOrEqual) => Sign::Order(Comparison::LessOrEqual),
                same => same,
            };
            return self.compare(right, turned, left);
        }
        if sign == Sign::NotEqual && !matches!((&left.kind, &right.kind), (_, Syntax::Null)) {
            return self.negated(&Condition::Compare(left.clone(), Sign::Equal, right.clone()));
        }
        match (&left.kind, &right.kind, sign) {
            (Syntax::Field { .. }, Syntax::Null, Sign::Equal) => not(self.exists(left)),
            (Syntax::Field { .. }, Syntax::Null, Sign::NotEqual) => self.exists(left),
            (Syntax::Field { .. }, Syntax::Field { .. }, Sign::Equal) => {
                self.related(left, Relation::Equals, right, false)
            }
            (Syntax::Field { .. }, Syntax::Text(_) | Syntax::Number(_) | Syntax::Boolean(_), _) => {
                self.test(left, &right.place, |kind| match sign {
                    Sign::Order(comparison) => range(kind, comparison, &right.kind),
                    _ => equality(kind, &right.kind),
                })
            }
            (Syntax::Call { name, arguments, .. }, Syntax::Number(number), _) if name == "length" => {
                let [field] = arguments.as_slice() else {
                    return self.refuse(&left.place, "length takes one field");
                };
                self.text_test(field, |_| {
                    Ok(match sign {
                        Sign::Order(comparison) => Test::LengthRange(comparison, number.clone()),
                        _ => Test::Length(number.clone()),
                    })
                })
            }
            (Syntax::Call { name, .. }, Syntax::Boolean(wanted), Sign::Equal) if name != "length" => {
                let call = Condition::Operand(left.clone());
                if *wanted { self.condition(&call) } else { self.negated(&call) }
            }
            (Syntax::Call { name, .. }, ..) if name == "length" => {
                self.refuse(&right.place, "expected a number: a length is a number")
            }
            (Syntax::Call { .. }, ..) => {
                self.refuse(&right.place, "expected true or false: that is what the function returns")
            }
            (Syntax::Field { .. }, Syntax::Call { .. }, _) => {
                self.refuse(&right.place, "a field cannot be compared with the result of a function")
            }
            (Syntax::Field { .. }, ..) => {
                self.refuse(&right.place, "only == and != compare with null or with another field")
            }
            _ => self.refuse(
                &left.place,
                "expected a field: comparing two constants always gives the same result",
            ),
        }
    }

    /// `operand in (value)`
    fn member(&mut self, operand: &Operand, any_case: bool, value: &Operand) -> Node {
        match &value.kind {
            Syntax::Null | Syntax::Field { .. } | Syntax::Call { .. } => {
                self.refuse(&value.place, "a list holds texts, numbers and booleans")
            }
            Syntax::Text(text) if any_case => {
                self.text_test(operand, |_| Ok(Test::like(Glob::text(text, true))))
            }
            _ => self.compare(operand, Sign::Equal, value),
        }
    }

    fn matching(&mut self, operand: &Operand, how: How, patterns: &[(String, Place)]) -> Node {
        if !matches!(operand.kind, Syntax::Field { .. }) {
            return self.refuse(&operand.place, "expected a field: nothing else is matched with a pattern");
        }
        let test = |(pattern, place): &(String, Place)| {
            if matches!(how, How::Regex { .. }) && !self.may_compile() {
                return self.refuse(place, TOO_MANY);
            }
            self.test(operand, place, |kind| match (kind, how) {
                (Kind::Keyword, How::Like { any_case }) => Ok(like(pattern, any_case)),
                (Kind::Keyword, How::Regex { any_case }) => regex(pattern, any_case),
                (Kind::Ip, How::Like { .. }) if !pattern.contains(['*', '?']) => {
                    equality(kind, &Syntax::Text(pattern.clone()))
                }
                (Kind::Ip, _) => Err((
                    "patterns match texts, and this is an address".to_owned(),
                    Some("use cidrMatch(field, \"192.0.2.0/24\")"),
                )),
                _ => Err((
                    "patterns match texts, and this field holds none".to_owned(),
                    Some("compare with ==, < or >"),
                )),
            })
        };
        any_of(patterns.iter().map(test).collect())
    }

    /// Counts a regular expression before it is compiled.
    fn may_compile(&mut self) -> bool {
        self.regexes += 1;
        self.regexes <= MAX_PER_RULE
    }

    fn alone(&mut self, operand: &Operand) -> Node {
        match &operand.kind {
            Syntax::Boolean(true) => Node::And(Vec::new()),
            Syntax::Boolean(false) => never(),
            Syntax::Field { .. } => self.test(operand, &operand.place, |kind| match kind {
                Kind::Boolean => Ok(Test::Boolean(true)),
                _ => Err((
                    "a field alone is not a condition unless it is a boolean".to_owned(),
                    Some("compare it: field == \"value\", or field != null"),
                )),
            }),
            Syntax::Call { name, any_case, arguments } => self.call(operand, name, *any_case, arguments),
            _ => self.refuse(&operand.place, "a value alone is not a condition: expected a comparison"),
        }
    }

    fn call(&mut self, call: &Operand, name: &str, any_case: bool, arguments: &[Operand]) -> Node {
        let relation = match name {
            "stringContains" => Some(Relation::Contains),
            "startsWith" => Some(Relation::StartsWith),
            "endsWith" => Some(Relation::EndsWith),
            "cidrMatch" | "match" | "wildcard" => None,
            "length" => {
                return self
                    .refuse(&call.place, "length returns a number: compare it, as in length(field) > 64");
            }
            _ => {
                return self.refuse(
                    &call.place,
                    format!("there is no function {name}: expected one of {FUNCTIONS}"),
                );
            }
        };
        if name == "cidrMatch" && any_case {
            return self.refuse(&call.place, "case does not apply to cidrMatch: write it without ~");
        }
        let [field, others @ ..] = arguments else { return never() };
        if others.is_empty() || !matches!(field.kind, Syntax::Field { .. }) {
            return self.refuse(
                &call.place,
                format!("{name} takes a field, and one or more things to compare it with"),
            );
        }
        let test = |other: &Operand| match (&other.kind, relation) {
            (Syntax::Field { .. }, Some(relation)) => self.related(field, relation, other, any_case),
            (Syntax::Text(text), Some(_)) if text.is_empty() => {
                self.refuse(&other.place, "expected a text that is not empty")
            }
            (Syntax::Text(text), Some(relation)) => self.text_test(field, |_| {
                let glob = Glob::text(text, any_case);
                Ok(Test::like(match relation {
                    Relation::Equals => glob,
                    Relation::StartsWith => glob.before_anything(),
                    Relation::EndsWith => glob.after_anything(),
                    Relation::Contains => glob.after_anything().before_anything(),
                }))
            }),
            (Syntax::Text(_), None) if name == "match" && !self.may_compile() => {
                self.refuse(&other.place, TOO_MANY)
            }
            (Syntax::Text(text), None) => self.test(field, &other.place, |kind| match (name, kind) {
                ("cidrMatch", Kind::Ip | Kind::Keyword) => network(text).map_err(|reason| (reason, None)),
                ("wildcard", Kind::Keyword) => Ok(like(text, any_case)),
                ("match", Kind::Keyword) => regex(text, any_case),
                _ => Err((format!("{name} does not take a field of this kind"), None)),
            }),
            _ => self.refuse(&other.place, "expected a text in double quotes"),
        };
        any_of(others.iter().map(test).collect())
    }

    /// Some value of a string field passes a test.
    fn text_test(&mut self, field: &Operand, test: impl FnOnce(Kind) -> Result<Test, Refusal>) -> Node {
        let place = field.place.clone();
        self.test(field, &place, |kind| match kind {
            Kind::Keyword => test(kind),
            _ => Err((
                "expected a field of texts".to_owned(),
                Some("compare other fields with ==, < or >, and addresses with cidrMatch"),
            )),
        })
    }

    fn test(
        &mut self,
        field: &Operand,
        place: &Place,
        test: impl FnOnce(Kind) -> Result<Test, Refusal>,
    ) -> Node {
        let Some((subject, kind)) = self.field(field) else { return never() };
        match test(kind) {
            Ok(test) => self
                .leaf(Node::Field { subject, kind, test }, field.place.start..place.end.max(field.place.end)),
            Err((reason, help)) => {
                let error = Error::spanning(self.text, place.clone(), reason);
                self.refusals.push(match help {
                    Some(help) => error.help(help),
                    None => error,
                });
                never()
            }
        }
    }

    fn exists(&mut self, field: &Operand) -> Node {
        let place = field.place.clone();
        self.test(field, &place, |_| Ok(Test::Exists))
    }

    fn related(&mut self, one: &Operand, relation: Relation, other: &Operand, any_case: bool) -> Node {
        let fields = self.field(one).zip(self.field(other));
        let Some(((one_subject, _), (other_subject, _))) = fields else { return never() };
        let node = Node::Fields { one: one_subject, relation, other: other_subject, any_case };
        self.leaf(node, one.place.start..other.place.end)
    }

    fn leaf(&mut self, node: Node, place: Place) -> Node {
        self.places.push(place);
        node
    }

    /// The subject and the kind of a field. `None` for an optional field that no record has.
    fn field(&mut self, operand: &Operand) -> Option<(Subject, Kind)> {
        let Syntax::Field { name, optional } = &operand.kind else {
            self.refuse(&operand.place, "expected a field");
            return None;
        };
        match (self.schema)(name) {
            Ok(field) => Some((name.as_str().into(), field.kind)),
            Err(_) if *optional => None,
            Err(reason) => {
                self.refuse(&operand.place, reason);
                None
            }
        }
    }

    /// Records a mistake and returns a placeholder: a query with mistakes is not used.
    fn refuse(&mut self, place: &Place, reason: impl Into<String>) -> Node {
        let error = Error::spanning(self.text, place.clone(), reason);
        // The operand of a list is visited once for every value.
        if !self.refusals.contains(&error) {
            self.refusals.push(error);
        }
        never()
    }
}

/// The fields that the functions in a test look at, if it has any.
fn called(condition: &Condition) -> Vec<&Operand> {
    let arguments = |operand: &'_ Operand| matches!(operand.kind, Syntax::Call { .. });
    let operands: Vec<&Operand> = match condition {
        Condition::Compare(left, _, right) => vec![left, right],
        Condition::In { operand, .. } | Condition::Operand(operand) => vec![operand],
        _ => Vec::new(),
    };
    let calls = operands.into_iter().filter(|operand| arguments(operand));
    let fields = calls.flat_map(|operand| match &operand.kind {
        Syntax::Call { arguments, .. } => arguments.as_slice(),
        _ => &[],
    });
    fields.filter(|argument| matches!(argument.kind, Syntax::Field { .. })).collect()
}
