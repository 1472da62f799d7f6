//! `tuesday serve`.

use clap::Args;
use secrecy::SecretString;

use super::trouble::Troubles;
use super::{Face, long, output, watch};
use crate::domain::{Error, Result};
use crate::ops::monitor::Watched;
use crate::ops::serve::{Limits, ServeSpec, ServeView, USUAL_ADDRESS, serve};
use crate::ops::{Access, Ctx};
use crate::task::Cancel;
use crate::text::figures::thousands;

/// Receive live traces from OpenTelemetry SDKs and applications
///
/// Takes OTLP over HTTP (protobuf and JSON, plain or gzip) at /v1/traces, traces of our own format at
/// /v1/traces/tuesday, and thumbs, reports and follow-ups at /v1/feedback. The address is the first line that
/// it prints. It runs the monitors too, as `tuesday watch` does, unless another program does. Ctrl-C ends it; what was
/// answered with 200 is kept however it ends. `tuesday help receiver` has the answers, limits and tokens.
#[derive(Args, Debug)]
#[command(after_help = HELP)]
pub(super) struct ServeArgs {
    /// Host and port to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = USUAL_ADDRESS)]
    listen: String,
    /// The environment variable with the token that senders must show; needed beyond this machine
    #[arg(long, value_name = "NAME")]
    token_env: Option<String>,
    /// The feature of traces that name none
    #[arg(long, value_name = "NAME")]
    feature: Option<String>,
    /// Only receive: do not run the monitors, tell receivers or judge the daily sample
    #[arg(long)]
    no_watch: bool,
}

const HELP: &str = "\
Point an application at it:
  export OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318
  export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf
  export LANGFUSE_BASE_URL=http://127.0.0.1:4318     (Langfuse's own SDK; the password is the token)

Send feedback for a trace:
  curl http://127.0.0.1:4318/v1/feedback \\
    -d '{\"trace\": \"ID\", \"kind\": \"thumbs\", \"value\": \"down\", \"comment\": \"Wrong fee\"}'";

pub(super) fn run(face: &Face, args: &ServeArgs) -> Result<u8> {
    let token = args.token_env.as_deref().map(token_in).transpose()?;
    let spec = ServeSpec {
        listen: args.listen.clone(),
        token,
        feature: args.feature.clone(),
        limits: Limits::default(),
    };
    let ctx = face.ctx(Access::Create)?;
    let troubled = Troubles::default();
    let over = Cancel::default();
    let view = long::until_stopped(|cancel| {
        std::thread::scope(|threads| {
            let view = serve(&ctx, spec, cancel, &|error| troubled.tell(error), |address| {
                output::text(&format!("http://{address}"))?;
                output::note(&format!(
                    "Receiving OTLP at /v1/traces into {}. Ctrl-C ends it.",
                    ctx.store.path().display()
                ));
                if !args.no_watch {
                    threads.spawn(|| watched(face, &ctx, &over, &troubled));
                }
                Ok(())
            });
            over.cancel();
            view
        })
    })?;
    output::note(&told(&view));
    Ok(0)
}

/// Runs the monitors beside the receiver. What is wrong with them is told, and stops no trace.
fn watched(face: &Face, ctx: &Ctx, over: &Cancel, troubled: &Troubles) {
    let result = watch::beside(face, ctx, over, troubled, |watched| {
        match watched {
            Watched::Pass(view) => watch::changed(&view, |line| {
                output::note(line);
                Ok(())
            })?,
            Watched::Failed(error) => troubled.tell(&error),
            Watched::Elsewhere | Watched::Begun => {}
        }
        Ok(())
    });
    if let Err(error) = result {
        troubled.tell(&error);
    }
}

fn token_in(name: &str) -> Result<SecretString> {
    match std::env::var(name) {
        Ok(token) if !token.trim().is_empty() => Ok(SecretString::from(token.trim().to_owned())),
        _ => Err(Error::usage(format!("The environment variable {name} holds no token."))
            .hint(format!("Set it: export {name}=…, and give senders the same."))),
    }
}

fn told(view: &ServeView) -> String {
    let number = |n: u64| thousands(i64::try_from(n).unwrap_or(i64::MAX));
    let mut parts = vec![format!("{} new traces from {} spans", number(view.traces), number(view.spans))];
    for (count, what) in
        [(view.changed, "changed"), (view.feedback, "with feedback"), (view.rejected, "rejected")]
    {
        if count > 0 {
            parts.push(format!("{} {what}", number(count)));
        }
    }
    format!("Ended. {}.", parts.join(", "))
}
