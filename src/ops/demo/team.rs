//! The demo team's repository, beside the demo store: its prompts, its flags, its configuration.

use std::path::{Path, PathBuf};

use crate::domain::{Error, Result};
use crate::wire::write::new_file::write_text;

/// The files, from the folder of the repository.
const FILES: [(&str, &str); 9] = [
    ("flags.json", include_str!("../../../fixtures/demo/team/flags.json")),
    (
        "prompts/customer_support/v1.txt",
        include_str!("../../../fixtures/demo/prompts/customer_support/v1.txt"),
    ),
    (
        "prompts/customer_support/v2.txt",
        include_str!("../../../fixtures/demo/prompts/customer_support/v2.txt"),
    ),
    (
        "prompts/customer_support/v3.txt",
        include_str!("../../../fixtures/demo/prompts/customer_support/v3.txt"),
    ),
    (
        "prompts/customer_support/v3_notes.txt",
        include_str!("../../../fixtures/demo/prompts/customer_support/v3_notes.txt"),
    ),
    (
        "prompts/customer_support/v4_current.txt",
        include_str!("../../../fixtures/demo/prompts/customer_support/v4_current.txt"),
    ),
    (
        "prompts/customer_support/v4_notes.txt",
        include_str!("../../../fixtures/demo/prompts/customer_support/v4_notes.txt"),
    ),
    (
        "prompts/summarization/v2_current.txt",
        include_str!("../../../fixtures/demo/prompts/summarization/v2_current.txt"),
    ),
    ("tuesday.toml", include_str!("../../../fixtures/demo/team/tuesday.toml")),
];

/// Where the repository of a demo store is: `demo-team` beside `demo.db`.
pub fn folder(store: &Path) -> PathBuf {
    let stem = store.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    store.with_file_name(format!("{stem}-team"))
}

/// Writes it; what is there already is left as it is. Gives the folder.
///
/// # Errors
/// `Failed` when it cannot be written.
pub fn write(store: &Path) -> Result<PathBuf> {
    let folder = folder(store);
    let name = store.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    for (file, text) in FILES {
        // The name stands in a TOML string.
        let text = text.replace("{{store}}", &name.replace(['"', '\\'], "_"));
        write_text(&folder.join(file), &text, false)?;
    }
    std::fs::canonicalize(&folder)
        .map_err(|e| Error::failed(format!("The folder {} cannot be read.", folder.display())).because(e))
}

/// Takes the files of an unfinished demo away again; whatever else is in the folder stays.
pub fn discard(store: &Path) {
    let folder = folder(store);
    for (file, _) in FILES {
        let _ = std::fs::remove_file(folder.join(file));
    }
    for empty in ["prompts/customer_support", "prompts/summarization", "prompts", ""] {
        let _ = std::fs::remove_dir(folder.join(empty));
    }
}
