//! Our reading and writing of PHP's values is PHP's own: the short form of `cargo xtask differential`.

use workyard_tests::differential::{Extent, compare};
use workyard_tests::note;

#[test]
fn php_and_we_agree_on_values_that_are_made_up() {
    let extent = Extent { values: 5000, mutants: 5000, seed: 1 };
    let comparison = compare(extent).expect("php can be run");
    note(&comparison.to_string());
    assert_eq!(comparison.different, 0, "{comparison}");
    let (taken, refused) = (comparison.taken, comparison.refused);
    assert!(taken > 4000 && refused > 2000 && comparison.unchanged > 500, "{comparison}");
}
