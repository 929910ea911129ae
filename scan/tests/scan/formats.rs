//! Signals as people read them: table, CSV and page.

use serde_json::{Value, json};

use crate::{Run, delivery, folder, hit, path, scan, seed};

/// What a run prints for these records in this form.
fn printed(format: &str, records: &[Value]) -> String {
    let folder = folder(&[("a.json", &delivery(records))]);
    let Run { code, out, err } = scan(&["--rules", seed(), "--format", format, path(&folder)]);
    assert_eq!(code, Some(0), "{err}");
    out
}

/// A call by this user on this function.
fn call(event: &str, user: &str, function: &str, minute: u32) -> Value {
    let mut record = hit(event);
    record["userIdentity"] = json!({ "type": "IAMUser", "userName": user, "accountId": "111122223333" });
    record["requestParameters"] = json!({ "functionName": function });
    record["sourceIPAddress"] = "192.0.2.1".into();
    record["eventTime"] = format!("2026-11-23T10:{minute:02}:00Z").into();
    record
}

#[test]
fn a_table_folds_repeats_and_sums_by_severity_rule_and_principal() {
    let records = [call("1", "ana", "pay", 7), call("2", "bob", "pay", 6), call("3", "ana", "pay", 5)];
    let table = printed("table", &records);
    let lines: Vec<Vec<&str>> = table
        .lines()
        .map(|line| line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect())
        .collect();
    let rule = "AWS Lambda Function Created or Updated";
    assert_eq!(
        lines[..3],
        [
            vec!["TIME", "SEVERITY", "RULE", "PRINCIPAL", "ACCOUNT", "TARGET", "SOURCE", "COUNT"],
            vec!["2026-11-23 10:05:00", "low", rule, "ana", "111122223333", "pay", "192.0.2.1", "×2"],
            vec!["2026-11-23 10:06:00", "low", rule, "bob", "111122223333", "pay", "192.0.2.1"],
        ],
        "{table}"
    );
    for sum in [
        "3 signals in 2 lines",
        "3  low",
        "3  AWS Lambda Function Created or Updated (by Elastic)",
        "2  ana",
        "1  bob",
    ] {
        assert!(table.lines().any(|line| line.trim() == sum), "{sum} in {table}");
    }
    assert!(!table.contains('\u{1b}'), "no colours in a pipe");
    assert_eq!(printed("table", &[crate::miss("1")]), "no signals\n");
}

#[test]
fn wide_characters_keep_the_columns_of_a_table_straight() {
    use unicode_width::UnicodeWidthStr;
    let names = ["ana", "größe", "漢字の名前", "e\u{301}te\u{301}", "👩‍💻dev"];
    let records: Vec<_> =
        names.iter().enumerate().map(|(index, name)| call(&index.to_string(), name, "pay", 5)).collect();
    let table = printed("table", &records);
    let starts: Vec<_> = table
        .lines()
        .take(names.len() + 1)
        .map(|line| line[..line.find("1111").or(line.find("ACCOUNT")).expect(line)].width())
        .collect();
    assert!(starts.iter().all(|start| *start == starts[0]), "{starts:?} in {table}");
}

#[test]
fn hostile_text_breaks_no_line_of_a_table_and_steers_no_terminal() {
    let records = [call("1", "a\u{1b}[2J\nforged\u{202e}", "<script>", 5)];
    let table = printed("table", &records);
    assert_eq!(table.lines().nth(1).expect("a line").matches("forged").count(), 1);
    assert_eq!(table.find(|c: char| c != '\n' && c.is_control() || c == '\u{202e}'), None, "{table:?}");
}

#[test]
fn no_cell_of_a_csv_file_starts_a_formula() {
    let hostile = [
        "=cmd|' /C calc'!A0",
        "+1",
        "-1",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\n=1",
        " =1",
        "|x",
        "＝1",
        "\"=1",
        ",=1",
        "a;=1",
    ];
    let records: Vec<_> =
        hostile.iter().enumerate().map(|(index, name)| call(&index.to_string(), name, name, 5)).collect();
    let csv = printed("csv", &records);
    assert_eq!(csv.lines().count(), hostile.len() + 1, "a line a signal: {csv}");
    for line in csv.split("\r\n").skip(1).filter(|line| !line.is_empty()) {
        let cells = cells(line);
        assert_eq!(cells.len(), 17, "{line}");
        for cell in cells {
            assert!(
                !cell.starts_with(['=', '+', '-', '@', '|', '\t', '\r', '\n', ' ', '＝']),
                "{cell:?} in {line}"
            );
        }
    }
}

/// The cells of a line.
fn cells(line: &str) -> Vec<String> {
    let (mut cells, mut quoted, mut characters) = (vec![String::new()], false, line.chars().peekable());
    while let Some(character) = characters.next() {
        let cell = cells.last_mut().expect("a cell");
        match character {
            '"' if quoted && characters.next_if_eq(&'"').is_some() => cell.push('"'),
            '"' => quoted = !quoted,
            ',' if !quoted => cells.push(String::new()),
            character => cell.push(character),
        }
    }
    cells
}

#[test]
fn the_page_loads_nothing_and_escapes_everything() {
    let hostile = [
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "' onmouseover='x",
        "&lt;b&gt;",
        "</style>",
        "javascript:x",
        "https://evil.example/x",
    ];
    let records: Vec<_> =
        hostile.iter().enumerate().map(|(index, name)| call(&index.to_string(), name, name, 5)).collect();
    let page = printed("html", &records);
    assert_eq!(page.matches("<script>").count(), 1, "our own");
    assert_eq!(page.matches("<style>").count(), 1, "our own");
    for bad in ["<img", "<b>&", " onerror=\"", " href=\"http", "url(", "@import", "<a "] {
        assert!(!page.contains(bad), "{bad}");
    }
    assert!(page.contains("default-src 'none'"));
    for part in [
        "<h2>When</h2>",
        "<h2>Tactics</h2>",
        "<h2>Rules</h2>",
        "<h2>Principals</h2>",
        "<h2>Accounts</h2>",
        "<h2>Addresses</h2>",
        "<h2>Signals</h2>",
        "Execution",
    ] {
        assert!(page.contains(part), "{part}");
    }
    assert_eq!(page.matches("<details>").count(), hostile.len());
    assert!(page.contains("name=\"viewport\"") && page.contains("@media print"));
}

#[test]
fn table_csv_and_page_leave_duplicates_out_as_json_does() {
    let records = [call("1", "ana", "pay", 5), call("1", "ana", "pay", 5)];
    assert!(printed("table", &records).contains("\n1 signal in 1 line\n"));
    assert_eq!(printed("csv", &records).lines().count(), 2);
    assert_eq!(printed("html", &records).matches("<details>").count(), 1);
    assert_eq!(printed("json", &records).lines().count(), 1);
}

#[test]
fn ecs_documents_have_no_other_form() {
    let run = scan(&["--ecs", "--format", "table", "."]);
    assert_eq!(run.code, Some(2), "{}", run.err);
}
