//! What is above a limit is refused by name and changes nothing.

use crate::room::dialogue_within;
use workyard_globaldata_core::StoreLimits;

#[test]
fn locks_are_bounded() {
    let limits = StoreLimits { locks_max: 2, ..StoreLimits::default() };
    let refused = "LimitReached: 3 locks in use are above locks_max, 2: unlock some first";
    dialogue_within(
        limits,
        &format!(
            "0 1 lock a 50      => 1 locked 1
             0 1 lock b 50      => 1 locked 2
             0 1 lock c 50 wait => 1 {refused}
             0 1 lock b 50 wait => 1 queued 3
             0 1 unlock a 1     => 1 unlocked
             0 1 lock c 50 wait => 1 locked 4"
        ),
    );
}

#[test]
fn claims_are_bounded_for_all_and_for_each() {
    let limits = StoreLimits {
        lock_claims_max: 3,
        lock_claims_per_session_max: 2,
        ..StoreLimits::default()
    };
    let of_one = "LimitReached: 3 locks of one session are above lock_claims_per_session_max, 2: \
                  unlock some first";
    let of_all = "LimitReached: 4 locks held and waited for are above lock_claims_max, 3: unlock some \
                  first";
    dialogue_within(
        limits,
        &format!(
            "0 1 lock a 50      => 1 locked 1
             0 1 lock a 50 wait => 1 queued 2
             0 1 lock b 50 wait => 1 {of_one}
             0 1 lock a 50      => 1 busy
             0 2 lock b 50      => 2 locked 3
             0 3 lock b 50 wait => 3 {of_all}
             0 1 close          =>
             0 3 lock b 50 wait => 3 queued 4"
        ),
    );
}

#[test]
fn a_renewal_names_no_more_than_a_list_may_hold() {
    let limits = StoreLimits { list_items_max: 1, ..StoreLimits::default() };
    dialogue_within(
        limits,
        "0 1 lock a 50           => 1 locked 1
         0 1 renew a 1 50 a 1 50 => 1 LimitReached: 2 locks to renew are above list_items_max, 1",
    );
}
