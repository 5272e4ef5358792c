//! Room on the disk: a linker that lacks it says only that it failed.

use std::path::Path;

use crate::command::Invocation;

/// What is left on the disk of `folder`, in words.
pub(crate) fn free(folder: &Path) -> String {
    let captured = Invocation::new("df --output=avail -B 1000000000 .").captured(folder);
    in_words(captured.ok().and_then(|captured| gigabytes(&captured.text)))
}

/// Reads the second line that `df` prints, under its heading.
fn gigabytes(text: &str) -> Option<u64> {
    text.lines().nth(1)?.trim().parse().ok()
}

fn in_words(gigabytes: Option<u64>) -> String {
    match gigabytes {
        Some(count) => format!("{count} GB of disk free"),
        None => "an unknown room on the disk".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_room_is_below_the_heading() {
        assert_eq!(in_words(gigabytes("Avail\n   16\n")), "16 GB of disk free");
        assert_eq!(in_words(gigabytes("df: .: No such file\n")), "an unknown room on the disk");
    }

    #[test]
    fn a_real_disk_has_a_room_in_gigabytes() {
        assert!(free(Path::new("/")).ends_with(" GB of disk free"), "{}", free(Path::new("/")));
    }
}
