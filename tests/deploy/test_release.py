"""What a release holds, and that building it again gives the same bytes."""

import copy
import io
import os
import re
import shlex
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest
import release
import yaml
from emulator import ROOT
from parameters import Loader
from test_template import TEMPLATE

FILES = {"bootstrap": (b"\x7fELF" * 500, 0o755), "LICENSE": (b"text", 0o644)}
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))


def test_the_same_files_give_the_same_archives_whenever_and_in_whatever_order() -> None:
    backwards = dict(reversed(FILES.items()))
    assert release.zipped(FILES) == release.zipped(backwards)
    assert release.tarred("folder", FILES) == release.tarred("folder", backwards)


def test_lambda_may_execute_what_is_in_the_zip_and_it_says_nothing_of_who_made_it() -> None:
    with zipfile.ZipFile(io.BytesIO(release.zipped(FILES))) as archive:
        entry = archive.getinfo("bootstrap")
        assert entry.external_attr >> 16 == 0o100755
        assert entry.date_time == release.ZIP_DATE
        assert archive.read("bootstrap") == FILES["bootstrap"][0]
    with tarfile.open(fileobj=io.BytesIO(release.tarred("folder", FILES))) as archive:
        member = archive.getmember("folder/bootstrap")
        assert (member.mode, member.mtime, member.uid, member.uname) == (0o755, 0, 0, "")


def test_the_packaged_template_takes_its_code_from_a_bucket_and_is_the_template_otherwise() -> None:
    text = release.packaged((ROOT / "template.yaml").read_text(), "9.9.9")
    packaged = yaml.load(text, Loader)
    function = packaged["Resources"]["Function"]
    assert function["Properties"].pop("CodeUri") == {"Bucket": {"Ref": "CodeBucket"}, "Key": {"Ref": "CodeKey"}}
    added = {name: packaged["Parameters"].pop(name) for name in ("CodeBucket", "CodeKey")}
    assert added["CodeKey"]["Default"] == "cloudtrail-signals-9.9.9-x86_64.zip"
    assert re.fullmatch(added["CodeBucket"]["AllowedPattern"], "my-code-bucket")
    assert packaged["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"].pop(0)["Parameters"] == list(added)
    expected = copy.deepcopy(TEMPLATE)
    del expected["Resources"]["Function"]["Properties"]["CodeUri"], expected["Resources"]["Function"]["Metadata"]
    assert packaged == expected
    assert "CodeBucket" not in TEMPLATE["Parameters"]


def test_a_template_without_what_is_to_be_replaced_stops_the_release() -> None:
    with pytest.raises(SystemExit, match="expected once, found 0 times"):
        release.packaged("Resources: {}", "9.9.9")


def test_the_notes_are_the_changelog_s_section_about_this_version() -> None:
    changelog = "# Changelog\n\n## 2.0.0\n\n- new\n\n## 0.1.0 (unreleased)\n\n- old\n"
    assert release.notes(changelog, "2.0.0") == "- new\n"
    assert release.notes(changelog, "0.1.0") == "- old\n"
    with pytest.raises(SystemExit, match=r"no section about 1\.0\.0"):
        release.notes(changelog, "1.0.0")
    assert release.notes((ROOT / "CHANGELOG.md").read_text(), release.version())


def test_a_bill_of_materials_names_no_folder_of_the_machine_and_has_no_number_of_its_own() -> None:
    document = {"serialNumber": "urn:uuid:1", "metadata": {"component": {"bom-ref": "path+file:///home/me/x/scan#a@1"}}}
    text = release.bill(document, Path("/home/me/x")).decode()
    assert "serialNumber" not in text
    assert '"path+file:scan#a@1"' in text


def test_the_checksums_are_those_that_sha256sum_reads(tmp_path: Path) -> None:
    (tmp_path / "b").write_bytes(b"")
    (tmp_path / "a").write_bytes(b"x")
    first, second = release.checksums(tmp_path.iterdir()).splitlines()
    assert first == "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881  a"
    assert second.endswith("  b")


def test_paths_of_the_machine_are_mapped_away_and_flags_may_follow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARGO_HOME", "/home/some body/.cargo")
    given = release.environment("-C", "target-feature=+crt-static")
    flags = given["CARGO_ENCODED_RUSTFLAGS"].split("\x1f")
    assert "--remap-path-prefix=/home/some body/.cargo=/cargo" in flags
    assert f"--remap-path-prefix={ROOT}=/source" in flags
    assert flags[-2:] == ["-C", "target-feature=+crt-static"]
    assert given["SOURCE_DATE_EPOCH"].isdigit()


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda file: file.name)
def test_a_workflow_pins_its_actions_and_its_compiler_and_may_do_no_more_than_it_needs(workflow: Path) -> None:
    text = workflow.read_text()
    used = re.findall(r"uses: (.*)$", text, re.MULTILINE)
    assert used
    assert [each for each in used if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v[\d.]+", each)] == []
    assert f"rustup toolchain install {release.RUST} " in text
    document = yaml.safe_load(text)
    assert document["permissions"] in ({}, {"contents": "read"})
    (job,) = document["jobs"].values()
    if workflow.name == "release.yml":
        assert job["permissions"] == {"contents": "write", "id-token": "write", "attestations": "write"}
        assert "cache" not in re.sub(r"#.*", "", text)
    else:
        assert "permissions" not in job
    for step in job["steps"]:
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False


def test_make_lint_checks_every_workflow_and_what_no_workflow_may_say_is_refused(tmp_path: Path) -> None:
    printed = subprocess.check_output(["make", "--dry-run", "lint"], cwd=ROOT, text=True)
    (line,) = (line for line in printed.splitlines() if "actionlint" in line)
    actionlint, *words = shlex.split(line)
    assert words[-len(WORKFLOWS) :] == [workflow.relative_to(ROOT).as_posix() for workflow in WORKFLOWS]
    options = words[: -len(WORKFLOWS)]
    for wrong in ("permissions:\n  everything: write\n", "env:\n  A: ${{ nothing.at.all }}\n"):
        file = tmp_path / "wrong.yml"
        file.write_text(wrong + WORKFLOWS[0].read_text())
        assert subprocess.run([actionlint, *options, file], cwd=ROOT, capture_output=True, check=False).returncode == 1


def test_the_compiler_of_a_release_is_one_that_the_crates_accept() -> None:
    assert release.RUST.startswith(f"{release.workspace()['package']['rust-version']}.")


@pytest.mark.skipif(not (ROOT / "dist/SHA256SUMS").exists(), reason="make release has not run here")
def test_what_was_released_is_whole() -> None:
    dist, version = ROOT / "dist", release.version()
    names = {each.name for each in dist.iterdir()}
    assert {
        *(f"cloudtrail-signals-{version}-x86_64.zip", f"cloudtrail-scan-{version}-x86_64-unknown-linux-gnu.tar.gz"),
        *(f"cloudtrail-signals-{version}.cdx.json", f"cloudtrail-scan-{version}.cdx.json"),
        *("template.yaml", "log-archive.yaml", "forward-events.yaml", "terraform.zip", "NOTES.md", "SHA256SUMS"),
    } <= names
    files = [each for each in dist.iterdir() if each.name != "SHA256SUMS"]
    assert (dist / "SHA256SUMS").read_text() == release.checksums(files)
    assert [each.name for each in files if os.fsencode(ROOT) in each.read_bytes()] == []
