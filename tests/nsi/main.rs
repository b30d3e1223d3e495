//! Reference books: importing files and fetching them from the sites that publish them.

mod import;
mod registers;
mod update;

#[path = "../support"]
mod support {
    #[allow(dead_code, reason = "the drill of an edition changes its rows too")]
    pub(crate) mod book;
    pub(crate) mod needs;
    #[allow(dead_code, reason = "other tests measure time too")]
    pub(crate) mod process;
    pub(crate) mod say;
    pub(crate) mod stand_in;
}
