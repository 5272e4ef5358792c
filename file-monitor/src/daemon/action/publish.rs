//! Changes as a message to a channel, so that workers elsewhere hear of them.

use super::changes_as_json;
use crate::change::ChangeSet;
use crate::daemon::config::PublishAction;
use workyard_channel::{ChannelClient, Encoding, Error};

/// A connection to channel-server, made when the first message is sent.
pub(super) struct Publisher {
    action: PublishAction,
    client: Option<ChannelClient>,
}

impl Publisher {
    pub(super) fn new(action: PublishAction) -> Self {
        Self { action, client: None }
    }

    pub(super) fn channel(&self) -> &str {
        &self.action.channel
    }

    pub(super) async fn publish(&mut self, set: &ChangeSet) -> Result<String, Error> {
        let client = match &mut self.client {
            Some(client) => client,
            empty => {
                let builder = ChannelClient::builder(self.action.server.as_str());
                empty.insert(builder.encoding(Encoding::Json).connect_lazy()?)
            }
        };
        let count = client.publish(&self.action.channel, &changes_as_json(set)).await?;
        Ok(format!("{count} subscribers were told"))
    }
}

impl std::fmt::Debug for Publisher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Publisher").field("action", &self.action).finish_non_exhaustive()
    }
}
