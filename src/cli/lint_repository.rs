//! Lines of programs that wrote spans, found again in the repository that lint runs in.
//!
//! Comes in: findings with paths as the spans spell them, often those of a container. Goes out: the same findings, with paths
//! relative to the root of the repository where there is such a file. Nothing is read but whether files exist.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use crate::lint::{CodePlace, Finding};

/// A repository's files, asked for one by one.
pub(super) struct Repository {
    root: PathBuf,
    /// The folder that lint runs in.
    folder: PathBuf,
    known: BTreeMap<String, Option<String>>,
    /// Inputs, and where they are in the repository.
    inputs: BTreeMap<String, Option<String>>,
}

impl Repository {
    /// The repository around a folder; the folder itself where there is none.
    pub(super) fn around(folder: &Path) -> Self {
        let root = folder.ancestors().find(|folder| folder.join(".git").exists()).unwrap_or(folder);
        Self { root: root.to_owned(), folder: folder.to_owned(), known: BTreeMap::new(), inputs: BTreeMap::new() }
    }

    /// Points findings to lines of the repository: where the span says, or the innermost frame that is one.
    pub(super) fn locate(&mut self, findings: &mut [Finding]) {
        for finding in findings {
            let own = finding.code_location.take();
            let named = own.iter().filter(|_| finding.frames.is_empty()).chain(&finding.frames);
            let found = named.into_iter().find_map(|place| self.here(place));
            finding.code_location = found.or(own);
            if let Some(source) = &mut finding.source {
                source.in_repository = match self.inputs.get(&source.path) {
                    Some(known) => known.clone(),
                    None => {
                        let within = self.within(&source.path);
                        self.inputs.insert(source.path.clone(), within.clone());
                        within
                    }
                };
            }
        }
    }

    /// Where an input is in the repository, if it is one of its files.
    fn within(&self, path: &str) -> Option<String> {
        let real = self.folder.join(path).canonicalize().ok()?;
        let inside = real.strip_prefix(self.root.canonicalize().ok()?).ok()?;
        inside.to_str().map(str::to_owned)
    }

    fn here(&mut self, place: &CodePlace) -> Option<CodePlace> {
        let path = match self.known.get(&place.path) {
            Some(known) => known.clone(),
            None => {
                let found = self.find(&place.path);
                self.known.insert(place.path.clone(), found.clone());
                found
            }
        };
        Some(CodePlace { path: path?, line: place.line, in_repository: true })
    }

    /// The longest end of a path that is a file of the repository.
    fn find(&self, path: &str) -> Option<String> {
        let path = path.replace('\\', "/");
        let parts: Vec<&str> = Path::new(&path)
            .components()
            .filter_map(|part| match part {
                Component::Normal(name) => name.to_str(),
                _ => None,
            })
            .collect();
        // `..` may lead out of the repository.
        let plain = !path.split('/').any(|part| part == "..");
        let ends = (0..parts.len()).filter(|_| plain).filter_map(|from| parts.get(from..)).map(|end| end.join("/"));
        ends.into_iter().find(|end| self.root.join(end).is_file())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_a_container_is_found_by_its_end() {
        let folder = tempfile::tempdir().unwrap();
        let inside = folder.path().join("app/tools");
        std::fs::create_dir_all(&inside).unwrap();
        std::fs::create_dir(folder.path().join(".git")).unwrap();
        std::fs::write(inside.join("search.py"), "").unwrap();
        let mut repository = Repository::around(&inside);
        let place = |path: &str| CodePlace { path: path.into(), line: 4, in_repository: false };
        let mut finding = Finding {
            code_location: Some(place("/usr/src/vendor.py")),
            frames: vec![place("/usr/src/vendor.py"), place("/srv/app/tools/search.py")],
            ..Finding::default()
        };
        repository.locate(std::slice::from_mut(&mut finding));
        let found = CodePlace { path: "app/tools/search.py".into(), line: 4, in_repository: true };
        assert_eq!(finding.code_location, Some(found));
        assert_eq!(repository.here(&place("/srv/app/../app/tools/search.py")), None);
        assert_eq!(repository.here(&place("elsewhere.py")), None);
    }

    #[test]
    fn inputs_are_named_from_the_root_of_the_repository() {
        let folder = tempfile::tempdir().unwrap();
        let inside = folder.path().join("dumps");
        std::fs::create_dir_all(folder.path().join(".git")).unwrap();
        std::fs::create_dir_all(&inside).unwrap();
        std::fs::write(inside.join("run.jsonl"), "").unwrap();
        let repository = Repository::around(&inside);
        let absolute = inside.join("run.jsonl").display().to_string();
        for path in ["run.jsonl", "../dumps/run.jsonl", &absolute] {
            assert_eq!(repository.within(path).as_deref(), Some("dumps/run.jsonl"), "{path}");
        }
        assert_eq!(repository.within("-"), None);
        assert_eq!(repository.within("/dev/null"), None);
    }
}
