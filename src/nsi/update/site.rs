//! The sites that publish books: `rules/nsi/site.toml`.

use std::fmt;
use std::time::Duration;

use reqwest::Url;
use serde::Deserialize;

use crate::tables::{RuleFiles, TableError};
use crate::texts::{Coded, Key, Slot, display};

const TABLE: &str = "nsi/site.toml";

/// Where books are published and how to download them.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Site {
    pub(super) fund: Place,
    pub(super) ministry: Place,
    pub(super) transfer: Transfer,
}

/// One publisher: addresses with slots.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Place {
    url: String,
    list: String,
    packet: String,
    #[serde(default)]
    size: u32,
    pub(super) fields: Fields,
}

/// Paths into the JSON of a list: names separated by dots.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Fields {
    pub(super) rows: String,
    #[serde(default)]
    pub(super) book: String,
    pub(super) edition: String,
    pub(super) date: String,
    #[serde(default)]
    pub(super) packet: String,
}

/// Limits of time, size and trust for downloads.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Transfer {
    pub(super) hosts: Vec<String>,
    pub(super) attempts: u32,
    pause_ms: u64,
    patience_ms: u64,
    silence_ms: u64,
    deadline_ms: u64,
    pub(super) list_limit: u64,
    pub(super) packet_limit: u64,
}

impl Transfer {
    /// The pause before a repeated try; the second try has the number 1.
    pub(super) fn pause(&self, retry: u32) -> Duration {
        Duration::from_millis(self.pause_ms.saturating_mul(1 << retry.saturating_sub(1).min(16))).min(self.patience())
    }

    pub(super) fn patience(&self) -> Duration {
        Duration::from_millis(self.patience_ms)
    }

    pub(super) fn silence(&self) -> Duration {
        Duration::from_millis(self.silence_ms)
    }

    pub(super) fn deadline(&self) -> Duration {
        Duration::from_millis(self.deadline_ms)
    }
}

/// Addresses that replace those of the table.
#[derive(Debug, Clone, Default)]
pub struct Addresses {
    /// Address of the fund's site; also of the ministry's site unless that is given.
    pub url: Option<String>,
    /// Address of the ministry's site.
    pub ministry: Option<String>,
}

/// The given text is not a web address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadAddress(pub String);

impl Coded for BadAddress {
    fn key(&self) -> Key {
        Key::NsiUpdateBadUrl
    }

    fn slots(&self) -> Vec<(&'static str, Slot<'_>)> {
        vec![("url", Slot::text(without_password(&self.0)))]
    }
}

/// The address without a user name and password.
fn without_password(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    match rest.rsplit_once('@') {
        Some((_, host)) if scheme.is_empty() => format!("…@{host}"),
        Some((_, host)) => format!("{scheme}://…@{host}"),
        None => url.to_owned(),
    }
}

impl fmt::Display for BadAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        display(self, f)
    }
}

impl std::error::Error for BadAddress {}

impl Site {
    /// Reads the table.
    ///
    /// # Errors
    /// The table has an error.
    pub fn load(files: &RuleFiles) -> Result<Self, TableError> {
        let text = files.text(TABLE)?;
        let site: Self = toml::from_str(&text).map_err(|e| TableError::of_toml(TABLE, &text, &e))?;
        let bad = |place: &Place| [place.list(""), place.packet("", "", "")].into_iter().find(|a| web(a).is_none());
        if let Some(address) = bad(&site.fund).or_else(|| bad(&site.ministry)) {
            return Err(TableError::new(TABLE, 0, format!("«{address}» is no address of the web")));
        }
        if site.transfer.attempts == 0 {
            return Err(TableError::new(TABLE, 0, "attempts: at least 1 is due"));
        }
        Ok(site)
    }

    /// Replaces addresses of the table.
    ///
    /// # Errors
    /// A given address is not a web address.
    pub fn redirect(&mut self, addresses: &Addresses) -> Result<(), BadAddress> {
        for (place, given) in [(&mut self.fund, &addresses.url), (&mut self.ministry, &addresses.ministry.clone().or_else(|| addresses.url.clone()))] {
            if let Some(given) = given {
                web(given).ok_or_else(|| BadAddress(given.clone()))?;
                place.url = given.trim_end_matches('/').to_owned();
            }
        }
        Ok(())
    }

