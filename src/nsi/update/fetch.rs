//! What is asked of a site and what can go wrong, whoever speaks the protocol.

use std::fmt;
use std::io::Read;
use std::time::Duration;

use crate::texts::{Coded, ErrorClass, Key, Slot, display};

/// A question.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The address.
    pub url: &'a str,
    /// The first byte that is wanted.
    pub from: u64,
    /// The whole is wanted if it is another by now than the one of this mark.
    pub etag: Option<&'a str>,
}

/// The head of an answer, and its body to be read.
pub struct Answer {
    /// Status, 200 or 206 when there is something to read.
    pub status: u16,
    /// The first byte of the body in the whole file.
    pub from: u64,
    /// Bytes of the whole file, if the site says so.
    pub total: Option<u64>,
    /// The mark of this state of the file.
    pub etag: Option<String>,
    /// How long the site asks to wait.
    pub retry_after: Option<Duration>,
    /// The rest of the file.
    pub body: Box<dyn Read>,
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer").field("status", &self.status).field("from", &self.from).field("total", &self.total).finish_non_exhaustive()
    }
}

/// Why nothing came, or not all of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// No connection: no such host, refused, a certificate that nobody vouches for.
    Unreachable(String),
    /// Silence.
    Timeout,
    /// The body ended too early.
    Cut,
    /// The site refuses with this status.
    Status(u16),
    /// The site sends us elsewhere, or in a circle.
    Redirect,
    /// More bytes than such a file may have.
    TooLarge {
        /// The bound in bytes.
        limit: u64,
    },
    /// The file did not come to an end in the time for one file.
    Endless,
    /// What has come cannot be kept.
    NotKept(std::io::ErrorKind),
}

impl Trouble {
    /// A stable name among the faults of an update: the last part of the key.
    pub fn code(&self) -> &'static str {
        code(self.key())
    }

    /// Whether the same question may have another answer in a while.
    pub(super) fn passes(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::Timeout | Self::Cut => true,
            Self::Status(status) => matches!(status, 408 | 429 | 500..=599),
            _ => false,
        }
    }

    /// What it says beside its name, without language.
    pub fn detail(&self) -> String {
        self.detail_slot().map(|slot| slot.plain()).unwrap_or_default()
    }

    fn detail_slot(&self) -> Option<Slot<'_>> {
        Some(match self {
            Self::Unreachable(what) => Slot::text(what),
            Self::Status(status) => Slot::Number((*status).into()),
            Self::TooLarge { limit } => Slot::Number(limit >> 20),
            Self::NotKept(kind) => Slot::io_kind(*kind),
            Self::Timeout | Self::Cut | Self::Redirect | Self::Endless => return None,
        })
    }
}

/// Keys of faults begin so; what follows is the code in the machine format of an update.
pub(super) fn code(key: Key) -> &'static str {
    let word = key.as_str();
    word.strip_prefix("nsi.update-").unwrap_or(word)
}

impl Coded for Trouble {
    fn key(&self) -> Key {
        match self {
            Self::Unreachable(_) => Key::NsiUpdateUnreachable,
            Self::Timeout => Key::NsiUpdateTimeout,
            Self::Cut => Key::NsiUpdateCut,
            Self::Status(_) => Key::NsiUpdateStatus,
            Self::Redirect => Key::NsiUpdateRedirect,
            Self::TooLarge { .. } => Key::NsiUpdateTooLarge,
            Self::Endless => Key::NsiUpdateEndless,
            Self::NotKept(_) => Key::NsiUpdateNotKept,
        }
    }

    fn slots(&self) -> Vec<(&'static str, Slot<'_>)> {
        self.detail_slot().map(|slot| ("detail", slot)).into_iter().collect()
    }

    fn class(&self) -> ErrorClass {
        match self {
            Self::NotKept(_) => ErrorClass::Usage,
            _ => ErrorClass::Remote,
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        display(self, f)
    }
}

impl std::error::Error for Trouble {}

/// Whoever gets files of a site.
pub trait Fetch {
    /// Asks once.
    ///
    /// # Errors
    /// No answer; an answer with a bad status is no error here.
    fn get(&self, request: &Request<'_>) -> Result<Answer, Trouble>;

    /// Waits before asking again.
    fn pause(&self, time: Duration) {
        std::thread::sleep(time);
    }
}
