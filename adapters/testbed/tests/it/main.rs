//! What the tests of the adapters stand on, tested itself.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod dnsmasq;
mod left;
mod mariadb;
mod memcached;
mod mosquitto;
mod process;
mod python;
mod rabbitmq;
mod redis;
mod relay;
mod secure;
