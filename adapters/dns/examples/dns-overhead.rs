//! What the adapter costs on top of its driver: processor time per answer, in turns within one run, against a server of
//! another process, and for what is kept. `cargo run --release -p workyard-dns --example dns-overhead`.
#![expect(clippy::print_stdout, reason = "it is a program for people")]

use std::hint::black_box;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use workyard_dns::hickory_resolver::TokioResolver;
use workyard_dns::hickory_resolver::config::{
    ConnectionConfig, NameServerConfig, ResolverConfig, ResolverOpts,
};
use workyard_dns::hickory_resolver::net::runtime::TokioRuntimeProvider;
use workyard_dns::{Dns, Options, RecordType};
use workyard_testbed::Cost;

const ROUNDS: usize = 60;

fn main() -> anyhow::Result<()> {
    if std::env::args().nth(1).as_deref() == Some("serve") {
        return serve();
    }
    let mut server = Command::new(std::env::current_exe()?);
    let mut server = server.arg("serve").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let result = address(&mut server).and_then(|address| {
        compare("asked", &address, 0, 500)?;
        compare("kept", &address, 256, 20_000)
    });
    server.kill()?;
    server.wait()?;
    result
}

fn compare(what: &str, address: &str, cache_entries: usize, count: usize) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut options = Options::new(format!("dns://{address}"));
    options.hosts = false;
    options.cache_entries_max = cache_entries;
    let dns = Dns::with(options)?;
    let bare = driver(&dns, address.parse()?, cache_entries)?;
    let by_driver = async || with_driver(&bare, count).await;
    let by_adapter = async || with_adapter(&dns, count).await;
    let measured = Cost::measure(ROUNDS, count, by_driver, by_adapter);
    println!("{what:6} {}", runtime.block_on(measured)?);
    Ok(())
}

/// The same servers, asked by the driver alone, with its own cache.
fn driver(dns: &Dns, server: SocketAddr, cache_entries: usize) -> anyhow::Result<TokioResolver> {
    let mut options: ResolverOpts = dns.resolver().options().clone();
    options.cache_size = cache_entries as u64;
    let mut connection = ConnectionConfig::udp();
    connection.port = server.port();
    let server = NameServerConfig::new(server.ip(), true, vec![connection]);
    let config = ResolverConfig::from_name_servers(vec![server]);
    let runtime = TokioRuntimeProvider::default();
    Ok(TokioResolver::builder_with_config(config, runtime).with_options(options).build()?)
}

async fn with_driver(resolver: &TokioResolver, count: usize) -> anyhow::Result<()> {
    for _ in 0..count {
        black_box(Arc::new(resolver.lookup("shop.example.", RecordType::A).await?));
    }
    Ok(())
}

async fn with_adapter(dns: &Dns, count: usize) -> anyhow::Result<()> {
    for _ in 0..count {
        black_box(dns.lookup("shop.example.", RecordType::A).await?);
    }
    Ok(())
}

fn address(server: &mut Child) -> anyhow::Result<String> {
    let printed = server.stdout.take().expect("it was asked for");
    let mut line = String::new();
    BufReader::new(printed).read_line(&mut line)?;
    Ok(line.trim_end().to_owned())
}

/// Answers each question with one address that holds for an hour (RFC 1035, 4.1).
fn serve() -> anyhow::Result<()> {
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    println!("{}", socket.local_addr()?);
    std::io::stdout().flush()?;
    let mut datagram = [0; 512];
    loop {
        let (_, client) = socket.recv_from(&mut datagram)?;
        // The name ends with an empty label, after which its type and class stand.
        let name = datagram[12..].iter().position(|byte| *byte == 0).unwrap_or(0);
        let question = 12 + name + 5;
        let mut answer = datagram[..question].to_vec();
        answer[2] = 0x85;
        answer[3] = 0x80;
        answer[4..12].copy_from_slice(&[0, 1, 0, 1, 0, 0, 0, 0]);
        answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0x0e, 0x10, 0, 4, 192, 0, 2, 1]);
        socket.send_to(&answer, client)?;
    }
}
