//! Four protocols of one's own, each with a worker that speaks it. Files are saved in the folder that
//! `TRANSFER_FOLDER` names, or else that of temporary files.

mod json;
mod transfer;
mod xml;

use json::JsonInt;
use std::path::PathBuf;
use std::process::ExitCode;
use transfer::{BinaryTransfer, File, TextTransfer};
use workyard_worker::{Service, Worker, blocking};
use xml::Xml;

fn main() -> ExitCode {
    let ports = std::env::var("PORTS").unwrap_or_else(|_| "2351,2352,2353,2354".to_owned());
    let mut ports = ports.split(',');
    let mut at = |scheme| format!("{scheme}://127.0.0.1:{}", ports.next().unwrap_or_default());
    let xml = Worker::<Xml>::bind(&at("xml"))
        .name("xml")
        .on_message(async |connection, xml| connection.send(xml));
    let json = Worker::<JsonInt>::bind(&at("jsonint")).name("json").on_message(
        async |connection, json| connection.send(serde_json::json!({ "received": json })),
    );
    let binary = Worker::<BinaryTransfer>::bind(&at("binarytransfer"))
        .name("binary-transfer")
        .on_message(async |connection, file| {
            save(file).await.map(|path| connection.send(format!("saved as {}\n", path.display())))
        });
    let text = Worker::<TextTransfer>::bind(&at("texttransfer")).name("text-transfer").on_message(
        async |connection, file| {
            save(file).await.map(|path| connection.send(format!("saved as {}\n", path.display())))
        },
    );
    Service::new().with(xml).with(json).with(binary).with(text).run()
}

async fn save(file: File) -> Result<PathBuf, Box<dyn std::error::Error>> {
    let folder = std::env::var_os("TRANSFER_FOLDER").map_or_else(std::env::temp_dir, PathBuf::from);
    let path = folder.join(file.name);
    let to = path.clone();
    blocking(move || std::fs::write(to, file.content)).await??;
    Ok(path)
}
