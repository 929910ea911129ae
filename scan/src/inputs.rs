//! Finds the files to read.

use std::collections::HashSet;
use std::fs::{self, DirEntry};
use std::io::{self, ErrorKind};
use std::path::{MAIN_SEPARATOR, Path, PathBuf};

use detection::key::Key;

use crate::selection::{OUTSIDE, Selection};
use crate::summary::{PassedOver, name};

const BROKEN_LINK: &str = "a broken link";
const ELSEWHERE: &str = "reached by another path";
const MACOS: &str = "a file of macOS";
const NO_FILE: &str = "a pipe, a socket or a device";

/// A file to read.
pub struct Input {
    pub path: PathBuf,
    /// Named on the command line, and therefore read whatever its content.
    pub named: bool,
}

/// A path that cannot be read, and why.
pub type Failure = String;

/// The files that the paths of the command line lead to.
#[derive(Default)]
pub struct Inputs {
    /// In the order of the paths. A folder stands for the files below it, sorted by name.
    pub files: Vec<Result<Input, Failure>>,
    pub passed_over: PassedOver,
    /// The resolved paths of folders, of named files, and of files that links led to. Every other file can be reached only
    /// through its folder.
    reached: HashSet<PathBuf>,
    selection: Selection,
}

impl Inputs {
    /// Follows the paths. Each file is read once; a named file keeps its own place in the order.
    pub fn of(paths: &[PathBuf], selection: &Selection) -> Self {
        let mut named: HashSet<_> = paths.iter().filter(|path| !path.is_dir()).map(real).collect();
        let mut inputs = Self { reached: named.clone(), selection: selection.clone(), ..Self::default() };
        for path in paths {
            if path.is_dir() {
                inputs.folder(path, &real(path));
            } else if named.remove(&real(path)) {
                inputs.files.push(Ok(Input { path: path.clone(), named: true }));
            } else {
                inputs.passed_over.add(ELSEWHERE, path);
            }
        }
        inputs
    }

    fn folder(&mut self, path: &Path, real: &Path) {
        if self.reached.contains(real) {
            return self.passed_over.add(ELSEWHERE, path);
        }
        let entries = fs::read_dir(path).and_then(Iterator::collect::<io::Result<Vec<_>>>);
        let mut entries = match entries {
            Ok(entries) => entries,
            Err(error) => return self.failed(path, &error),
        };
        self.reached.insert(real.to_owned());
        entries.sort_by_cached_key(DirEntry::file_name);
        for entry in entries {
            let (path, real) = (entry.path(), real.join(entry.file_name()));
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => self.folder(&path, &real),
                Ok(_) if is_of_macos(&path) => self.passed_over.add(MACOS, &path),
                Ok(kind) if kind.is_symlink() => self.link(&path),
                Ok(kind) if !kind.is_file() => self.passed_over.add(NO_FILE, &path),
                Ok(_) if self.reached.contains(&real) => self.passed_over.add(ELSEWHERE, &path),
                Ok(_) => self.file(path, &real),
                Err(error) => self.failed(&path, &error),
            }
        }
    }

    fn link(&mut self, path: &Path) {
        let target = fs::canonicalize(path).and_then(|real| Ok((fs::metadata(&real)?.file_type(), real)));
        match target {
            Ok((kind, real)) if kind.is_dir() => self.folder(path, &real),
            Ok((kind, _)) if !kind.is_file() => self.passed_over.add(NO_FILE, path),
            Ok((_, real)) => {
                let through_its_folder = real.parent().is_some_and(|folder| self.reached.contains(folder));
                if through_its_folder || !self.reached.insert(real.clone()) {
                    self.passed_over.add(ELSEWHERE, path);
                } else {
                    self.file(path.to_owned(), &real);
                }
            }
            Err(error) if is_broken(&error) => self.passed_over.add(BROKEN_LINK, path),
            Err(error) => self.failed(path, &error),
        }
    }

    /// Adds a file in a folder. In a copy of a bucket its path shows what it is, wherever in the copy the command runs.
    fn file(&mut self, path: PathBuf, real: &Path) {
        let key = Key::plain(real.to_string_lossy().replace(MAIN_SEPARATOR, "/"));
        match key.skip_reason().or_else(|| key.skip_reason_in_part()) {
            Some(reason) => self.passed_over.add(reason, &path),
            None if !self.selection.may_hold(real) => self.passed_over.add(OUTSIDE, &path),
            None => self.files.push(Ok(Input { path, named: false })),
        }
    }

    fn failed(&mut self, path: &Path, error: &io::Error) {
        self.files.push(Err(format!("{}: {error}", name(path))));
    }
}

/// The path with its links resolved. Returns a path to a pipe, or to no file, unchanged.
fn real(path: &PathBuf) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.clone())
}

/// Whether macOS writes a file of this name beside others on foreign disks.
fn is_of_macos(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default();
    name == ".DS_Store" || name.as_encoded_bytes().starts_with(b"._")
}

/// Whether a link is broken: its target is missing, or is the link itself.
fn is_broken(error: &io::Error) -> bool {
    // The standard library has no stable name for this error.
    const TOO_MANY_LINKS: i32 = if cfg!(target_os = "linux") { 40 } else { 62 };
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
        || error.raw_os_error() == Some(TOO_MANY_LINKS)
}
