//! The password of a PostgreSQL store comes by the environment or by a file, so that it need not stand in an address. A stand-in of the server asks for it.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;

use crate::support::clinic::Clinic;

/// Asks whoever connects for a password, as a server with the method `password` does; what it was told.
fn told(listener: &TcpListener) -> String {
    let (mut peer, _) = listener.accept().expect("a program connects");
    let read = |peer: &mut TcpStream| {
        let mut length = [0; 4];
        peer.read_exact(&mut length).expect("a message");
        let mut message = vec![0; u32::from_be_bytes(length) as usize - 4];
        peer.read_exact(&mut message).expect("its end");
        message
    };
    // The first message may ask for TLS (80877103), which is not to be had; then it says who connects.
    if read(&mut peer) == 80_877_103_u32.to_be_bytes() {
        peer.write_all(b"N").expect("answered");
        read(&mut peer);
    }
    peer.write_all(b"R\0\0\0\x08\0\0\0\x03").expect("asked");
    let mut kind = [0];
    peer.read_exact(&mut kind).expect("an answer");
    assert_eq!(&kind, b"p");
    String::from_utf8(read(&mut peer)).expect("text").trim_end_matches('\0').to_owned()
}

#[test]
fn a_password_comes_by_the_environment_or_by_a_file() {
    let clinic = Clinic::new();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let file = clinic.path("pgpass.conf");
    fs::write(&file, format!("other:{port}:base:anna:wrong\n127.0.0.1:{port}:base:anna:by file\n")).expect("written");
    // A file that others may read is passed over.
    #[cfg(unix)]
    fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("private");
    let server = thread::spawn(move || [told(&listener), told(&listener)]);
    let store = format!("postgres://anna@127.0.0.1:{port}/base");
    let ways = [("PGPASSWORD", "by variable".to_owned()), ("PGPASSFILE", file.display().to_string())];
    for (variable, value) in ways {
        let run = clinic.command(&["status", "--store", &store]).env(variable, value).output().expect("it runs");
        assert!(!run.status.success());
        let said = String::from_utf8_lossy(&run.stderr).into_owned();
        assert!(!said.contains("by variable") && !said.contains("by file"), "{said}");
    }
    assert_eq!(server.join().expect("asked"), ["by variable", "by file"]);
}
