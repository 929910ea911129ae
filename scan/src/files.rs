//! Which files are meant.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// An input that cannot be read, by its path.
pub type Error = String;

/// The files of every path, in order: a file as it is, a folder as what is below it, sorted by name.
pub fn inputs(paths: &[PathBuf]) -> Vec<Result<PathBuf, Error>> {
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            below(path, &mut files);
        } else {
            files.push(Ok(path.clone()));
        }
    }
    files
}

fn below(folder: &Path, files: &mut Vec<Result<PathBuf, Error>>) {
    let entries = fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    let mut entries = match entries {
        Ok(entries) => entries,
        Err(error) => return files.push(Err(format!("{}: {error}", folder.display()))),
    };
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        // A link to a folder could lead back here.
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            below(&path, files);
        } else if is_log(&path) {
            files.push(Ok(path));
        }
    }
}

fn is_log(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let plain = name.strip_suffix(".gz").unwrap_or(name);
    Path::new(plain).extension().is_some_and(|extension| extension == "json")
}
