//! `tuesday taxonomy`: the failure modes, and changes to them.

use clap::{Args, Subcommand};

use super::{Face, output};
use crate::domain::{FailureMode, Origin, Result};
use crate::ops::taxonomy::{self, ModeSpec};
use crate::ops::{Access, Ctx};

/// Show and change the failure modes
#[derive(Args, Debug)]
pub(super) struct TaxonomyArgs {
    #[command(subcommand)]
    what: Option<What>,
    /// Answer with JSON: see `tuesday help json`
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Subcommand, Debug)]
enum What {
    /// List the failure modes with the fix that usually helps
    List {
        /// Retired ones too
        #[arg(long)]
        all: bool,
    },
    /// Add a failure mode of your own
    Add {
        /// Its name: two or three words
        name: String,
        /// How to tell it
        #[arg(long, value_name = "TEXT", default_value = "")]
        description: String,
        /// What usually helps
        #[arg(long, value_name = "TEXT", default_value = "")]
        fix: String,
    },
    /// Give a mode another name; labels keep naming it
    Rename {
        /// The mode: its id, key, or a part of its name
        mode: String,
        /// The new name
        name: String,
    },
    /// Say anew how to tell a mode and what usually helps
    Describe {
        /// The mode: its id, key, or a part of its name
        mode: String,
        /// How to tell it
        #[arg(long, value_name = "TEXT", required_unless_present = "fix")]
        description: Option<String>,
        /// What usually helps
        #[arg(long, value_name = "TEXT")]
        fix: Option<String>,
    },
    /// Offer a mode no longer; labels that name it keep it
    Retire {
        /// The mode: its id, key, or a part of its name
        mode: String,
    },
    /// Offer a retired mode again
    Restore {
        /// The mode's id
        mode: String,
    },
}

pub(super) fn run(face: &Face, args: &TaxonomyArgs) -> Result<u8> {
    let Some(what) = &args.what else { return list(face, args.json, false) };
    let write = || face.ctx(Access::Existing);
    let (done, mode) = match what {
        What::List { all } => return list(face, args.json, *all),
        What::Add { name, description, fix } => {
            let spec = ModeSpec {
                name: name.clone(),
                description: description.clone(),
                fix: fix.clone(),
                from_note: None,
            };
            ("Added", taxonomy::add(&write()?, &spec)?)
        }
        What::Rename { mode, name } => ("Renamed", taxonomy::rename(&write()?, mode, name)?),
        What::Describe { mode, description, fix } => {
            ("Described", taxonomy::describe(&write()?, mode, description.as_deref(), fix.as_deref())?)
        }
        What::Retire { mode } => ("Retired", taxonomy::retire(&write()?, mode)?),
        What::Restore { mode } => ("Restored", taxonomy::restore(&write()?, mode)?),
    };
    if args.json {
        output::json(&mode)?;
    } else {
        let key = if mode.retired { String::new() } else { format!(", key {}", mode.key) };
        output::text(&format!("{done} {} ({}{key}).", mode.name.raw(), mode.id.as_str()))?;
    }
    Ok(0)
}

fn list(face: &Face, json: bool, all: bool) -> Result<u8> {
    let ctx: Ctx = face.ctx(Access::ReadOnly)?;
    let taxonomy = taxonomy::show(&ctx)?;
    let modes: Vec<&FailureMode> = taxonomy.all().iter().filter(|mode| all || !mode.retired).collect();
    if json {
        output::json(&modes)?;
        return Ok(0);
    }
    for mode in modes {
        let mut facts = vec![mode.id.as_str()];
        facts.extend((mode.origin == Origin::Team).then_some("the team's own"));
        facts.extend(mode.retired.then_some("retired"));
        output::text(&format!("{}  {}  ({})", mode.key, mode.name.raw(), facts.join(", ")))?;
        for (label, text) in [("tell it", &mode.description), ("helps", &mode.fix)] {
            if !text.is_empty() {
                output::text(&format!("   {label}: {}", text.raw()))?;
            }
        }
    }
    Ok(0)
}
