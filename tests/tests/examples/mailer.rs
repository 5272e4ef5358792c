//! `mailer`: nothing is lost with a process that is killed.

use workyard_tests::{Program, Up};

#[test]
fn every_mail_is_sent_or_given_up_though_a_process_is_killed() {
    let up = Up::start();
    let program = up.environment(Program::built("mailer")).arguments(["--mails", "200"]);
    let exit = program.run();
    assert_eq!((exit.code, exit.stderr.as_str()), (Some(0), ""), "{exit:?}");
    assert_eq!(
        exit.stdout,
        "180 mails were sent, first with hello, then with good day\n\
         200 were enqueued twice and stored once\n\
         20 were given up after 3 attempts: no such mailbox\n\
         the leader was killed, and another process leads\n"
    );
    assert_eq!(up.ask("queue redrive example.mails"), "20\n");
}
