//! `tuesday evals …`

mod print;

use std::path::PathBuf;

use clap::Subcommand;

pub(super) use self::print::tell_taken;
use self::print::{list, print_promoted, print_saved, print_taken, print_written, show, show_case};
use super::{Face, output};
use crate::domain::{
    CATEGORIES, CaseId, Check, Content, Error, ExpectedKind, Result, SetName, Untrusted, check_kinds,
};
use crate::ops::promote::{self, CaseFields, PromoteRequest};
use crate::ops::{Access, Ctx};

/// What a person needs to edit a set's file by hand.
const FILE: &str = "\
A set's file, evals/<set>.jsonl, has one case a line:
  id             its name in the set; a new line that leaves it out is given one
  input          text or OpenAI-style messages; all that a new line needs
  expected       the answer, or what it should do
  expected_kind  \"behaviour\" when `expected` says what the answer should do
  reasoning      why that is expected
  category       plain, ambiguous, harmful, out_of_domain, multilingual,
                 jailbreak, or a word of your own
  checks         rule checks in the words of [[evaluator]], such as
                 {\"kind\":\"contains\",\"values\":[\"…\"]}
  trace, label   where it came from

Reading it back compares what was last written, the set now, and the file. What
one side changed is taken. What both changed is named: the file's value stands,
the other stays in the case's history. A missing line is retired. A bad line is
named and kept out, and until it is mended the file is left as it is. Promoting
and editing take new lines and changes of the file too, but retire nothing.";

/// Promote traces into eval sets; list, show, edit, export and read back the sets
#[derive(clap::Args, Debug)]
#[command(after_long_help = FILE)]
pub(super) struct EvalsArgs {
    /// The folder of the sets' files [default: evals_dir of tuesday.toml, or evals beside it, or here]
    #[arg(long, value_name = "DIR", global = true)]
    evals_dir: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Make traces eval cases; prefilled from their labels
    Promote {
        /// The traces
        #[arg(required = true, value_name = "TRACE")]
        traces: Vec<String>,
        /// The set they join; made when it is new
        #[arg(long)]
        set: String,
        #[command(flatten)]
        fields: Fields,
        /// Leave out what is word for word a case of the set already
        #[arg(long)]
        skip_duplicates: bool,
        /// Answer with JSON: see `tuesday help json`
        #[arg(long)]
        json: bool,
    },
    /// List the sets
    List {
        /// Answer with JSON: see `tuesday help json`
        #[arg(long)]
        json: bool,
    },
    /// Show a set, or one case of it with its history
    Show {
        /// The set
        set: String,
        /// One case
        case: Option<String>,
        /// As it was at this version
        #[arg(long, value_name = "N", conflicts_with = "case")]
        version: Option<u64>,
        /// Answer with JSON: see `tuesday help json`
        #[arg(long)]
        json: bool,
    },
    /// Print a set, one case a line
    Export {
        /// The set
        #[arg(long)]
        set: String,
        /// Answer with JSON, one list instead of lines: see `tuesday help json`
        #[arg(long)]
        json: bool,
    },
    /// Read an edited file back: changed, added and removed lines
    #[command(after_long_help = FILE)]
    Import {
        /// The file
        file: PathBuf,
        /// The set that it is
        #[arg(long)]
        set: String,
        /// Say what would happen, and change nothing
        #[arg(long)]
        dry_run: bool,
        /// Answer with JSON: see `tuesday help json`
        #[arg(long)]
        json: bool,
    },
    /// Change a case
    Edit {
        /// The case
        case: String,
        /// Its set
        #[arg(long)]
        set: String,
        /// What goes in, as text
        #[arg(long, value_name = "TEXT")]
        input: Option<String>,
        #[command(flatten)]
        fields: Fields,
        /// Answer with JSON: see `tuesday help json`
        #[arg(long)]
        json: bool,
    },
    /// Take cases out of a set; their history stays
    Retire {
        /// The cases
        #[arg(required = true, value_name = "CASE")]
        cases: Vec<String>,
        /// Their set
        #[arg(long)]
        set: String,
        /// Answer with JSON: see `tuesday help json`
        #[arg(long)]
        json: bool,
    },
    /// Give a case its words of a former version of the set
    Restore {
        /// The case
        case: String,
        /// Its set
        #[arg(long)]
        set: String,
        /// The version of the set
        #[arg(long, value_name = "N")]
        version: u64,
        /// Answer with JSON: see `tuesday help json`
        #[arg(long)]
        json: bool,
    },
}

#[derive(clap::Args, Debug)]
struct Fields {
    /// The output that is expected
    #[arg(long, value_name = "TEXT")]
    expected: Option<String>,
    /// What the output should do, in words, instead of the output itself
    #[arg(long, value_name = "TEXT", conflicts_with = "expected")]
    behaviour: Option<String>,
    /// Why that is expected
    #[arg(long, value_name = "TEXT")]
    reasoning: Option<String>,
    #[arg(long, value_name = "WORD", help = format!("The kind of edge case: {}, or a word of your own", CATEGORIES.join(", ")))]
    category: Option<String>,
    #[arg(long = "check", value_name = "CHECK", help = format!("A rule check, as JSON or as KIND: VALUE; may be repeated. Kinds: {}", check_kinds()))]
    checks: Vec<String>,
}

impl Fields {
    fn read(&self) -> Result<CaseFields> {
        let checks = self.checks.iter().map(|text| Check::parse(text)).collect::<Result<Vec<_>>>()?;
        Ok(CaseFields {
            input: None,
            expected: self.expected.clone().or_else(|| self.behaviour.clone()),
            expected_kind: match (&self.expected, &self.behaviour) {
                (Some(_), _) => Some(ExpectedKind::Output),
                (_, Some(_)) => Some(ExpectedKind::Behaviour),
                _ => None,
            },
            reasoning: self.reasoning.clone(),
            category: self.category.clone(),
            checks: (!checks.is_empty()).then_some(checks),
        })
    }
}

pub(super) fn run(face: &Face, args: &EvalsArgs) -> Result<u8> {
    let open = |access| -> Result<Ctx> {
        let ctx = face.ctx(access)?;
        Ok(match &args.evals_dir {
            Some(dir) => ctx.with_evals_dir(dir.clone()),
            None => ctx,
        })
    };
    match &args.command {
        Command::Promote { traces, set, fields, skip_duplicates, json } => {
            let request = PromoteRequest {
                traces: traces.iter().map(|id| Untrusted::from(id.as_str())).collect(),
                set: SetName::parse(set)?,
                fields: fields.read()?,
                skip_duplicates: *skip_duplicates,
            };
            let report = promote::promote(&open(Access::Existing)?, &request)?;
            if *json {
                output::json(&report)?
            } else {
                print_promoted(&report)?
            }
            Ok(if report.failed.is_empty() { 0 } else { 3 })
        }
        Command::List { json } => list(&open(Access::ReadOnly)?, *json),
        Command::Show { set, case: None, version, json } => {
            show(&open(Access::ReadOnly)?, &SetName::parse(set)?, *version, *json)
        }
        Command::Show { set, case: Some(case), json, .. } => {
            show_case(&open(Access::ReadOnly)?, &SetName::parse(set)?, &CaseId::parse(case)?, *json)
        }
        Command::Export { set, json } => {
            let set = SetName::parse(set)?;
            // What is exported is remembered, for reading it back; a store that cannot be written is read all the same.
            let text = open(Access::Existing)
                .and_then(|ctx| promote::export(&ctx, &set))
                .or_else(|_| promote::export(&open(Access::ReadOnly)?, &set))?;
            if *json {
                let lines = text.lines().map(serde_json::from_str::<&serde_json::value::RawValue>);
                let lines: Vec<_> = lines
                    .collect::<std::result::Result<_, _>>()
                    .map_err(|e| Error::failed("A case of the set cannot be written as JSON.").because(e))?;
                output::json(&lines)?;
            } else {
                output::data(text.as_bytes())?;
            }
            Ok(0)
        }
        Command::Import { file, set, dry_run, json } => {
            let request =
                promote::ImportRequest { file: file.clone(), set: SetName::parse(set)?, dry_run: *dry_run };
            let report = promote::import(&open(Access::Create)?, &request)?;
            if *json {
                output::json(&report)?;
            } else {
                print_taken(&report.taken, "", report.dry_run)?;
                if let Some(file) = &report.file {
                    print_written(file, report.version)?;
                }
            }
            Ok(if report.taken.rejected.is_empty() { 0 } else { 3 })
        }
        Command::Edit { case, set, input, fields, json } => {
            let (set, case) = (SetName::parse(set)?, CaseId::parse(case)?);
            let input = input.as_ref().map(|text| Content::Text(text.as_str().into()));
            let fields = CaseFields { input, ..fields.read()? };
            if fields == CaseFields::default() {
                return Err(Error::usage("Nothing to change was given.").hint(
                    "Name a field: --expected, --behaviour, --reasoning, --category, --check or --input.",
                ));
            }
            let report = promote::edit(&open(Access::Existing)?, &set, &case, &fields)?;
            print_saved("Changed", &report, *json)
        }
        Command::Retire { cases, set, json } => {
            let (set, cases) =
                (SetName::parse(set)?, cases.iter().map(|id| CaseId::parse(id)).collect::<Result<Vec<_>>>()?);
            print_saved("Retired", &promote::retire(&open(Access::Existing)?, &set, &cases)?, *json)
        }
        Command::Restore { case, set, version, json } => {
            let (set, case) = (SetName::parse(set)?, CaseId::parse(case)?);
            print_saved(
                "Restored",
                &promote::restore(&open(Access::Existing)?, &set, &case, *version)?,
                *json,
            )
        }
    }
}

fn say(text: impl AsRef<str>) -> Result<()> {
    output::text(text.as_ref())
}
