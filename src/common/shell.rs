//! Quoting for a POSIX shell.

use std::borrow::Cow;

/// Returns `text` as one word of a shell, quoted where it needs quotes.
#[must_use]
pub(crate) fn word(text: &str) -> Cow<'_, str> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:=@%+,#[]".contains(&byte);
    if !text.is_empty() && text.bytes().all(is_plain) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(format!("'{}'", text.replace('\'', r"'\''")))
    }
}

#[cfg(test)]
mod tests {
    use super::word;

    #[test]
    fn words_are_quoted_where_they_need_it() {
        assert_eq!(word("out/rk1-01.img"), "out/rk1-01.img");
        assert_eq!(word(".#rk1-01"), ".#rk1-01");
        assert_eq!(word("--raw=/readyz/etcd"), "--raw=/readyz/etcd");
        assert_eq!(word("it's here.img"), r"'it'\''s here.img'");
        assert_eq!(word("$(reboot)"), "'$(reboot)'");
        assert_eq!(word(""), "''");
    }
}
