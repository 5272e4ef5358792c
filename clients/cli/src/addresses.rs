//! Where the servers are: `--server`, then the environment, then the file, then the defaults.

use crate::args::Global;
use crate::exit::Usage;
use serde::Deserialize;
use std::path::PathBuf;

const CHANNEL: &str = "127.0.0.1:2206";
const GLOBALDATA: &str = "127.0.0.1:2207";

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct File {
    channel: Option<String>,
    globaldata: Option<Vec<String>>,
}

/// The address of channel-server.
pub(crate) fn channel(global: &Global) -> anyhow::Result<String> {
    // A file that is wrong is wrong, whether it is needed or not.
    let file = file(global)?;
    match global.server.as_slice() {
        [] => {}
        [address] => return Ok(address.clone()),
        _ => return Err(Usage("channel-server has one address, not several".to_owned()).into()),
    }
    if let Ok(address) = std::env::var("WORKYARD_CHANNEL") {
        return Ok(address);
    }
    Ok(file.channel.unwrap_or_else(|| CHANNEL.to_owned()))
}

/// The addresses of the globaldata servers, one unless they are sharded.
pub(crate) fn globaldata(global: &Global) -> anyhow::Result<Vec<String>> {
    let file = file(global)?;
    if !global.server.is_empty() {
        return Ok(global.server.clone());
    }
    if let Ok(addresses) = std::env::var("WORKYARD_GLOBALDATA") {
        return Ok(addresses.split(',').map(str::to_owned).collect());
    }
    Ok(file.globaldata.unwrap_or_else(|| vec![GLOBALDATA.to_owned()]))
}

/// The file named, or the user's own if there is one.
fn file(global: &Global) -> anyhow::Result<File> {
    let (path, must_exist) = match &global.config {
        Some(path) => (path.clone(), true),
        None => match own_file() {
            Some(path) => (path, false),
            None => return Ok(File::default()),
        },
    };
    match std::fs::read_to_string(&path) {
        Ok(text) => toml::from_str(&text)
            .map_err(|error| Usage(format!("{} is wrong: {error}", path.display())).into()),
        Err(_) if !must_exist => Ok(File::default()),
        Err(error) => Err(Usage(format!("cannot read {}: {error}", path.display())).into()),
    }
}

fn own_file() -> Option<PathBuf> {
    let folder = std::env::var_os("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".config")))?;
    Some(folder.join("workyard/workyard.toml"))
}
