//! How all processes are.

use super::{EVENT_LOOP, longest, or_none, versions};
use crate::report::{ProcessState, ProcessStatus, ServiceStatus};
use std::collections::HashMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const WIDTH_MIN: usize = 8;
const MEBIBYTE: f64 = 1024.0 * 1024.0;
const DASHES_BEFORE: usize = 51;
const WIDTH: usize = 121;

/// The service, how its processes ended, and those that run; with requests per second by pid.
pub(crate) fn status(status: &ServiceStatus, rates: &HashMap<u32, u64>) -> String {
    let mut screen = rule("GLOBAL STATUS") + &versions(&status.version) + &since(status);
    let (workers, processes) = (status.workers.len(), status.processes.len());
    screen += &format!("{workers} workers    {processes} processes\n");
    screen += &exits(status);
    screen += &rule("PROCESS STATUS");
    screen + &Table::new(status).print(&status.processes, rates)
}

fn rule(title: &str) -> String {
    format!("{}{title:-<1$}\n", "-".repeat(DASHES_BEFORE), WIDTH - DASHES_BEFORE)
}

fn since(status: &ServiceStatus) -> String {
    let began = UNIX_EPOCH + Duration::from_secs(status.started_at);
    let runs = SystemTime::now().duration_since(began).unwrap_or_default().as_secs();
    let (days, hours) = (runs / 86_400, runs % 86_400 / 3600);
    let began = humantime::format_rfc3339_seconds(began).to_string();
    let began = began.replace('T', " ");
    let [one, five, fifteen] = status.load_average.map(|load| (load * 100.0).round() / 100.0);
    format!(
        "start time:{}   run {days} days {hours} hours   load average: {one}, {five}, {fifteen}\n",
        began.trim_end_matches('Z'),
    )
}

fn exits(status: &ServiceStatus) -> String {
    let width = longest(status.workers.iter().map(|worker| worker.name.as_str())) + 5;
    let mut table =
        format!("{:<width$}{:<15}{:<16}exit_count\n", "name", "event-loop", "exit_status");
    for worker in &status.workers {
        let mut line = |status: &str, count: u64| {
            let name = &worker.name;
            table += &format!("{name:<width$}{EVENT_LOOP:<15}{status:<16}{count:<16}\n");
        };
        match worker.exits.is_empty() {
            true => line("0", 0),
            false => worker.exits.iter().for_each(|exits| line(&exits.status, exits.count)),
        }
    }
    table
}

/// The columns whose widths depend on what is in them.
struct Table {
    listen: usize,
    name: usize,
}

impl Table {
    fn new(status: &ServiceStatus) -> Self {
        let of = |column: fn(&ProcessStatus) -> &str| {
            longest(status.processes.iter().map(column)).max(WIDTH_MIN)
        };
        let listen = of(|process| or_none(process.listen.as_ref())).max("listening".len());
        Self { listen, name: of(|process| &process.name) }
    }

    fn print(&self, processes: &[ProcessStatus], rates: &HashMap<u32, u64>) -> String {
        let titles = ["connections", "send_fail", "timers", "total_request", "qps"];
        let titles = titles.map(str::to_owned);
        let mut table = self.line("pid", "memory", ["listening", "name"], &titles, "status");
        for process in processes {
            table += &self.process(process, rates.get(&process.pid).copied().unwrap_or(0));
        }
        table + &rule("PROCESS STATUS") + &self.summary(processes, rates)
    }

    fn process(&self, process: &ProcessStatus, rate: u64) -> String {
        let memory = process.memory_bytes.map_or("N/A".to_owned(), mebibytes);
        let numbers = match &process.worker {
            Some(worker) => {
                let timers = worker.timers;
                [worker.connections, worker.send_fail, timers, worker.total_request, rate]
                    .map(|number| number.to_string())
            }
            None => std::array::from_fn(|_| "N/A".to_owned()),
        };
        let listen = or_none(process.listen.as_ref());
        let names = [listen, process.name.as_str()];
        self.line(&process.pid.to_string(), &memory, names, &numbers, &state(process))
    }

    fn summary(&self, processes: &[ProcessStatus], rates: &HashMap<u32, u64>) -> String {
        let workers = || processes.iter().filter_map(|process| process.worker.as_ref());
        let memory = processes.iter().filter_map(|process| process.memory_bytes).sum();
        let numbers = [
            workers().map(|worker| worker.connections).sum::<u64>(),
            workers().map(|worker| worker.send_fail).sum(),
            workers().map(|worker| worker.timers).sum(),
            workers().map(|worker| worker.total_request).sum(),
            rates.values().sum(),
        ];
        let numbers = numbers.map(|number| number.to_string());
        self.line("Summary", &mebibytes(memory), ["-", "-"], &numbers, "[Summary]")
    }

