"""Build a release into ``dist/``: the function's zips, the command, templates, bills of materials, checksums and notes.

It builds every architecture whose standard library is installed and names those it leaves out.

The same commit gives the same bytes in whatever folder it is built: paths are mapped to names that do not depend on the
machine, every date is the commit's, and archives hold their files in one order without owners. What the bytes do depend
on is pinned: the compiler by RUST below, cargo-lambda and zig by requirements/tools.txt, crates by Cargo.lock. The
archives are compressed by Python's zlib; another build of zlib may compress the same files to other bytes.
"""

import argparse
import gzip
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import tarfile
import tomllib
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
# Separate from other builds: these flags would make each of them recompile everything.
TARGET = ROOT / "target" / "release-build"
RUST = "1.95.0"
FUNCTION, COMMAND = "cloudtrail-signals", "cloudtrail-scan"
TRIPLES = {"x86_64": "x86_64-unknown-linux-gnu", "arm64": "aarch64-unknown-linux-gnu"}
CYCLONEDX = ROOT / ".venv" / "cyclonedx" / "bin" / "cargo-cyclonedx"
# The earliest that a zip can hold; archives say nothing about when they were made.
ZIP_DATE = (1980, 1, 1, 0, 0, 0)
TERRAFORM = ROOT / "deploy" / "terraform"
TEMPLATES = ("log-archive.yaml", "forward-events.yaml")
CODE_PARAMETERS = """\
  CodeBucket:
    Type: String
    AllowedPattern: ^[a-z0-9][a-z0-9.-]{{1,61}}[a-z0-9]$
    Description: The bucket, in this region, that holds the function's zip.
  CodeKey:
    Type: String
    Default: {name}-{version}-x86_64.zip
    AllowedPattern: ^.+\\.zip$
    Description: The key of the zip in CodeBucket; it must be built for Architecture.
"""


def workspace() -> dict[str, Any]:
    return tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]


def version() -> str:
    return workspace()["package"]["version"]


def notes(changelog: str, wanted: str) -> str:
    """Return the section of the changelog about one version; exit if there is none."""
    found = re.search(rf"^## {re.escape(wanted)}\b[^\n]*\n(.*?)(?=^## |\Z)", changelog, re.DOTALL | re.MULTILINE)
    if not found:
        raise SystemExit(f"CHANGELOG.md has no section about {wanted}, the version in Cargo.toml")
    return found[1].strip() + "\n"


def packaged(template: str, wanted: str) -> str:
    """Return the template with its code in a bucket, named by parameters, instead of built from this folder."""
    build = "    Metadata:\n      BuildMethod: rust-cargolambda\n      BuildProperties:\n        Binary: cloudtrail-signals\n"
    groups, parameters = "    ParameterGroups:\n", "\nParameters:\n"
    group = "      - Label: { default: The function's code }\n        Parameters: [CodeBucket, CodeKey]\n"
    for old, new in (
        ("CodeUri: .", "CodeUri: { Bucket: !Ref CodeBucket, Key: !Ref CodeKey }"),
        (build, ""),
        (groups, groups + group),
        (parameters, parameters + CODE_PARAMETERS.format(name=FUNCTION, version=wanted)),
    ):
        if template.count(old) != 1:
            raise SystemExit(f"template.yaml: expected once, found {template.count(old)} times: {old!r}")
        template = template.replace(old, new)
    return template


def zipped(files: Mapping[str, tuple[bytes, int]]) -> bytes:
    """Return a zip of files with their modes, which depends on nothing else."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, (content, mode) in sorted(files.items()):
            entry = zipfile.ZipInfo(name, ZIP_DATE)
            # As Unix wrote it: otherwise Lambda does not see that the file is executable.
            entry.create_system = 3
            entry.external_attr = (0o100000 | mode) << 16
            archive.writestr(entry, content, zipfile.ZIP_DEFLATED, compresslevel=9)
    return buffer.getvalue()


def tarred(folder: str, files: Mapping[str, tuple[bytes, int]]) -> bytes:
    """Return a gzipped tar of files with their modes below a folder, which depends on nothing else."""
    buffer = io.BytesIO()
    with (
        gzip.GzipFile(filename="", mode="wb", fileobj=buffer, compresslevel=9, mtime=0) as packer,
        tarfile.open(fileobj=packer, mode="w", format=tarfile.USTAR_FORMAT) as archive,
    ):
        for name, (content, mode) in sorted(files.items()):
            entry = tarfile.TarInfo(f"{folder}/{name}")
            entry.size, entry.mode = len(content), mode
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def bill(document: dict[str, Any], root: Path) -> bytes:
    """Return a bill of materials without what differs between builds: its serial number, and the folder of the build."""
    document.pop("serialNumber", None)
    text = json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
    return text.replace(f"path+file://{root}/", "path+file:").replace(f"path+file://{root}", "path+file:.").encode()


def checksums(files: Iterable[Path]) -> str:
    """Return the files' checksums as ``sha256sum --check`` reads them."""
    return "".join(f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in sorted(files))


