//! What a script prints: sections, each below a line that names it. An answer without the last section was cut off.

use std::collections::BTreeMap;

use crate::operate::status::error::ProbeError;

/// The beginning of a line that names a section.
pub(super) const MARK: &str = "== ";
/// The name of the last section, which is empty.
pub(super) const END: &str = "end";

#[derive(Debug, PartialEq, Eq)]
pub(super) struct ScriptOutput<'a>(BTreeMap<&'a str, &'a str>);

impl<'a> ScriptOutput<'a> {
    pub(super) fn parse(text: &'a str) -> Result<Self, ProbeError> {
        let mut sections = BTreeMap::new();
        let mut rest = text;
        // A greeting may come first.
        while let Some(start) = mark(rest) {
            let after = rest.get(start + MARK.len()..).unwrap_or_default();
            let (name, body) = after.split_once('\n').unwrap_or((after, ""));
            let end = mark(body).unwrap_or(body.len());
            let (body, next) = body.split_at(end);
            sections.insert(name.trim(), body.trim());
            rest = next;
        }
        if sections.contains_key(END) {
            Ok(Self(sections))
        } else {
            let last = text.trim().lines().last().unwrap_or("nothing was printed");
            Err(ProbeError::unexpected(format!("the answer was cut off: {last}")))
        }
    }

    pub(super) fn get(&self, name: &str) -> Result<&'a str, ProbeError> {
        self.0
            .get(name)
            .copied()
            .ok_or_else(|| ProbeError::unexpected(format!("the section `{name}` is missing")))
    }
}

/// Where the next section begins.
fn mark(text: &str) -> Option<usize> {
    let mut lines =
        text.split_inclusive('\n').scan(0, |at, line| Some((std::mem::replace(at, *at + line.len()), line)));
    lines.find(|(_, line)| line.starts_with(MARK)).map(|(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_are_separated() {
        let sections = ScriptOutput::parse("welcome\n== k3s\nactive\n== empty\n== two\none\ntwo\n== end\n")
            .expect("whole");
        assert_eq!(sections.get("k3s"), Ok("active"));
        assert_eq!(sections.get("empty"), Ok(""));
        assert_eq!(sections.get("two"), Ok("one\ntwo"));
        assert_eq!(sections.get("three"), Err(ProbeError::unexpected("the section `three` is missing")));
    }

    #[test]
    fn an_answer_that_was_cut_off_is_refused() {
        let refused = ScriptOutput::parse("== k3s\nactive\n");
        assert_eq!(refused, Err(ProbeError::unexpected("the answer was cut off: active")));
        assert_eq!(
            ScriptOutput::parse(""),
            Err(ProbeError::unexpected("the answer was cut off: nothing was printed"))
        );
    }
}
