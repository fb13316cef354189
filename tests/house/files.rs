//! What every source file begins with, and that none is forgotten.
//!
//! Comes in: the sources. Goes out: the first file that breaks a habit of the house.

use super::sources::sources;

#[test]
fn every_file_says_what_it_is_for() {
    for source in sources() {
        assert!(source.text.starts_with("//! "), "src/{}: begins without //!", source.path);
    }
}

#[test]
fn every_file_is_declared() {
    let sources = sources();
    for source in &sources {
        let Some((folder, name)) = source.path.rsplit_once('/') else { continue };
        let (parent, module) = match name.trim_end_matches(".rs") {
            "mod" => match folder.rsplit_once('/') {
                Some((above, module)) => (format!("{above}/mod.rs"), module.to_owned()),
                None => ("lib.rs".to_owned(), folder.to_owned()),
            },
            module => (format!("{folder}/mod.rs"), module.to_owned()),
        };
        let parent = sources.iter().find(|source| source.path == parent).unwrap_or_else(|| panic!("no src/{parent}"));
        let declared = parent.text.lines().any(|line| line.trim().ends_with(&format!("mod {module};")));
        assert!(declared, "src/{} is not declared in src/{}", source.path, parent.path);
    }
}

#[test]
fn module_files_only_declare() {
    for source in sources().iter().filter(|source| source.path.ends_with("/mod.rs") && source.path != "render/mod.rs") {
        let code = source.code();
        let acts = code
            .lines()
            .find(|line| line.starts_with("fn ") || line.starts_with("pub fn ") || line.starts_with("impl"));
        assert_eq!(acts, None, "src/{}", source.path);
    }
}

#[test]
fn nothing_is_allowed_silently() {
    for source in sources() {
        let allowing = source.code().lines().find(|line| line.contains("#[allow(") || line.contains("#![allow("));
        assert_eq!(allowing, None, "src/{}", source.path);
    }
}
