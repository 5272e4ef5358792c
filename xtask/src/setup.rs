//! What the gate needs on a machine: what is missing is installed, or named with the command to type.

use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::command::{Invocation, find};

/// Makes sure that everything the gate runs is there.
pub(crate) fn run(root: &Path) -> Result<()> {
    println!("==> set-up");
    debian_packages(root)?;
    rustup_components(root)?;
    cargo_tools(root)
}

/// A Debian package, and what proves it is there: a command, or the path of a file.
struct Package {
    name: &'static str,
    proof: &'static str,
    purpose: &'static str,
}

/// Where commands are that only root is expected to type, and that `PATH` may lack.
const SERVERS: &str = "/usr/sbin";

const PACKAGES: [Package; 14] = [
    Package {
        name: "chromium",
        proof: "chromium",
        purpose: "a page of the examples is opened in a browser",
    },
    Package {
        name: "dnsmasq-base",
        proof: "dnsmasq",
        purpose: "the tests of the dns adapter start it",
    },
    Package { name: "g++", proof: "c++", purpose: "the fuzz targets are linked with libFuzzer" },
    Package {
        name: "git",
        proof: "git",
        purpose: "cargo-deny fetches the list of known flaws with it, and tests check branches out",
    },
    Package {
        name: "mariadb-server",
        proof: "mariadbd",
        purpose: "the tests of the mysql adapter start it",
    },
    Package {
        name: "memcached",
        proof: "memcached",
        purpose: "the tests of the memcached adapter start it",
    },
    Package {
        name: "mosquitto",
        proof: "mosquitto",
        purpose: "the tests of the mqtt adapter start it",
    },
    Package {
        name: "mosquitto-clients",
        proof: "mosquitto_sub",
        purpose: "the tests of the mqtt adapter have it as a second client",
    },
    Package { name: "php-cli", proof: "php", purpose: "the tests run PHP programs" },
    Package {
        name: "python3-zmq",
        proof: "/usr/lib/python3/dist-packages/zmq/__init__.py",
        purpose: "the tests of the zeromq adapter have peers in Python",
    },
    Package {
        name: "rabbitmq-server",
        proof: "/usr/lib/rabbitmq/bin/rabbitmq-server",
        purpose: "the tests of the amqp and stomp adapters start it",
    },
    Package {
        name: "redis-server",
        proof: "redis-server",
        purpose: "the tests of the redis adapter start it",
    },
    Package { name: "rsync", proof: "rsync", purpose: "files are copied as users do" },
    Package { name: "vim", proof: "vim", purpose: "files are saved as users do" },
];

impl Package {
    fn is_installed(&self) -> bool {
        let path = Path::new(self.proof);
        if path.is_absolute() {
            return path.is_file();
        }
        find(self.proof).is_some() || Path::new(SERVERS).join(self.proof).is_file()
    }
}

/// A cargo subcommand, and the version that is installed where it is missing.
struct Tool {
    name: &'static str,
    version: &'static str,
}

const TOOLS: [Tool; 2] = [
    Tool { name: "cargo-deny", version: "0.20.2" },
    Tool { name: "cargo-fuzz", version: "0.13.2" },
];

/// A rustup component, and the command that proves it is there.
const COMPONENTS: [(&str, &str); 2] =
    [("clippy", "cargo clippy --version"), ("rustfmt", "cargo fmt --version")];

fn debian_packages(root: &Path) -> Result<()> {
    let missing: Vec<&Package> =
        PACKAGES.iter().filter(|package| !package.is_installed()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let [update, install] = installation(&missing);
    if find("apt-get").is_none() || !is_root(root) {
        bail!("{}", missing_packages(&missing, &install));
    }
    println!("installing {}", names(&missing));
    // Lists are empty in a fresh container and stale elsewhere. A list that cannot be had is no
    // failure by itself: the installation below tells.
    if let Err(error) = update.run(root) {
        eprintln!("warning: {error:#}");
    }
    install.run(root)
}

fn installation(packages: &[&Package]) -> [Invocation; 2] {
    let mut install = Invocation::new("apt-get install -y --no-install-recommends")
        .variable("DEBIAN_FRONTEND", "noninteractive");
    for package in packages {
        install = install.argument(package.name);
    }
    [Invocation::new("apt-get update"), install]
}

fn missing_packages(packages: &[&Package], install: &Invocation) -> String {
    let mut text = String::from("missing on this machine:\n");
    for package in packages {
        text.push_str(&format!(
            "  {} (Debian package {}): {}\n",
            package.proof, package.name, package.purpose
        ));
    }
    text.push_str(&format!("install it and run this again; on Debian, as root: {install}"));
    text
}

fn names(packages: &[&Package]) -> String {
    let names: Vec<&str> = packages.iter().map(|package| package.name).collect();
    names.join(" ")
}

fn is_root(root: &Path) -> bool {
    Invocation::new("id -u").captured(root).is_ok_and(|captured| captured.text.trim() == "0")
}

fn rustup_components(root: &Path) -> Result<()> {
    for (component, proof) in COMPONENTS {
        if !Invocation::new(proof).succeeds(root) {
            let add = Invocation::new("rustup component add").argument(component);
            println!("installing {component}");
            add.run(root).with_context(|| {
                format!("{component} is missing: install it with `{add}`, then run this again")
            })?;
        }
    }
    Ok(())
}

fn cargo_tools(root: &Path) -> Result<()> {
    for Tool { name, version } in TOOLS {
        if find(name).is_none() {
            let install =
                Invocation::new("cargo install --locked").argument(format!("{name}@{version}"));
            println!("installing {name} {version}: this takes minutes, once");
            install.run(root).with_context(|| {
                format!("{name} is missing: install it with `{install}`, then run this again")
            })?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str) -> &'static Package {
        PACKAGES.iter().find(|package| package.name == name).unwrap()
    }

    #[test]
    fn a_package_is_proven_by_a_command_or_by_a_file() {
        let installed = |proof| Package { name: "x", proof, purpose: "y" }.is_installed();
        assert!(installed("sh") && installed("/bin/sh"));
        assert!(
            !installed("no-such-program-of-ours") && !installed("/bin/no-such-program-of-ours")
        );
        // For root, and not in the search path of everybody.
        assert_eq!(installed("useradd"), Path::new("/usr/sbin/useradd").is_file());
    }

    #[test]
    fn packages_are_in_order() {
        assert!(PACKAGES.is_sorted_by_key(|package| package.name));
    }

    #[test]
    fn what_is_missing_is_named_with_its_purpose_and_one_command() {
        let missing = ["g++", "git"].map(package);
        let [_, install] = installation(&missing);
        assert_eq!(
            missing_packages(&missing, &install),
            "missing on this machine:\n  \
             c++ (Debian package g++): the fuzz targets are linked with libFuzzer\n  \
             git (Debian package git): cargo-deny fetches the list of known flaws with it, and tests \
             check branches out\n\
             install it and run this again; on Debian, as root: \
             DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends g++ git"
        );
    }
}
