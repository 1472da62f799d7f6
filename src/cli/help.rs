//! `tuesday help`: what is longer than a command's own help.

use clap::{Args, CommandFactory};

use super::output;
use crate::domain::{Error, Result};

/// Explain a topic or a command
#[derive(Args, Debug)]
pub(super) struct HelpArgs {
    /// A topic (formats, json, monitor-tests, receiver, schema) or a command
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
        name: "json",
        about: "The shape of every answer with --json",
        text: include_str!("../../fixtures/help/json.txt"),
    },
    Topic {
        name: "json-drill",
        about: "The same, of drills: incident drill",
        text: include_str!("../../fixtures/help/json-drill.txt"),
    },
    Topic {
        name: "json-eval",
        about: "The same, of evaluating: eval run, list, show, compare, trust, score, calibrate",
        text: include_str!("../../fixtures/help/json-eval.txt"),
    },
    Topic {
        name: "json-gate",
        about: "The same, of the gate: gate, gate list, sign, edges, label, drill, exercise",
        text: include_str!("../../fixtures/help/json-gate.txt"),
    },
    Topic {
        name: "json-incident",
        about: "The same, of what an incident knows: incident assess; mark deploy, mark list",
        text: include_str!("../../fixtures/help/json-incident.txt"),
    },
    Topic {
        name: "json-monitor",
        about: "The same, of watching: monitor list, show, replay, test, check; watch; alert list, show, silence",
        text: include_str!("../../fixtures/help/json-monitor.txt"),
    },
    Topic {
        name: "json-prompt",
        about: "The same, of prompts and features",
        text: include_str!("../../fixtures/help/json-prompt.txt"),
    },
    Topic {
        name: "json-runbook",
        about: "The same, of runbooks and of steps that act",
        text: include_str!("../../fixtures/help/json-runbook.txt"),
    },
    Topic {
        name: "monitor-tests",
        about: "Tests of monitors for `tuesday monitor check`, one of each default monitor",
        text: include_str!("../../fixtures/monitor_tests.toml"),
    },
    Topic {
        name: "receiver",
        about: "What `tuesday serve` takes over HTTP, and what it answers",
        text: include_str!("../../fixtures/help/receiver.txt"),
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
        let widest = TOPICS.iter().map(|topic| topic.name.len()).max().unwrap_or_default();
        for topic in TOPICS {
            text.push_str(&format!("  {:<widest$}  {}\n", topic.name, topic.about));
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

    /// Commands that answer with JSON, as the words that a person types.
    fn with_json(command: &clap::Command, path: &[&str], found: &mut Vec<String>) {
        if command.is_hide_set() {
            return;
        }
        if command.get_arguments().any(|argument| argument.get_id() == "json") {
            found.push(path.join(" "));
        }
        for sub in command.get_subcommands() {
            with_json(sub, &[path, &[sub.get_name()]].concat(), found);
        }
    }

    #[test]
    fn every_answer_with_json_is_described() {
        let mut command = crate::cli::Args::command();
        command.build();
        let mut commands = Vec::new();
        with_json(&command, &[], &mut commands);
        assert!(commands.iter().any(|command| command == "incident step"), "{commands:?}");
        // Titles stand at two columns and may go on on the next line; shapes stand at six.
        let text = [
            "json",
            "json-drill",
            "json-eval",
            "json-gate",
            "json-incident",
            "json-monitor",
            "json-prompt",
            "json-runbook",
        ]
        .map(|name| TOPICS.iter().find(|topic| topic.name == name).unwrap().text);
        let text = text.join("\n\n");
        let titles = text.split("\n\n").filter_map(|entry| entry.split("\n      ").next());
        let titles: Vec<Vec<&str>> =
            titles.map(|title| title.split(|c: char| !c.is_alphanumeric()).collect()).collect();
        for command in commands {
            let words: Vec<&str> = command.split(' ').collect();
            let named = |title: &Vec<&str>| {
                let first = title.iter().find(|word| !word.is_empty());
                first == words.first() && words.iter().all(|word| title.contains(word))
            };
            assert!(titles.iter().any(named), "`tuesday help json` does not describe {command}");
        }
    }

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
