//! What a test says about where it is; shown when it fails.

/// Says it.
#[expect(clippy::print_stdout, reason = "the test runner keeps it for failures")]
pub fn note(text: &str) {
    println!("{text}");
}
