//! The places of keys and items in a YAML text, for problems that name a path.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{Location, Spanned};

use super::check::steps;
use crate::config::source::Span;

/// A YAML document in which every key and every value knows its place.
#[derive(Debug)]
pub(super) enum Tree {
    Map(Vec<(Spanned<String>, Spanned<Tree>)>),
    List(Vec<Spanned<Tree>>),
    Scalar,
}

/// Returns the place of the key or item that a path leads to, or of the nearest one above it.
pub(super) fn find(tree: &Spanned<Tree>, path: &str, text: &str) -> Option<Span> {
    let (mut here, mut place) = (tree, tree.referenced);
    for step in steps(path) {
        match &here.value {
            Tree::Map(members) => {
                let Some((key, value)) = members.iter().find(|(key, _)| key.value == step) else { break };
                (here, place) = (value, key.referenced);
            }
            Tree::List(items) => {
                let Some(item) = step.parse::<usize>().ok().and_then(|index| items.get(index)) else { break };
                (here, place) = (item, item.referenced);
            }
            Tree::Scalar => break,
        }
    }
    span_at(text, place)
}

pub(super) fn span_at(text: &str, place: Location) -> Option<Span> {
    line_from(text, usize::try_from(place.line()).ok()?, usize::try_from(place.column()).ok()?)
}

/// Returns the part of a line from a column on, without blanks at its end. Both count from 1, the column in characters.
fn line_from(text: &str, line: usize, column: usize) -> Option<Span> {
    let start: usize = text.split_inclusive('\n').take(line.checked_sub(1)?).map(str::len).sum();
    let line = text.get(start..)?.lines().next()?;
    let skipped: usize = line.chars().take(column.checked_sub(1)?).map(char::len_utf8).sum();
    Some(Span { start: start + skipped, end: start + line.trim_end().len().max(skipped) })
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TreeVisitor)
    }
}

struct TreeVisitor;

impl<'de> Visitor<'de> for TreeVisitor {
    type Value = Tree;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a YAML value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Tree, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Tree::Map(members))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Tree, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Tree::List(items))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Tree, E> {
        Ok(Tree::Scalar)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Tree, E> {
        Ok(Tree::Scalar)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Tree, E> {
        Ok(Tree::Scalar)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Tree, E> {
        Ok(Tree::Scalar)
    }

    fn visit_str<E>(self, _: &str) -> Result<Tree, E> {
        Ok(Tree::Scalar)
    }

    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree::Scalar)
    }

    fn visit_none<E>(self) -> Result<Tree, E> {
        Ok(Tree::Scalar)
    }
}
