//! All connections.

use crate::orders::ConnectionStatus;
use crate::report::ProcessConnections;

const WIDTH: usize = 178;
const UNITS: [&str; 5] = ["B", "KB", "MB", "GB", "TB"];

/// The connections of all processes; a process that did not answer has a line of its own.
pub(crate) fn connections(processes: &[ProcessConnections]) -> String {
    let title = " WORKYARD CONNECTION STATUS ";
    let mut screen = format!("{}{title:-<1$}\n", "-".repeat(69), WIDTH - 69);
    screen += &line(
        ["PID", "Worker", "CID", "Trans", "Protocol", "ipv4", "ipv6"],
        ["Recv-Q", "Send-Q", "Bytes-R", "Bytes-W"],
        ["Status", "Local Address", "Foreign Address"],
    );
    for process in processes {
        match &process.connections {
            Some(connections) => {
                connections.iter().for_each(|connection| screen += &of(process, connection));
            }
            None => {
                screen += &format!("{:<9}{:<16}[busy]\n", process.pid, short(&process.name, 14));
            }
        }
    }
    screen
}

fn of(process: &ProcessConnections, connection: &ConnectionStatus) -> String {
    let is_v6 = connection.local.starts_with('[');
    let is_v4 = !is_v6 && connection.local.contains(':');
    let flag = |is: bool| if is { " 1" } else { " 0" };
    let sizes = [
        connection.receive_queue,
        connection.send_queue,
        connection.bytes_read,
        connection.bytes_written,
    ]
    .map(size);
    line(
        [
            &process.pid.to_string(),
            &short(&process.name, 14),
            &connection.id.to_string(),
            &connection.transport,
            &short(&connection.protocol, 15),
            flag(is_v4),
            flag(is_v6),
        ],
        [&sizes[0], &sizes[1], &sizes[2], &sizes[3]],
        [&connection.state, &connection.local, &connection.remote],
    )
}

fn line(
    [pid, worker, id, transport, protocol, v4, v6]: [&str; 7],
    sizes: [&str; 4],
    [state, local, remote]: [&str; 3],
) -> String {
    let [receive, send, read, written] = sizes;
    format!(
        "{pid:<9}{worker:<16}{id:<10}{transport:<8}{protocol:<16}{v4:<7}{v6:<7}{receive:<13}\
         {send:<13}{read:<13}{written:<13} {state:<14} {local:<22} {remote:<22}\n"
    )
}

/// At most so many characters, the last two of which say that there are more.
fn short(text: &str, characters_max: usize) -> String {
    if text.chars().count() <= characters_max {
        return text.to_owned();
    }
    text.chars().take(characters_max - 2).chain("..".chars()).collect()
}

#[expect(clippy::cast_precision_loss, reason = "one decimal is shown")]
fn size(bytes: u64) -> String {
    let mut number = bytes as f64;
    let mut unit = 0;
    while number > 1024.0 && unit + 1 < UNITS.len() {
        number /= 1024.0;
        unit += 1;
    }
    match unit {
        0 => format!("{bytes}B"),
        _ => format!("{number:.1}{}", UNITS[unit]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_columns_are_those_of_the_original() {
        let connection = |protocol: &str, local: &str, remote: &str| ConnectionStatus {
            id: 1,
            transport: "tcp".to_owned(),
            protocol: protocol.to_owned(),
            receive_queue: 0,
            send_queue: 1536,
            bytes_read: 9,
            bytes_written: 1024,
            state: "ESTABLISHED".to_owned(),
            local: local.to_owned(),
            remote: remote.to_owned(),
        };
        let process = |pid, name: &str, connections| ProcessConnections {
            pid,
            name: name.to_owned(),
            id: 0,
            connections,
        };
        let screen = connections(&[
            process(
                31704,
                "text_worker",
                Some(vec![connection("Text", "127.0.0.1:23201", "127.0.0.1:47530")]),
            ),
            process(
                31708,
                "noreload_very_long_name",
                Some(vec![connection("Frame", "[::1]:23202", "[::1]:48160")]),
            ),
            process(31709, "none", None),
        ]);
        let lines: Vec<&str> = screen.lines().collect();
        let expected = [
            "PID      Worker          CID       Trans   Protocol        ipv4   ipv6   Recv-Q       Send-Q       Bytes-R      Bytes-W       Status         Local Address          Foreign Address       ",
            "31704    text_worker     1         tcp     Text             1      0     0B           1.5KB        9B           1024B         ESTABLISHED    127.0.0.1:23201        127.0.0.1:47530       ",
            "31708    noreload_ver..  1         tcp     Frame            0      1     0B           1.5KB        9B           1024B         ESTABLISHED    [::1]:23202            [::1]:48160           ",
            "31709    none            [busy]",
        ];
        assert_eq!(lines[1..], expected);
    }
}
