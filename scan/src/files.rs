//! Files that are read whole.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// An input that cannot be read, by its path.
pub type Error = String;

/// Name and text of every rule file in a folder, sorted by name.
pub fn rules(folder: &Path) -> Result<Vec<(String, String)>, Error> {
    let named = |path: &Path, error: io::Error| format!("{}: {error}", path.display());
    let entries = fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    let mut paths: Vec<_> =
        entries.map_err(|error| named(folder, error))?.iter().map(fs::DirEntry::path).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    paths.sort();
    if paths.is_empty() {
        return Err(format!("{}: no rule files (*.toml) in it", folder.display()));
    }
    let read = |path: &PathBuf| {
        let text = fs::read_to_string(path).map_err(|error| named(path, error))?;
        Ok((path.display().to_string(), text))
    };
    paths.iter().map(read).collect()
}
