//! The thread that starts every server: what it has started ends when it does.
//!
//! The system ties a process that asks for it to the thread that started it, not to the process. The
//! thread of a test ends with the test, that of a shared server's first user long before the last.

use std::io;
use std::process::{Child, Command};
use std::sync::LazyLock;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread;

static KEEPER: LazyLock<Sender<Order>> = LazyLock::new(|| {
    let (orders, received) = channel();
    let keeper = thread::Builder::new().name("keeper".to_owned());
    keeper.spawn(move || keep(&received)).expect("a thread can be started");
    orders
});

struct Order {
    command: Command,
    answer: SyncSender<io::Result<Child>>,
}

/// Starts what is to end with this process.
pub(crate) fn spawn(command: Command) -> io::Result<Child> {
    let (answer, answered) = sync_channel(1);
    KEEPER.send(Order { command, answer }).expect("the keeper lives as long as the process");
    answered.recv().expect("every order is answered")
}

fn keep(orders: &Receiver<Order>) {
    for mut order in orders {
        // Whoever has asked waits.
        let _ = order.answer.send(order.command.spawn());
    }
}
