//! Markdown as styled lines: one walk over the parser's events, without recursion.
//!
//! Owns what Markdown's blocks and runs look like on a screen of letters. Every run of text goes
//! through `clean`. A line break in a paragraph is kept, as chat windows do. Tables are in [`table`].

mod table;

use super::clean::{Clean, clean_line, clean_str};
use super::json::json_text;
use super::line::{Line, Role, Span, Style};
use super::width::{width, wrap_line};
use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag, TagEnd, TextMergeStream};
use table::Table;

/// Markdown text in lines of at most `cols` columns (at least 12).
pub fn markdown(text: &str, cols: usize) -> Vec<Line> {
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    let mut page = Page { cols: cols.max(12), ..Page::default() };
    for event in TextMergeStream::new(Parser::new_ext(text, options)) {
        page.event(event);
    }
    page.flush();
    page.lines
}

/// A block that holds others, and what it puts before their lines.
enum Container {
    Quote,
    /// The mark is put before the first line, its width in spaces before the others.
    Item(String),
}

/// A link or image that is open: where it leads, and where its text begins in the run.
struct Target {
    url: Clean,
    from: usize,
}

#[derive(Default)]
struct Page {
    cols: usize,
    lines: Vec<Line>,
    containers: Vec<Container>,
    /// How many containers have had their first line.
    begun: usize,
    /// The numbers of the open lists' next items.
    lists: Vec<Option<u64>>,
    /// The block before wants a blank line behind it, inside this many containers.
    gap: Option<usize>,
    run: Line,
    heading: Option<HeadingLevel>,
    bold: usize,
    italic: usize,
    strike: usize,
    targets: Vec<Target>,
    /// The text of an open code or HTML block.
    block: Option<String>,
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
                let cols = self.room();
                self.emit(vec![Line::of("─".repeat(cols), Role::Rule)]);
                self.wants_gap();
            }
            Event::TaskListMarker(done) => {
                if let Some(Container::Item(mark)) = self.containers.last_mut() {
                    *mark = if done { "[x] " } else { "[ ] " }.to_owned();
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
            Tag::Link { dest_url, .. } => self.open_target(&dest_url),
            Tag::Image { dest_url, .. } => {
                self.put(clean_line("image: "), Style::of(Role::Muted));
                self.open_target(&dest_url);
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
            Tag::BlockQuote(_) => self.containers.push(Container::Quote),
            Tag::List(first) => self.lists.push(first),
            Tag::Item => {
                let mark = match self.lists.last_mut() {
                    Some(Some(number)) => {
                        let mark = format!("{number}. ");
                        *number = number.saturating_add(1);
                        mark
                    }
                    _ => "• ".to_owned(),
                };
                self.containers.push(Container::Item(mark));
            }
            Tag::CodeBlock(kind) => {
                self.block = Some(String::new());
                self.language = match kind {
                    CodeBlockKind::Fenced(info) => {
                        info.split([' ', ',']).next().unwrap_or_default().to_owned()
                    }
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
                self.wants_gap();
            }
            TagEnd::Heading(_) => {
                let level = self.heading.map_or(1, |level| level as usize);
                let mark = Span::new(format!("{} ", "#".repeat(level)), self.style());
                self.run.spans.insert(0, mark);
                self.flush();
                self.heading = None;
                self.wants_gap();
            }
            TagEnd::BlockQuote(_) => {
                self.flush();
                self.leave();
                self.wants_gap();
            }
            TagEnd::Item => {
                self.flush();
                if self.begun < self.containers.len() {
                    self.emit(vec![Line::default()]);
                }
                self.leave();
            }
            TagEnd::List(_) => {
                self.lists.pop();
                if self.lists.is_empty() {
                    self.wants_gap();
                }
            }
            TagEnd::CodeBlock => self.code_block(),
            TagEnd::HtmlBlock => {
                let text = self.block.take().unwrap_or_default();
                let lines = self.verbatim(&text, Role::Muted, "");
                self.emit(lines);
                self.wants_gap();
            }
            TagEnd::TableCell => {
                let cell = std::mem::take(&mut self.run);
                if let Some(table) = &mut self.table {
                    table.cell(cell);
                }
            }
            TagEnd::Table => {
                if let Some(table) = self.table.take() {
                    let lines = table.lay_out(self.room());
                    self.emit(lines);
                    self.wants_gap();
                }
            }
            _ => {}
        }
    }

    fn code_block(&mut self) {
        let text = self.block.take().unwrap_or_default();
        let language = std::mem::take(&mut self.language);
        let indent = Span::new("  ", Role::Plain);
        let json = language.is_empty() || language.eq_ignore_ascii_case("json");
        let laid = json.then(|| json_text(&text, self.room() - 2)).flatten();
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
        self.emit(lines);
        self.wants_gap();
    }

    /// Lines that keep their breaks and indents.
    fn verbatim(&self, text: &str, role: Role, indent: &str) -> Vec<Line> {
        let indent = [Span::new(indent, Role::Plain)];
        let text = clean_str(text.strip_suffix('\n').unwrap_or(text));
        wrap_line(&Line::of(text, role), self.room(), &indent, &indent)
    }

    fn style(&self) -> Style {
        let quoted = || self.containers.iter().rev().take(8).any(|c| matches!(c, Container::Quote));
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
        self.run.push(Span { text, style });
    }

    fn line_break(&mut self) {
        let text = Clean::trusted(if self.table.is_some() { " " } else { "\n" });
        self.put(text, self.style());
    }

    fn open_target(&mut self, url: &str) {
        self.targets.push(Target { url: clean_line(url), from: self.run.text().len() });
    }

    /// Shows where a link leads, unless its text says it.
    fn close_target(&mut self) {
        let Some(Target { url, from }) = self.targets.pop() else { return };
        let text = self.run.text();
        let said = text.get(from..).unwrap_or_default();
        let leads = url.as_str();
        if !leads.is_empty() && leads != said && leads.strip_prefix("mailto:") != Some(said) {
            self.put(Clean::trusted(format!(" ({leads})")), Style::of(Role::Muted));
        }
    }

    /// Ends the run of text, if there is one, as a block of its own.
    fn flush(&mut self) {
        let mut run = std::mem::take(&mut self.run);
        if run.is_empty() {
            return;
        }
        if run.spans.last().is_some_and(|span| span.text.as_str() == "\n") {
            run.spans.pop();
        }
        let lines = wrap_line(&run, self.room(), &[], &[]);
        self.emit(lines);
    }

    fn wants_gap(&mut self) {
        self.gap = Some(self.containers.len());
    }

    fn leave(&mut self) {
        self.containers.pop();
        self.begun = self.begun.min(self.containers.len());
        self.gap = self.gap.map(|depth| depth.min(self.containers.len()));
    }

    /// The columns inside the open containers.
    fn room(&self) -> usize {
        self.cols - self.before(self.containers.len(), 0).iter().map(Span::width).sum::<usize>()
    }

    /// What the outer `depth` containers put before a line; those from `new` on with their marks. They
    /// never take more than half of the width: deeper ones add nothing.
    fn before(&self, depth: usize, new: usize) -> Vec<Span> {
        let mut spans = Vec::new();
        let mut left = self.cols / 2;
        for (at, container) in self.containers.iter().take(depth).enumerate() {
            let (wide, span) = match container {
                Container::Quote => (2, Span::new("│ ", Role::Quote)),
                Container::Item(mark) if at >= new => (width(mark), Span::new(mark.as_str(), Role::ListMark)),
                Container::Item(mark) => (width(mark), Span::new(" ".repeat(width(mark)), Role::Plain)),
            };
            if wide > left {
                break;
            }
            left -= wide;
            spans.push(span);
        }
        spans
    }

    /// Adds the lines of a block, behind a blank line if one is due.
    fn emit(&mut self, block: Vec<Line>) {
        if let Some(depth) = self.gap.take()
            && !self.lines.is_empty()
        {
            let mut spans = self.before(depth, depth);
            while spans.last().is_some_and(|span| span.style.role != Role::Quote) {
                spans.pop();
            }
            self.lines.push(Line { spans });
        }
        let depth = self.containers.len();
        let mut before = self.before(depth, self.begun);
        let rest = self.before(depth, depth);
        self.begun = depth;
        for mut line in block {
            before.append(&mut line.spans);
            self.lines.push(Line { spans: before });
            before = rest.clone();
        }
    }
}

fn is_break(html: &str) -> bool {
    ["<br>", "<br/>", "<br />"].iter().any(|tag| html.eq_ignore_ascii_case(tag))
}

#[cfg(test)]
mod tests;
