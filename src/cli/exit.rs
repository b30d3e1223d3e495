//! Exit codes: a contract with scripts and schedulers.

use std::process::{ExitCode, Termination};

use crate::texts::ErrorClass;

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Exit {
    /// Done, without findings of severity `error`.
    Done,
    /// There are findings of severity `error`.
    Findings,
    /// Wrong usage, configuration or rule tables; the result cannot be written.
    Usage,
    /// There is nothing to work on; so a script notices a night without files.
    Nothing,
    /// Not allowed, or a signature was refused.
    Refused,
    /// The server is unreachable or refused.
    Remote,
    /// All input is unreadable or unsafe.
    Input,
    /// Another program works on the same workspace.
    Busy,
    /// A bug of ours.
    Bug,
    /// Interrupted by the user.
    Interrupted,
}

impl Exit {
    /// The exit code for the shell.
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Findings => 1,
            Self::Usage => 2,
            Self::Nothing => 3,
            Self::Refused => 4,
            Self::Remote => 5,
            Self::Input => 6,
            Self::Busy => 7,
            Self::Bug => 70,
            Self::Interrupted => 130,
        }
    }
}

impl From<ErrorClass> for Exit {
    fn from(class: ErrorClass) -> Self {
        match class {
            ErrorClass::Findings => Self::Findings,
            ErrorClass::Usage => Self::Usage,
            ErrorClass::Nothing => Self::Nothing,
            ErrorClass::Refused => Self::Refused,
            ErrorClass::Remote => Self::Remote,
            ErrorClass::Input => Self::Input,
            ErrorClass::Busy => Self::Busy,
            ErrorClass::Bug => Self::Bug,
            ErrorClass::Interrupted => Self::Interrupted,
        }
    }
}

impl Termination for Exit {
    fn report(self) -> ExitCode {
        ExitCode::from(self.code())
    }
}
