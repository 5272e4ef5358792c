//! Batches that depend on a lock: they happen while it is held with that token, and not a moment longer.

use crate::room::dialogue;

fn fenced(name: &str, token: u64, present: &str) -> String {
    format!("Fenced: the lock {name:?} is not held with token {token}: {present}")
}

#[test]
fn a_fenced_batch_happens_while_the_lock_is_held_by_whomever() {
    dialogue(
        "0  1 lock a 50   => 1 locked 1
         49 1 fenced a 1  => 1 counted 2
         49 2 fenced a 1  => 2 counted 4",
    );
}

/// The timer has not come to it yet.
#[test]
fn it_does_not_from_the_instant_on_at_which_the_lock_is_lost() {
    let nobody = fenced("a", 1, "nobody holds it now");
    dialogue(&format!(
        "0  1 lock a 50   => 1 locked 1
         50 1 fenced a 1  => 1 {nobody}
         50 1 get         => 1 got nothing"
    ));
}

#[test]
fn a_late_holder_is_told_who_holds_it_now() {
    let next = fenced("a", 1, "it is held with token 2 now");
    let not_yet = fenced("a", 2, "it is held with token 1 now");
    dialogue(&format!(
        "0  1 lock a 50      => 1 locked 1
         0  2 lock a 50 wait => 2 queued 2
         0  2 fenced a 2     => 2 {not_yet}
         50 0 expire         => 1! lost 1, 2! granted 2
         51 2 fenced a 2     => 2 counted 2
         52 1 fenced a 1     => 1 {next}
         52 1 get            => 1 got 2"
    ));
}

#[test]
fn whoever_gave_it_back_or_left_holds_it_no_more() {
    let nobody = |token| fenced("a", token, "nobody holds it now");
    let (first, second) = (nobody(1), nobody(2));
    dialogue(&format!(
        "0 1 lock a 50  => 1 locked 1
         0 1 unlock a 1 => 1 unlocked
         0 1 fenced a 1 => 1 {first}
         0 1 lock a 50  => 1 locked 2
         0 1 close      =>
         0 2 fenced a 2 => 2 {second}"
    ));
}

#[test]
fn each_holder_of_a_semaphore_may_write() {
    let third = fenced("s", 3, "it is held with token 2 now");
    dialogue(&format!(
        "0 1 lock s 50 of 2      => 1 locked 1
         0 2 lock s 50 of 2      => 2 locked 2
         0 3 lock s 50 of 2 wait => 3 queued 3
         0 1 fenced s 1          => 1 counted 2
         0 2 fenced s 2          => 2 counted 4
         0 3 fenced s 3          => 3 {third}"
    ));
}
