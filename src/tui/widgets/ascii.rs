//! For terminals whose locale is not UTF-8: every drawn character as ASCII, width for width.

use ratatui::buffer::Buffer;

use crate::text::width;

/// Replaces what is not ASCII in the frame.
pub fn replace(buffer: &mut Buffer) {
    for cell in &mut buffer.content {
        let symbol = cell.symbol();
        if symbol.is_ascii() {
            continue;
        }
        let instead = instead(symbol);
        let wide = width(symbol) == 2;
        cell.set_symbol(if wide { "??" } else { instead });
    }
}

fn instead(symbol: &str) -> &'static str {
    match symbol {
        "─" | "—" | "–" | "−" | "▔" | "━" | "‐" => "-",
        "│" | "┃" | "▏" | "▌" => "|",
        "┌" | "┐" | "└" | "┘" | "├" | "┤" | "┬" | "┴" | "┼" => "+",
        "▸" | "›" | "→" | "▶" => ">",
        "▾" | "▼" => "v",
        "▲" => "^",
        "✓" => "+",
        "✗" | "×" => "x",
        "·" | "•" => ".",
        "…" => "~",
        "“" | "”" => "\"",
        "‘" | "’" => "'",
        "↺" => "@",
        "▁" | "▂" => "_",
        "▃" | "▄" | "▅" => "=",
        "▆" | "▇" | "█" => "#",
        "▓" => "%",
        "▒" => "+",
        "░" => ".",
        "┊" => ":",
        "◆" | "●" | "■" => "*",
        "○" | "□" => "o",
        "≈" => "~",
        "≠" => "/",
        " " => " ",
        _ => "?",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    #[test]
    fn only_ascii_is_left_and_the_layout_stays() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 12, 1));
        buffer.set_string(0, 0, "─ ✓ 漢字 · é", Style::default());
        replace(&mut buffer);
        let text: String = buffer.content.iter().map(|cell| cell.symbol()).collect();
        assert!(text.is_ascii(), "{text}");
        assert!(text.starts_with("- + ??"), "{text}");
    }
}
