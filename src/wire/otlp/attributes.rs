//! The names of attributes that are understood, as data: every convention's spelling of the same thing.
//!
//! Sources: OpenTelemetry GenAI semantic conventions, present and previous names (`gen_ai.*`), OpenInference
//! (`llm.*`, `input.value`, …), OpenLLMetry (`traceloop.*`), Langfuse (`langfuse.*`), the Vercel AI SDK
//! (`ai.*`), and our own (`tuesday.*`), which win over all others. Where a span has several spellings of a
//! field, the one that stands first here counts.

use std::collections::HashMap;
use std::sync::LazyLock;

/// What an attribute says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(usize)]
pub(super) enum Field {
    /// The word for the kind of step.
    Kind,
    /// The model that was asked for.
    RequestModel,
    /// The model that answered.
    ResponseModel,
    TokensIn,
    TokensOut,
    /// US dollars for the whole call.
    Cost,
    CostIn,
    CostOut,
    /// JSON with tokens by kind.
    UsageDetails,
    /// JSON with US dollars by kind.
    CostDetails,
    /// Messages in OpenTelemetry's or OpenAI's form, JSON or structured.
    InputMessages,
    OutputMessages,
    /// Standing instructions: parts or text.
    Instructions,
    /// Whatever went in and came out: text, or JSON in text.
    Input,
    Output,
    /// JSON list of tool calls beside the output's text.
    OutputCalls,
    ToolName,
    Session,
    User,
    Feature,
    Prompt,
    PromptVersion,
    Experiment,
    Arm,
    Fallback,
    Tags,
    /// JSON object of the user's own metadata.
    Metadata,
    /// JSON object of what the model was called with.
    Parameters,
    /// Seconds to the first token.
    FirstTokenSeconds,
    /// Milliseconds to the first token.
    FirstTokenMs,
    /// RFC 3339 time of the first token.
    FirstTokenAt,
    FinishReasons,
    /// `ERROR` where the source marks failures beside the span's status.
    Level,
    StatusMessage,
    ErrorType,
    ExceptionMessage,
    HttpStatus,
    Retrieved,
    /// Name, value and label of an evaluation.
    EvaluationName,
    EvaluationScore,
    /// Understood and of no further use: told by other fields.
    Spent,
}

/// How many fields there are.
pub(super) const FIELDS: usize = Field::Spent as usize + 1;

/// Whether the attribute stays in the metadata too, because our format has no field that says all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    Yes,
    No,
}

use Field as F;
use Keep::{No, Yes};

