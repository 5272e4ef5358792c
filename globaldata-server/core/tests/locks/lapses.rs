//! Locks that are not renewed in time, to the millisecond.

use crate::room::{dialogue, dialogue_within};
use workyard_globaldata_core::StoreLimits;

#[test]
fn it_is_held_until_its_instant_and_not_at_it() {
    let mut room = dialogue(
        "0  1 lock a 50      => 1 locked 1
         49 2 lock a 50      => 2 busy",
    );
    assert_eq!(room.next_deadline(), Some(50));
    room.hold("49 0 expire => ");
    room.hold("50 0 expire => 1! lost 1");
    room.assert_empty();
    room.hold("50 2 lock a 50 => 2 locked 2");
}

#[test]
fn the_next_is_granted_it_when_its_time_is_over() {
    dialogue(
        "0   1 lock a 50       => 1 locked 1
         0   2 lock a 70 wait  => 2 queued 2
         0   3 lock a 90 wait  => 3 queued 3
         50  0 expire          => 1! lost 1, 2! granted 2
         119 0 expire          =>
         120 0 expire          => 2! lost 2, 3! granted 3
         209 3 unlock a 3      => 3 unlocked",
    )
    .assert_empty();
}

/// Whoever asks at the instant itself finds what is so then, before the server's own timer comes to it.
#[test]
fn nobody_needs_the_timer_to_find_it_lost() {
    dialogue(
        "0  1 lock a 50      => 1 locked 1
         0  2 lock a 50 wait => 2 queued 2
         50 3 lock a 50      => 3 busy, 1! lost 1, 2! granted 2",
    );
    dialogue(
        "0  1 lock a 50      => 1 locked 1
         50 2 lock a 50      => 2 locked 2, 1! lost 1",
    );
    dialogue(
        "0  1 lock a 50      => 1 locked 1
         0  2 lock a 50 wait => 2 queued 2
         50 1 unlock a 1     => 1 had it not, 1! lost 1, 2! granted 2",
    );
    dialogue(
        "0  1 lock a 50      => 1 locked 1
         50 1 renew a 1 50   => 1 has lost [1], 1! lost 1",
    )
    .assert_empty();
}

#[test]
fn a_renewal_begins_the_time_anew_for_what_is_held_only() {
    let mut room = dialogue(
        "0  1 lock a 50           => 1 locked 1
         0  1 lock b 50           => 1 locked 2
         0  2 lock b 50 wait      => 2 queued 3
         49 1 renew a 1 50 b 2 10 => 1 renewed
         49 2 renew b 3 9         => 2 renewed
         49 2 renew b 2 50 a 9 50 => 2 has lost [2, 9]
         59 0 expire              => 1! lost 2, 2! granted 3
         60 1 renew b 2 50 a 1 50 => 1 has lost [2]",
    );
    assert_eq!(room.next_deadline(), Some(109), "its ttl is the one it asked with");
    room.hold(
        "109 0 expire => 2! lost 3
         110 0 expire => 1! lost 1",
    );
    room.assert_empty();
}

#[test]
fn the_permits_of_a_semaphore_lapse_each_for_itself() {
    dialogue(
        "0  1 lock s 90 of 2      => 1 locked 1
         0  2 lock s 30 of 2      => 2 locked 2
         0  3 lock s 50 of 2 wait => 3 queued 3
         30 0 expire              => 2! lost 2, 3! granted 3
         80 4 lock s 50 of 2      => 4 locked 4, 3! lost 3
         90 0 expire              => 1! lost 1",
    );
}

#[test]
fn many_at_once_go_in_portions_and_in_order() {
    let limits = StoreLimits { expire_locks_max: 2, ..StoreLimits::default() };
    let mut room = dialogue_within(
        limits,
        "0  1 lock a 50 => 1 locked 1
         0  1 lock b 40 => 1 locked 2
         0  1 lock c 50 => 1 locked 3
         60 0 expire    => 1! lost 2, 1! lost 1",
    );
    assert_eq!(room.next_deadline(), Some(50), "there is more to do");
    // What is still to be taken is lost all the same.
    room.hold("60 1 renew c 3 50 => 1 has lost [3], 1! lost 3");
    room.assert_empty();
}

/// All of them were taken for whoever asked first.
#[test]
fn who_asks_finds_a_permit_at_the_price_of_those_who_wait_and_itself() {
    let mut room = dialogue(
        "0  1 lock s 50 of 4      => 1 locked 1
         0  1 lock s 49 of 4      => 1 locked 2
         0  1 lock s 48 of 4      => 1 locked 3
         0  1 lock s 47 of 4      => 1 locked 4
         0  2 lock s 50 of 4 wait => 2 queued 5
         60 3 lock s 50 of 4      => 3 locked 6, 1! lost 4, 2! granted 5, 1! lost 3",
    );
    assert_eq!(room.next_deadline(), Some(49), "there is more to do");
    // Nobody finds held what is still to be taken.
    room.hold(
        "60 3 fenced s 1     => 3 Fenced: the lock \"s\" is not held with token 1: it is held with \
         token 6 now
         60 3 lock s 50 of 4 => 3 locked 7, 1! lost 2
         60 3 lock s 50 of 4 => 3 locked 8, 1! lost 1
         60 3 lock s 50 of 4 => 3 busy",
    );
}

#[test]
fn a_lock_that_nobody_holds_any_more_is_made_anew() {
    let mut room = dialogue(
        "0  1 lock s 50 of 3 => 1 locked 1
         0  1 lock s 50 of 3 => 1 locked 2
         0  1 lock s 50 of 3 => 1 locked 3
         60 2 lock s 50      => 2 locked 4, 1! lost 1
         60 1 unlock s 2     => 1 had it not
         60 2 lock s 50      => 2 busy
         60 0 expire         => 1! lost 2, 1! lost 3
         60 2 lock s 50 of 3 => 2 PermitsDiffer: the lock \"s\" has 1 permits while it is in use, and \
         this asks for one of 3: all who share a lock must name the same number
         60 2 unlock s 4     => 2 unlocked",
    );
    room.assert_empty();
    // What is left goes with its session too.
    room.hold(
        "60  1 lock s 50 of 3 => 1 locked 5
         60  1 lock s 50 of 3 => 1 locked 6
         120 2 lock s 50      => 2 locked 7, 1! lost 5
         120 1 close          =>
         120 2 unlock s 7     => 2 unlocked",
    );
    room.assert_empty();
}
