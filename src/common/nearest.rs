//! "Did you mean": the known word that was probably meant by an unknown one.

/// The shortest word that is looked for inside longer ones. The letters of a shorter one are in many words.
const SHORTEST_WITHIN: usize = 4;

/// Returns the known word that was probably meant, ignoring case: one that differs in a few letters, or the shortest one
/// that contains all letters in the same order, as `clusterPoolIPv4PodCIDRList` contains those of `clusterPoolCIDR`.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str> + Clone) -> Option<&'a str> {
    similar(word, known.clone()).or_else(|| longer(word, known))
}

/// Returns the known word that differs from an unknown one in the fewest letters, ignoring case, if they are few enough.
pub(crate) fn similar<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    known
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&word, &candidate.to_lowercase()), candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.len() / 4)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

fn longer<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let is_long_enough = word.chars().count() >= SHORTEST_WITHIN;
    let candidates = known.into_iter().filter(|candidate| is_within(&word, &candidate.to_lowercase()));
    candidates.min_by_key(|candidate| candidate.len()).filter(|_| is_long_enough)
}

/// Returns whether a text contains all letters of a word in the same order.
fn is_within(word: &str, text: &str) -> bool {
    let mut letters = text.chars();
    word.chars().all(|letter| letters.any(|other| other == letter))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_is_ignored_and_the_fewest_differences_win() {
        assert_eq!(nearest("RK1-1", ["rk1-01", "rk1-02"]), Some("rk1-01"));
        assert_eq!(nearest("bgpControlplane", ["bgpControlPlane", "bgp"]), Some("bgpControlPlane"));
        assert_eq!(nearest("keeplaive", ["keepalive", "hold-time"]), Some("keepalive"));
    }

    #[test]
    fn a_longer_word_with_the_same_letters_is_found() {
        let known = ["clusterPoolIPv4MaskSize", "clusterPoolIPv4PodCIDRList", "mode"];
        assert_eq!(nearest("clusterPoolCIDR", known), Some("clusterPoolIPv4PodCIDRList"));
        assert_eq!(nearest("sshkey", ["ssh-host-key", "slot"]), Some("ssh-host-key"));
    }

    #[test]
    fn a_word_without_a_similar_one_is_not_guessed() {
        assert_eq!(nearest("vip", ["token", "tls-san"]), None);
        assert_eq!(nearest("", ["token"]), None);
    }
}
