//! From what was typed to a list of files: globs matched, directories walked, rotated sets put in time order.
//!
//! The order is the same on every machine: arguments as given, files below a directory by path.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher};
use walkdir::WalkDir;

use super::error::InputError;

/// One input that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named {
    /// Standard input.
    Stdin,
    /// A file that was named, or that a glob matched.
    File(PathBuf),
    /// A file below a directory that was named: what holds no traces is passed over without a word.
    Below(PathBuf),
}

impl Named {
    /// The file, if it is one.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::Stdin => None,
            Self::File(path) | Self::Below(path) => Some(path),
        }
    }

    /// The path as people know it.
    pub fn path(&self) -> String {
        match self {
            Self::Stdin => "-".to_owned(),
            Self::File(path) | Self::Below(path) => path.display().to_string(),
        }
    }
}

/// Finds the files that the arguments name.
pub fn expand(arguments: &[impl AsRef<OsStr>]) -> Result<Vec<Named>, InputError> {
    let mut found = Vec::new();
    for argument in arguments {
        let path = Path::new(argument);
        let pattern = argument.as_ref().to_str().filter(|text| text.contains(['*', '?', '[', '{']));
        if argument.as_ref() == "-" {
            found.push(Named::Stdin);
        } else if path.is_dir() {
            found.extend(walk(path, |_| true)?.into_iter().map(Named::Below));
        } else if let Some(pattern) = pattern.filter(|_| !path.exists()) {
            let matched = matching(pattern)?;
            if matched.is_empty() {
                return Err(InputError::NoMatch { pattern: pattern.to_owned() });
            }
            found.extend(matched.into_iter().map(Named::File));
        } else {
            found.push(Named::File(path.to_owned()));
        }
    }
    let mut seen = std::collections::BTreeSet::new();
    found.retain(|named| seen.insert(named.file().map(Path::to_owned)));
    Ok(found)
}

fn matching(pattern: &str) -> Result<Vec<PathBuf>, InputError> {
    let glob = GlobBuilder::new(pattern)
        .literal_separator(true)
        .build()
        .map_err(|source| InputError::Pattern { pattern: pattern.to_owned(), source })?;
    let matcher: GlobMatcher = glob.compile_matcher();
    let fixed: PathBuf = Path::new(pattern)
        .components()
        .take_while(|part| !part.as_os_str().to_string_lossy().contains(['*', '?', '[', '{']))
        .collect();
    let base = if fixed.as_os_str().is_empty() { PathBuf::from(".") } else { fixed };
    walk(&base, |path| matcher.is_match(path) || path.strip_prefix(".").is_ok_and(|path| matcher.is_match(path)))
        .map(|paths| paths.into_iter().map(|path| path.strip_prefix(".").map(Path::to_owned).unwrap_or(path)).collect())
}

/// All files below a directory, hidden ones left out, rotated sets in time order.
fn walk(base: &Path, wanted: impl Fn(&Path) -> bool) -> Result<Vec<PathBuf>, InputError> {
    let mut files = Vec::new();
    let visible =
        |entry: &walkdir::DirEntry| entry.depth() == 0 || !entry.file_name().to_string_lossy().starts_with('.');
    for entry in WalkDir::new(base).follow_links(true).sort_by_file_name().into_iter().filter_entry(visible) {
        match entry {
            Ok(entry) if entry.file_type().is_file() && wanted(entry.path()) => files.push(entry.into_path()),
            Ok(_) => {}
            // A link that leads nowhere or back up is no reason not to read the rest.
            Err(error) if error.depth() > 0 => {}
            Err(error) => return Err(InputError::read(&base.display().to_string(), error.into())),
        }
    }
    files.sort_by_cached_key(|path| age(path));
    Ok(files)
}

