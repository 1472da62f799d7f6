//! Markdown as styled lines: one walk over the parser's events, without recursion.
//!
//! Owns what Markdown's blocks and runs look like on a screen of letters. Every run of text goes
//! through `clean`. A line break in a paragraph is kept, as chat windows do. What stands before and between blocks is in
//! [`sheet`], tables are in [`table`].

mod html;
mod sheet;
mod table;

use super::clean::{Clean, clean_line, clean_str};
use super::json::json_text;
use super::line::{Line, Role, Span, Style};
use super::width::wrap_line;
pub use html::markdown_html;
use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag, TagEnd, TextMergeStream};
use sheet::{Container, Sheet};
use std::collections::HashSet;
use table::Table;

/// Markdown text in lines of at most `cols` columns (at least 12). Nothing that was written is hidden:
/// HTML and comments are shown as text, links say where they lead, and definitions that no link uses
/// stand at the end.
pub fn markdown(text: &str, cols: usize) -> Vec<Line> {
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    let mut page = Page { sheet: Sheet::new(cols.max(12)), ..Page::default() };
    let parser = Parser::new_ext(text, options);
    let mut definitions: Vec<_> = parser
        .reference_definitions()
        .iter()
        .map(|(label, definition)| (definition.span.clone(), label.to_lowercase()))
        .collect();
    for event in TextMergeStream::new(parser) {
        if let Event::Start(Tag::Link { id, .. } | Tag::Image { id, .. }) = &event
            && !definitions.is_empty()
        {
            page.referred.insert(id.to_lowercase());
        }
        page.event(event);
    }
    page.flush();
    definitions.retain(|(_, label)| !page.referred.contains(label));
    definitions.sort_by_key(|(span, _)| span.start);
    for (span, _) in definitions {
        let lines = page.verbatim(text.get(span).unwrap_or_default(), Role::Muted, "");
        page.sheet.emit(lines);
    }
    if page.sheet.lines.is_empty() && !text.trim().is_empty() {
        page.sheet.lines = page.verbatim(text, Role::Plain, "");
    }
    page.sheet.lines
}

const BULLET: &str = "• ";

/// A link or image that is open: where it leads, and where its text begins in the run.
struct Target {
    url: Clean,
    title: Clean,
    from: usize,
}

#[derive(Default)]
struct Page {
    sheet: Sheet,
    /// The numbers of the open lists' next items.
    lists: Vec<Option<u64>>,
    run: Line,
    /// The bytes of the run.
    run_len: usize,
    heading: Option<HeadingLevel>,
    bold: usize,
    italic: usize,
    strike: usize,
    targets: Vec<Target>,
    /// The labels that links refer to, in small letters.
    referred: HashSet<String>,
    /// The text of an open code or HTML block.
    block: Option<String>,
    /// What stands behind the fence that opened the block.
    language: String,
    table: Option<Table>,
}

