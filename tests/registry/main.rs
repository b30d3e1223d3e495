//! Reading and writing of registry files: hostile archives and markup, the tables of formats and every single fault of every element.

mod archive;
mod archive_memory;
mod format;
mod scan;

#[path = "../support"]
mod support {
    pub(crate) mod forge;
    pub(crate) mod needs;
    pub(crate) mod process;
    pub(crate) mod say;
    pub(crate) mod soak;
}
