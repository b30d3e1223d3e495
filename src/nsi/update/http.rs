//! HTTP with reqwest, TLS with rustls and ring, using the certificates of the system.

use std::error::Error as _;
use std::fmt;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use reqwest::blocking::{Client, Response};
use reqwest::header::{ACCEPT_ENCODING, CONTENT_RANGE, ETAG, HeaderName, IF_RANGE, RANGE, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Proxy};

use super::fetch::{Answer, Fetch, Request, Trouble};
use super::site::{Site, may_follow};
use crate::texts::{Coded, Key, Slot, display};

/// Limit of redirects; a working site needs fewer.
const REDIRECTS: usize = 5;
const CONNECT: Duration = Duration::from_secs(20);

/// Connection settings that differ between machines.
#[derive(Debug, Clone, Default)]
pub struct Ways {
    /// Address of the proxy. `None`: the one of the environment (`HTTPS_PROXY`) or of the system.
    pub proxy: Option<String>,
    /// A PEM file of certificates to trust besides those of the system, for example those of a proxy that inspects TLS or of the national
    /// authority: its path, for messages, and its bytes.
    pub certificates: Option<(PathBuf, Vec<u8>)>,
}

/// Why a connection setting cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoWay {
    /// The address of the proxy is invalid.
    Proxy,
    /// This file has no PEM certificate.
    Certificates(PathBuf),
    /// The client cannot be created; the reason given by the system.
    Client(String),
}

impl Coded for NoWay {
    fn key(&self) -> Key {
        match self {
            Self::Proxy => Key::NsiUpdateBadProxy,
            Self::Certificates(_) => Key::NsiUpdateBadCa,
            Self::Client(_) => Key::NsiUpdateNoClient,
        }
    }

    fn slots(&self) -> Vec<(&'static str, Slot<'_>)> {
        match self {
            Self::Proxy => Vec::new(),
            Self::Certificates(path) => vec![("path", Slot::Path(path))],
            Self::Client(reason) => vec![("reason", Slot::text(reason))],
        }
    }
}

impl fmt::Display for NoWay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        display(self, f)
    }
}

impl std::error::Error for NoWay {}

/// An HTTP client.
#[derive(Debug)]
pub struct Http {
    client: Client,
}

impl Http {
    /// A client for a site.
    ///
    /// # Errors
    /// The proxy or the certificates cannot be used, or the system has no certificate store.
    pub fn new(site: &Site, ways: &Ways) -> Result<Self, NoWay> {
        // A provider that is already installed stays: it is the same one, or the choice of the program that uses this library.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let hosts = Arc::new(site.transfer.hosts.clone());
        let policy = Policy::custom(move |attempt| {
            let known = attempt.previous().last().is_some_and(|from| may_follow(from, attempt.url(), &hosts));
            if known && attempt.previous().len() <= REDIRECTS { attempt.follow() } else { attempt.error("not followed") }
        });
        let mut builder = Client::builder()
            .user_agent(concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT)
            .timeout(site.transfer.silence())
            .referer(false)
            .redirect(policy);
        if let Some(proxy) = &ways.proxy {
            builder = builder.proxy(Proxy::all(proxy).map_err(|_| NoWay::Proxy)?);
        } else if site.is_here() {
            builder = builder.no_proxy();
        }
        if let Some((path, pem)) = &ways.certificates {
            let list = Certificate::from_pem_bundle(pem).ok().filter(|l| !l.is_empty()).ok_or_else(|| NoWay::Certificates(path.clone()))?;
            builder = builder.tls_certs_merge(list);
        }
        Ok(Self { client: builder.build().map_err(|e| NoWay::Client(last_cause(&e)))? })
    }
}

impl Fetch for Http {
    fn get(&self, request: &Request<'_>) -> Result<Answer, Trouble> {
        let mut ask = self.client.get(request.url).header(ACCEPT_ENCODING, "identity");
        if request.from > 0 {
            ask = ask.header(RANGE, format!("bytes={}-", request.from));
            // A weak ETag does not guarantee equal bytes.
            if let Some(etag) = request.etag.filter(|e| e.starts_with('"')) {
                ask = ask.header(IF_RANGE, etag);
            }
        }
        let response = ask.send().map_err(|e| trouble(&e))?;
        let header = |name: HeaderName| response.headers().get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
        let status = response.status().as_u16();
        let range = header(CONTENT_RANGE).as_deref().and_then(content_range);
        let (from, total) = match range {
            Some((from, total)) if status == 206 => (from, total),
            _ => (0, length(&response)),
        };
        let retry_after = header(RETRY_AFTER).and_then(|v| v.trim().parse().ok()).map(Duration::from_secs);
        Ok(Answer { status, from, total, etag: header(ETAG), retry_after, body: Box::new(Body(response)) })
    }
}

/// A body that reports a timeout with the same error kind as `std`.
struct Body(Response);

impl Read for Body {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.0.read(into).map_err(|error| {
            let silent = error.get_ref().and_then(|e| e.downcast_ref::<reqwest::Error>()).is_some_and(reqwest::Error::is_timeout);
            if silent { io::Error::from(io::ErrorKind::TimedOut) } else { error }
        })
    }
}

/// The length in the head; `None` for a chunked body.
fn length(response: &Response) -> Option<u64> {
    response.headers().get(reqwest::header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Reads `bytes 100-199/200`: the first byte and the total.
fn content_range(text: &str) -> Option<(u64, Option<u64>)> {
    let (range, total) = text.trim().strip_prefix("bytes")?.trim().split_once('/')?;
    Some((range.split_once('-')?.0.trim().parse().ok()?, total.trim().parse().ok()))
}

fn trouble(error: &reqwest::Error) -> Trouble {
    if error.is_redirect() {
        Trouble::Redirect
    } else if error.is_timeout() {
        Trouble::Timeout
    } else {
        Trouble::Unreachable(last_cause(error))
    }
}

/// The innermost cause. The outer ones contain addresses, and the address of a proxy may contain a password.
fn last_cause(error: &reqwest::Error) -> String {
    let mut cause = error.source();
    while let Some(inner) = cause.and_then(std::error::Error::source) {
        cause = Some(inner);
    }
    cause.map_or_else(|| "no connection".to_owned(), ToString::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read() {
        assert_eq!(content_range("bytes 100-199/200"), Some((100, Some(200))));
        assert_eq!(content_range("bytes 0-9/*"), Some((0, None)));
        assert_eq!(content_range("bytes */200"), None);
        assert_eq!(content_range("rows 1-2/3"), None);
    }

    #[test]
    fn a_way_that_is_none_is_said() {
        let site = Site::load(&crate::tables::RuleFiles::embedded()).expect("the table");
        let with = |proxy: Option<&str>, pem: Option<&str>| {
            Http::new(&site, &Ways { proxy: proxy.map(Into::into), certificates: pem.map(|pem| ("ca.pem".into(), pem.into())) })
                .map(|_| ())
                .expect_err("no way")
        };
        assert_eq!(with(Some("http://"), None), NoWay::Proxy);
        assert_eq!(with(None, Some("no certificate")), NoWay::Certificates("ca.pem".into()));
    }
}
