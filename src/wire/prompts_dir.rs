//! The team's prompts as they lie in its repository: `prompts/<name>/v4_current.txt`.
//!
//! A version is a file `v4.txt` or `v4.md`. The current one is marked by its name (`v4_current.txt`), or by a
//! file `current` beside it that names it (`v4`) or is a link to it. Changing the mark is in `prompt_switch`.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::domain::{Error, Result, Untrusted};

/// The longest prompt that is read, in bytes.
const LONGEST: u64 = 4 << 20;

/// What the file that names the current version may be called.
const CURRENT: [&str; 3] = ["current", "current.txt", "CURRENT"];

/// What a change of the mark that is under way is written down in, until it is done.
pub(super) const UNDER_WAY: &str = ".current-is-changing";

/// One version of a prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromptFile {
    /// `customer_support@v4`, with the version in full.
    pub label: String,
    /// The text, byte for byte; without the front matter.
    pub text: String,
    /// SHA-256 of the text, hexadecimal.
    pub sha256: String,
    /// Where it lies.
    pub path: PathBuf,
    /// What stands above the text.
    pub front: Front,
}

/// The front matter of a prompt: `author: ann` between two lines of `---`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Front {
    /// Who wrote it.
    pub author: Option<Untrusted>,
    /// When, in the file's own words.
    pub date: Option<Untrusted>,
    /// What the file says of the version.
    pub notes: Option<Untrusted>,
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
    if !is_plain(name) || !version.is_none_or(is_plain) {
        return Err(Error::usage(format!("\"{wanted}\" does not name a prompt."))
            .hint("A prompt is named like this: `customer_support@v4`."));
    }
    let home = folder.join(name);
    let files = look(&home).map(|folder| folder.versions).map_err(|e| {
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

/// The prompts of a folder, each with its versions by number. None where there is no such folder.
pub fn list_prompts(folder: &Path) -> Vec<(String, Vec<Version>)> {
    let all = folders(folder).into_iter();
    all.filter_map(|name| Some((name.clone(), look(&folder.join(name)).ok()?.versions))).collect()
}

/// Whether a word can be a prompt's name or a version's.
pub fn is_plain(word: &str) -> bool {
    let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    !word.is_empty() && !word.starts_with('.') && word.chars().all(fine)
}

/// A version of a prompt in its folder; its text is not read yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// The number after the `v`.
    pub number: u64,
    /// `v4`.
    pub version: String,
    /// Whether it is the current one.
    pub is_current: bool,
    /// The file.
    pub path: PathBuf,
}

/// How a folder says which version is the current one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mark {
    /// By the name of the version's file.
    Name,
    /// By a file that names the version.
    File(PathBuf),
    /// By a symbolic link to the version's file.
    Link(PathBuf),
    /// Not at all.
    None,
}

/// A prompt's folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    /// The versions, by number.
    pub versions: Vec<Version>,
    /// How the current one is marked.
    pub mark: Mark,
    /// The version that a change of the mark which did not come to its end leads to.
    pub under_way: Option<String>,
    /// What is not as it should be, each in a sentence.
    pub oddities: Vec<String>,
}

impl Folder {
    /// The current version, where exactly one is.
    pub fn current(&self) -> Option<&Version> {
        let mut marked = self.versions.iter().filter(|version| version.is_current);
        marked.next().filter(|_| marked.next().is_none())
    }
}

