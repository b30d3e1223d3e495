//! A local HTTP server in place of the sites that publish books. It answers as they do, or with the errors that a test wants.
#![allow(dead_code, reason = "each test crate uses its part")]

use std::io::{BufRead as _, BufReader, Cursor, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A request that was received.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// Path and query; the whole address when we stand in for a proxy.
    pub(crate) path: String,
    /// The first byte of `Range`.
    pub(crate) from: Option<usize>,
    pub(crate) if_range: Option<String>,
    /// Number of earlier requests for this path.
    pub(crate) before: usize,
}

/// An answer of the server.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    /// Number of bytes of the body that are sent; `None` for all.
    cut: Option<usize>,
    endless: bool,
    silent: bool,
}

impl Reply {
    pub(crate) fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: Vec::new(), body: body.into(), cut: None, endless: false, silent: false }
    }

    pub(crate) fn ok(body: impl Into<Vec<u8>>) -> Self {
        Self::new(200, body)
    }

    /// A file with an ETag; only from the requested byte if the request names the same ETag or none.
    pub(crate) fn file(body: &[u8], etag: &str, asked: &Asked) -> Self {
        let held = asked.if_range.as_deref().is_none_or(|mark| mark == etag);
        match asked.from.filter(|_| held) {
            Some(from) => Self::part(body, from, etag),
            None => Self::ok(body).with("ETag", etag),
        }
    }

    pub(crate) fn part(body: &[u8], from: usize, etag: &str) -> Self {
        let range = format!("bytes {from}-{}/{}", body.len() - 1, body.len());
        Self::new(206, &body[from..]).with("Content-Range", &range).with("ETag", etag)
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn cut(mut self, at: usize) -> Self {
        self.cut = Some(at);
        self
    }

    pub(crate) fn endless() -> Self {
        Self { endless: true, ..Self::ok("") }
    }

    pub(crate) fn silent() -> Self {
        Self { silent: true, ..Self::ok("") }
    }

    fn write(&self, mut to: TcpStream) -> std::io::Result<()> {
        if self.silent {
            std::thread::sleep(Duration::from_secs(3));
            return Ok(());
        }
        write!(to, "HTTP/1.1 {} Said\r\nConnection: close\r\n", self.status)?;
        for (name, value) in &self.headers {
            write!(to, "{name}: {value}\r\n")?;
        }
        if self.endless {
            write!(to, "Transfer-Encoding: chunked\r\n\r\n")?;
            let block = [b'<'; 4096];
            loop {
                write!(to, "1000\r\n")?;
                to.write_all(&block)?;
                write!(to, "\r\n")?;
            }
        }
        write!(to, "Content-Length: {}\r\n\r\n", self.body.len())?;
        to.write_all(&self.body[..self.cut.unwrap_or(self.body.len())])?;
        to.flush()
    }
}

/// The running server. It works as long as the test runs.
pub(crate) struct StandIn {
    pub(crate) url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl StandIn {
    pub(crate) fn new(answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (log, answer) = (Arc::clone(&asked), Arc::new(answer));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (log, answer) = (Arc::clone(&log), Arc::clone(&answer));
                // The client may close the connection in the middle of an answer.
                std::thread::spawn(move || question(&stream, &log).map_or(Ok(()), |asked| answer(&asked).write(stream)));
            }
        });
        Self { url, asked }
    }

    /// All requests so far, in order.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().expect("not poisoned").clone()
    }

    pub(crate) fn count(&self, part: &str) -> usize {
        self.asked().iter().filter(|a| a.path.contains(part)).count()
    }
}

fn question(stream: &TcpStream, log: &Mutex<Vec<Asked>>) -> Option<Asked> {
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    let path = lines.next()?.split(' ').nth(1)?.to_owned();
    let (mut from, mut if_range) = (None, None);
    for line in lines.take_while(|l| !l.is_empty()) {
        let (name, value) = line.split_once(": ")?;
        match name.to_ascii_lowercase().as_str() {
            "range" => from = value.strip_prefix("bytes=").and_then(|v| v.strip_suffix('-')).and_then(|v| v.parse().ok()),
            "if-range" => if_range = Some(value.to_owned()),
            _ => {}
        }
    }
    let mut log = log.lock().expect("not poisoned");
    let before = log.iter().filter(|a| a.path == path).count();
    log.push(Asked { path, from, if_range, before });
    log.last().cloned()
}

/// The fund's list of books: id, edition, date. The address of a packet contains the id.
pub(crate) fn list(books: &[(&str, &str, &str)]) -> String {
    let rows = books.iter().map(|(book, edition, date)| {
        format!(r#"{{"d":{{"code":"{book}","mnemonic":"x"}},"user_version":"{edition}","last_update":"{date}","providerParam":"{book}v1","shortName":"имя"}}"#)
    });
    format!(r#"{{"list":[{}]}}"#, rows.collect::<Vec<_>>().join(","))
}

/// A packet in the form in which the fund publishes it.
pub(crate) fn packet(kind: &str, key: &str, version: &str, date: &str, rows: u32) -> String {
    let rows: String = (1..=rows).map(|code| format!("<zap><{key}>{code}</{key}><DATEBEG>01.01.2011</DATEBEG></zap>\n")).collect();
    format!("<packet><zglv><type>{kind}</type><version>{version}</version><date>{date}</date></zglv>{rows}</packet>")
}

/// An archive of files.
pub(crate) fn archive(files: &[(&str, &str)]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in files {
        zip.start_file(*name, zip::write::SimpleFileOptions::default()).expect("begun");
        zip.write_all(text.as_bytes()).expect("written");
    }
    zip.finish().expect("finished").into_inner()
}

/// An archive with the book V002 (profiles of care), edition 5.0.
pub(crate) fn profiles() -> Vec<u8> {
    archive(&[("V002.xml", &packet("ProfOt", "IDPR", "5.0", "30.01.2026", 300))])
}
