//! Limits and rules as a runbook writes them: `< 10m`, `== 0`, `users >= 0.20 or unsafe >= 1`.

use serde::{Deserialize, Serialize};

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Op {
    /// Less than.
    #[serde(rename = "<")]
    Lt,
    /// At most.
    #[serde(rename = "<=")]
    Le,
    /// More than.
    #[serde(rename = ">")]
    Gt,
    /// At least.
    #[serde(rename = ">=")]
    Ge,
    /// Exactly.
    #[serde(rename = "==")]
    Eq,
}

impl Op {
    /// As it is written.
    pub fn sign(self) -> &'static str {
        match self {
            Self::Lt => "<",
            Self::Le => "<=",
            Self::Gt => ">",
            Self::Ge => ">=",
            Self::Eq => "==",
        }
    }

    /// Reads a sign.
    pub fn from_sign(sign: &str) -> Option<Self> {
        [Self::Lt, Self::Le, Self::Gt, Self::Ge, Self::Eq].into_iter().find(|op| op.sign() == sign)
    }

    /// Whether `left op right`.
    pub fn holds(self, left: f64, right: f64) -> bool {
        match self {
            Self::Lt => left < right,
            Self::Le => left <= right,
            Self::Gt => left > right,
            Self::Ge => left >= right,
            Self::Eq => left == right,
        }
    }
}

/// What a figure must be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Limit {
    /// The comparison.
    pub op: Op,
    /// With what: milliseconds where the file gave a duration, a share where it gave a percentage.
    pub value: f64,
    /// As the file has it, such as `< 10m`.
    pub text: String,
}

impl Limit {
    /// Reads `< 10m`, `>= 5%`, `== 0`.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let end = text.find(|c: char| !"<>=".contains(c))?;
        let op = Op::from_sign(&text[..end])?;
        let figure = text[end..].trim();
        let value = match figure.strip_suffix('%') {
            Some(percent) => number(percent)? / 100.0,
            None => number(figure).or_else(|| duration_ms(figure).map(|ms| ms as f64))?,
        };
        Some(Self { op, value, text: text.to_owned() })
    }
}

fn number(text: &str) -> Option<f64> {
    text.trim().parse::<f64>().ok().filter(|value| value.is_finite())
}

/// Holds when any of its parts does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    /// Figure and limit of each part.
    pub any: Vec<(String, Limit)>,
}

impl Rule {
    /// Reads `users >= 0.20 or unsafe >= 1`.
    pub fn parse(text: &str) -> Option<Self> {
        let any = text
            .split(" or ")
            .map(|part| {
                let part = part.trim();
                let end = part.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))?;
                (end > 0).then_some(())?;
                Some((part[..end].to_owned(), Limit::parse(&part[end..])?))
            })
            .collect::<Option<Vec<_>>>()?;
        Some(Self { any })
    }

    /// Whether any part holds. A figure that is not known holds nothing.
    pub fn holds(&self, figure: &impl Fn(&str) -> Option<f64>) -> bool {
        self.any.iter().any(|(name, limit)| figure(name).is_some_and(|is| limit.op.holds(is, limit.value)))
    }
}

/// Reads a duration such as `20s`, `10m`, `24h`, `14d`, `500ms` into milliseconds.
pub fn duration_ms(text: &str) -> Option<u64> {
    let text = text.trim();
    let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.'))?;
    let unit = match &text[end..] {
        "ms" => 1.0,
        "s" => 1e3,
        "m" => 60e3,
        "h" => 3_600e3,
        "d" => 86_400e3,
        _ => return None,
    };
    let ms = text[..end].parse::<f64>().ok()? * unit;
    (ms.is_finite() && ms < 1e15).then_some(ms as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_and_rules_read_as_written() {
        assert_eq!(Limit::parse("< 10m").unwrap().value, 600_000.0);
        assert_eq!(Limit::parse(">=5%").unwrap(), Limit { op: Op::Ge, value: 0.05, text: ">=5%".into() });
        assert_eq!(Limit::parse("== 0").unwrap().op, Op::Eq);
        for wrong in ["", "10", "<", "< ten", "=> 3", "< NaN", "< 10 parsecs", "<é"] {
            assert_eq!(Limit::parse(wrong), None, "{wrong}");
        }
        let rule = Rule::parse("users >= 0.20 or unsafe >= 1").unwrap();
        assert!(rule.holds(&|name| (name == "unsafe").then_some(1.0)));
        assert!(!rule.holds(&|name| (name == "users").then_some(0.19)));
        assert!(!rule.holds(&|_| None));
        assert_eq!(Rule::parse("users >= 0.20 or"), None);
        assert_eq!(Rule::parse(">= 0.20"), None);
    }

    #[test]
    fn durations_have_units() {
        assert_eq!(duration_ms("1.5h"), Some(5_400_000));
        assert_eq!(duration_ms("500ms"), Some(500));
        for wrong in ["10", "", "m", "-1m", "1e9d", "10 min", "1..5s"] {
            assert_eq!(duration_ms(wrong), None, "{wrong}");
        }
    }
}
