//! Registry files: formats as data, file names, packages (archives, encodings), reading and writing.

pub mod archive;
pub mod chunk;
pub mod encoding;
pub mod fault;
pub mod format;
pub mod name;
pub mod package;
pub mod probe;
pub mod record;
pub mod scan;
pub mod source;
pub mod writer;
