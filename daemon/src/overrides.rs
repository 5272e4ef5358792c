//! Settings of an engine, each of which may be missing: as flags, environment and keys of a file.

use clap::Args;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Debug;

/// A set of settings of which each may be missing. Made by [`crate::overrides`].
pub trait Overrides:
    Args + Clone + Debug + Default + Serialize + DeserializeOwned + Send + 'static
{
    /// Takes from `lower` what is missing here.
    #[must_use]
    fn or(self, lower: Self) -> Self;

    /// Fills in the defaults.
    #[must_use]
    fn effective(self) -> Self;
}

/// Defines a set of settings that override the fields of a struct with defaults; and, behind `beside`,
/// settings that the struct has no fields for.
///
/// ```
/// #[derive(Default)]
/// pub struct Bounds {
///     pub jobs_max: usize,
/// }
///
/// workyard_daemon::overrides! {
///     /// The bounds, each of which may be missing.
///     pub struct Limits overrides Bounds {
///         /// Jobs at most
///         jobs_max: usize = "COUNT",
///     }
/// }
/// assert_eq!(Limits { jobs_max: Some(3) }.resolve(Bounds::default()).jobs_max, 3);
/// ```
#[macro_export]
macro_rules! overrides {
    (
        $(#[$doc:meta])*
        pub struct $Name:ident overrides $Target:ty {
            $($(#[$field_doc:meta])* $field:ident: $Type:ty = $unit:literal,)*
        }
        $(beside {
            $($(#[$other_doc:meta])* $other:ident: $Other:ty = $other_unit:literal,)*
        })?
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default, ::clap::Args, ::serde::Serialize, ::serde::Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct $Name {
            $(
                $(#[$field_doc])*
                #[arg(long, value_name = $unit)]
                pub $field: Option<$Type>,
            )*
            $($(
                $(#[$other_doc])*
                #[arg(long, value_name = $other_unit)]
                #[serde(skip_serializing_if = "Option::is_none")]
                pub $other: Option<$Other>,
            )*)?
        }

        impl $Name {
            /// The target's values with what is set here in their place.
            #[must_use]
            pub fn resolve(&self, mut target: $Target) -> $Target {
                $(
                    if let Some(value) = self.$field {
                        target.$field = value;
                    }
                )*
                target
            }
        }

        impl $crate::Overrides for $Name {
            fn or(self, lower: Self) -> Self {
                Self {
                    $($field: self.$field.or(lower.$field),)*
                    $($($other: self.$other.or(lower.$other),)*)?
                }
            }

            fn effective(self) -> Self {
                let target = self.resolve(<$Target>::default());
                Self {
                    $($field: Some(target.$field),)*
                    $($($other: self.$other,)*)?
                }
            }
        }
    };
}
