//! What clients can do with instances: starting, watching, stopping, rewinding, purging, listing.
//! Each comment names the rule that the test stands for.

/// Makes a test in every setting of every function named, each of which takes a fresh `Site`.
macro_rules! everywhere {
    ($($test:ident),+ $(,)?) => {
        mod memory {
            everywhere!(@in Memory: $($test),+);
        }
        mod evicting {
            everywhere!(@in Evicting: $($test),+);
        }
        mod sqlite_file {
            everywhere!(@in SqliteFile: $($test),+);
        }
    };
    (@in $setting:ident: $($test:ident),+) => { $(
        #[tokio::test]
        async fn $test() {
            crate::support::run(crate::support::Setting::$setting, super::$test).await;
        }
    )+ };
}

/// Makes a test in virtual time of every function named, each of which takes a host and the bench of its
/// activities. It is run on a host that keeps everything in memory and on one that crashes after every commit.
macro_rules! in_virtual_time {
    ($($test:ident),+ $(,)?) => {
        mod virtual_time { $(
            #[test]
            fn $test() {
                crate::support::calm_and_crashing(super::$test);
            }
        )+ }
    };
}

mod events;
mod functions;
#[path = "../hosts/mod.rs"]
mod hosts;
mod listing;
mod outages;
mod outside;
mod purging;
mod restarting;
mod rewinding;
mod rewinding_children;
mod rewinding_poison;
mod starting;
mod statuses;
mod stopping;
mod storm;
mod support;
mod suspending;
