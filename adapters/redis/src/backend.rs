//! What requests are sent to: one server or the nodes of a cluster.

use crate::cluster::Cluster;
use crate::command::Request;
use crate::connection::Connection;
use crate::connector::Connector;
use crate::endpoint::Endpoint;
use crate::link::{Link, closed};
use crate::options::Topology;
use redis::{Cmd, Pipeline, Value};
use std::sync::Arc;
use workyard_adapter_kit::{Error, Guard};

/// The connection or connections that callers share, and the way to others.
#[derive(Clone)]
pub(crate) struct Backend {
    connector: Arc<Connector>,
    guard: Guard,
    shared: Shared,
}

#[derive(Clone)]
enum Shared {
    Link(Arc<Link>),
    Cluster(Arc<Cluster>),
}

impl Backend {
    pub(crate) fn new(connector: Connector, guard: &Guard) -> Result<Self, Error> {
        let connector = Arc::new(connector);
        let shared = match connector.settings().topology {
            Topology::Cluster(_) => Shared::Cluster(Cluster::new(&connector, guard.clone())?),
            _ => Shared::Link(Link::new(Arc::clone(&connector), guard.clone())),
        };
        Ok(Self { connector, guard: guard.clone(), shared })
    }

    pub(crate) fn connector(&self) -> &Arc<Connector> {
        &self.connector
    }

    pub(crate) fn guard(&self) -> &Guard {
        &self.guard
    }

    pub(crate) async fn send(&self, command: &Cmd, request: &Request) -> Result<Value, Error> {
        match &self.shared {
            Shared::Link(link) => link.send(command).await,
            Shared::Cluster(cluster) => Box::pin(cluster.send(command, request)).await,
        }
    }

    pub(crate) async fn send_pipeline(
        &self,
        pipeline: &Pipeline,
        offset: usize,
        count: usize,
    ) -> Result<Vec<Value>, Error> {
        match &self.shared {
            Shared::Link(link) => link.send_pipeline(pipeline, offset, count).await,
            Shared::Cluster(cluster) => {
                Box::pin(cluster.send_pipeline(pipeline, offset, count)).await
            }
        }
    }

    /// Where a connection of one's own is to go for this key; nothing where there is one server only.
    pub(crate) async fn node_of(&self, key: Option<&[u8]>) -> Result<Option<Endpoint>, Error> {
        match (&self.shared, key) {
            (Shared::Cluster(cluster), Some(key)) => cluster.node_of(key).await.map(Some),
            _ => Ok(None),
        }
    }

    /// A node has said that it is not the one for a key.
    pub(crate) fn forget_nodes(&self) {
        if let Shared::Cluster(cluster) = &self.shared {
            cluster.forget_nodes();
        }
    }

    /// A connection of one's own.
    pub(crate) async fn connect(&self, node: Option<&Endpoint>) -> Result<Connection, Error> {
        if self.guard.is_closed() {
            return Err(closed());
        }
        let made = match node {
            Some(node) => self.connector.connect_to(node).await,
            None => self.connector.connect().await,
        };
        match &made {
            Ok(_) => self.guard.connected(),
            Err(error) => {
                // Another one may have its keys by now.
                self.forget_nodes();
                self.guard.lost(&self.guard.placed(error.clone()));
            }
        }
        made
    }

    /// Closes what callers share.
    pub(crate) async fn close(&self) {
        match &self.shared {
            Shared::Link(link) => link.close(),
            Shared::Cluster(cluster) => cluster.close().await,
        }
    }

    /// The driver's connection, for what the adapter does not do.
    pub(crate) async fn driver(&self) -> Result<Option<redis::aio::MultiplexedConnection>, Error> {
        match &self.shared {
            Shared::Link(link) => Ok(Some(link.connection().await?.driver())),
            Shared::Cluster(_) => Ok(None),
        }
    }
}
