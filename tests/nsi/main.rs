//! Reference books: importing files and fetching them from the sites that publish them.

mod import;
mod update;

#[path = "../support"]
mod support {
    pub(crate) mod needs;
    pub(crate) mod say;
    pub(crate) mod stand_in;
}
