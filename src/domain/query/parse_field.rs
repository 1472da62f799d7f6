//! The other half of the parser: what stands after a field's name.

use std::ops::Range;

use super::error::nearest;
use super::fields::FieldSpec;
use super::parse::{Op, Parsed, Parser, bare_run, star};
use super::print::Choice;
use super::value::{Wrong, print_time, read_score, read_time};
use super::{
    IdField, NameField, NumberField, NumberTest, PromptRef, QueryError, Side, Term, TimeBound, TimeRange,
    Word, WorkField,
};

/// A value of a field as written.
struct Value {
    text: String,
    prefix: bool,
    span: Range<usize>,
}

impl Parser<'_> {
    fn value(&mut self) -> Parsed<Value> {
        let start = self.at;
        let (text, prefix) = if self.peek() == Some('"') {
            let (text, _) = self.quoted()?;
            (text, self.eat('*'))
        } else {
            let run = bare_run(self.rest(), true);
            self.at += run.len();
            let (text, prefix) = star(run);
            (text.to_owned(), prefix)
        };
        Ok(Value { text, prefix, span: start..self.at })
    }

    /// One value or several with commas, none of them empty.
    fn values(&mut self, field: &FieldSpec) -> Parsed<Vec<Value>> {
        let mut values = Vec::new();
        loop {
            let value = self.value()?;
            if value.text.is_empty() && !value.prefix {
                return Err(self.no_value(field, value.span));
            }
            values.push(value);
            if !self.eat(',') {
                return Ok(values);
            }
        }
    }

    fn no_value(&self, field: &FieldSpec, span: Range<usize>) -> QueryError {
        self.wrong(span, "a value is missing here", format!("For example {}.", field.example))
    }

    /// The term of a field; `op` is read, the values come next.
    pub(super) fn field(
        &mut self,
        field: &FieldSpec,
        key: Option<String>,
        name: Range<usize>,
        op: Op,
    ) -> Parsed<Term> {
        let number = match field.name {
            "latency" => Some(NumberField::Latency),
            "ttft" => Some(NumberField::Ttft),
            "cost" => Some(NumberField::Cost),
            "tokens_in" => Some(NumberField::TokensIn),
            "tokens_out" => Some(NumberField::TokensOut),
            _ => None,
        };
        if let Some(number) = number {
            return Ok(Term::Number {
                field: number,
                test: self.figure(field, op, |text| number.read(text))?,
            });
        }
        if let Some(key) = &key
            && key.is_empty()
        {
            let what = format!("`{}` needs a name after the dot", field.name);
            return Err(self.wrong(name, what, format!("For example {}.", field.example)));
        }
        if field.name == "score." {
            let test = self.figure(field, op, read_score)?;
            return Ok(Term::Score { name: key.unwrap_or_default(), test });
        }
        if !matches!(op, Op::Is | Op::Eq) {
            return Err(self.wrong(
                name.clone(),
                format!("`{}` cannot be compared", &self.text[name]),
                format!("Write {}.", field.example),
            ));
        }
        let name_field = match field.name {
            "feature" => Some(NameField::Feature),
            "model" => Some(NameField::Model),
            "version" => Some(NameField::Version),
            "experiment" => Some(NameField::Experiment),
            "arm" => Some(NameField::Arm),
            "tag" => Some(NameField::Tag),
            "language" => Some(NameField::Language),
            _ => None,
        };
        if let Some(which) = name_field {
            return Ok(Term::Name { field: which, any: self.words(field)? });
        }
        match field.name {
            "id" => self.whole(field, IdField::Id),
            "session" => self.whole(field, IdField::Session),
            "user" => self.whole(field, IdField::User),
            "prompt" => self.prompts(field),
            "status" => Ok(Term::Status(self.choices(field)?)),
            "error" => Ok(Term::Error(self.choices(field)?)),
            "feedback" => Ok(Term::Feedback(self.choices(field)?)),
            "fallback" => {
                Ok(Term::Fallback(self.choices::<YesNo>(field)?.into_iter().map(|y| y.0).collect()))
            }
            "judged" => {
                Ok(Term::Judged(self.choices::<GoodBad>(field)?.into_iter().map(|good| good.0).collect()))
            }
            "label" => Ok(Term::Label(self.choices(field)?)),
            "metadata." => Ok(Term::Metadata { key: key.unwrap_or_default(), any: self.words(field)? }),
            "mode" => Ok(Term::Work { field: WorkField::Mode, any: self.words(field)? }),
            "severity" => Ok(Term::Work { field: WorkField::Severity, any: self.words(field)? }),
            "reviewer" => Ok(Term::Work { field: WorkField::Reviewer, any: self.words(field)? }),
            "sample" => Ok(Term::Work { field: WorkField::Sample, any: self.words(field)? }),
            "input" => Ok(Term::Text { side: Side::Input, any: self.searched(field)? }),
            "output" => Ok(Term::Text { side: Side::Output, any: self.searched(field)? }),
            "since" => Ok(Term::Time(TimeRange::Since(self.time(field)?))),
            "before" => Ok(Term::Time(TimeRange::Before(self.time(field)?))),
            "time" => self.time_range(field),
            // Every row of the table has an arm; the tests hold each example against this.
            other => Err(self.wrong(name, format!("`{other}` is not a field"), String::new())),
        }
    }

    fn words(&mut self, field: &FieldSpec) -> Parsed<Vec<Word>> {
        let mut words = Vec::new();
        for value in self.values(field)? {
            push_new(&mut words, Word { text: value.text, prefix: value.prefix });
        }
        Ok(words)
    }

    fn searched(&mut self, field: &FieldSpec) -> Parsed<Vec<Word>> {
        let start = self.at;
        let words = self.words(field)?;
        if words.iter().any(|word| word.text.trim().is_empty()) {
            return Err(self.no_value(field, start..self.at));
        }
        Ok(words)
    }

    fn whole(&mut self, field: &FieldSpec, which: IdField) -> Parsed<Term> {
        let mut any = Vec::new();
        for value in self.values(field)? {
            if value.prefix {
                return Err(self.wrong(
                    value.span,
                    format!("`{}` takes whole values only", field.name),
                    "Ids are looked up, not scanned: write the whole one.",
                ));
            }
            push_new(&mut any, value.text);
        }
        Ok(Term::Id { field: which, any })
    }

    fn prompts(&mut self, field: &FieldSpec) -> Parsed<Term> {
        let mut any = Vec::new();
        loop {
            let start = self.at;
            let name = self.prompt_part()?;
            let version = if self.eat('@') { Some(self.prompt_part()?) } else { None };
            let missing = version.as_ref().map_or(name.is_none(), Option::is_none);
            if missing || self.peek() == Some('@') {
                return Err(self.no_value(field, start..self.at));
            }
            push_new(&mut any, PromptRef { name, version: version.flatten() });
            if !self.eat(',') {
                return Ok(Term::Prompt(any));
            }
        }
    }

    /// A prompt's name or version: quoted, or up to the next `@`.
    fn prompt_part(&mut self) -> Parsed<Option<Word>> {
        if self.peek() == Some('"') {
            let value = self.value()?;
            let word = Word { text: value.text, prefix: value.prefix };
            return Ok((word.prefix || !word.text.is_empty()).then_some(word));
        }
        let run = bare_run(self.rest(), true);
        let run = run.split('@').next().unwrap_or(run);
        self.at += run.len();
        let (text, prefix) = star(run);
        Ok((!run.is_empty()).then(|| Word { text: text.to_owned(), prefix }))
    }

    fn choices<T: Choice>(&mut self, field: &FieldSpec) -> Parsed<Vec<T>> {
        let mut chosen = Vec::new();
        for value in self.values(field)? {
            let word = value.text.to_ascii_lowercase().replace('-', "_");
            let found = T::ALL.iter().find(|choice| !value.prefix && choice.word() == word);
            let Some(found) = found else {
                let near = nearest(&value.text, T::ALL.iter().map(|choice| choice.word()));
                let all: Vec<&str> = T::ALL.iter().map(|choice| choice.word()).collect();
                let mean = near.map(|near| format!("Did you mean {near}? ")).unwrap_or_default();
                return Err(self.wrong(
                    value.span.clone(),
                    format!("`{}` is not a value of `{}`", &self.text[value.span], field.name),
                    format!("{mean}It is one of {}.", all.join(", ")),
                ));
            };
            push_new(&mut chosen, *found);
        }
        Ok(chosen)
    }

    fn single(&mut self, field: &FieldSpec) -> Parsed<Value> {
        let start = self.at;
        let mut values = self.values(field)?;
        if values.len() > 1 || values.iter().any(|value| value.prefix) {
            return Err(self.wrong(
                start..self.at,
                format!("`{}` takes one value", field.name),
                format!("For example {}.", field.example),
            ));
        }
        Ok(values.remove(0))
    }

    fn time(&mut self, field: &FieldSpec) -> Parsed<TimeBound> {
        let value = self.single(field)?;
        read_time(&value.text).map_err(|wrong| self.at_value(value.span, wrong))
    }

    fn time_range(&mut self, field: &FieldSpec) -> Parsed<Term> {
        let value = self.single(field)?;
        let read = |text: &str| read_time(text).map_err(|wrong| self.at_value(value.span.clone(), wrong));
        let range = match value.text.split_once("..") {
            None => match read(&value.text)? {
                at @ (TimeBound::Ago(_) | TimeBound::At(_)) => {
                    let word = print_time(at);
                    return Err(self.wrong(
                        value.span.clone(),
                        format!("`{}` is a moment, not a range", value.text),
                        format!("Write since:{word}, before:{word} or time:{word}..now."),
                    ));
                }
                day => TimeRange::Within(day, day),
            },
            Some(("", "")) => return Err(self.no_value(field, value.span)),
            Some((from, "")) => TimeRange::Since(read(from)?),
            Some(("", to)) => TimeRange::UpTo(read(to)?),
            Some((from, to)) => TimeRange::Within(read(from)?, read(to)?),
        };
        Ok(Term::Time(range))
    }

    fn figure<T: Copy + PartialOrd>(
        &mut self,
        field: &FieldSpec,
        op: Op,
        read: impl Fn(&str) -> Result<T, Wrong>,
    ) -> Parsed<NumberTest<T>> {
        let value = self.single(field)?;
        let read = |text: &str| read(text).map_err(|wrong| self.at_value(value.span.clone(), wrong));
        if let (Op::Is | Op::Eq, Some((low, high))) = (op, value.text.split_once("..")) {
            return match (low, high) {
                ("", "") => Err(self.no_value(field, value.span)),
                (low, "") => Ok(NumberTest::Ge(read(low)?)),
                ("", high) => Ok(NumberTest::Le(read(high)?)),
                (low, high) => {
                    let (low, high) = (read(low)?, read(high)?);
                    if low > high {
                        let what = "the range runs backwards";
                        return Err(self.wrong(value.span, what, "Write the smaller value first."));
                    }
                    Ok(NumberTest::Between(low, high))
                }
            };
        }
        let figure = read(&value.text)?;
        Ok(match op {
            Op::Is | Op::Eq => NumberTest::Eq(figure),
            Op::Gt => NumberTest::Gt(figure),
            Op::Ge => NumberTest::Ge(figure),
            Op::Lt => NumberTest::Lt(figure),
            Op::Le => NumberTest::Le(figure),
        })
    }
}

fn push_new<T: PartialEq>(list: &mut Vec<T>, item: T) {
    if !list.contains(&item) {
        list.push(item);
    }
}

/// Yes or no, as `fallback:` takes it.
#[derive(Clone, Copy, PartialEq)]
struct YesNo(bool);

impl Choice for YesNo {
    const ALL: &'static [Self] = &[Self(true), Self(false)];

    fn word(self) -> &'static str {
        if self.0 { "yes" } else { "no" }
    }
}

/// Pass or fail, as `judged:` takes it.
#[derive(Clone, Copy, PartialEq)]
struct GoodBad(bool);

impl Choice for GoodBad {
    const ALL: &'static [Self] = &[Self(true), Self(false)];

    fn word(self) -> &'static str {
        if self.0 { "pass" } else { "fail" }
    }
}
