//! The file `host.json`.

use durable_runtime::inputs;
use durable_runtime::model::TaskHubName;

/// A `host.json`. It is refused with a reason, or makes options that a host takes.
///
/// # Panics
///
/// If that does not hold.
pub fn host_json(bytes: &[u8]) {
    let text = crate::text(bytes);
    match inputs::host_json(&text) {
        Err(why) => assert!(!why.is_empty(), "{text:?}"),
        Ok((options, hub)) => {
            assert!(options.max_concurrent_activities > 0, "{text:?}");
            assert!(options.max_concurrent_orchestrations > 0, "{text:?}");
            assert!((1..=1_024).contains(&options.partition_count), "{text:?}");
            if let Some(hub) = hub {
                assert!(TaskHubName::new(&hub).is_ok(), "{text:?}");
            }
            let again = inputs::host_json(&text).map(|(options, _)| options);
            assert_eq!(again, Ok(options), "{text:?}");
        }
    }
}
