//! MITRE ATT&CK, as far as Sigma's tags name it: `attack.<tactic>` and `attack.tNNNN` or `attack.tNNNN.NNN`.

use super::definition::{Threat, ThreatEntry};

const FRAMEWORK: &str = "MITRE ATT&CK";

/// The tactics: the word in the tag, the identifier and the name. A renamed tactic keeps the name that the tag uses.
const TACTICS: [(&str, &str, &str); 16] = [
    ("reconnaissance", "TA0043", "Reconnaissance"),
    ("resource-development", "TA0042", "Resource Development"),
    ("initial-access", "TA0001", "Initial Access"),
    ("execution", "TA0002", "Execution"),
    ("persistence", "TA0003", "Persistence"),
    ("privilege-escalation", "TA0004", "Privilege Escalation"),
    ("stealth", "TA0005", "Stealth"),
    ("defense-evasion", "TA0005", "Defense Evasion"),
    ("defense-impairment", "TA0112", "Defense Impairment"),
    ("credential-access", "TA0006", "Credential Access"),
    ("discovery", "TA0007", "Discovery"),
    ("lateral-movement", "TA0008", "Lateral Movement"),
    ("collection", "TA0009", "Collection"),
    ("command-and-control", "TA0011", "Command and Control"),
    ("exfiltration", "TA0010", "Exfiltration"),
    ("impact", "TA0040", "Impact"),
];

/// Names of the techniques that cloud rules detect. A technique that is not listed has its identifier as its name.
const TECHNIQUES: [(&str, &str); 78] = [
    ("T1005", "Data from Local System"),
    ("T1018", "Remote System Discovery"),
    ("T1020", "Automated Exfiltration"),
    ("T1021", "Remote Services"),
    ("T1021.007", "Cloud Services"),
    ("T1021.008", "Direct Cloud VM Connections"),
    ("T1033", "System Owner/User Discovery"),
    ("T1040", "Network Sniffing"),
    ("T1046", "Network Service Discovery"),
    ("T1048", "Exfiltration Over Alternative Protocol"),
    ("T1049", "System Network Connections Discovery"),
    ("T1059", "Command and Scripting Interpreter"),
    ("T1059.009", "Cloud API"),
    ("T1069", "Permission Groups Discovery"),
    ("T1069.003", "Cloud Groups"),
    ("T1070", "Indicator Removal"),
    ("T1074", "Data Staged"),
    ("T1074.002", "Remote Data Staging"),
    ("T1078", "Valid Accounts"),
    ("T1078.001", "Default Accounts"),
    ("T1078.004", "Cloud Accounts"),
    ("T1082", "System Information Discovery"),
    ("T1087", "Account Discovery"),
    ("T1087.004", "Cloud Account"),
    ("T1090", "Proxy"),
    ("T1098", "Account Manipulation"),
    ("T1098.001", "Additional Cloud Credentials"),
    ("T1098.003", "Additional Cloud Roles"),
    ("T1098.004", "SSH Authorized Keys"),
    ("T1105", "Ingress Tool Transfer"),
    ("T1110", "Brute Force"),
    ("T1110.001", "Password Guessing"),
    ("T1110.003", "Password Spraying"),
    ("T1119", "Automated Collection"),
    ("T1133", "External Remote Services"),
    ("T1136", "Create Account"),
    ("T1136.003", "Cloud Account"),
    ("T1190", "Exploit Public-Facing Application"),
    ("T1199", "Trusted Relationship"),
    ("T1201", "Password Policy Discovery"),
    ("T1204", "User Execution"),
    ("T1204.003", "Malicious Image"),
    ("T1213", "Data from Information Repositories"),
    ("T1484", "Domain or Tenant Policy Modification"),
    ("T1484.002", "Trust Modification"),
    ("T1485", "Data Destruction"),
    ("T1486", "Data Encrypted for Impact"),
    ("T1489", "Service Stop"),
    ("T1490", "Inhibit System Recovery"),
    ("T1491", "Defacement"),
    ("T1496", "Resource Hijacking"),
    ("T1498", "Network Denial of Service"),
    ("T1518", "Software Discovery"),
    ("T1525", "Implant Internal Image"),
    ("T1526", "Cloud Service Discovery"),
    ("T1528", "Steal Application Access Token"),
    ("T1530", "Data from Cloud Storage"),
    ("T1531", "Account Access Removal"),
    ("T1535", "Unused/Unsupported Cloud Regions"),
    ("T1537", "Transfer Data to Cloud Account"),
    ("T1538", "Cloud Service Dashboard"),
    ("T1546", "Event Triggered Execution"),
    ("T1548", "Abuse Elevation Control Mechanism"),
    ("T1548.005", "Temporary Elevated Cloud Access"),
    ("T1550", "Use Alternate Authentication Material"),
    ("T1550.001", "Application Access Token"),
    ("T1552", "Unsecured Credentials"),
    ("T1552.005", "Cloud Instance Metadata API"),
    ("T1555", "Credentials from Password Stores"),
    ("T1555.006", "Cloud Secrets Management Stores"),
    ("T1556", "Modify Authentication Process"),
    ("T1556.006", "Multi-Factor Authentication"),
    ("T1566", "Phishing"),
    ("T1578", "Modify Cloud Compute Infrastructure"),
    ("T1580", "Cloud Infrastructure Discovery"),
    ("T1619", "Cloud Storage Object Discovery"),
    ("T1648", "Serverless Execution"),
    ("T1651", "Cloud Administration Command"),
];

