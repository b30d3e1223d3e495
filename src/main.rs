//! The program `puomp`.

use puomp::cli::{self, Exit};

fn main() -> Exit {
    cli::main()
}
