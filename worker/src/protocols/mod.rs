//! The protocols that are there already.

mod frame;
mod tcp;
mod text;

pub use frame::Frame;
pub use tcp::Tcp;
pub use text::Text;
