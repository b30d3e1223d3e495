//! Reading alone, for `benches/compare.sh`: the same pieces and the same tokenizer as `puomp validate`, and nothing looked at.
//!
//! `reading FILE…` prints the elements it met. Pieces are scanned by as many threads as the machine has, as the control does it.

#![allow(clippy::print_stdout, reason = "the count proves that every element was met")]

use std::error::Error;
use std::fs::File;

use puomp::registry::chunk::{Chunk, Chunks};
use puomp::registry::encoding::Encoding;
use puomp::registry::scan::{ScanLimits, Scanner, Token};
use rayon::prelude::*;

fn main() -> Result<(), Box<dyn Error>> {
    // `cargo bench` adds an option of its own.
    for path in std::env::args().skip(1).filter(|a| !a.starts_with("--")) {
        // A person file's name begins with L.
        let record = if path.rsplit('/').next().is_some_and(|name| name.starts_with('L')) { "PERS" } else { "ZAP" };
        let mut chunks = Chunks::new(Box::new(File::open(&path)?), record, true);
        let mut batch: Vec<Chunk> = Vec::new();
        let mut elements = 0;
        while let Some(chunk) = chunks.next_chunk(Vec::new()).map_err(|e| format!("{e:?}"))? {
            let last = chunk.last;
            batch.push(chunk);
            if batch.len() == 4 || last {
                elements += batch.par_iter().map(scan).sum::<u64>();
                batch.clear();
            }
        }
        println!("{elements}");
    }
    Ok(())
}

/// Elements of a piece. A piece that begins between two records is open in the root.
fn scan(chunk: &Chunk) -> u64 {
    let open = if chunk.offset == 0 { Vec::new() } else { vec![b"ROOT".to_vec()] };
    let mut scanner = Scanner::new(&chunk.bytes, Encoding::Windows1251, ScanLimits::default(), open);
    let mut elements = 0;
    loop {
        match scanner.next_token() {
            Ok(Token::Leaf { .. } | Token::Open { .. }) => elements += 1,
            Ok(Token::End) | Err(_) => return elements,
            Ok(_) => {}
        }
    }
}
