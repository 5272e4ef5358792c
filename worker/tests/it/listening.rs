//! Further addresses of a running process.

use crate::peer::Peer;
use std::cell::RefCell;
use std::rc::Rc;
use workyard_worker::protocols::Text;
use workyard_worker::{Address, Worker, embedded::serve_while};

#[test]
fn a_process_listens_at_further_addresses_until_it_stops() {
    let further: Rc<RefCell<Vec<Address>>> = Rc::default();
    let known = Rc::clone(&further);
    let worker = Worker::<Text>::bind("text://127.0.0.1:0")
        .on_worker_start(async move |worker| {
            for address in ["text://127.0.0.1:0", "tcp://[::1]:0"] {
                known.borrow_mut().push(worker.listen(address)?);
            }
            for (address, expected) in [
                ("frame://127.0.0.1:0", "does not go with the protocol text"),
                ("ssl://127.0.0.1:0", "TLS at all its addresses"),
                ("text://192.0.2.1:1", "assign requested address"),
            ] {
                let error = worker.listen(address).unwrap_err().to_string();
                assert!(error.contains(expected), "{error}");
            }
            Ok::<_, std::io::Error>(())
        })
        .on_message(async |connection, line| connection.send(line));
    let served = serve_while(worker, async |address| {
        let all = further.borrow().clone();
        for address in all.iter().chain([&address]) {
            let mut peer = Peer::connect(address).await;
            peer.send("hello\n").await;
            peer.sees("hello\n").await;
        }
        all
    });
    for address in served.unwrap() {
        assert!(std::net::TcpStream::connect(address.endpoint.to_string()).is_err());
    }
}
