//! The target of a result: standard output beside a progress bar, or a file that appears when it is complete.

use std::io::{self, BufWriter, IsTerminal as _, Write};
use std::path::{Path, PathBuf};

use indicatif::ProgressBar;

use crate::cli::Failure;
use crate::cli::ui::Bar;
use crate::sys::{Access, AtomicFile};

/// Where the result goes.
pub(in crate::cli) enum Target {
    /// Standard output; a progress bar on the same terminal is hidden while something is written.
    Stdout(BufWriter<Screen>),
    /// A file that appears when it is complete.
    File(PathBuf, Box<AtomicFile>),
}

/// Standard output beside a progress bar.
pub(in crate::cli) struct Screen {
    bar: Option<ProgressBar>,
}

impl Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let write = || io::stdout().write(bytes);
        self.bar.as_ref().map_or_else(write, |bar| bar.suspend(write))
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stdout().flush()
    }
}

impl Target {
    pub(in crate::cli) fn new(file: Option<&Path>, access: Access, bar: Option<&Bar>) -> Result<Self, Failure> {
        match file {
            None => {
                let bar = bar.filter(|_| io::stdout().is_terminal() && io::stderr().is_terminal()).map(Bar::handle);
                Ok(Self::Stdout(BufWriter::with_capacity(64 << 10, Screen { bar })))
            }
            Some(path) => match AtomicFile::create(path, access) {
                Ok(file) => Ok(Self::File(path.to_owned(), Box::new(file))),
                Err(error) => Err(Failure::Write(path.to_owned(), error)),
            },
        }
    }

    /// Completes the result.
    pub(in crate::cli) fn commit(self) -> Result<(), Failure> {
        match self {
            Self::Stdout(mut out) => Ok(out.flush()?),
            Self::File(path, file) => file.commit().map_err(|error| Failure::Write(path, error)),
        }
    }
}

impl Write for Target {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Stdout(out) => out.write(bytes),
            Self::File(_, file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Stdout(out) => out.flush(),
            Self::File(_, file) => file.flush(),
        }
    }
}
