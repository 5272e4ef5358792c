//! Listings of what is held and waited for.

use crate::room::{dialogue, dialogue_within};
use workyard_globaldata_core::StoreLimits;

#[test]
fn a_page_tells_who_holds_and_how_many_wait() {
    dialogue(
        "0  1 lock mail 50        => 1 locked 1
         0  2 lock mail 50 wait   => 2 queued 2
         0  1 lock print 90 of 3  => 1 locked 3
         10 2 lock print 50 of 3  => 2 locked 4
         20 9 locks - 0 10 => 9 page [mail: 1 of 1 by 1 for 30 and 1 wait; print: 2 of 3 by 3 for 70 \
         and 0 wait] then 0
         20 9 locks p 0 10 => 9 page [print: 2 of 3 by 3 for 70 and 0 wait] then 0
         20 9 locks x 0 10 => 9 page [] then 0",
    );
}

#[test]
fn pages_list_each_once_whatever_comes_and_goes() {
    dialogue(
        "0 1 lock a 50   => 1 locked 1
         0 1 lock b 50   => 1 locked 2
         0 1 lock c 50   => 1 locked 3
         0 9 locks - 0 1 => 9 page [a: 1 of 1 by 1 for 50 and 0 wait] then 1
         0 1 unlock a 1  => 1 unlocked
         0 1 lock d 50   => 1 locked 4
         0 9 locks - 1 1 => 9 page [b: 1 of 1 by 2 for 50 and 0 wait] then 2
         0 9 locks - 2 9 => 9 page [c: 1 of 1 by 3 for 50 and 0 wait] then 0",
    );
}

#[test]
fn a_scan_looks_at_a_bounded_number_of_places_and_bytes() {
    let limits = StoreLimits { scan_slots_max: 1, ..StoreLimits::default() };
    dialogue_within(
        limits,
        "0 1 lock a 50   => 1 locked 1
         0 1 lock b 50   => 1 locked 2
         0 9 locks b 0 9 => 9 page [] then 1
         0 9 locks b 1 9 => 9 page [b: 1 of 1 by 2 for 50 and 0 wait] then 2",
    );
    let limits = StoreLimits { reply_bytes_max: 100, ..StoreLimits::default() };
    dialogue_within(
        limits,
        "0 1 lock a 50   => 1 locked 1
         0 1 lock b 50   => 1 locked 2
         0 9 locks - 0 9 => 9 page [a: 1 of 1 by 1 for 50 and 0 wait] then 1",
    );
}

#[test]
fn a_cursor_from_nowhere_ends_the_scan() {
    dialogue(
        "0 1 lock a 50                      => 1 locked 1
         0 9 locks - 18446744073709551615 9 => 9 page [] then 0",
    );
}
