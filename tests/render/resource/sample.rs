//! Objects drawn at random from a schema: mostly right, now and then wrong in one place.

use regex::Regex;
use serde_json::{Map, Value, json};

/// Strings of which most patterns take some.
const WORDS: [&str; 40] = [
    "a",
    "shared",
    "web-1",
    "cilium",
    "example.org",
    "*.example.org",
    "10.200.200.1",
    "10.200.200.0/24",
    "fd00::1",
    "fd00::/64",
    "/",
    "/path",
    "/path/%20x",
    "//",
    "/./x",
    "/x/..",
    "/x#y",
    "/%2F",
    "no slash",
    "",
    "1h30m",
    "10s",
    "500ms",
    "0s",
    "2h",
    "GET",
    "X-Version",
    "Secret",
    "Service",
    "gateway.networking.k8s.io",
    "cert-manager.io",
    "app.kubernetes.io/name",
    "io.cilium/gateway-controller",
    "https://example.org",
    "65000:99",
    "1:2:3",
    "*",
    "1Gi",
    "Grüße",
    "Az09",
];

/// A generator of numbers that gives the same in each run (Marsaglia's xorshift64).
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// Below `limit`, which is not 0.
    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit as u64).expect("a small number")
    }

    fn is_one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
}

/// How seldom a value is wrong.
const WRONG: usize = 600;

pub(crate) fn sample(schema: &Value, chance: &mut Chance, depth: usize) -> Value {
    if chance.is_one_in(WRONG) {
        return chance
            .pick(&[json!(null), json!(7), json!("x"), json!([]), json!({}), json!(true), json!(1.5)])
            .clone();
    }
    if let Some(choices) = schema["enum"].as_array()
        && !chance.is_one_in(WRONG)
    {
        return chance.pick(choices).clone();
    }
    match schema["type"].as_str() {
        Some("array") => list(schema, chance, depth),
        Some("boolean") => json!(chance.is_one_in(2)),
        Some("integer") => integer(schema, chance),
        Some("number") => json!(1.5),
        Some("string") => json!(string(schema, chance)),
        None if schema["type"].is_array() => chance.pick(&[json!(3), json!("10%"), json!("")]).clone(),
        _ => object(schema, chance, depth),
    }
}

fn object(schema: &Value, chance: &mut Chance, depth: usize) -> Value {
    let mut members = Map::new();
    if let Some(entry) = schema.get("additionalProperties").filter(|entry| entry.is_object()) {
        for _ in 0..chance.below(3) {
            members.insert((*chance.pick(&WORDS)).to_owned(), sample(entry, chance, depth + 1));
        }
    }
    let told_by = told_by(schema, chance);
    for (key, property) in schema["properties"].as_object().into_iter().flatten() {
        let is_required =
            schema["required"].as_array().is_some_and(|keys| keys.iter().any(|each| each == key))
                && !chance.is_one_in(WRONG);
        let is_wanted = match &told_by {
            // One of the parts of a union: it stands with its type only.
            Some((kind, parts)) if parts.contains(key) => key.eq_ignore_ascii_case(kind),
            _ => chance.is_one_in(2 + depth / 2),
        };
        if is_required || is_wanted {
            let value = match &told_by {
                Some((kind, _)) if key == "type" || key == "protocol" => json!(kind),
                _ => sample(property, chance, depth + 1),
            };
            members.insert(key.clone(), value);
        }
    }
    if chance.is_one_in(WRONG) {
        members.insert("unknown".to_owned(), json!(1));
    }
    Value::Object(members)
}

/// Where `type` tells which of the other keys may stand there, mostly: a type and these keys.
fn told_by(schema: &Value, chance: &mut Chance) -> Option<(String, Vec<String>)> {
    let properties = schema["properties"].as_object()?;
    let told = properties.get("type").or(properties.get("protocol"))?;
    let kinds: Vec<_> = told["enum"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let is_part = |key: &&String| kinds.iter().any(|kind| key.eq_ignore_ascii_case(kind));
    let parts: Vec<_> = properties.keys().filter(is_part).cloned().collect();
    (!parts.is_empty() && !chance.is_one_in(8)).then(|| ((*chance.pick(&kinds)).to_owned(), parts))
}

fn list(schema: &Value, chance: &mut Chance, depth: usize) -> Value {
    let Some(item) = schema.get("items") else { return json!([]) };
    let least = size(schema, "minItems").unwrap_or(0);
    let count = if chance.is_one_in(WRONG) { chance.below(70) } else { least + chance.below(3) };
    let mut items: Vec<Value> = (0..count).map(|_| sample(item, chance, depth + 1)).collect();
    if schema["x-kubernetes-list-type"] == "map" && !chance.is_one_in(8) {
        // Without the ones that have the key of another.
        let mut seen: Vec<Vec<Option<Value>>> = Vec::new();
        items.retain(|item| {
            let keys = schema["x-kubernetes-list-map-keys"].as_array().into_iter().flatten();
            let key: Vec<_> = keys.filter_map(Value::as_str).map(|key| item.get(key).cloned()).collect();
            let is_new = !seen.contains(&key);
            seen.push(key);
            is_new
        });
    }
    Value::Array(items)
}

/// A limit that is a count.
fn size(schema: &Value, key: &str) -> Option<usize> {
    schema[key].as_u64().and_then(|limit| usize::try_from(limit).ok())
}

fn integer(schema: &Value, chance: &mut Chance) -> Value {
    let bound = |key: &str| schema[key].as_i64().filter(|bound| bound.abs() < i64::from(i32::MAX));
    let least = bound("minimum").unwrap_or(0);
    let most = schema["maximum"].as_i64().unwrap_or(least + 10);
    if chance.is_one_in(WRONG) {
        return json!(*chance.pick(&[least - 1, most + 1, i64::from(i32::MAX) + 1, -1]));
    }
    json!(*chance.pick(&[least, most, (least + 80).min(most), (least + 301).min(most)]))
}

fn string(schema: &Value, chance: &mut Chance) -> String {
    let pattern = schema["pattern"].as_str().map(|pattern| Regex::new(pattern).expect("a pattern"));
    let is_right = |word: &str| {
        pattern.as_ref().is_none_or(|pattern| pattern.is_match(word))
            && size(schema, "minLength").is_none_or(|least| word.chars().count() >= least)
            && size(schema, "maxLength").is_none_or(|most| word.chars().count() <= most)
    };
    if chance.is_one_in(WRONG) {
        return match chance.below(3) {
            0 => "x".repeat(chance.below(5_000)),
            _ => (*chance.pick(&WORDS)).to_owned(),
        };
    }
    let mut right: Vec<_> = WORDS.into_iter().filter(|word| is_right(word)).collect();
    match schema["format"].as_str() {
        Some("cidr") => {
            right.retain(|word| word.contains('/') && word.contains(['.', ':']) && !word.contains("k8s"));
        }
        Some("date-time") => {
            right = vec!["2026-01-31T12:00:00Z", "2026-01-31T12:00:00.5+01:00", "2026-01-31"];
        }
        Some("byte") => right = vec!["", "YQ==", "YWJj", "YQ"],
        Some("ipv4") => right = vec!["10.0.0.1", "10.0.0.256", "fd00::1"],
        Some("ipv6") => right = vec!["fd00::1", "::", "::ffff:10.0.0.1", "10.0.0.1"],
        _ => {}
    }
    if right.is_empty() { "x".to_owned() } else { (*chance.pick(&right)).to_owned() }
}