/// What tags mean in the framework.
///
/// Tags name tactics and techniques side by side and do not say which technique serves which tactic; an alert document
/// has techniques inside a tactic. So every technique is listed under every tactic. Techniques without any tactic have
/// no place there and appear only among the tags, as do words that are neither.
pub(super) fn threat<'a>(tags: impl Iterator<Item = &'a str> + Clone) -> Vec<Threat> {
    let words = tags.filter_map(|tag| {
        let (space, word) = tag.split_once('.')?;
        space.eq_ignore_ascii_case("attack").then(|| word.to_ascii_lowercase().replace('_', "-"))
    });
    let words: Vec<_> = words.collect();
    let mut techniques: Vec<ThreatEntry> = Vec::new();
    for (technique, part) in words.iter().filter_map(|word| technique(word)) {
        let known = techniques.iter().position(|known| known.id == technique.id);
        let index = known.unwrap_or(techniques.len());
        if known.is_none() {
            techniques.push(technique);
        }
        let parts = &mut techniques[index].subtechnique;
        parts.extend(part.filter(|part| !parts.contains(part)));
    }
    let mut threat: Vec<Threat> = Vec::new();
    for (_, id, name) in words.iter().filter_map(|word| tactic(word)) {
        if threat.iter().all(|known| known.tactic.id != *id) {
            let tactic = entry(id, name, "tactics");
            let technique = techniques.clone();
            threat.push(Threat { framework: FRAMEWORK.to_owned(), tactic, technique });
        }
    }
    threat
}

fn tactic(word: &str) -> Option<&'static (&'static str, &'static str, &'static str)> {
    TACTICS.iter().find(|(known, id, _)| *known == word || id.eq_ignore_ascii_case(word))
}

/// `tNNNN` or `tNNNN.NNN`: the technique, and the subtechnique if any.
fn technique(word: &str) -> Option<(ThreatEntry, Option<ThreatEntry>)> {
    let are_digits =
        |text: &str, count| text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = word.strip_prefix('t')?;
    let (number, part) = number.split_once('.').map_or((number, None), |(number, part)| (number, Some(part)));
    if !are_digits(number, 4) || part.is_some_and(|part| !are_digits(part, 3)) {
        return None;
    }
    let named = |id: &str| {
        let name = TECHNIQUES.iter().find(|(known, _)| *known == id).map_or(id, |(_, name)| *name);
        entry(id, name, "techniques")
    };
    let id = format!("T{number}");
    Some((named(&id), part.map(|part| named(&format!("{id}.{part}")))))
}

fn entry(id: &str, name: &str, kind: &str) -> ThreatEntry {
    let page = id.replace('.', "/");
    ThreatEntry {
        id: id.to_owned(),
        name: name.to_owned(),
        reference: format!("https://attack.mitre.org/{kind}/{page}/"),
        subtechnique: Vec::new(),
    }
}
