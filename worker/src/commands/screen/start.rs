//! What was started.

use super::{EVENT_LOOP, longest, or_none, rule, versions};
use crate::report::ServiceStatus;

const TITLES: [&str; 7] = ["event-loop", "proto", "user", "worker", "listen", "count", "state"];
/// The last column is not as wide as its text wants.
const STATE_WIDTH: usize = 17;
const WIDTH_MIN: usize = 8;
const GAP: usize = 4;

/// The workers of a service that serves now.
pub(crate) fn start(status: &ServiceStatus) -> String {
    let rows: Vec<[String; 6]> = status
        .workers
        .iter()
        .map(|worker| {
            [
                EVENT_LOOP.to_owned(),
                worker.transport.clone(),
                worker.user.clone(),
                worker.name.clone(),
                or_none(worker.listen.as_ref()).to_owned(),
                worker.count.to_string(),
            ]
        })
        .collect();
    let widths: [usize; 6] = std::array::from_fn(|column| {
        longest(rows.iter().map(|row| row[column].as_str())).max(WIDTH_MIN) + GAP
    });
    let width = widths.iter().sum::<usize>() + STATE_WIDTH;
    let mut screen = rule(" WORKYARD ", width) + &versions(&status.version);
    screen += &rule(" WORKERS ", width);
    for (title, width) in TITLES.iter().zip(widths) {
        screen += &format!("{title:<width$}");
    }
    screen += &format!("{:<STATE_WIDTH$}\n", TITLES[6]);
    for row in &rows {
        for (text, width) in row.iter().zip(widths) {
            screen += &format!("{text:<width$}");
        }
        screen += &format!("{:<STATE_WIDTH$}\n", " [OK]");
    }
    screen += &"-".repeat(width);
    screen += &match status.daemon {
        true => format!("\nInput \"{} stop\" to stop. Start success.\n", status.name),
        false => "\nPress Ctrl+C to stop. Start success.\n".to_owned(),
    };
    screen
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::WorkerLine;

    /// The screen of the original, but for what the second line tells and the name.
    #[test]
    fn the_columns_are_those_of_the_original() {
        let worker = |name: &str, transport: &str, listen: Option<&str>, count| WorkerLine {
            name: name.to_owned(),
            transport: transport.to_owned(),
            listen: listen.map(str::to_owned),
            user: "root".to_owned(),
            count,
            exits: Vec::new(),
        };
        let status = ServiceStatus {
            name: "app".to_owned(),
            version: "1.0.0".to_owned(),
            pid: 1,
            daemon: true,
            started_at: 0,
            load_average: [0.0; 3],
            workers: vec![
                worker("text_worker", "tcp", Some("text://127.0.0.1:23201"), 2),
                worker("noreload_very_long_name", "tcp", Some("frame://127.0.0.1:23202"), 1),
                worker("none", "tcp", None, 1),
                worker("none", "unix", Some("unix:///run/workyard.sock"), 1),
            ],
            processes: Vec::new(),
        };
        let screen = start(&status);
        let lines: Vec<&str> = screen.lines().collect();
        let dashes = "-".repeat(56);
        assert_eq!(lines[2], format!("{dashes} WORKERS {dashes}"));
        let expected = [
            "event-loop  proto       user        worker                     listen                       count       state            ",
            "epoll       tcp         root        text_worker                text://127.0.0.1:23201       2            [OK]            ",
            "epoll       tcp         root        noreload_very_long_name    frame://127.0.0.1:23202      1            [OK]            ",
            "epoll       tcp         root        none                       none                         1            [OK]            ",
            "epoll       unix        root        none                       unix:///run/workyard.sock    1            [OK]            ",
        ];
        assert_eq!(lines[3..8], expected);
        assert_eq!(
            lines[8..],
            ["-".repeat(121).as_str(), "Input \"app stop\" to stop. Start success."]
        );
    }
}
