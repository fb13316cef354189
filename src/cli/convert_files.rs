//! The files that `tracectl convert` writes.
//!
//! Comes in: pieces of files, by name. Goes out: files that are whole or not there, none before all are. Names hold nothing but
//! letters, digits and a few signs, whatever the spans say.

use std::collections::{BTreeSet, HashSet};
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::convert_args::is_directory;
use super::output::{Closed, Replacement, is_private};
use crate::convert::Piece;
use crate::input::Named;

/// Characters of a name that are kept.
const LENGTH: usize = 100;

/// Files that are being written.
pub(super) struct Files {
    /// What stands before and behind the name of a part; a path where there is one file only.
    pattern: (PathBuf, Option<(String, String)>),
    taken: BTreeSet<String>,
    open: Option<Replacement>,
    /// What is complete but for its name.
    whole: Vec<Closed>,
    /// The names of the parts, as they were written.
    pub(super) paths: Vec<PathBuf>,
    /// What is read, by device and number: nothing is written there.
    inputs: HashSet<(u64, u64)>,
    /// Others may not read an input, so they may not read what is made of it.
    private: bool,
    /// An input that would have been written over.
    pub(super) clash: Option<PathBuf>,
}

impl Files {
    /// One file.
    pub(super) fn one(path: &Path) -> Self {
        Self {
            pattern: (path.to_owned(), None),
            taken: BTreeSet::new(),
            open: None,
            whole: Vec::new(),
            paths: Vec::new(),
            inputs: HashSet::new(),
            private: false,
            clash: None,
        }
    }

    /// Writes over none of these.
    pub(super) fn spare(mut self, inputs: &[Named]) -> Self {
        self.private = inputs.iter().any(|input| is_private(Path::new(&input.path())));
        self.inputs = inputs.iter().filter_map(|input| identity(Path::new(&input.path()))).collect();
        self
    }

    /// Several: in a directory, or where `{}` stands in a name, or before its ending.
    pub(super) fn several(path: &Path, extension: &str) -> io::Result<Self> {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let (directory, around) = match name.split_once("{}") {
            _ if is_directory(path) => (path.to_owned(), (String::new(), format!(".{extension}"))),
            Some((before, behind)) => (parent(path), (before.to_owned(), behind.to_owned())),
            None => {
                let (before, behind) = name.split_once('.').unwrap_or((&name, extension));
                (parent(path), (format!("{before}-"), format!(".{behind}")))
            }
        };
        fs::create_dir_all(&directory)?;
        Ok(Self { pattern: (directory, Some(around)), ..Self::one(path) })
    }

    /// Takes a piece.
    pub(super) fn take(&mut self, piece: Piece<'_>) -> io::Result<()> {
        match piece {
            Piece::Begin(name) => {
                let path = self.path(name);
                if identity(&path).is_some_and(|file| self.inputs.contains(&file)) {
                    self.clash = Some(path);
                    return Err(io::ErrorKind::AlreadyExists.into());
                }
                self.open = Some(Replacement::begin_as(&path, self.private)?);
                self.paths.push(path);
                Ok(())
            }
            Piece::Bytes(bytes) => self.open.as_mut().map_or(Ok(()), |file| file.write_all(bytes)),
            Piece::End => {
                self.whole.extend(self.open.take().map(Replacement::close).transpose()?);
                Ok(())
            }
        }
    }

    /// Gives the files their names.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        std::mem::take(&mut self.whole).into_iter().try_for_each(Closed::name)
    }

    fn path(&mut self, name: &str) -> PathBuf {
        let (directory, around) = &self.pattern;
        let Some((before, behind)) = around else { return directory.clone() };
        let safe = safe(name);
        let names = std::iter::once(safe.clone()).chain((2u64..).map(|number| format!("{safe}-{number}")));
        // File systems that know no case take these for the same.
        let name = names.into_iter().find(|name| !self.taken.contains(&name.to_lowercase())).unwrap_or_default();
        self.taken.insert(name.to_lowercase());
        directory.join(format!("{before}{name}{behind}"))
    }
}

/// Which file is there, if one is that can be read again; a terminal or a pipe is none.
fn identity(path: &Path) -> Option<(u64, u64)> {
    let meta = fs::metadata(path).ok().filter(fs::Metadata::is_file)?;
    Some((meta.dev(), meta.ino()))
}

fn parent(path: &Path) -> PathBuf {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned()
}

/// A name that means nothing to any file system.
fn safe(name: &str) -> String {
    let keep = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' };
    let safe: String = name.chars().take(LENGTH).map(keep).collect();
    match safe.trim_start_matches('.') {
        "" => "unnamed".to_owned(),
        rest if rest.len() < safe.len() => format!("_{rest}"),
        _ => safe,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_harmless_and_differ() {
        assert_eq!(safe("check out/../é"), "check_out_..__");
        assert_eq!((safe(""), safe(".."), safe(".ssh")), ("unnamed".into(), "unnamed".into(), "_ssh".into()));
        let folder = tempfile::tempdir().unwrap();
        let mut files = Files::several(&folder.path().join("a-{}.jsonl"), "jsonl").unwrap();
        let names: Vec<_> = ["a/b", "a_b", "A_b"].map(|name| files.path(name)).into();
        let names: Vec<_> = names.iter().map(|path| path.file_name().unwrap().to_str().unwrap()).collect();
        assert_eq!(names, ["a-a_b.jsonl", "a-a_b-2.jsonl", "a-A_b-3.jsonl"]);
        let mut plain = Files::several(&folder.path().join("run.jsonl.gz"), "jsonl.gz").unwrap();
        assert_eq!(plain.path("x").file_name().unwrap(), "run-x.jsonl.gz");
        let mut inside = Files::several(folder.path(), "pb").unwrap();
        assert_eq!(inside.path("x"), folder.path().join("x.pb"));
    }
}