/// The key that puts a rotated set in order: `traces-2022-09-14T05-02-14.173.json` (the collector's rotation, older first)
/// before `traces.json`, the file that is written now; `traces.log.2` before `traces.log.1` before `traces.log`.
fn age(path: &Path) -> (PathBuf, String, std::cmp::Reverse<u64>, String) {
    let folder = path.parent().map(Path::to_owned).unwrap_or_default();
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    if let Some((stem, stamp, rest)) = stamped(&name) {
        return (folder, format!("{stem}{rest}"), std::cmp::Reverse(0), stamp);
    }
    if let Some((stem, number)) = name.rsplit_once('.')
        && let Ok(number) = number.parse()
    {
        return (folder, stem.to_owned(), std::cmp::Reverse(number), String::new());
    }
    // The live file sorts behind every time stamp.
    (folder, name, std::cmp::Reverse(0), "~".to_owned())
}

/// Splits `name-YYYY-MM-DDThh-mm-ss.mmm.ext` into `name`, the stamp and `.ext`.
fn stamped(name: &str) -> Option<(String, String, String)> {
    const SHAPE: &[u8] = b"-0000-00-00T00-00-00.000";
    let fits = |window: &[u8]| {
        window.iter().zip(SHAPE).all(|(c, shape)| if *shape == b'0' { c.is_ascii_digit() } else { c == shape })
    };
    let at = name.as_bytes().windows(SHAPE.len()).position(fits)?;
    let (stem, rest) = name.split_at(at);
    let (stamp, rest) = rest.split_at(SHAPE.len());
    Some((stem.to_owned(), stamp.to_owned(), rest.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_need_not_be_text() {
        use std::os::unix::ffi::OsStrExt;
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &[u8]| folder.path().join(OsStr::from_bytes(name));
        // Two names that look the same.
        for name in [b"run\xff.jsonl", b"run\xfe.jsonl"] {
            std::fs::write(path(name), "{}").unwrap();
        }
        let found = expand(&[path(b"run\xff.jsonl")]).unwrap();
        assert_eq!(found, [Named::File(path(b"run\xff.jsonl"))]);
        assert_eq!(expand(&[folder.path()]).unwrap().len(), 2);
        assert_eq!(expand(&[path(b"*.jsonl")]).unwrap().len(), 2);
        assert!(std::fs::read(found[0].file().unwrap()).is_ok());
    }

    #[test]
    fn rotated_sets_are_read_in_time_order() {
        let mut names = [
            "t/traces.json",
            "t/other.log",
            "t/traces-2022-09-15T05-02-14.173.json",
            "t/other.log.1",
            "t/traces-2022-09-14T05-02-14.173.json",
            "t/other.log.10",
        ];
        names.sort_by_cached_key(|name| age(Path::new(name)));
        assert_eq!(
            names,
            [
                "t/other.log.10",
                "t/other.log.1",
                "t/other.log",
                "t/traces-2022-09-14T05-02-14.173.json",
                "t/traces-2022-09-15T05-02-14.173.json",
                "t/traces.json",
            ]
        );
    }

    #[test]
    fn globs_and_directories_are_walked_once() {
        let folder = tempfile::tempdir().unwrap();
        let base = folder.path();
        std::fs::create_dir(base.join("sub")).unwrap();
        for name in ["b.jsonl", "a.jsonl", "sub/c.jsonl", ".hidden.jsonl", "note.txt"] {
            std::fs::write(base.join(name), "").unwrap();
        }
        let text = |path: &str| format!("{}/{path}", base.display());
        let names = |arguments: &[String]| -> Vec<String> {
            expand(arguments).unwrap().iter().map(|n| n.path().replace(&text(""), "")).collect()
        };
        assert_eq!(names(&[text("*.jsonl")]), ["a.jsonl", "b.jsonl"]);
        assert_eq!(names(&[text("**/*.jsonl"), text("a.jsonl")]), ["a.jsonl", "b.jsonl", "sub/c.jsonl"]);
        assert_eq!(names(&[base.display().to_string()]).len(), 4);
        assert_eq!(names(&["-".into()]), ["-"]);
        assert!(matches!(expand(&[text("*.none")]), Err(InputError::NoMatch { .. })));
    }
}
