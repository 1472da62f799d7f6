//! The person's own editor on a file of its own that is gone afterwards.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;

use crate::domain::{Error, Result};

/// Lets the editor change the text; blocks until it is closed. `editor` is a program and its arguments:
/// no shell reads them. The file can be read by this person only.
pub fn edit(editor: &[String], text: &str, suffix: &str) -> Result<String> {
    let failed = |what: &str| Error::failed(what.to_owned());
    let file = tempfile::Builder::new()
        .prefix("tuesday-")
        .suffix(suffix)
        .tempfile()
        .map_err(|e| failed("No file can be made for the editor.").because(e))?;
    std::fs::write(file.path(), text)
        .map_err(|e| failed("The editor's file cannot be written.").because(e))?;
    let [program, arguments @ ..] = editor else {
        return Err(failed("No editor is set.").hint("Set $EDITOR, or `editor` in tuesday.toml."));
    };
    let status = Command::new(program).args(arguments).arg(file.path()).status().map_err(|e| {
        failed(&format!("The editor {program} cannot be started."))
            .because(e)
            .hint("Set $EDITOR, or `editor` in tuesday.toml, to a program that is installed.")
    })?;
    if !status.success() {
        return Err(Error::not_so(format!(
            "The editor {program} ended with {status}: the text is as it was."
        )));
    }
    let bytes = std::fs::read(file.path())
        .map_err(|e| failed("The editor's file cannot be read back.").because(e))?;
    String::from_utf8(bytes)
        .map_err(|e| failed("The editor left a file that is not UTF-8: the text is as it was.").because(e))
}

/// Starts this program again, on the same configuration and store, and waits for its end and for a key of the person who
/// has read how it ended.
pub fn run_itself(
    arguments: &[String],
    config: Option<PathBuf>,
    store: Option<PathBuf>,
    reviewer: &str,
) -> Result<()> {
    let failed = |e: std::io::Error| Error::failed("The program cannot be started again.").because(e);
    let mut command = Command::new(std::env::current_exe().map_err(failed)?);
    for (name, path) in [("--config", config), ("--store", store)] {
        if let Some(path) = path {
            command.arg(name).arg(path);
        }
    }
    command.arg("--reviewer").arg(reviewer).args(arguments);
    command.status().map_err(failed)?;
    let mut out = std::io::stdout();
    write!(out, "\nPress Enter to come back. ").and_then(|()| out.flush()).map_err(failed)?;
    std::io::stdin().read_line(&mut String::new()).map(drop).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &[&str]) -> Vec<String> {
        line.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn what_the_editor_saves_comes_back() {
        let upper = words(&["sed", "-i", "s/a/A/g"]);
        assert_eq!(edit(&upper, "banana\n", ".md").unwrap(), "bAnAnA\n");
    }

    #[test]
    fn an_editor_that_fails_changes_nothing() {
        assert!(edit(&words(&["false"]), "x", ".md").unwrap_err().what.contains("as it was"));
        assert!(edit(&words(&["/nowhere/ed"]), "x", ".md").unwrap_err().what.contains("/nowhere/ed"));
        assert!(edit(&[], "x", ".md").is_err());
    }
}