/// Looks at a prompt's folder: its versions, by number, and which is the current one. `v4.txt` and
/// `v4_current.txt` are version `v4`; `v4_notes.txt` is about it. A link that leads out of the folder is not
/// followed.
pub fn look(home: &Path) -> std::io::Result<Folder> {
    let real = std::fs::canonicalize(home)?;
    let (mut versions, mut oddities, mut marker) = (Vec::new(), Vec::new(), None);
    for entry in std::fs::read_dir(home)? {
        let path = entry?.path();
        let Some(name) = path.file_name().and_then(|n| n.to_str()).map(str::to_owned) else { continue };
        let is_marker = CURRENT.contains(&name.as_str());
        let Some((number, version, words)) = version_of(&name).or(is_marker.then(Default::default)) else {
            continue;
        };
        match std::fs::canonicalize(&path) {
            Ok(to) if !to.starts_with(&real) => {
                oddities.push(format!("{name} is a link that leads out of the folder: it is not followed."));
                continue;
            }
            Ok(to) if to.is_file() => {}
            Ok(_) => {
                oddities.push(format!("{name} is not a file."));
                continue;
            }
            Err(_) => {
                oddities.push(format!("{name} is a link to nothing."));
                continue;
            }
        }
        if is_marker {
            marker = Some(path);
        } else if !words.contains(&"notes".to_owned()) {
            let is_current = words.contains(&"current".to_owned());
            versions.push(Version { number, version, is_current, path });
        }
    }
    versions.sort_by(|a, b| (a.number, &a.path).cmp(&(b.number, &b.path)));
    let named = versions.iter().any(|version| version.is_current);
    let mut mark = if named { Mark::Name } else { Mark::None };
    if let Some(path) = marker {
        let is_link = path.symlink_metadata()?.file_type().is_symlink();
        let says = if is_link {
            std::fs::canonicalize(&path)?.file_name().and_then(|name| name.to_str()).map(str::to_owned)
        } else {
            first_line(&path)
        };
        let says = says.unwrap_or_default();
        let wanted = version_of(&says).map_or_else(|| bare(&says), |(_, version, _)| version);
        if named {
            oddities.push(format!("Both {} and the name of a file mark a version as current.", shown(&path)));
        }
        if !versions.iter().any(|version| version.version == wanted) {
            oddities.push(format!("{} names a version that is not there.", shown(&path)));
        }
        for version in &mut versions {
            version.is_current = version.version == wanted;
        }
        mark = if is_link { Mark::Link(path) } else { Mark::File(path) };
    }
    let marked = versions.iter().filter(|version| version.is_current).count();
    let mut under_way = first_line(&home.join(UNDER_WAY)).filter(|to| is_plain(to));
    if marked > 1 {
        // The new one is marked before the old one loses its mark: what was written down tells which is new.
        match &under_way {
            Some(to) if versions.iter().any(|version| version.is_current && version.version == *to) => {
                versions.iter_mut().for_each(|version| version.is_current &= version.version == *to);
            }
            _ => oddities.push("More than one version is marked as current.".to_owned()),
        }
    } else if marked == 1 {
        // Nothing had happened yet, or all of it.
        under_way = None;
    } else if !versions.is_empty() {
        oddities.push("No version is marked as current.".to_owned());
    }
    Ok(Folder { versions, mark, under_way, oddities })
}

/// The file's name.
fn shown(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// `4` is `v4`.
fn bare(says: &str) -> String {
    if says.bytes().all(|b| b.is_ascii_digit()) { format!("v{says}") } else { says.to_owned() }
}

fn first_line(path: &Path) -> Option<String> {
    use std::io::Read;
    let mut text = String::new();
    std::fs::File::open(path).ok()?.take(256).read_to_string(&mut text).ok()?;
    Some(text.lines().next()?.trim().to_owned())
}

/// The number, the version and the other words of a file's name; `None` for one that is no version.
fn version_of(name: &str) -> Option<(u64, String, Vec<String>)> {
    let stem = name.strip_suffix(".txt").or_else(|| name.strip_suffix(".md"))?;
    let rest = stem.strip_prefix('v')?;
    let (digits, tail) = rest.split_at(rest.bytes().take_while(u8::is_ascii_digit).count());
    let number = digits.parse().ok()?;
    if !tail.is_empty() && !tail.starts_with(['_', '-', '.']) {
        return None;
    }
    let words = tail.split(['_', '-', '.']).filter(|word| !word.is_empty()).map(str::to_owned).collect();
    Some((number, format!("v{digits}"), words))
}

/// The names of the folders in a folder.
pub fn folders(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .filter(|entry| entry.path().is_dir())
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| is_plain(name))
        .collect();
    names.sort();
    names
}

/// What lies beside a version and says something of it: `v4_notes.txt`, `v4.notes.md`.
pub fn notes(home: &Path, version: &str) -> Option<Untrusted> {
    let entries = std::fs::read_dir(home).ok()?.flatten();
    let mut found: Vec<PathBuf> = entries
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()))
        .map(|entry| entry.path())
        .filter(|path| {
            let of = path.file_name().and_then(|name| name.to_str()).and_then(version_of);
            of.is_some_and(|(_, of, words)| of == version && words.contains(&"notes".to_owned()))
        })
        .collect();
    found.sort();
    let size = std::fs::metadata(found.first()?).ok()?.len();
    if size > LONGEST {
        return None;
    }
    Some(Untrusted::new(std::fs::read_to_string(found.first()?).ok()?.trim()))
}

/// Reads a version's text.
///
/// # Errors
/// `Usage` when it is longer than what is read, `Failed` when it cannot be read or is not UTF-8.
pub fn load(name: &str, version: &Version) -> Result<PromptFile> {
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
    let text = String::from_utf8(bytes)
        .map_err(|e| Error::failed(format!("The prompt {} is not UTF-8.", path.display())).because(e))?;
    let (front, text) = match front(&text) {
        Some((front, rest)) => (front, rest.to_owned()),
        None => (Front::default(), text),
    };
    let sha256 = format!("{:x}", Sha256::digest(&text));
    Ok(PromptFile { label: format!("{name}@{}", version.version), text, sha256, path: path.clone(), front })
}

