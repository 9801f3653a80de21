//! What the macros accept, and what they say of what they do not accept.
//!
//! Run with `TRYBUILD=overwrite` after a change of a message, and read the difference.

#[test]
fn what_is_right_compiles() {
    trybuild::TestCases::new().pass("compile/pass/*.rs");
}

#[test]
fn what_is_wrong_is_reported_where_it_stands() {
    trybuild::TestCases::new().compile_fail("compile/[!p]*/*.rs");
}
