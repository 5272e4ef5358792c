//! What the adapter costs on top of its driver: processor time per request, in turns within one run, against a server of
//! another process. `cargo run --release -p workyard-http --example http-overhead`.
#![expect(clippy::print_stdout, reason = "it is a program for people")]

use std::hint::black_box;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use workyard_http::{Http, reqwest};
use workyard_testbed::Cost;

const ROUNDS: usize = 60;
const REQUESTS: usize = 1_000;
const AT_ONCE: usize = 8;

fn main() -> anyhow::Result<()> {
    if std::env::args().nth(1).as_deref() == Some("serve") {
        return serve();
    }
    let mut server = Command::new(std::env::current_exe()?);
    let mut server = server.arg("serve").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let result = address(&mut server).and_then(|address| compare(&address));
    server.kill()?;
    server.wait()?;
    result
}

fn compare(address: &str) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let url = format!("http://{address}/");
    let http = Http::new()?;
    let bare = http.client()?;
    let by_driver = async || with_driver(&bare, &url).await;
    let by_adapter = async || with_adapter(&http, &url).await;
    let measured = Cost::measure(ROUNDS, REQUESTS * AT_ONCE, by_driver, by_adapter);
    println!("{AT_ONCE} at once: {}", runtime.block_on(measured)?);
    Ok(())
}

async fn with_driver(client: &reqwest::Client, url: &str) -> anyhow::Result<()> {
    let callers = (0..AT_ONCE).map(async |_| {
        for _ in 0..REQUESTS {
            black_box(client.get(url).send().await?.bytes().await?);
        }
        anyhow::Ok(())
    });
    futures_util::future::try_join_all(callers).await.map(drop)
}

async fn with_adapter(http: &Http, url: &str) -> anyhow::Result<()> {
    let callers = (0..AT_ONCE).map(async |_| {
        for _ in 0..REQUESTS {
            black_box(http.get(url).send().await?.into_bytes());
        }
        anyhow::Ok(())
    });
    futures_util::future::try_join_all(callers).await.map(drop)
}

fn address(server: &mut Child) -> anyhow::Result<String> {
    let printed = server.stdout.take().expect("it was asked for");
    let mut line = String::new();
    BufReader::new(printed).read_line(&mut line)?;
    Ok(line.trim_end().to_owned())
}

/// Answers each request with 1 KiB.
fn serve() -> anyhow::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("{}", listener.local_addr()?);
    std::io::stdout().flush()?;
    for stream in listener.incoming() {
        let stream = stream?;
        std::thread::spawn(move || answer(&stream));
    }
    Ok(())
}

fn answer(stream: &TcpStream) -> std::io::Result<()> {
    let response = format!("HTTP/1.1 200 OK\r\nContent-Length: 1024\r\n\r\n{}", "x".repeat(1024));
    stream.set_nodelay(true)?;
    let (mut reader, mut writer) = (BufReader::new(stream), stream);
    let mut line = String::new();
    while reader.read_line(&mut line)? > 0 {
        if line == "\r\n" {
            writer.write_all(response.as_bytes())?;
        }
        line.clear();
    }
    Ok(())
}