/// Names that stand whole.
const NAMES: &[(&str, Field, Keep)] = &[
    ("tuesday.kind", F::Kind, No),
    ("openinference.span.kind", F::Kind, No),
    ("langfuse.observation.type", F::Kind, No),
    ("traceloop.span.kind", F::Kind, No),
    ("gen_ai.operation.name", F::Kind, No),
    ("ai.operationId", F::Kind, No),
    ("llm.request.type", F::Kind, No),
    ("gen_ai.response.model", F::ResponseModel, No),
    ("ai.response.model", F::ResponseModel, No),
    ("llm.response.model", F::ResponseModel, No),
    ("llm.model_name", F::ResponseModel, No),
    ("langfuse.observation.model.name", F::ResponseModel, No),
    ("embedding.model_name", F::ResponseModel, No),
    ("reranker.model_name", F::ResponseModel, No),
    ("gen_ai.request.model", F::RequestModel, No),
    ("ai.model.id", F::RequestModel, No),
    ("llm.request.model", F::RequestModel, No),
    ("gen_ai.usage.input_tokens", F::TokensIn, No),
    ("gen_ai.usage.prompt_tokens", F::TokensIn, No),
    ("llm.token_count.prompt", F::TokensIn, No),
    ("llm.usage.prompt_tokens", F::TokensIn, No),
    ("ai.usage.inputTokens", F::TokensIn, No),
    ("ai.usage.promptTokens", F::TokensIn, No),
    ("gen_ai.usage.output_tokens", F::TokensOut, No),
    ("gen_ai.usage.completion_tokens", F::TokensOut, No),
    ("llm.token_count.completion", F::TokensOut, No),
    ("llm.usage.completion_tokens", F::TokensOut, No),
    ("ai.usage.outputTokens", F::TokensOut, No),
    ("ai.usage.completionTokens", F::TokensOut, No),
    ("gen_ai.usage.total_tokens", F::Spent, No),
    ("llm.token_count.total", F::Spent, No),
    ("llm.usage.total_tokens", F::Spent, No),
    ("tuesday.cost_usd", F::Cost, No),
    ("llm.cost.total", F::Cost, No),
    ("gen_ai.usage.cost", F::Cost, No),
    ("gen_ai.usage.total_cost", F::Cost, No),
    ("gen_ai.cost.total", F::Cost, No),
    ("operation.cost", F::Cost, No),
    ("llm.cost.prompt", F::CostIn, Yes),
    ("gen_ai.usage.input_cost", F::CostIn, Yes),
    ("llm.cost.completion", F::CostOut, Yes),
    ("gen_ai.usage.output_cost", F::CostOut, Yes),
    ("langfuse.observation.usage_details", F::UsageDetails, Yes),
    ("langfuse.observation.cost_details", F::CostDetails, Yes),
    ("gen_ai.input.messages", F::InputMessages, No),
    ("ai.prompt.messages", F::InputMessages, No),
    ("gen_ai.output.messages", F::OutputMessages, No),
    ("gen_ai.system_instructions", F::Instructions, No),
    ("tuesday.input", F::Input, No),
    ("langfuse.observation.input", F::Input, No),
    ("langfuse.trace.input", F::Input, No),
    ("input.value", F::Input, No),
    ("traceloop.entity.input", F::Input, No),
    ("gen_ai.tool.call.arguments", F::Input, No),
    ("tool.parameters", F::Input, No),
    ("ai.toolCall.args", F::Input, No),
    ("ai.prompt", F::Input, No),
    ("gen_ai.prompt", F::Input, No),
    ("gen_ai.retrieval.query.text", F::Input, No),
    ("tuesday.output", F::Output, No),
    ("langfuse.observation.output", F::Output, No),
    ("langfuse.trace.output", F::Output, No),
    ("output.value", F::Output, No),
    ("traceloop.entity.output", F::Output, No),
    ("gen_ai.tool.call.result", F::Output, No),
    ("ai.toolCall.result", F::Output, No),
    ("ai.response.text", F::Output, No),
    ("ai.result.text", F::Output, No),
    ("ai.response.object", F::Output, No),
    ("gen_ai.completion", F::Output, No),
    ("ai.response.toolCalls", F::OutputCalls, No),
    ("ai.result.toolCalls", F::OutputCalls, No),
    ("gen_ai.retrieval.documents", F::Retrieved, No),
    ("input.mime_type", F::Spent, No),
    ("output.mime_type", F::Spent, No),
    ("gen_ai.tool.name", F::ToolName, Yes),
    ("tool.name", F::ToolName, Yes),
    ("ai.toolCall.name", F::ToolName, Yes),
    ("tuesday.session", F::Session, No),
    ("session.id", F::Session, No),
    ("langfuse.session.id", F::Session, No),
    ("gen_ai.conversation.id", F::Session, No),
    ("traceloop.association.properties.session_id", F::Session, No),
    ("ai.telemetry.metadata.sessionId", F::Session, No),
    ("tuesday.user", F::User, No),
    ("user.id", F::User, No),
    ("langfuse.user.id", F::User, No),
    ("enduser.id", F::User, No),
    ("enduser.pseudo.id", F::User, No),
    ("traceloop.association.properties.user_id", F::User, No),
    ("ai.telemetry.metadata.userId", F::User, No),
    ("tuesday.feature", F::Feature, No),
    ("traceloop.workflow.name", F::Feature, No),
    ("gen_ai.workflow.name", F::Feature, No),
    ("langfuse.trace.name", F::Feature, No),
    ("ai.telemetry.functionId", F::Feature, No),
    ("openinference.project.name", F::Feature, No),
    ("tuesday.prompt", F::Prompt, No),
    ("gen_ai.prompt.name", F::Prompt, No),
    ("langfuse.observation.prompt.name", F::Prompt, No),
    ("traceloop.prompt.key", F::Prompt, No),
    ("prompt.name", F::Prompt, No),
    ("prompt.id", F::Prompt, No),
    ("tuesday.prompt_version", F::PromptVersion, No),
    ("gen_ai.prompt.version", F::PromptVersion, No),
    ("langfuse.observation.prompt.version", F::PromptVersion, No),
    ("traceloop.prompt.version", F::PromptVersion, No),
    ("llm.prompt_template.version", F::PromptVersion, No),
    ("prompt.version", F::PromptVersion, No),
    ("tuesday.experiment", F::Experiment, No),
    ("tuesday.arm", F::Arm, No),
    ("tuesday.fallback", F::Fallback, No),
    ("tuesday.tags", F::Tags, No),
    ("tag.tags", F::Tags, No),
    ("langfuse.trace.tags", F::Tags, No),
    ("ai.telemetry.metadata.tags", F::Tags, No),
    ("metadata", F::Metadata, No),
    ("llm.invocation_parameters", F::Parameters, Yes),
    ("gen_ai.response.time_to_first_chunk", F::FirstTokenSeconds, No),
    ("gen_ai.server.time_to_first_token", F::FirstTokenSeconds, No),
    ("ai.response.msToFirstChunk", F::FirstTokenMs, No),
    ("langfuse.observation.completion_start_time", F::FirstTokenAt, No),
    ("gen_ai.response.finish_reasons", F::FinishReasons, Yes),
    ("llm.finish_reason", F::FinishReasons, Yes),
    ("ai.response.finishReason", F::FinishReasons, Yes),
    ("langfuse.observation.level", F::Level, Yes),
    ("langfuse.observation.status_message", F::StatusMessage, Yes),
    ("error.type", F::ErrorType, Yes),
    ("exception.type", F::ErrorType, Yes),
    ("exception.message", F::ExceptionMessage, Yes),
    ("http.response.status_code", F::HttpStatus, Yes),
    ("http.status_code", F::HttpStatus, Yes),
    ("gen_ai.evaluation.name", F::EvaluationName, No),
    ("gen_ai.evaluation.score.value", F::EvaluationScore, No),
    ("langfuse.internal.is_app_root", F::Spent, No),
];

