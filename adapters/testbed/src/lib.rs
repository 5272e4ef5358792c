//! Real servers for the tests of the adapters, and what stands between them and their clients.
//!
//! A server runs on ports of 127.0.0.1 that are its own, with its data in a private folder. It ends
//! when it is dropped, and also when the process of the tests ends, however that comes about; its
//! folder goes with it. Nothing here returns an error: what cannot be done fails the test, with what
//! the server has printed.
//!
//! ```no_run
//! # use workyard_testbed::{Redis, Relay};
//! # async fn example() {
//! let mut redis = Redis::setup().password("secret").start().await;
//! let relay = Relay::to(redis.address()).await;
//! let url = redis.url_at(relay.address());
//! // ... a client connects there
//! relay.stall();
//! relay.pass();
//! redis.process.kill().await;
//! redis.process.start_again().await;
//! # }
//! ```
//!
//! A [`Service`] is an example of the adapter's own crate, whose workers are asked by HTTP.

mod authority;
mod cost;
mod dnsmasq;
mod folder;
mod keeper;
mod mariadb;
mod memcached;
mod mosquitto;
mod patience;
mod place;
mod port;
mod process;
mod program;
mod python;
mod rabbitmq;
mod ready;
mod redis;
mod relay;
mod service;
mod told;

pub use authority::{Authority, Identity};
pub use cost::Cost;
pub use dnsmasq::{Dnsmasq, DnsmasqSetup};
pub use mariadb::{MariaDb, MariaDbSetup};
pub use memcached::{Memcached, MemcachedSetup};
pub use mosquitto::{Mosquitto, MosquittoSetup};
pub use patience::{PATIENCE, eventually, eventually_blocking};
pub use place::Place;
pub use port::Port;
pub use process::Process;
pub use program::{Program, is_root};
pub use python::PythonPeer;
pub use rabbitmq::{RabbitMq, RabbitMqSetup};
pub use ready::Ready;
pub use redis::{Redis, RedisCluster, RedisSentinel, RedisSetup};
pub use relay::Relay;
pub use service::{Answer, Service};
pub use told::Told;
