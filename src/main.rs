//! `rk1`: one file describes a Turing Pi cluster; this renders everything that it is made of.

fn main() {}