/// Lists that were flattened into names with numbers in them: `llm.input_messages.0.message.role`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum List {
    Input,
    Output,
    Documents,
    Annotations,
}

/// The beginnings of such names.
const LISTS: &[(&str, List)] = &[
    ("llm.input_messages.", List::Input),
    ("gen_ai.prompt.", List::Input),
    ("llm.prompts.", List::Input),
    ("llm.output_messages.", List::Output),
    ("gen_ai.completion.", List::Output),
    ("llm.completions.", List::Output),
    ("retrieval.documents.", List::Documents),
    ("reranker.output_documents.", List::Documents),
    ("annotations.", List::Annotations),
    ("evaluations.", List::Annotations),
    ("trace.annotations.", List::Annotations),
];

/// The beginnings of names that are the user's own metadata, and whose they are.
const OWN: &[(&str, Whose)] = &[
    ("langfuse.trace.metadata.", Whose::Trace),
    ("langfuse.observation.metadata.", Whose::Span),
    ("traceloop.association.properties.", Whose::Trace),
    ("ai.telemetry.metadata.", Whose::Trace),
    ("tuesday.metadata.", Whose::Trace),
];

/// Whether metadata are of the whole trace or of the step that says them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    Trace,
    Span,
}

/// What a name means.
#[derive(Debug, Clone, Copy)]
pub(super) enum Meaning<'a> {
    /// A field; `rank` is its place in the table, where the first wins.
    Field { field: Field, rank: usize, keep: Keep },
    /// An element of a list, and the rest of its name.
    Element(List, u64, &'a str),
    /// The user's own metadata, under the rest of its name.
    Own(Whose, &'a str),
    /// Nothing that is known.
    Unknown,
}

/// The name at this place of the table.
pub(super) fn name_at(rank: usize) -> &'static str {
    NAMES[rank].0
}

