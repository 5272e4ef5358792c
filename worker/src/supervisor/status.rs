//! What the supervisor tells of its service: it asks each process, and waits a second for the answers.

use super::Supervisor;
use super::process::Process;
use crate::address::Transport;
use crate::messages::{Busy, Reply};
use crate::process::user_of;
use crate::report::{
    Exits, ProcessConnections, ProcessState, ProcessStatus, ServiceStatus, WorkerLine,
};
use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, UNIX_EPOCH};
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

const ANSWER_WAIT: Duration = Duration::from_secs(1);

impl Supervisor {
    /// Answers with how all are.
    pub(super) fn report_status(&mut self, reply: oneshot::Sender<Reply>) {
        let mut report = self.service_status();
        let mut questions = Vec::new();
        for process in by_pid(&mut self.processes) {
            let worker = process.place.worker;
            report.processes.push(ProcessStatus {
                pid: process.pid,
                name: self.settings[worker].name.clone(),
                id: process.place.id,
                listen: self.sockets.shown(worker).map(str::to_owned),
                state: state(process),
                busy: None,
                memory_bytes: None,
                worker: None,
            });
            questions.push((process.ask_status(), Rc::clone(&process.busy)));
        }
        let deadline = Instant::now() + ANSWER_WAIT;
        tokio::task::spawn_local(async move {
            for (process, (question, busy)) in report.processes.iter_mut().zip(questions) {
                match timeout_at(deadline, question).await {
                    Ok(Ok(answer)) => {
                        process.memory_bytes = Some(answer.memory_bytes);
                        process.worker = Some(answer.worker);
                    }
                    _ => note_busy(process, &busy),
                }
            }
            let _ = reply.send(Reply::Status(report));
        });
    }

    /// Answers with who is connected to which process.
    pub(super) fn report_connections(&mut self, reply: oneshot::Sender<Reply>) {
        let mut report = Vec::new();
        for process in by_pid(&mut self.processes) {
            let name = self.settings[process.place.worker].name.clone();
            let (pid, id) = (process.pid, process.place.id);
            let process_report = ProcessConnections { pid, name, id, connections: None };
            report.push((process_report, process.ask_connections()));
        }
        let deadline = Instant::now() + ANSWER_WAIT;
        tokio::task::spawn_local(async move {
            let mut processes = Vec::new();
            for (mut process, question) in report {
                process.connections =
                    timeout_at(deadline, question).await.ok().and_then(Result::ok);
                processes.push(process);
            }
            let _ = reply.send(Reply::Connections(processes));
        });
    }

    /// All but the processes.
    pub(super) fn service_status(&self) -> ServiceStatus {
        let began_at = self.began_at.duration_since(UNIX_EPOCH).unwrap_or_default();
        let workers = self.settings.iter().enumerate().map(|(worker, settings)| WorkerLine {
            name: settings.name.clone(),
            transport: self
                .sockets
                .address(worker)
                .map_or(Transport::Tcp, |address| address.transport)
                .name()
                .to_owned(),
            listen: self.sockets.shown(worker).map(str::to_owned),
            user: user_of(settings),
            count: settings.count,
            exits: self.exits_of(worker),
        });
        ServiceStatus {
            name: self.program.name.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: std::process::id(),
            daemon: self.audience.is_daemon(),
            started_at: began_at.as_secs(),
            load_average: load_average(),
            workers: workers.collect(),
            processes: Vec::new(),
        }
    }

    fn exits_of(&self, worker: usize) -> Vec<Exits> {
        let exits = self.exits.iter().filter(|((of, _), _)| *of == worker);
        exits.map(|((_, status), count)| Exits { status: status.clone(), count: *count }).collect()
    }
}

fn by_pid(processes: &mut std::collections::BTreeMap<super::Token, Process>) -> Vec<&mut Process> {
    let mut processes: Vec<&mut Process> = processes.values_mut().collect();
    processes.sort_by_key(|process| process.pid);
    processes
}

fn state(process: &Process) -> ProcessState {
    match (process.leaving || process.accepts_no_more, process.ready) {
        (true, _) => ProcessState::Leaving,
        (false, true) => ProcessState::Idle,
        (false, false) => ProcessState::Starting,
    }
}

fn note_busy(process: &mut ProcessStatus, busy: &RefCell<Option<Busy>>) {
    process.state = match process.state {
        ProcessState::Idle => ProcessState::Busy,
        other => other,
    };
    process.busy = busy.borrow().as_ref().map(Busy::text);
}

/// Of the last 1, 5 and 15 minutes.
fn load_average() -> [f64; 3] {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let mut numbers = text.split_whitespace().map(|number| number.parse().unwrap_or_default());
    std::array::from_fn(|_| numbers.next().unwrap_or_default())
}
