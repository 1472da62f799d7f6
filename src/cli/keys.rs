//! `tuesday keys`: every command of the program and the keys in force.

use clap::Args;

use super::{Face, output};
use crate::command::{Place, keys_view, markdown};
use crate::domain::Result;

/// List the keys and commands of the program
#[derive(Args, Debug)]
pub(super) struct KeysArgs {
    /// Answer with JSON: see `tuesday help json`
    #[arg(long, conflicts_with = "markdown")]
    json: bool,
    /// Write tables in Markdown
    #[arg(long)]
    markdown: bool,
}

pub(super) fn run(face: &Face, args: &KeysArgs) -> Result<u8> {
    let keymap = &face.config.keymap;
    if args.markdown {
        output::text(markdown(keymap).trim_end())?;
        return Ok(0);
    }
    let view = keys_view(keymap);
    if args.json {
        output::json(&view)?;
        return Ok(0);
    }
    let rows = view.commands.iter().map(|command| {
        let places: Vec<&str> = command.places.iter().copied().map(Place::title).collect();
        vec![command.keys.join("  "), command.id.to_owned(), places.join(", "), command.does.to_owned()]
    });
    output::table(&["keys", "command", "where", "what it does"], rows)?;
    Ok(0)
}