/// What this name means.
pub(super) fn meaning(name: &str) -> Meaning<'_> {
    static BY_NAME: LazyLock<HashMap<&str, usize>> =
        LazyLock::new(|| NAMES.iter().enumerate().map(|(rank, (name, ..))| (*name, rank)).collect());
    if let Some(&rank) = BY_NAME.get(name) {
        let (_, field, keep) = NAMES[rank];
        return Meaning::Field { field, rank, keep };
    }
    for (begin, list) in LISTS {
        if let Some((number, rest)) =
            name.strip_prefix(begin).map(|rest| rest.split_once('.').unwrap_or((rest, "")))
            && let Ok(number) = number.parse()
        {
            return Meaning::Element(*list, number, rest);
        }
    }
    let own = OWN.iter().find_map(|(begin, whose)| Some((*whose, name.strip_prefix(begin)?)));
    match own {
        Some((whose, rest)) if !rest.is_empty() => Meaning::Own(whose, rest),
        _ => Meaning::Unknown,
    }
}

/// Words for the kind of a step in all conventions, and ours.
const KINDS: &[(&str, &str)] = &[
    ("llm", "llm"),
    ("generation", "llm"),
    ("chat", "llm"),
    ("completion", "llm"),
    ("text_completion", "llm"),
    ("generate_content", "llm"),
    ("ai.generatetext.dogenerate", "llm"),
    ("ai.streamtext.dostream", "llm"),
    ("ai.generateobject.dogenerate", "llm"),
    ("ai.streamobject.dostream", "llm"),
    ("tool", "tool"),
    ("execute_tool", "tool"),
    ("ai.toolcall", "tool"),
    ("retriever", "retrieval"),
    ("retrieval", "retrieval"),
    ("embedding", "embedding"),
    ("embeddings", "embedding"),
    ("ai.embed", "embedding"),
    ("ai.embed.doembed", "embedding"),
    ("reranker", "reranker"),
    ("rerank", "reranker"),
    ("agent", "agent"),
    ("invoke_agent", "agent"),
    ("create_agent", "agent"),
    ("chain", "chain"),
    ("workflow", "chain"),
    ("task", "chain"),
    ("span", "chain"),
    ("invoke_workflow", "chain"),
    ("plan", "chain"),
    ("ai.generatetext", "chain"),
    ("ai.streamtext", "chain"),
    ("ai.generateobject", "chain"),
    ("ai.streamobject", "chain"),
    ("evaluator", "evaluator"),
    ("guardrail", "guardrail"),
    ("prompt", "prompt"),
    ("event", "event"),
];

/// Our word for a source's word; its own in lower case where we have none.
pub(super) fn kind(word: &str) -> String {
    let lower = word.to_lowercase();
    KINDS.iter().find(|(theirs, _)| *theirs == lower).map_or(lower, |(_, ours)| (*ours).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_whole_and_by_their_lists() {
        assert!(matches!(
            meaning("gen_ai.usage.prompt_tokens"),
            Meaning::Field { field: Field::TokensIn, .. }
        ));
        assert!(matches!(
            meaning("llm.input_messages.12.message.role"),
            Meaning::Element(List::Input, 12, "message.role")
        ));
        // A name of the present conventions that begins like a list of the previous ones.
        assert!(matches!(meaning("gen_ai.prompt.name"), Meaning::Field { field: Field::Prompt, .. }));
        assert!(matches!(meaning("langfuse.trace.metadata.tenant"), Meaning::Own(Whose::Trace, "tenant")));
        assert!(matches!(meaning("gen_ai.request.temperature"), Meaning::Unknown));
        assert!(matches!(meaning("annotations.x.y"), Meaning::Unknown));
    }

    #[test]
    fn no_name_stands_twice() {
        let mut names: Vec<_> = NAMES.iter().map(|(name, ..)| name).collect();
        names.sort_unstable();
        let all = names.len();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}
