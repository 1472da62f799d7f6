//! Small things done to rendered text: how people type, how parts are joined.

use super::dice::Dice;
use super::user::Hand;

/// Joins an opening and what follows it; after a comma or colon the sentence goes on in lower case.
pub fn joined(opening: &str, rest: &str) -> String {
    let goes_on = opening.trim_end().ends_with([',', ':']);
    if goes_on { format!("{opening}{}", lower_first(rest)) } else { format!("{opening}{rest}") }
}

/// Words that are written small inside a sentence. Whatever else begins a text may be a name.
const SMALL: &[&str] = &[
    "A", "Add", "After", "All", "An", "And", "Are", "As", "At", "Both", "By", "Can", "Cash", "Could",
    "Direct", "Do", "Does", "Every", "Four", "From", "Go", "Has", "Have", "Here", "Here's", "Honestly",
    "How", "If", "In", "Is", "It", "It's", "Let", "My", "No", "Not", "Nothing", "Now", "On", "Once", "One",
    "Only", "Open", "Our", "Please", "Quick", "Right", "Since", "So", "Some", "Still", "Take", "Thank",
    "That", "That's", "The", "Their", "Then", "There", "There's", "They", "This", "Three", "To", "Two",
    "Under", "Until", "Usually", "We", "What", "What's", "When", "Where", "Where's", "Which", "Who", "Why",
    "With", "Yes", "You", "You'll", "You're", "You've", "Your",
];

/// The text with a small first letter, where its first word is one that is written small.
pub fn lower_first(text: &str) -> String {
    let word = text.split([' ', ',', ':', '.', '?', '!']).next().unwrap_or_default();
    if !SMALL.contains(&word) {
        return text.to_owned();
    }
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

/// The text with a capital first letter.
pub fn upper_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// A question as this hand types it. Amounts, names with capitals inside a sentence and figures stay
/// as they are in a hasty hand; a lower-case hand drops all capitals.
pub fn typed(text: &str, hand: Hand, dice: &mut Dice) -> String {
    match hand {
        Hand::Proper => text.to_owned(),
        Hand::Lower => {
            let lower = text.to_lowercase();
            let lower = if dice.chance(0.5) { lower.replace('\'', "") } else { lower };
            lower.strip_suffix('.').map(str::to_owned).unwrap_or(lower)
        }
        Hand::Hasty => {
            let mut words: Vec<String> = text.split(' ').map(str::to_owned).collect();
            for word in &mut words {
                let plain = word.len() > 4 && word.chars().all(|c| c.is_ascii_lowercase());
                if plain && dice.chance(0.09) {
                    let at = 1 + dice.below(word.len() - 3);
                    let mut letters: Vec<char> = word.chars().collect();
                    match dice.below(3) {
                        0 => letters.swap(at, at + 1),
                        1 => drop(letters.remove(at)),
                        _ => letters.insert(at, letters[at]),
                    }
                    *word = letters.into_iter().collect();
                } else if word.contains('\'') && dice.chance(0.6) {
                    *word = word.replace('\'', "");
                }
            }
            words.join(" ")
        }
    }
}

/// About how many tokens a text is: four letters each, or fewer in scripts that models read slowly.
pub fn tokens(text: &str) -> u64 {
    let (mut ascii, mut other) = (0u64, 0u64);
    for c in text.chars() {
        if c.is_ascii() { ascii += 1 } else { other += 1 }
    }
    (ascii / 4 + other * 7 / 10).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn openings_join_what_follows() {
        assert_eq!(joined("As it says, ", "Yes: it is free."), "As it says, yes: it is free.");
        assert_eq!(joined("Sorry. ", "Yes."), "Sorry. Yes.");
        assert_eq!(joined("Again: ", "I checked."), "Again: I checked.");
        assert_eq!(upper_first("été"), "Été");
    }

    #[test]
    fn no_hand_touches_amounts() {
        let text =
            "Why was I charged €1,035.50 on 12 March? There isn't any reason for this charge, honestly.";
        for hand in [Hand::Proper, Hand::Lower, Hand::Hasty] {
            for place in 0..50 {
                let typed = typed(text, hand, &mut Dice::new(1, 1, place));
                assert!(typed.contains("€1,035.50"), "{typed}");
            }
        }
    }
}
