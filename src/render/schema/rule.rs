//! The rules in CEL of a schema (`x-kubernetes-validations`), evaluated as an API server does for a new object.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, OnceLock};

use cel::{Context, Env, ExecutionError, Program};
use jsonschema::{Keyword, ValidationError};
use serde_json::Value;

pub(super) const KEYWORD: &str = "x-kubernetes-validations";

/// The functions that Kubernetes' own environment has (k8s.io/apiserver, `pkg/cel/environment/base.go`), as far as the
/// rules use them.
static ENVIRONMENT: LazyLock<Arc<Env>> = LazyLock::new(|| {
    let mut environment = Env::stdlib();
    // Fails only where one of the functions exists already; a rule that misses one is then refused, and a test fails.
    let _ = environment.add_extension(cel::extensions::strings);
    Arc::new(environment)
});

/// The rules of one place in a schema.
struct Rules(Vec<Rule>);

struct Rule {
    text: String,
    program: OnceLock<Option<Program>>,
}

impl Rule {
    /// Returns `None` if the rule cannot be compiled.
    fn program(&self) -> Option<&Program> {
        let compile = || {
            // The escaped form of a name that CEL reserves. The crate takes the name itself behind a dot.
            ENVIRONMENT.compile(&self.text.replace("__namespace__", "namespace")).ok()
        };
        self.program.get_or_init(compile).as_ref()
    }
}

/// Makes the keyword from the rules that a schema has at one place.
pub(super) fn keyword(rules: &Value) -> Box<dyn for<'i> Keyword<'i>> {
    let rules = rules.as_array().into_iter().flatten().filter_map(|rule| rule["rule"].as_str());
    let rules = rules.map(|text| Rule { text: text.to_owned(), program: OnceLock::new() });
    Box::new(Rules(rules.collect()))
}

impl Rules {
    /// Returns the positions of the rules that a value breaks. As in Kubernetes, an error during evaluation, such as a
    /// key that does not exist, breaks the rule.
    fn broken(&self, value: &Value) -> Vec<usize> {
        let mut context = Context::with_env(Arc::clone(&ENVIRONMENT));
        // Fails only for a name that the environment has already.
        let _ = context.add_function("duration", milliseconds);
        context.add_variable_from_value("self", cel_value(value));
        let holds = |rule: &Rule| {
            // A rule about a change holds for a new object.
            rule.text.contains("oldSelf")
                || rule
                    .program()
                    .is_some_and(|program| matches!(program.execute(&context), Ok(cel::Value::Bool(true))))
        };
        self.0.iter().enumerate().filter(|(_, rule)| !holds(rule)).map(|(index, _)| index).collect()
    }
}

/// The error's message is the rule's position, by which [`super::validator`] finds its text.
impl<'i> Keyword<'i> for Rules {
    fn validate(&self, value: &'i Value) -> Result<(), ValidationError<'i>> {
        match self.broken(value).first() {
            None => Ok(()),
            Some(index) => Err(ValidationError::custom(index.to_string())),
        }
    }

    fn is_valid(&self, value: &'i Value) -> bool {
        self.broken(value).is_empty()
    }

    fn iter_errors(&self, value: &'i Value) -> Box<dyn Iterator<Item = ValidationError<'i>> + 'i> {
        Box::new(self.broken(value).into_iter().map(|index| ValidationError::custom(index.to_string())))
    }
}

/// Converts JSON with signed integers: the crate would make unsigned ones, which no literal of a rule is.
fn cel_value(value: &Value) -> cel::Value {
    match value {
        Value::Null => cel::Value::Null,
        Value::Bool(value) => cel::Value::Bool(*value),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => cel::Value::Int(whole),
            (None, Some(number)) => cel::Value::Float(number),
            (None, None) => cel::Value::Null,
        },
        Value::String(text) => text.as_str().into(),
        Value::Array(items) => items.iter().map(cel_value).collect::<Vec<_>>().into(),
        Value::Object(members) => {
            let members = members.iter().map(|(key, member)| (key.clone(), cel_value(member)));
            members.collect::<HashMap<_, _>>().into()
        }
    }
}

/// CEL's `duration` for the form that the Gateway API allows (GEP-2257): up to four numbers with a unit, such as `1h30m`.
///
/// The crate's own function needs `chrono-tz` with the data of all time zones. Rules only compare durations.
#[allow(clippy::needless_pass_by_value, reason = "the crate calls it with an owned value")]
fn milliseconds(text: Arc<String>) -> Result<i64, ExecutionError> {
    const UNITS: [(&str, i64); 4] = [("ms", 1), ("h", 3_600_000), ("m", 60_000), ("s", 1_000)];
    let first = |text: &str| -> Option<(i64, usize)> {
        let digits = text.find(|character: char| !character.is_ascii_digit())?;
        let (count, rest) = text.split_at_checked(digits)?;
        let (name, unit) = UNITS.iter().find(|(name, _)| rest.starts_with(name))?;
        Some((count.parse::<i64>().ok()?.checked_mul(*unit)?, digits + name.len()))
    };
    let (mut rest, mut total) = (text.as_str(), 0_i64);
    while !rest.is_empty() {
        let sum =
            first(rest).and_then(|(part, length)| Some((total.checked_add(part)?, rest.get(length..)?)));
        (total, rest) = sum.ok_or_else(|| ExecutionError::function_error("duration", "not a duration"))?;
    }
    Ok(total)
}
