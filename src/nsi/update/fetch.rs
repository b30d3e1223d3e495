//! Requests to a site and their errors, independent of the protocol.

use std::fmt;
use std::io::Read;
use std::time::Duration;

use crate::texts::{Coded, ErrorClass, Key, Slot, display};

/// A request for a file.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The address.
    pub url: &'a str,
    /// Offset of the first byte to send.
    pub from: u64,
    /// ETag of the file's known state. If the file has changed since, the site should send the whole.
    pub etag: Option<&'a str>,
}

/// The head of an answer, and its unread body.
pub struct Answer {
    /// HTTP status; 200 or 206 when there is a body to read.
    pub status: u16,
    /// Offset of the body's first byte in the whole file.
    pub from: u64,
    /// Size of the whole file in bytes, if the site states it.
    pub total: Option<u64>,
    /// ETag of this state of the file.
    pub etag: Option<String>,
    /// The pause that the site asks for.
    pub retry_after: Option<Duration>,
    /// The rest of the file.
    pub body: Box<dyn Read>,
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer").field("status", &self.status).field("from", &self.from).field("total", &self.total).finish_non_exhaustive()
    }
}

/// Why a download failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// No connection: unknown host, connection refused, or an untrusted certificate.
    Unreachable(String),
    /// The site did not answer in time.
    Timeout,
    /// The body ended too early.
    Cut,
    /// The site answered with this status.
    Status(u16),
    /// A redirect to a host that is not allowed, or too many redirects.
    Redirect,
    /// The file is larger than allowed.
    TooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// The download exceeded the time limit for one file.
    Endless,
    /// The received bytes cannot be written.
    NotKept(std::io::ErrorKind),
}

impl Trouble {
    /// The stable code of the error in machine formats: the last part of its key.
    pub fn code(&self) -> &'static str {
        code(self.key())
    }

    /// Whether the same request may succeed later.
    pub(super) fn passes(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::Timeout | Self::Cut => true,
            Self::Status(status) => matches!(status, 408 | 429 | 500..=599),
            _ => false,
        }
    }

    /// The details of the error, without language; may be empty.
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

/// The code of a key: the part after the common beginning of the keys of updates.
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

/// A client that downloads files from sites.
pub trait Fetch {
    /// Sends one request.
    ///
    /// # Errors
    /// There is no answer. An answer with a bad status is not an error here.
    fn get(&self, request: &Request<'_>) -> Result<Answer, Trouble>;

    /// Waits before asking again.
    fn pause(&self, time: Duration) {
        std::thread::sleep(time);
    }
}