    fn line(
        &self,
        pid: &str,
        memory: &str,
        [listen, name]: [&str; 2],
        [connections, send_fail, timers, total, rate]: &[String; 5],
        state: &str,
    ) -> String {
        let (listen_width, name_width) = (self.listen, self.name);
        format!(
            "{pid}\t{memory:<7} {listen:<listen_width$} {name:<name_width$} {connections:<11} \
             {send_fail:<9} {timers:<7} {total:<13} {rate:<6} {state}\n"
        )
    }
}

fn state(process: &ProcessStatus) -> String {
    let state = match process.state {
        ProcessState::Starting => "[starting]",
        ProcessState::Idle => "[idle]",
        ProcessState::Busy => "[busy]",
        ProcessState::Leaving => "[leaving]",
    };
    match &process.busy {
        Some(busy) => format!("{state} {busy}"),
        None => state.to_owned(),
    }
}

#[expect(clippy::cast_precision_loss, reason = "two decimals are shown")]
fn mebibytes(bytes: u64) -> String {
    format!("{:.2}M", bytes as f64 / MEBIBYTE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::orders::WorkerStatus;
    use crate::report::{Exits, WorkerLine};

    fn worker(name: &str, exits: Vec<Exits>) -> WorkerLine {
        WorkerLine {
            name: name.to_owned(),
            transport: "tcp".to_owned(),
            listen: None,
            user: "root".to_owned(),
            count: 1,
            exits,
        }
    }

    fn process(pid: u32, listen: &str, name: &str) -> ProcessStatus {
        ProcessStatus {
            pid,
            name: name.to_owned(),
            id: 0,
            listen: (listen != "none").then(|| listen.to_owned()),
            state: ProcessState::Idle,
            busy: None,
            memory_bytes: Some(1_111_491),
            worker: Some(WorkerStatus { connections: 1, timers: 2, ..WorkerStatus::default() }),
        }
    }

    /// The screen of the original, but for the states of ours.
    #[test]
    fn the_columns_are_those_of_the_original() {
        let exits = Exits { status: "SIGKILL".to_owned(), count: 1 };
        let busy = ProcessStatus {
            state: ProcessState::Busy,
            busy: Some("on_message of connection 7 for 12 s".to_owned()),
            memory_bytes: None,
            worker: None,
            ..process(31753, "text://127.0.0.1:23201", "text_worker")
        };
        let status = ServiceStatus {
            name: "app".to_owned(),
            version: "1.0.0".to_owned(),
            pid: 1,
            daemon: true,
            started_at: 0,
            load_average: [0.03, 0.4, 0.957],
            workers: vec![
                worker("text_worker", vec![exits]),
                worker("noreload_very_long_name", vec![]),
            ],
            processes: vec![
                process(31706, "frame://127.0.0.1:23202", "noreload_very_long_name"),
                process(31707, "unix:///run/workyard.sock", "none"),
                busy,
            ],
        };
        let screen = super::status(&status, &HashMap::from([(31706, 5)]));
        let lines: Vec<&str> = screen.lines().collect();
        let (before, after) = ("-".repeat(51), "-".repeat(57));
        assert_eq!(lines[0], format!("{before}GLOBAL STATUS{after}"));
        assert!(lines[2].starts_with("start time:1970-01-01 00:00:00   run "), "{}", lines[2]);
        assert!(lines[2].ends_with("hours   load average: 0.03, 0.4, 0.96"), "{}", lines[2]);
        let expected = [
            "2 workers    3 processes",
            "name                        event-loop     exit_status     exit_count",
            "text_worker                 epoll          SIGKILL         1               ",
            "noreload_very_long_name     epoll          0               0               ",
        ];
        assert_eq!(lines[3..7], expected);
        let expected = [
            "pid\tmemory  listening                 name                    connections send_fail timers  total_request qps    status",
            "31706\t1.06M   frame://127.0.0.1:23202   noreload_very_long_name 1           0         2       0             5      [idle]",
            "31707\t1.06M   unix:///run/workyard.sock none                    1           0         2       0             0      [idle]",
            "31753\tN/A     text://127.0.0.1:23201    text_worker             N/A         N/A       N/A     N/A           N/A    [busy] on_message of connection 7 for 12 s",
        ];
        assert_eq!(lines[8..12], expected);
        assert_eq!(
            lines[13],
            "Summary\t2.12M   -                         -                       2           0         4       0             5      [Summary]"
        );
    }
}
