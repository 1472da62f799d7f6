//! Where the lines of blocks go: behind the bars and marks of the blocks around them, with blank lines
//! between.

use crate::text::line::{Line, Role, Span};
use crate::text::width::width;

/// A block that holds others, and what it puts before their lines.
pub(super) enum Container {
    Quote,
    /// The mark is put before the first line, its width in spaces before the others.
    Item(String),
}

/// The lines so far and the blocks that are open.
#[derive(Default)]
pub(super) struct Sheet {
    pub(super) lines: Vec<Line>,
    pub(super) containers: Vec<Container>,
    cols: usize,
    /// How many containers have had their first line.
    begun: usize,
    /// The block before wants a blank line behind it, inside this many containers.
    gap: Option<usize>,
}

impl Sheet {
    pub(super) fn new(cols: usize) -> Self {
        Self { cols, ..Self::default() }
    }

    /// Whether an open item has had no line yet.
    pub(super) fn owes_a_mark(&self) -> bool {
        self.begun < self.containers.len()
    }

    pub(super) fn wants_gap(&mut self) {
        self.gap = Some(self.containers.len());
    }

    pub(super) fn leave(&mut self) {
        self.containers.pop();
        self.begun = self.begun.min(self.containers.len());
        self.gap = self.gap.map(|depth| depth.min(self.containers.len()));
    }

    /// The columns inside the open containers.
    pub(super) fn room(&self) -> usize {
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
    pub(super) fn emit(&mut self, block: Vec<Line>) {
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