/// The front matter and what follows it. Text that merely begins with a line of `---` is all text.
fn front(text: &str) -> Option<(Front, &str)> {
    let fence = if text.starts_with("+++") { "+++" } else { "---" };
    let rest = text.strip_prefix(fence)?;
    let rest = rest.strip_prefix('\n').or_else(|| rest.strip_prefix("\r\n"))?;
    let mut front = Front::default();
    let mut at = 0;
    for line in rest.split_inclusive('\n') {
        at += line.len();
        let line = line.trim_end();
        if line == fence {
            return Some((front, &rest[at..]));
        }
        if line.is_empty() || line.starts_with([' ', '-', '#']) {
            continue;
        }
        let (key, value) = line.split_once(if fence == "+++" { '=' } else { ':' })?;
        let key = key.trim();
        if key.is_empty() || !key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-')) {
            return None;
        }
        let value = value.trim().trim_matches(['"', '\'']);
        let value = (!value.is_empty()).then(|| Untrusted::from(value));
        match key.to_ascii_lowercase().as_str() {
            "author" => front.author = value,
            "date" => front.date = value,
            "notes" | "note" | "changes" | "description" => front.notes = value,
            _ => {}
        }
    }
    None
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

    #[test]
    fn the_current_version_is_marked_by_a_name_a_file_or_a_link() {
        let folder = prompts();
        let home = folder.path().join("support");
        let current = || look(&home).unwrap().current().map(|version| version.version.clone());
        assert_eq!(current().as_deref(), Some("v4"));
        std::fs::rename(home.join("v4_current.txt"), home.join("v4.md")).unwrap();
        assert_eq!(current(), None);
        assert_eq!(look(&home).unwrap().oddities, ["No version is marked as current."]);
        for says in ["v1", "v1.txt\n", "1\n"] {
            std::fs::write(home.join("current"), says).unwrap();
            assert_eq!(current().as_deref(), Some("v1"), "{says}");
        }
        std::fs::write(home.join("current"), "v9").unwrap();
        assert_eq!(look(&home).unwrap().oddities.len(), 2);
        std::fs::remove_file(home.join("current")).unwrap();
        std::os::unix::fs::symlink("v40.txt", home.join("current")).unwrap();
        assert_eq!(current().as_deref(), Some("v40"));
        assert!(matches!(look(&home).unwrap().mark, Mark::Link(_)));
    }

    #[test]
    fn a_link_that_leads_out_is_not_followed() {
        let folder = prompts();
        let home = folder.path().join("support");
        std::fs::write(folder.path().join("secret.txt"), "secret").unwrap();
        std::os::unix::fs::symlink("../secret.txt", home.join("v5.txt")).unwrap();
        let seen = look(&home).unwrap();
        assert!(seen.versions.iter().all(|version| version.version != "v5"));
        assert!(seen.oddities[0].contains("leads out"), "{:?}", seen.oddities);
    }

    #[test]
    fn two_current_versions_are_one_where_a_change_is_under_way() {
        let folder = prompts();
        let home = folder.path().join("support");
        std::fs::rename(home.join("v1.txt"), home.join("v1_current.txt")).unwrap();
        assert!(read_prompt(folder.path(), "support").is_err());
        std::fs::write(home.join(UNDER_WAY), "v1\n").unwrap();
        assert_eq!(read_prompt(folder.path(), "support").unwrap().text, "one");
    }

    #[test]
    fn front_matter_and_notes_stand_beside_the_text() {
        let folder = prompts();
        let home = folder.path().join("support");
        std::fs::write(home.join("v5.md"), "---\nauthor: Jo\nnotes: \"shorter\"\n---\nBe brief.\n").unwrap();
        std::fs::write(home.join("v5_notes.txt"), "tried on Monday\n").unwrap();
        let five = read_prompt(folder.path(), "support@v5").unwrap();
        assert_eq!(five.text, "Be brief.\n");
        assert_eq!(five.sha256, format!("{:x}", Sha256::digest(b"Be brief.\n")));
        assert_eq!(five.front.author, Some("Jo".into()));
        assert_eq!(five.front.notes, Some("shorter".into()));
        assert_eq!(notes(&home, "v5"), Some("tried on Monday".into()));
        for text in ["---\nBe brief: now\nand kind\n", "---\nNo end: of it\n", "--- x\n"] {
            std::fs::write(home.join("v6.txt"), text).unwrap();
            assert_eq!(read_prompt(folder.path(), "support@v6").unwrap().text, text);
        }
    }
}
