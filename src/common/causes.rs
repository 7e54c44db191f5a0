//! The causes behind an error.

use std::error::Error;
use std::{io, iter};

/// Returns an error and the causes behind it, outermost first.
///
/// An `io::Error` that carries another error is not its source; what it carries is returned as well.
pub(crate) fn causes<'a>(
    error: &'a (dyn Error + 'static),
) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    iter::successors(Some(error), |error: &&'a (dyn Error + 'static)| {
        let error: &'a (dyn Error + 'static) = *error;
        match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(carried) => Some(carried),
            None => error.source(),
        }
    })
}

/// Returns the words of the innermost cause, without the number that the system has for it: `Connection refused`.
#[must_use]
pub(crate) fn innermost(error: &(dyn Error + 'static)) -> String {
    let words = causes(error).last().map(ToString::to_string).unwrap_or_default();
    words.split(" (os error").next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::innermost;

    #[test]
    fn the_innermost_cause_is_found_inside_io_errors() {
        let refused = io::Error::from_raw_os_error(111);
        let outer = io::Error::other(io::Error::other(refused));
        assert_eq!(innermost(&outer), "Connection refused");
    }
}
