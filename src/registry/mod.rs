//! Registry files: formats as data, file names, packages (archives, encodings) and reading.

pub mod chunk;
pub mod encoding;
pub mod fault;
pub mod format;
pub mod month;
pub mod scan;
pub mod source;
