//! Macros that define a table or a choice together with its decoder and its JSON Schema.

/// Defines a table: `"key" field: Type = example`, where the type is `Required<…>` or `Option<…>`.
/// A field whose value is a table has no example.
macro_rules! table {
    (
        $(#[$meta:meta])*
        pub struct $name:ident {
            $($(#[$field_meta:meta])* $key:literal $field:ident: $kind:ty $(= $example:expr)?,)*
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Default, schemars::JsonSchema)]
        #[schemars(deny_unknown_fields)]
        pub struct $name {
            /// The span of the table's header.
            #[schemars(skip)]
            pub span: $crate::config::source::Span,
            $($(#[$field_meta])* #[schemars(rename = $key $(, example = &$example)?)] pub $field: $kind,)*
        }

        impl $name {
            pub const KEYS: &'static [&'static str] = &[$($key),*];

            pub(crate) fn read(
                path: &str,
                span: $crate::config::source::Span,
                table: &toml::de::DeTable<'_>,
                problems: &mut $crate::config::diagnostics::Problems,
            ) -> Self {
                let mut reader = $crate::config::written::shape::TableReader::new(path, span, table, problems);
                $(
                    let $field = reader.field($key, || {
                        None::<serde_json::Value>$(.or(Some(serde_json::json!($example))))?
                    });
                )*
                reader.finish(Self::KEYS);
                Self { span, $($field,)* }
            }
        }

        impl $crate::config::written::shape::Decode for $name {
            const NOTATION: $crate::config::written::shape::Notation = $crate::config::written::shape::Notation::Table;

            fn decode(
                path: &str,
                value: &$crate::config::written::shape::TomlValue<'_>,
                problems: &mut $crate::config::diagnostics::Problems,
            ) -> Option<Self> {
                match value.get_ref() {
                    toml::de::DeValue::Table(table) => {
                        Some(Self::read(path, value.span().into(), table, problems))
                    }
                    _ => $crate::config::written::shape::wrong_type(path, value, "a table", None, problems),
                }
            }
        }
    };
}

/// Defines a choice between words.
macro_rules! choice {
    (
        $(#[$meta:meta])*
        pub enum $name:ident { $($(#[$word_meta:meta])* $variant:ident = $word:literal,)* }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, schemars::JsonSchema)]
        pub enum $name {
            $($(#[$word_meta])* #[schemars(rename = $word)] $variant,)*
        }

        impl $name {
            pub const WORDS: &'static [&'static str] = &[$($word),*];

            #[must_use]
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }

        impl $crate::config::written::shape::Decode for $crate::config::source::Spanned<$name> {
            fn decode(
                path: &str,
                value: &$crate::config::written::shape::TomlValue<'_>,
                problems: &mut $crate::config::diagnostics::Problems,
            ) -> Option<Self> {
                let text = $crate::config::written::leaf::Text::decode(path, value, problems)?;
                match text.value.as_str() {
                    $($word => Some($crate::config::source::Spanned::new($name::$variant, text.span)),)*
                    _ => $crate::config::written::shape::unknown_choice(path, &text, $name::WORDS, problems),
                }
            }
        }
    };
}

pub(crate) use {choice, table};
