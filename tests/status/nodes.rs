//! Nodes, well and not.

use crate::cluster::screen_of;

#[test]
fn all_is_well() {
    screen_of("well", |_| {});
}
