//! `tuesday help`: what is longer than a command's own help.

use clap::{Args, CommandFactory};

use super::output;
use crate::domain::{Error, Result};

/// Explain a topic or a command
#[derive(Args, Debug)]
pub(super) struct HelpArgs {
    /// A topic (formats, schema) or a command
    #[arg(value_name = "TOPIC")]
    topic: Vec<String>,
}

struct Topic {
    name: &'static str,
    about: &'static str,
    text: &'static str,
}

/// A further topic is a text in `fixtures/help/`, at most eighty columns wide, and a row here.
const TOPICS: &[Topic] = &[
    Topic {
        name: "formats",
        about: "What `tuesday import` reads, and what it rejects",
        text: include_str!("../../fixtures/help/formats.txt"),
    },
    Topic {
        name: "schema",
        about: "The JSON Schema of a trace in our own format",
        text: include_str!("../../fixtures/trace.schema.json"),
    },
];

pub(super) fn run(args: &HelpArgs) -> Result<u8> {
    let mut command = super::Args::command();
    let Some((first, rest)) = args.topic.split_first() else {
        let mut text = command.render_help().to_string();
        text.push_str("\nTopics (tuesday help TOPIC):\n");
        for topic in TOPICS {
            text.push_str(&format!("  {:<10}{}\n", topic.name, topic.about));
        }
        output::text(text.trim_end())?;
        return Ok(0);
    };
    if let Some(topic) = TOPICS.iter().find(|topic| rest.is_empty() && topic.name == first) {
        output::text(topic.text.trim_end())?;
        return Ok(0);
    }
    command.build();
    let mut found = &mut command;
    for name in &args.topic {
        found = found.find_subcommand_mut(name).ok_or_else(|| {
            let topics: Vec<&str> = TOPICS.iter().map(|topic| topic.name).collect();
            Error::usage(format!("There is no command and no topic {}.", args.topic.join(" ")))
                .hint(format!("The topics are: {}. The commands: `tuesday help`.", topics.join(", ")))
        })?;
    }
    output::text(found.render_long_help().to_string().trim_end())?;
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_fit_into_eighty_columns() {
        for topic in TOPICS {
            let prose = !topic.text.starts_with('{');
            for line in topic.text.lines().filter(|_| prose) {
                assert!(crate::text::width(line) <= 80, "{}: {line}", topic.name);
            }
        }
    }
}
