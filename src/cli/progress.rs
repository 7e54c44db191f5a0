//! Progress bars, and numbers of bytes for people.

use indicatif::{BinaryBytes, ProgressBar, ProgressDrawTarget, ProgressStyle};

const WITH_END: &str = "{prefix}: {msg} [{bar:30}] {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left";
const WITHOUT_END: &str = "{prefix}: {msg} {spinner} {bytes}, {bytes_per_sec}";

/// Returns a bar on standard error for the bytes of something. It is drawn only on a terminal. `length` is the number of
/// bytes at the end, if it is known.
pub(super) fn bar(what: &str, activity: &'static str, length: Option<u64>) -> ProgressBar {
    let template = if length.is_some() { WITH_END } else { WITHOUT_END };
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::with_draw_target(length, ProgressDrawTarget::stderr());
    bar.with_style(style).with_prefix(what.to_owned()).with_message(activity)
}

/// Formats a number of bytes for people.
pub(super) fn human(bytes: u64) -> String {
    BinaryBytes(bytes).to_string().replace(".00 ", " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_units_have_no_decimals() {
        assert_eq!(human(16 << 20), "16 MiB");
        assert_eq!(human(3 << 19), "1.50 MiB");
        assert_eq!(human(512), "512 B");
    }
}