    /// Whether both sites are on this machine, so that no proxy is used.
    pub(super) fn is_here(&self) -> bool {
        [&self.fund, &self.ministry].iter().all(|place| web(&place.url).is_some_and(|url| is_loopback(&url)))
    }
}

impl Place {
    /// The address of the list. `oid` is for a publisher with a list for each book.
    pub(super) fn list(&self, oid: &str) -> String {
        self.fill(&self.list, oid, "", "")
    }

    pub(super) fn packet(&self, oid: &str, id: &str, version: &str) -> String {
        self.fill(&self.packet, oid, id, version)
    }

    fn fill(&self, pattern: &str, oid: &str, id: &str, version: &str) -> String {
        let size = self.size.to_string();
        crate::texts::fill(pattern, |slot| match slot {
            "url" => Some(self.url.as_str()),
            "size" => Some(size.as_str()),
            "oid" => Some(oid),
            "id" => Some(id),
            "version" => Some(version),
            _ => None,
        })
    }
}

/// Parses a web address: http or https, with a host, without user name and password; `None` for anything else.
pub(super) fn web(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    (matches!(url.scheme(), "http" | "https") && url.has_host() && url.username().is_empty() && url.password().is_none()).then_some(url)
}

/// Whether an address points to this machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Whether a redirect from one address to another may be followed. `hosts` are allowed together with their subdomains.
pub(super) fn may_follow(from: &Url, to: &Url, hosts: &[String]) -> bool {
    if is_loopback(from) || is_loopback(to) {
        return is_loopback(from) && is_loopback(to);
    }
    let below = |host: &str| hosts.iter().any(|h| host == h || host.strip_suffix(h.as_str()).is_some_and(|rest| rest.ends_with('.')));
    to.scheme() == "https" && to.host_str().is_some_and(|host| from.host_str() == Some(host) || below(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_come_from_the_table_and_bend_to_options() {
        let mut site = Site::load(&RuleFiles::embedded()).expect("the table");
        assert_eq!(site.fund.list(""), "https://nsi.ffoms.ru/data?pageId=refbookList&containerId=refbookList&size=1000");
        assert_eq!(site.fund.packet("", "17", "5"), "https://nsi.ffoms.ru/refbook?type=XML&id=17&version=5");
        assert_eq!(site.ministry.packet("1.2", "", "2.27"), "https://nsi.rosminzdrav.ru/api/dataFiles/1.2_2.27_xml.zip");
        site.redirect(&Addresses { url: Some("http://127.0.0.1:8/x/".into()), ministry: None }).expect("an address");
        assert_eq!(site.ministry.list("1.2"), "http://127.0.0.1:8/x/api/versions?identifier=1.2");
        for bad in ["", "nsi.ffoms.ru", "file:///etc/passwd", "ftp://a", "https://user:secret@a"] {
            assert!(site.redirect(&Addresses { url: Some(bad.into()), ministry: None }).is_err(), "{bad}");
        }
    }

    #[test]
    fn redirects_stay_in_the_house() {
        let hosts = ["ffoms.ru".to_owned()];
        let may = |from, to| may_follow(&Url::parse(from).expect("an address"), &Url::parse(to).expect("an address"), &hosts);
        assert!(may("https://nsi.ffoms.ru/a", "https://nsi.ffoms.ru/b") && may("http://nsi.ffoms.ru/a", "https://nsi.ffoms.ru/b"));
        assert!(may("https://nsi.ffoms.ru/a", "https://www.ffoms.ru/b") && may("http://127.0.0.1:1/", "http://127.0.0.1:2/"));
        for to in ["http://nsi.ffoms.ru/b", "https://badffoms.ru/", "https://example.org/", "http://127.0.0.1/", "https://localhost/"] {
            assert!(!may("https://nsi.ffoms.ru/a", to), "{to}");
        }
    }
}
