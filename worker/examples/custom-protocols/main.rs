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
    let xml = Worker::<Xml>::bind("xml://127.0.0.1:2351")
        .name("xml")
        .on_message(async |connection, xml| connection.send(xml));
    let json = Worker::<JsonInt>::bind("jsonint://127.0.0.1:2352").name("json").on_message(
        async |connection, json| connection.send(serde_json::json!({ "received": json })),
    );
    let binary = Worker::<BinaryTransfer>::bind("binarytransfer://127.0.0.1:2353")
        .name("binary-transfer")
        .on_message(async |connection, file| {
            save(file).await.map(|path| connection.send(format!("saved as {}\n", path.display())))
        });
    let text = Worker::<TextTransfer>::bind("texttransfer://127.0.0.1:2354")
        .name("text-transfer")
        .on_message(async |connection, file| {
            save(file).await.map(|path| connection.send(format!("saved as {}\n", path.display())))
        });
    Service::new().with(xml).with(json).with(binary).with(text).run()
}

async fn save(file: File) -> Result<PathBuf, Box<dyn std::error::Error>> {
    let folder = std::env::var_os("TRANSFER_FOLDER").map_or_else(std::env::temp_dir, PathBuf::from);
    let path = folder.join(file.name);
    let to = path.clone();
    blocking(move || std::fs::write(to, file.content)).await??;
    Ok(path)
}
