//! Where the answer goes: `-o/--output`.
//!
//! Comes in: a path and what to write. Goes out: a file that is either the whole answer or what it was before.

use std::fs;
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use tempfile::{NamedTempFile, TempPath};

use super::console::Console;
use super::error::{Error, Problem};
use crate::capture::Capture;
use crate::render::Said;

/// Options of commands that give an answer.
#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct OutputArgs {
    /// Write the output to FILE, whole or not at all ("-" for stdout)
    #[arg(short, long, value_name = "FILE", help_heading = "Output")]
    pub(super) output: Option<PathBuf>,
}

impl OutputArgs {
    /// The file, if it is one.
    pub(super) fn file(&self) -> Option<&Path> {
        self.output.as_deref().filter(|path| *path != Path::new("-"))
    }
}

impl OutputArgs {
    /// The format of the answer: the one that was asked for, else the one that the name of the file says, which is reported, else the
    /// usual one.
    pub(super) fn format<F: ValueEnum>(&self, asked: Option<F>, usual: F, console: &mut Console) -> F {
        let Some(path) = self.file().filter(|_| asked.is_none()) else { return asked.unwrap_or(usual) };
        let Some(format) = format_of::<F>(path) else { return usual };
        report_format(path, &format, console);
        format
    }
}

/// Reports a format that the name of a file has chosen.
pub(super) fn report_format<F: ValueEnum>(path: &Path, format: &F, console: &mut Console) {
    if let Some(name) = format.to_possible_value() {
        let said = format!("tracectl: writing {} as {} (--format overrides)", path.display(), name.get_name());
        console.talk(&Said(said));
    }
}

/// The format that the name of a file asks for, where the command has it.
pub(super) fn format_of<F: ValueEnum>(path: &Path) -> Option<F> {
    let name = match path.extension()?.to_str()? {
        "json" => "json",
        "jsonl" | "ndjson" => "jsonl",
        "sarif" => "sarif",
        "xml" => "junit",
        "md" => "markdown",
        "csv" => "csv",
        _ => return None,
    };
    F::from_str(name, false).ok()
}

impl OutputArgs {
    /// Refuses to write over an input: the answer would take the place of the capture it was drawn from.
    pub(super) fn spare(&self, capture: &Capture) -> Result<(), Error> {
        let Some(file) = self.file().and_then(|path| fs::canonicalize(path).ok()) else { return Ok(()) };
        let same = |path: &Path| fs::canonicalize(path).is_ok_and(|path| path == file);
        match fs::metadata(&file).is_ok_and(|meta| meta.is_file()) && capture.files().any(same) {
            true => Err(Problem::OutputIsInput { path: file.display().to_string() }.into()),
            false => Ok(()),
        }
    }
}

/// A file that is written to a temporary one in the same directory, which takes its name in the end.
pub(super) struct Replacement {
    out: BufWriter<Place>,
    path: PathBuf,
}

enum Place {
    Temporary(NamedTempFile),
    /// Devices and pipes cannot be replaced, only written to.
    Device(fs::File),
}

impl Write for Place {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Temporary(file) => file.write(bytes),
            Self::Device(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Temporary(file) => file.flush(),
            Self::Device(file) => file.flush(),
        }
    }
}

impl Replacement {
    /// Begins to write. Where there is no file yet, it may be one that nobody else reads.
    pub(super) fn begin_as(path: &Path, private: bool) -> io::Result<Self> {
        // A link keeps its place: what it points to is replaced.
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let place = if fs::metadata(&path).is_ok_and(|meta| !meta.is_file() && !meta.is_dir()) {
            Place::Device(fs::OpenOptions::new().write(true).open(&path)?)
        } else {
            let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
            Place::Temporary(temporary(&path, private).tempfile_in(directory).map_err(|error| plain(&error))?)
        };
        Ok(Self { out: BufWriter::with_capacity(1 << 16, place), path })
    }

    /// Takes the name. Without it nothing is left behind.
    pub(super) fn finish(self) -> io::Result<()> {
        self.close()?.name()
    }

    /// Everything is written. The file is closed and waits for its name.
    pub(super) fn close(self) -> io::Result<Closed> {
        let file = match self.out.into_inner().map_err(io::IntoInnerError::into_error)? {
            Place::Temporary(file) => Some(file.into_temp_path()),
            Place::Device(_) => None,
        };
        Ok(Closed { file, path: self.path })
    }
}

/// A file that is complete but for its name; nothing where it was written to a device.
pub(super) struct Closed {
    file: Option<TempPath>,
    path: PathBuf,
}

impl Closed {
    /// Takes the name.
    pub(super) fn name(self) -> io::Result<()> {
        self.file.map_or(Ok(()), |file| file.persist(&self.path).map_err(|error| error.error))
    }
}

/// The error without the name of a temporary file, which nobody knows.
fn plain(error: &io::Error) -> io::Error {
    let words = error.to_string();
    io::Error::new(error.kind(), words.split(" at path ").next().unwrap_or_default().to_owned())
}

impl Write for Replacement {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Whether this is a file that not everybody may read.
pub(super) fn is_private(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o004 == 0)
}

/// Writes a file: to a temporary one in the same directory, which then takes its name.
pub(super) fn write_file(path: &Path, draw: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    write_file_as(path, false, draw)
}

/// The same; where there is no file yet, it may be one that nobody else reads.
pub(super) fn write_file_as(
    path: &Path,
    private: bool,
    draw: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let mut out = Replacement::begin_as(path, private)?;
    draw(&mut out)?;
    out.finish()
}

/// A temporary file that anybody may read whom the file it replaces lets read or, where there is none, the umask; nobody else where it
/// is private.
fn temporary(path: &Path, private: bool) -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    let permissions = fs::metadata(path)
        .map_or_else(|_| fs::Permissions::from_mode(if private { 0o600 } else { 0o666 }), |meta| meta.permissions());
    builder.prefix(".tracectl-").permissions(permissions);
    builder
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_or_not_at_all() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("answer.json");
        write_file(&path, |out| out.write_all(b"first")).unwrap();
        let failed = write_file(&path, |out| {
            out.write_all(b"half")?;
            Err(io::Error::other("the disk is full"))
        });
        assert!(failed.is_err());
        assert_eq!(fs::read(&path).unwrap(), b"first");
        let nowhere = write_file(&directory.path().join("none/x"), |_| Ok(())).unwrap_err();
        assert_eq!(nowhere.to_string(), io::Error::from_raw_os_error(2).to_string());
        write_file(&path, |out| out.write_all(b"second")).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"second");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn only_a_new_file_is_made_private() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("answer.json");
        write_file_as(&path, true, |out| out.write_all(b"first")).unwrap();
        assert!(is_private(&path));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        write_file_as(&path, true, |out| out.write_all(b"second")).unwrap();
        assert!(!is_private(&path) && !is_private(&directory.path().join("none")));
    }
}
