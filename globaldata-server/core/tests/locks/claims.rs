//! How locks are held, waited for, passed on and given back.

use crate::room::dialogue;

#[test]
fn one_holds_it_and_the_others_do_not() {
    dialogue(
        "0 1 lock a 100      => 1 locked 1
         0 2 lock a 100      => 2 busy
         0 1 lock a 100      => 1 busy
         0 2 lock b 100      => 2 locked 2
         5 1 unlock a 1      => 1 unlocked
         5 2 lock a 100      => 2 locked 3
         5 1 unlock a 1      => 1 had it not
         5 2 unlock a 3      => 2 unlocked
         5 2 unlock b 2      => 2 unlocked",
    )
    .assert_empty();
}

#[test]
fn those_who_wait_are_served_in_their_order() {
    dialogue(
        "0 1 lock a 100      => 1 locked 1
         0 2 lock a 100 wait => 2 queued 2
         0 3 lock a 100 wait => 3 queued 3
         0 1 lock a 100 wait => 1 queued 4
         0 4 lock a 100      => 4 busy
         1 1 unlock a 1      => 1 unlocked, 2! granted 2
         2 2 unlock a 2      => 2 unlocked, 3! granted 3
         3 3 unlock a 3      => 3 unlocked, 1! granted 4
         4 1 unlock a 4      => 1 unlocked",
    )
    .assert_empty();
}

#[test]
fn who_gives_up_waiting_is_passed_over() {
    dialogue(
        "0 1 lock a 100      => 1 locked 1
         0 2 lock a 100 wait => 2 queued 2
         0 3 lock a 100 wait => 3 queued 3
         0 3 unlock a 2      => 3 had it not
         0 2 unlock a 2      => 2 unlocked
         0 2 unlock a 2      => 2 had it not
         1 1 unlock a 1      => 1 unlocked, 3! granted 3
         2 3 unlock a 3      => 3 unlocked",
    )
    .assert_empty();
}

#[test]
fn nobody_unlocks_for_another_nor_by_another_name() {
    dialogue(
        "0 1 lock a 100      => 1 locked 1
         0 1 lock b 100      => 1 locked 2
         0 2 unlock a 1      => 2 had it not
         0 1 unlock b 1      => 1 had it not
         0 1 unlock c 1      => 1 had it not
         0 2 lock a 100      => 2 busy",
    );
}

#[test]
fn a_semaphore_has_so_many_holders_and_each_who_waits_gets_the_next_permit() {
    dialogue(
        "0 1 lock s 100 of 2      => 1 locked 1
         0 1 lock s 100 of 2      => 1 locked 2
         0 2 lock s 100 of 2      => 2 busy
         0 2 lock s 100 of 2 wait => 2 queued 3
         0 3 lock s 100 of 2 wait => 3 queued 4
         1 1 unlock s 2           => 1 unlocked, 2! granted 3
         1 1 unlock s 1           => 1 unlocked, 3! granted 4
         2 1 lock s 100 of 2      => 1 busy
         2 2 unlock s 3           => 2 unlocked
         2 1 lock s 100 of 2      => 1 locked 5",
    );
}

#[test]
fn all_name_the_same_number_of_permits_while_it_is_in_use() {
    let differ = "PermitsDiffer: the lock \"s\" has 2 permits while it is in use, and this asks for one \
                  of 3: all who share a lock must name the same number";
    dialogue(&format!(
        "0 1 lock s 100 of 2      => 1 locked 1
         0 2 lock s 100 of 3 wait => 2 {differ}
         0 2 lock s 100 of 2      => 2 locked 2
         0 1 unlock s 1           => 1 unlocked
         0 1 lock s 100 of 3      => 1 {differ}
         0 2 unlock s 2           => 2 unlocked
         0 1 lock s 100 of 3      => 1 locked 3"
    ));
}

#[test]
fn a_session_that_ends_leaves_neither_a_lock_nor_a_wish_behind() {
    dialogue(
        "0 1 lock a 100      => 1 locked 1
         0 1 lock b 100      => 1 locked 2
         0 2 lock b 100 wait => 2 queued 3
         0 2 lock a 100 wait => 2 queued 4
         0 1 lock a 100 wait => 1 queued 5
         0 3 lock a 100 wait => 3 queued 6
         1 1 close           => 2! granted 4, 2! granted 3
         1 2 close           => 3! granted 6
         1 3 close           =>",
    )
    .assert_empty();
}

#[test]
fn a_session_that_ends_is_not_served_by_its_own_end() {
    dialogue(
        "0 1 lock a 100      => 1 locked 1
         0 1 lock a 100 wait => 1 queued 2
         0 1 lock a 100 wait => 1 queued 3
         1 1 close           =>",
    )
    .assert_empty();
}

#[test]
fn names_of_locks_and_keys_have_nothing_to_do_with_each_other() {
    let mut room = dialogue("0 1 lock a 100 => 1 locked 1");
    assert_eq!(room.store.census().keys, 0);
    room.hold("0 1 unlock a 1 => 1 unlocked");
}
