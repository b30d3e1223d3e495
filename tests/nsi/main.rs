//! Reference books: importing files and fetching them from the sites that publish them.

mod import;
mod update;

#[path = "../support"]
mod support {
    #[allow(dead_code, reason = "the drill of an edition changes its rows too")]
    pub(crate) mod book;
    pub(crate) mod needs;
    pub(crate) mod say;
    pub(crate) mod stand_in;
}
