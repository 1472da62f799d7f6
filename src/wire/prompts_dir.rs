//! The team's prompts as they lie in its repository: `prompts/<name>/v4_current.txt`.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::domain::{Error, Result};

/// The longest prompt that is read, in bytes.
const LONGEST: u64 = 4 << 20;

/// One version of a prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromptFile {
    /// `customer_support@v4`, with the version in full.
    pub label: String,
    /// The text, byte for byte.
    pub text: String,
    /// SHA-256 of the file, hexadecimal.
    pub sha256: String,
    /// Where it lies.
    pub path: PathBuf,
}

/// Reads the prompt `name@v4` from a folder of prompts; `name` alone is the version whose file says `current`.
///
/// # Errors
/// `Usage` when the name is not one, there is no such prompt or version (the hint lists those that exist), or
/// two files claim it; `Failed` when the file cannot be read or is not UTF-8.
pub fn read_prompt(folder: &Path, wanted: &str) -> Result<PromptFile> {
    let (name, version) = match wanted.split_once('@') {
        Some((name, version)) => (name, Some(version)),
        None => (wanted, None),
    };
    let plain = |part: &str| {
        let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        !part.is_empty() && !part.starts_with('.') && part.chars().all(fine)
    };
    if !plain(name) || !version.is_none_or(plain) {
        return Err(Error::usage(format!("\"{wanted}\" does not name a prompt."))
            .hint("A prompt is named like this: `customer_support@v4`."));
    }
    let home = folder.join(name);
    let files = versions(&home).map_err(|e| {
        let error = Error::usage(format!("There is no prompt `{name}` in {}.", folder.display())).because(e);
        match folders(folder) {
            names if names.is_empty() => error.hint(format!("Put its text at {}/v1.txt.", home.display())),
            names => error.hint(format!("There are: {}.", names.join(", "))),
        }
    })?;
    let is_wanted = |file: &Version| match version {
        Some("current") | None => file.is_current,
        Some(version) => file.version == version,
    };
    let found: Vec<&Version> = files.iter().filter(|file| is_wanted(file)).collect();
    let listed = || {
        let all: Vec<&str> = files.iter().map(|file| file.version.as_str()).collect();
        if all.is_empty() {
            "It has no version yet.".to_owned()
        } else {
            format!("It has {}.", all.join(", "))
        }
    };
    match found[..] {
        [one] => load(name, one),
        [] => Err(Error::usage(match version {
            Some(version) => format!("The prompt `{name}` has no version `{version}`."),
            None => format!("No version of the prompt `{name}` is marked as current."),
        })
        .hint(listed())),
        [one, other, ..] => Err(Error::usage(format!(
            "{} and {} both claim to be `{wanted}`.",
            one.path.display(),
            other.path.display()
        ))
        .hint(listed())),
    }
}

/// A version of a prompt in its folder; its text is not read yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// The number after the `v`.
    pub number: u64,
    /// `v4`.
    pub version: String,
    /// Whether its file says that it is the current one.
    pub is_current: bool,
    /// The file.
    pub path: PathBuf,
}

/// The prompts of a folder, each with its versions by number. None where there is no such folder.
pub fn list_prompts(folder: &Path) -> Vec<(String, Vec<Version>)> {
    let all = folders(folder).into_iter();
    all.filter_map(|name| Some((name.clone(), versions(&folder.join(name)).ok()?))).collect()
}

/// The versions of one prompt, by number. `v4.txt` and `v4_current.txt` are version `v4`.
fn versions(home: &Path) -> std::io::Result<Vec<Version>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(home)? {
        let path = entry?.path();
        let Some(stem) = path.file_name().and_then(|n| n.to_str()).and_then(|n| n.strip_suffix(".txt"))
        else {
            continue;
        };
        let Some(rest) = stem.strip_prefix('v') else { continue };
        let (digits, tail) = rest.split_at(rest.bytes().take_while(u8::is_ascii_digit).count());
        let Ok(number) = digits.parse() else { continue };
        if !tail.is_empty() && !tail.starts_with(['_', '-', '.']) {
            continue;
        }
        let is_current = tail.split(['_', '-', '.']).any(|word| word == "current");
        found.push(Version { number, version: format!("v{digits}"), is_current, path });
    }
    found.sort_by(|a, b| (a.number, &a.path).cmp(&(b.number, &b.path)));
    Ok(found)
}

fn folders(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .filter(|entry| entry.path().is_dir())
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    names.sort();
    names
}

fn load(name: &str, version: &Version) -> Result<PromptFile> {
    let path = &version.path;
    let wrong = |e: std::io::Error| {
        Error::failed(format!("The prompt {} cannot be read.", path.display())).because(e)
    };
    let size = std::fs::metadata(path).map_err(wrong)?.len();
    if size > LONGEST {
        return Err(Error::usage(format!("The prompt {} has {size} bytes.", path.display()))
            .hint(format!("At most {LONGEST} are read.")));
    }
    let bytes = std::fs::read(path).map_err(wrong)?;
    let sha256 = format!("{:x}", Sha256::digest(&bytes));
    let text = String::from_utf8(bytes)
        .map_err(|e| Error::failed(format!("The prompt {} is not UTF-8.", path.display())).because(e))?;
    Ok(PromptFile { label: format!("{name}@{}", version.version), text, sha256, path: path.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prompts() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().join("support");
        std::fs::create_dir_all(&home).unwrap();
        for (file, text) in
            [("v1.txt", "one"), ("v4_current.txt", "four\n"), ("v40.txt", "forty"), ("notes.txt", "")]
        {
            std::fs::write(home.join(file), text).unwrap();
        }
        folder
    }

    #[test]
    fn a_version_is_found_by_number_or_as_the_current_one() {
        let folder = prompts();
        let read = |wanted| read_prompt(folder.path(), wanted).unwrap();
        assert_eq!((read("support@v1").text, read("support@v40").text), ("one".into(), "forty".into()));
        let four = read("support@v4");
        assert_eq!((four.text.as_str(), four.label.as_str()), ("four\n", "support@v4"));
        assert_eq!(four.sha256, format!("{:x}", Sha256::digest(b"four\n")));
        assert_eq!(read("support"), four);
        assert_eq!(read("support@current"), four);
    }

    #[test]
    fn what_is_not_there_is_said_with_what_is() {
        let folder = prompts();
        let error = |wanted| read_prompt(folder.path(), wanted).unwrap_err();
        let none = error("support@v2");
        assert_eq!(none.what, "The prompt `support` has no version `v2`.");
        assert_eq!(none.hints, ["It has v1, v4, v40."]);
        assert_eq!(error("suport@v2").hints, ["There are: support."]);
        for bad in ["../support@v1", "support@../v1", "", "@v1", "support@", "/etc@v1"] {
            assert!(error(bad).what.ends_with("does not name a prompt."), "{bad}");
        }
        std::fs::write(folder.path().join("support/v4.txt"), "other").unwrap();
        assert!(error("support@v4").what.ends_with("both claim to be `support@v4`."));
    }
}