impl Page {
    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) | Event::Html(text) if self.block.is_some() => {
                if let Some(block) = &mut self.block {
                    block.push_str(&text);
                }
            }
            Event::Text(text) => self.put(clean_line(&text), self.style()),
            Event::Code(code) => self.put(clean_line(&code), Style { role: Role::Code, ..self.style() }),
            Event::InlineHtml(html) if is_break(&html) => self.line_break(),
            Event::Html(html) | Event::InlineHtml(html) => {
                self.put(clean_line(&html), Style { role: Role::Muted, ..self.style() });
            }
            Event::SoftBreak | Event::HardBreak => self.line_break(),
            Event::Rule => {
                let cols = self.sheet.room();
                self.sheet.emit(vec![Line::of("─".repeat(cols), Role::Rule)]);
                self.sheet.wants_gap();
            }
            Event::TaskListMarker(done) => {
                if let Some(Container::Item(mark)) = self.sheet.containers.last_mut() {
                    if mark == BULLET {
                        mark.clear();
                    }
                    mark.push_str(if done { "[x] " } else { "[ ] " });
                }
            }
            // Not asked of the parser.
            Event::FootnoteReference(text) | Event::InlineMath(text) | Event::DisplayMath(text) => {
                self.put(clean_line(&text), self.style());
            }
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Emphasis => self.italic += 1,
            Tag::Strong => self.bold += 1,
            Tag::Strikethrough => self.strike += 1,
            Tag::Link { dest_url, title, .. } => self.open_target(&dest_url, &title),
            Tag::Image { dest_url, title, .. } => {
                self.put(clean_line("image: "), Style::of(Role::Muted));
                self.open_target(&dest_url, &title);
            }
            Tag::TableHead | Tag::TableRow => {
                if let Some(table) = &mut self.table {
                    table.start_row();
                }
            }
            Tag::TableCell => {}
            block => {
                self.flush();
                self.start_block(block);
            }
        }
    }

    fn start_block(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Heading { level, .. } => self.heading = Some(level),
            Tag::BlockQuote(_) => self.sheet.containers.push(Container::Quote),
            Tag::List(first) => self.lists.push(first),
            Tag::Item => {
                let mark = match self.lists.last_mut() {
                    Some(Some(number)) => {
                        let mark = format!("{number}. ");
                        *number = number.saturating_add(1);
                        mark
                    }
                    _ => BULLET.to_owned(),
                };
                self.sheet.containers.push(Container::Item(mark));
            }
            Tag::CodeBlock(kind) => {
                self.block = Some(String::new());
                self.language = match kind {
                    CodeBlockKind::Fenced(info) => info.into_string(),
                    CodeBlockKind::Indented => String::new(),
                };
            }
            Tag::HtmlBlock => self.block = Some(String::new()),
            Tag::Table(alignments) => self.table = Some(Table::new(alignments)),
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Emphasis => self.italic = self.italic.saturating_sub(1),
            TagEnd::Strong => self.bold = self.bold.saturating_sub(1),
            TagEnd::Strikethrough => self.strike = self.strike.saturating_sub(1),
            TagEnd::Link | TagEnd::Image => self.close_target(),
            TagEnd::Paragraph => {
                self.flush();
                self.sheet.wants_gap();
            }
            TagEnd::Heading(_) => {
                let level = self.heading.map_or(1, |level| level as usize);
                let mark = Span::new(format!("{} ", "#".repeat(level)), self.style());
                self.run.spans.insert(0, mark);
                self.flush();
                self.heading = None;
                self.sheet.wants_gap();
            }
            TagEnd::BlockQuote(_) => {
                self.flush();
                self.sheet.leave();
                self.sheet.wants_gap();
            }
            TagEnd::Item => {
                self.flush();
                if self.sheet.owes_a_mark() {
                    self.sheet.emit(vec![Line::default()]);
                }
                self.sheet.leave();
            }
            TagEnd::List(_) => {
                self.lists.pop();
                if self.lists.is_empty() {
                    self.sheet.wants_gap();
                }
            }
            TagEnd::CodeBlock => self.code_block(),
            TagEnd::HtmlBlock => {
                let text = self.block.take().unwrap_or_default();
                let lines = self.verbatim(&text, Role::Muted, "");
                self.sheet.emit(lines);
                self.sheet.wants_gap();
            }
            TagEnd::TableCell => {
                let cell = self.take_run();
                if let Some(table) = &mut self.table {
                    table.cell(cell);
                }
            }
            TagEnd::Table => {
                if let Some(table) = self.table.take() {
                    let lines = table.lay_out(self.sheet.room());
                    self.sheet.emit(lines);
                    self.sheet.wants_gap();
                }
            }
            _ => {}
        }
    }

    fn code_block(&mut self) {
        let text = self.block.take().unwrap_or_default();
        let language = std::mem::take(&mut self.language);
        if language.contains(' ') {
            let line = Line::of(format!("``` {language}"), Role::Muted);
            let lines = wrap_line(&line, self.sheet.room(), &[], &[]);
            self.sheet.emit(lines);
        }
        let indent = Span::new("  ", Role::Plain);
        let json = language.is_empty() || language.eq_ignore_ascii_case("json");
        let laid = json.then(|| json_text(&text, self.sheet.room() - 2)).flatten();
        let lines = match laid {
            Some(lines) => {
                let set_in = |mut line: Line| {
                    line.spans.insert(0, indent.clone());
                    line
                };
                lines.into_iter().map(set_in).collect()
            }
            None => self.verbatim(&text, Role::Code, "  "),
        };
        self.sheet.emit(lines);
        self.sheet.wants_gap();
    }

    /// Lines that keep their breaks and indents.
    fn verbatim(&self, text: &str, role: Role, indent: &str) -> Vec<Line> {
        let indent = [Span::new(indent, Role::Plain)];
        let text = clean_str(text.strip_suffix('\n').unwrap_or(text));
        wrap_line(&Line::of(text, role), self.sheet.room(), &indent, &indent)
    }

    fn style(&self) -> Style {
        let quoted = || self.sheet.containers.iter().rev().take(8).any(|c| matches!(c, Container::Quote));
        let role = if self.heading.is_some() {
            Role::Heading
        } else if !self.targets.is_empty() {
            Role::Link
        } else if quoted() {
            Role::Quote
        } else {
            Role::Plain
        };
        Style {
            role,
            bold: self.bold > 0 || self.heading.is_some(),
            italic: self.italic > 0,
            strike: self.strike > 0,
            underline: !self.targets.is_empty(),
            dim: false,
        }
    }

    fn put(&mut self, text: Clean, style: Style) {
        self.run_len += text.as_str().len();
        self.run.push(Span { text, style });
    }

    fn line_break(&mut self) {
        let text = Clean::trusted(if self.table.is_some() { " " } else { "\n" });
        self.put(text, self.style());
    }

    fn open_target(&mut self, url: &str, title: &str) {
        let (url, title) = (clean_line(url), clean_line(title));
        self.targets.push(Target { url, title, from: self.run_len });
    }

    /// Shows where a link leads, unless its text says it.
    fn close_target(&mut self) {
        let Some(Target { url, title, from }) = self.targets.pop() else { return };
        let leads = url.as_str();
        let address = leads.strip_prefix("mailto:").unwrap_or(leads);
        let said = self.run_ends_in(leads, from) || self.run_ends_in(address, from);
        let more = match (said || leads.is_empty(), title.is_empty()) {
            (true, true) => return,
            (false, true) => format!(" ({leads})"),
            (true, false) => format!(" (\"{title}\")"),
            (false, false) => format!(" ({leads} \"{title}\")"),
        };
        self.put(Clean::trusted(more), Style::of(Role::Muted));
    }

    /// Whether the run's text from this byte on is this.
    fn run_ends_in(&self, text: &str, from: usize) -> bool {
        if self.run_len - from != text.len() {
            return false;
        }
        let mut left = text;
        for span in self.run.spans.iter().rev() {
            let span = span.text.as_str();
            if left.len() <= span.len() {
                return span.ends_with(left);
            }
            match left.strip_suffix(span) {
                Some(rest) => left = rest,
                None => return false,
            }
        }
        left.is_empty()
    }

    fn take_run(&mut self) -> Line {
        self.run_len = 0;
        std::mem::take(&mut self.run)
    }

    /// Ends the run of text, if there is one, as a block of its own.
    fn flush(&mut self) {
        let mut run = self.take_run();
        if run.is_empty() {
            return;
        }
        if run.spans.last().is_some_and(|span| span.text.as_str() == "\n") {
            run.spans.pop();
        }
        let lines = wrap_line(&run, self.sheet.room(), &[], &[]);
        self.sheet.emit(lines);
    }
}

fn is_break(html: &str) -> bool {
    ["<br>", "<br/>", "<br />"].iter().any(|tag| html.eq_ignore_ascii_case(tag))
}

#[cfg(test)]
mod tests;
