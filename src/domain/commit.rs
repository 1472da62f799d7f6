//! Commits of the team's repository.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Untrusted;

/// A commit, as far as who wrote a prompt is asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Commit {
    /// Its hash.
    pub hash: Untrusted,
    /// Its author's name.
    pub author: Untrusted,
    /// And address.
    pub email: Untrusted,
    /// When it was written.
    pub at: Timestamp,
    /// The first line of its message; empty in evidence that was kept without it.
    #[serde(default)]
    pub subject: Untrusted,
}

impl Commit {
    /// Whether this is its author: by name, address, or the address up to its `@`, whatever the case.
    pub fn is_by(&self, who: &str) -> bool {
        let who = who.trim().to_lowercase();
        let email = self.email.raw().trim().to_lowercase();
        let login = email.split('@').next().unwrap_or_default();
        who == self.author.raw().trim().to_lowercase() || who == email || !login.is_empty() && who == login
    }

    /// The first ten digits of its hash.
    pub fn short(&self) -> String {
        self.hash.raw().chars().take(10).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_author_is_known_by_name_address_and_login() {
        let commit = Commit {
            hash: "0123456789abcdef".into(),
            author: "Ann Lee".into(),
            email: "ann@example.com".into(),
            at: Timestamp::UNIX_EPOCH,
            subject: "one".into(),
        };
        for same in ["Ann Lee", "ann lee ", "ANN@example.com", "ann"] {
            assert!(commit.is_by(same), "{same}");
        }
        assert!(!commit.is_by("jo") && !commit.is_by("") && !commit.is_by("an"));
        assert_eq!(commit.short(), "0123456789");
    }
}
