//! Phrases of the demo's templates: text with `{slots}` and `[one|or|the other]`, which may nest. A
//! backslash takes the next character as it is. A phrase may begin with marks, `@this,that `, which
//! say what it is about more closely than its topic does: an answer fits a question when they share a
//! mark; without marks a phrase has the mark `_`. Knows nothing of banks; the slots are in `case`.

use std::fmt::Write as _;

use serde::Deserialize;

use super::case::{Case, SLOTS};
use super::dice::Dice;

/// One template, read and checked.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
pub struct Phrase {
    marks: Vec<String>,
    nodes: Vec<Node>,
}

#[derive(Debug, Clone)]
enum Node {
    Text(Box<str>),
    Slot(usize),
    Pick(Vec<Vec<Node>>),
}

impl Phrase {
    /// Fills the slots and makes the choices.
    pub fn render(&self, case: &Case, dice: &mut Dice) -> String {
        let mut out = String::new();
        render(&self.nodes, case, dice, &mut out);
        out
    }

    /// Whether this answers that.
    pub fn fits(&self, asked: &Self) -> bool {
        self.marks.iter().any(|mark| asked.marks.contains(mark))
    }

    /// Whether it has this mark.
    pub fn has_mark(&self, mark: &str) -> bool {
        self.marks.iter().any(|own| own == mark)
    }

    /// Whether it has no mark of its own.
    pub fn is_general(&self) -> bool {
        self.has_mark("_")
    }
}

impl TryFrom<String> for Phrase {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let (marks, body) = match text.strip_prefix('@').and_then(|rest| rest.split_once(' ')) {
            Some((marks, body)) => (marks.split(',').map(str::to_owned).collect(), body),
            None => (vec!["_".to_owned()], text.as_str()),
        };
        let mut chars = body.chars().peekable();
        let nodes = parse(&mut chars, false).map_err(|why| format!("{why} in {text:?}"))?;
        Ok(Self { marks, nodes })
    }
}

fn render(nodes: &[Node], case: &Case, dice: &mut Dice, out: &mut String) {
    for node in nodes {
        match node {
            Node::Text(text) => out.push_str(text),
            Node::Slot(at) => {
                let _ = write!(out, "{}", case.slot(*at));
            }
            Node::Pick(ways) => render(&ways[dice.below(ways.len())], case, dice, out),
        }
    }
}

type Chars<'a> = std::iter::Peekable<std::str::Chars<'a>>;

/// Reads up to the end, or with `inside` up to the `|` or `]` that ends this way of a choice.
fn parse(chars: &mut Chars<'_>, inside: bool) -> Result<Vec<Node>, String> {
    let mut nodes = Vec::new();
    let mut text = String::new();
    let flush = |text: &mut String, nodes: &mut Vec<Node>| {
        if !text.is_empty() {
            nodes.push(Node::Text(std::mem::take(text).into()));
        }
    };
    while let Some(&c) = chars.peek() {
        if inside && (c == '|' || c == ']') {
            break;
        }
        chars.next();
        match c {
            '\\' => text.push(chars.next().ok_or("a backslash at the end")?),
            '{' => {
                flush(&mut text, &mut nodes);
                let name: String = chars.by_ref().take_while(|c| *c != '}').collect();
                let at = SLOTS.iter().position(|s| *s == name).ok_or(format!("no slot {name:?}"))?;
                nodes.push(Node::Slot(at));
            }
            '[' => {
                flush(&mut text, &mut nodes);
                let mut ways = vec![parse(chars, true)?];
                loop {
                    match chars.next() {
                        Some('|') => ways.push(parse(chars, true)?),
                        Some(']') => break,
                        _ => return Err("a choice that does not end".to_owned()),
                    }
                }
                nodes.push(Node::Pick(ways));
            }
            ']' | '}' => return Err(format!("a stray {c:?}")),
            _ => text.push(c),
        }
    }
    flush(&mut text, &mut nodes);
    Ok(nodes)
}

/// What the tests hold the templates to.
#[cfg(test)]
impl Phrase {
    /// Whether every way to render it names this slot.
    pub fn always_names(&self, slot: &str) -> bool {
        SLOTS.iter().position(|s| *s == slot).is_some_and(|at| always(&self.nodes, at))
    }

    /// Whether some way to render it names this slot.
    pub fn may_name(&self, slot: &str) -> bool {
        SLOTS.iter().position(|s| *s == slot).is_some_and(|at| may(&self.nodes, at))
    }
}

#[cfg(test)]
fn always(nodes: &[Node], slot: usize) -> bool {
    nodes.iter().any(|node| match node {
        Node::Text(_) => false,
        Node::Slot(at) => *at == slot,
        Node::Pick(ways) => ways.iter().all(|way| always(way, slot)),
    })
}

#[cfg(test)]
fn may(nodes: &[Node], slot: usize) -> bool {
    nodes.iter().any(|node| match node {
        Node::Text(_) => false,
        Node::Slot(at) => *at == slot,
        Node::Pick(ways) => ways.iter().any(|way| may(way, slot)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phrase(text: &str) -> Result<Phrase, String> {
        Phrase::try_from(text.to_owned())
    }

    #[test]
    fn choices_nest_and_escapes_hold() {
        let case = Case::sample();
        let parsed = phrase(r"[a[b|c]|d|] \{x\} | {fee}").unwrap();
        let mut dice = Dice::new(1, 1, 1);
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..200 {
            seen.insert(parsed.render(&case, &mut dice));
        }
        let fee = case.text("fee");
        let expected = ["", "ab", "ac", "d"].map(|start| format!("{start} {{x}} | {fee}"));
        assert_eq!(seen.into_iter().collect::<Vec<_>>(), expected);
        assert!(parsed.always_names("fee") && !parsed.may_name("name"));
    }

    #[test]
    fn mistakes_are_named() {
        for (text, why) in [
            ("{nothing_such}", "no slot"),
            ("[a|b", "does not end"),
            ("a]", "stray"),
            ("a}", "stray"),
            ("a\\", "backslash"),
        ] {
            assert!(phrase(text).unwrap_err().contains(why), "{text}");
        }
    }
}