def run(*command: str | Path, **environment: str) -> str:
    """Run a command at the root of the repository and return what it printed on standard output."""
    return subprocess.check_output(command, cwd=ROOT, env={**os.environ, **environment}, text=True)


def commit_date() -> str:
    """Return the date of the commit in seconds; that of a folder without git is the earliest a zip can hold."""
    done = subprocess.run(["git", "log", "-1", "--format=%ct"], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "315532800"


def environment(*flags: str) -> dict[str, str]:
    """Return what makes a build independent of where and when it runs, with further flags of rustc."""
    cargo_home = os.environ.get("CARGO_HOME") or str(Path.home() / ".cargo")
    # The last match is taken: the target folder may be below the root.
    names = {cargo_home: "/cargo", str(ROOT): "/source", str(TARGET): "/target"}
    mapped = [f"--remap-path-prefix={path}={name}" for path, name in names.items()]
    prefixes = " ".join(f"-ffile-prefix-map={path}={name}" for path, name in names.items())
    # Encoded, so that a blank in a path does not end a flag.
    return {
        "CARGO_ENCODED_RUSTFLAGS": "\x1f".join([*mapped, *flags]),
        "CARGO_TARGET_DIR": str(TARGET),
        "CARGO_INCREMENTAL": "0",
        "CFLAGS": prefixes,
        "SOURCE_DATE_EPOCH": commit_date(),
        "TZ": "UTC",
        "LC_ALL": "C.UTF-8",
    }


def installed(triple: str) -> bool:
    folder = run("rustc", "--print", "target-libdir", "--target", triple).strip()
    return any(Path(folder).glob("libstd-*.rlib"))


def build_function(triple: str) -> bytes:
    bins = TARGET / "lambda" / triple
    options = ("--release", "--locked", "--bin", FUNCTION, "--target", triple, "--lambda-dir", bins)
    run("cargo", "lambda", "build", *options, **environment())
    return (bins / FUNCTION / "bootstrap").read_bytes()


def build_command(triple: str) -> bytes:
    """Compile the command as a program that needs no library of the machine it runs on, and return it."""
    static = ("-C", "target-feature=+crt-static")
    run("cargo", "build", "--release", "--locked", "-p", COMMAND, "--target", triple, **environment(*static))
    return (TARGET / triple / "release" / COMMAND).read_bytes()


def build_bill(package: str, manifest: Path, triple: str) -> bytes:
    """Return a package's bill of materials, for what is compiled into its program."""
    name = f"{package}-bill"
    options = ("--format", "json", "--spec-version", "1.5", "--target", triple, "--override-filename", name)
    run(CYCLONEDX, "cyclonedx", "--manifest-path", manifest, *options, **environment())
    document = json.loads((manifest.parent / f"{name}.json").read_text())
    # It writes one beside every package of the workspace.
    for folder in (".", *workspace()["members"]):
        (ROOT / folder / f"{name}.json").unlink(missing_ok=True)
    return bill(document, ROOT)


def release() -> None:
    """Build everything into the folder, which is empty at the start."""
    found = run("rustc", "--version").split()[1]
    if found != RUST:
        raise SystemExit(f"a release is built by Rust {RUST}, not {found}: rustup default {RUST}")
    out = ROOT / "dist"
    wanted, licence = version(), (ROOT / "LICENSE").read_bytes()
    text = notes((ROOT / "CHANGELOG.md").read_text(), wanted)
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    for architecture, triple in TRIPLES.items():
        if not installed(triple):
            print(f"{architecture} is left out: its standard library is missing (rustup target add {triple})")
            continue
        program = build_function(triple)
        name = f"{FUNCTION}-{wanted}-{architecture}.zip"
        (out / name).write_bytes(zipped({"bootstrap": (program, 0o755), "LICENSE": (licence, 0o644)}))
    triple = TRIPLES["x86_64"]
    files = {COMMAND: (build_command(triple), 0o755), "LICENSE": (licence, 0o644)}
    folder = f"{COMMAND}-{wanted}-{triple}"
    (out / f"{folder}.tar.gz").write_bytes(tarred(folder, files))
    (out / "template.yaml").write_text(packaged((ROOT / "template.yaml").read_text(), wanted))
    for template in TEMPLATES:
        (out / template).write_bytes((ROOT / "deploy" / template).read_bytes())
    module = {file.name: (file.read_bytes(), 0o644) for file in TERRAFORM.iterdir() if file.suffix in (".tf", ".md")}
    (out / "terraform.zip").write_bytes(zipped(module))
    for package, manifest in ((FUNCTION, ROOT / "Cargo.toml"), (COMMAND, ROOT / "scan" / "Cargo.toml")):
        (out / f"{package}-{wanted}.cdx.json").write_bytes(build_bill(package, manifest, triple))
    (out / "NOTES.md").write_text(text)
    (out / "SHA256SUMS").write_text(checksums(out.iterdir()))
    print((out / "SHA256SUMS").read_text(), end="")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--version", action="version", version=version(), help="print the version in Cargo.toml")
    parser.parse_args()
    release()


if __name__ == "__main__":
    main()
