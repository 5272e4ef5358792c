//! Services as real processes: this binary is the tests, and a copy of it by another name the service.

mod app;
mod changing;
mod commands;
mod program;
mod reloading;
mod starting;
mod stopping;
mod supervising;

use libtest_mimic::{Arguments, Trial};
use std::process::ExitCode;

/// Each function as a test of its name.
macro_rules! tests {
    ($($module:ident: $($name:ident),+;)+) => {
        vec![$($(test(concat!(stringify!($module), "::", stringify!($name)), $module::$name)),+),+]
    };
}

fn main() -> ExitCode {
    if program::is_this() {
        return program::run();
    }
    let tests = tests! {
        starting: a_terminal_sees_what_was_started, nobody_has_to_read_what_is_printed, without_a_terminal_there_are_files,
            one_of_many_starts_wins, a_supervisor_that_was_killed_is_no_obstacle,
            a_port_in_use_is_said, what_does_not_start_leaves_nothing, what_does_not_start_is_said_soon,

            a_mistake_in_the_program_is_said, files_that_cannot_be_made_are_named, systemd_is_told, a_path_can_be_listened_at;
        supervising: a_killed_worker_is_replaced, a_callback_that_panics_ends_nothing,
            a_long_log_is_put_aside,
            a_program_that_is_gone_is_awaited, a_worker_that_exits_is_replaced,
            a_signal_to_a_worker_concerns_it_alone,
            who_leaves_by_itself_is_replaced_at_once, who_leaves_by_itself_and_hangs_is_killed,
            workers_without_a_supervisor_end,
            workers_run_as_whom_they_are_to, unknown_users_are_refused;
        reloading: each_process_is_replaced_and_no_connection_refused,
            sockets_of_their_own_are_kept, the_new_program_answers,
            a_program_that_does_not_start_changes_nothing, other_workers_need_a_restart,
            who_is_not_reloadable_only_hears_of_it, a_connection_can_take_its_time;
        changing: a_change_reloads_and_no_request_fails, a_new_program_is_reloaded_by_itself,
            without_a_terminal_changes_are_left_alone, a_path_that_is_not_there_is_said;
        stopping: signals_stop, a_connection_can_take_its_time_and_be_hurried,
            who_does_not_come_back_is_killed, a_second_signal_means_now, whoever_stops_what_stops_does_not_kill,
            who_is_starting_is_not_waited_for,
            what_does_not_come_up_can_be_stopped, a_restart_has_new_processes;
        commands: without_a_service_there_is_nothing_to_tell, what_is_not_understood_is_said,
            a_busy_process_says_with_what, connections_are_listed,
            a_status_is_shown_again_until_nobody_looks, a_doctor_finds_what_is_wrong,
            a_unit_names_the_program, a_part_that_is_not_its_own_is_not_played;
    };
    libtest_mimic::run(&Arguments::from_args(), tests).exit_code()
}

fn test(name: &str, test: fn()) -> Trial {
    Trial::test(name, move || {
        test();
        Ok(())
    })
}
