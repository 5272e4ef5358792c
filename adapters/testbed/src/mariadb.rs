//! MariaDB: a user over TCP, plain or with TLS, and root at a unix socket.

use crate::{Authority, Place, Process, Program, Ready, is_root};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::sync::OnceCell;

/// Who may do everything.
const USER: &str = "worker";
const PASSWORD: &str = "secret";

/// A MariaDB server.
#[derive(Debug)]
pub struct MariaDb {
    /// The process of it.
    pub process: Process,
    databases: AtomicU32,
}

/// How a MariaDB server is to be.
#[derive(Clone, Debug, Default)]
pub struct MariaDbSetup {
    tls: Option<Authority>,
    arguments: Vec<String>,
}

impl MariaDb {
    /// What to begin with: a user `worker` with the password `secret` who may do everything; small
    /// buffers; what was committed survives a kill of the server.
    #[must_use]
    pub fn setup() -> MariaDbSetup {
        MariaDbSetup::default()
    }

    /// Starts one as it is to begin with. It takes some seconds.
    pub async fn start() -> Self {
        Self::setup().start().await
    }

    /// The one of this process, as it is to begin with, for tests that leave it alone but for a
    /// database of their own.
    pub async fn shared() -> &'static Self {
        static SHARED: OnceCell<MariaDb> = OnceCell::const_new();
        SHARED.get_or_init(Self::start).await
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.process.place().address(0)
    }

    /// Its unix socket, where root of the database needs no password.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        socket(self.process.place())
    }

    /// Makes a new, empty database and returns its name.
    ///
    /// # Panics
    /// When the server is down.
    #[must_use]
    pub fn database(&self) -> String {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let _ = self.sql(&format!("CREATE DATABASE {name} CHARACTER SET utf8mb4"));
        name
    }

    /// The URL of a database for the user.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        self.url_at(self.address(), database)
    }

    /// The same for a relay at this address.
    #[must_use]
    pub fn url_at(&self, address: SocketAddr, database: &str) -> String {
        format!("mysql://{USER}:{PASSWORD}@{address}/{database}")
    }

    /// Has it carry out statements as root, past every relay, and returns the rows: fields with
    /// tabulators between them, rows with line breaks.
    ///
    /// # Panics
    /// When a statement fails.
    #[must_use]
    pub fn sql(&self, statements: &str) -> String {
        Program::new("mariadb")
            .arguments(["--no-defaults", "--batch", "--skip-column-names", "--user=root"])
            .argument(option("socket", socket(self.process.place())))
            .arguments(["--execute", statements])
            .output()
            .trim_end()
            .to_owned()
    }
}

impl MariaDbSetup {
    /// With TLS for those who ask for it; `--require-secure-transport` leaves them no choice.
    #[must_use]
    pub fn tls(mut self, authority: &Authority) -> Self {
        self.tls = Some(authority.clone());
        self
    }

    /// With a further argument, such as `--max-connections=5`.
    #[must_use]
    pub fn argument(mut self, argument: &str) -> Self {
        self.arguments.push(argument.to_owned());
        self
    }

    /// Starts it.
    pub async fn start(self) -> MariaDb {
        let process = Process::start(1, |place| self.program(place)).await;
        MariaDb { process, databases: AtomicU32::new(1) }
    }

    fn program(&self, place: &Place) -> Program {
        install(place);
        let users = format!(
            "CREATE USER IF NOT EXISTS '{USER}'@'%' IDENTIFIED BY '{PASSWORD}';\n\
             GRANT ALL ON *.* TO '{USER}'@'%' WITH GRANT OPTION;\n"
        );
        let mut program = common(Program::new("mariadbd"), place)
            .argument(option("socket", socket(place)))
            .argument(option("init-file", place.file("users.sql", users)))
            .argument(format!("--port={}", place.port(0)))
            .arguments([
                "--bind-address=127.0.0.1",
                "--skip-name-resolve",
                "--skip-log-bin",
                "--performance-schema=OFF",
                "--innodb-buffer-pool-size=16M",
                // Written when committed, but not to the disk.
                "--innodb-flush-log-at-trx-commit=2",
                "--innodb-fast-shutdown=2",
                "--character-set-server=utf8mb4",
            ])
            .ready(Ready::Prints("ready for connections"));
        if let Some(authority) = &self.tls {
            let server = authority.server();
            program = program
                .argument(option("ssl-ca", authority.certificate()))
                .argument(option("ssl-cert", server.certificate.clone()))
                .argument(option("ssl-key", server.key.clone()));
        }
        program.arguments(&self.arguments)
    }
}

/// Writes the tables that every server has.
fn install(place: &Place) {
    let _ = common(Program::new("mariadb-install-db"), place)
        .argument("--auth-root-authentication-method=normal")
        .argument("--skip-test-db")
        .output();
}

/// What both the server and its installation need.
fn common(program: Program, place: &Place) -> Program {
    let program = program
        .argument("--no-defaults")
        .argument(option("datadir", place.path("data")))
        .argument("--innodb-log-file-size=8M");
    // The installation takes a plain `--user` for a reason to change owners outside its folder.
    if is_root() { program.argument("--loose-user=root") } else { program }
}

fn option(name: &str, path: PathBuf) -> std::ffi::OsString {
    let mut option = std::ffi::OsString::from(format!("--{name}="));
    option.push(path);
    option
}

fn socket(place: &Place) -> PathBuf {
    place.path("mariadb.sock")
}
