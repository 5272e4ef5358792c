//! `systemd`: a unit file for this program.

use super::Context;
use crate::exit::Exit;
use crate::log;

/// Prints the unit, to be written to `/etc/systemd/system`.
pub(super) fn systemd(context: &Context) -> Exit {
    log::print(&unit(context));
    Exit::Done
}

fn unit(context: &Context) -> String {
    let name = &context.program.name;
    let path = context.program.path.display();
    // As long as the slowest worker may take, and a little more.
    let workers = context.service.workers.iter();
    let options = &context.service.options;
    let timeout = workers.map(|worker| options.stop_timeout_of(worker.settings())).max();
    let stop_seconds = timeout.unwrap_or_default().as_secs() + 5;
    format!(
        "\
# {path} systemd > /etc/systemd/system/{name}.service
# systemctl daemon-reload && systemctl enable --now {name}

[Unit]
Description={name}
After=network-online.target
Wants=network-online.target

[Service]
Type=notify
ExecStart={path} start -q
ExecReload={path} reload
KillMode=mixed
TimeoutStopSec={stop_seconds}
Restart=on-failure
LimitNOFILE=102400

[Install]
WantedBy=multi-user.target
"
    )
}
