//! The query language, as a table of verdicts, a table of refusals, and laws that hold for every query.

mod contradictions;
mod fixture;
mod flattened;
mod laws;
mod possible;
mod refusals;
mod verdicts;
