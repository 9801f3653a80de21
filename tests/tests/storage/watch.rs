//! Waiting for changes.

use std::time::{Duration, Instant};

use crate::fixture::{Site, event, id, record};

pub(crate) fn a_change_is_seen(site: &Site) {
    let owner = site.owner();
    let mut watch = owner.hub.watch().unwrap();
    owner.store([record(&id("a"))]);
    assert!(watch.wait(Duration::from_secs(30)));
    assert!(!watch.wait(Duration::ZERO), "it was seen already");
    owner.hub.enqueue(&[event(&id("a"), "go")]).unwrap();
    assert!(watch.wait(Duration::from_secs(30)));
}

/// A change cannot fall between looking and waiting.
pub(crate) fn a_change_between_calls_is_seen(site: &Site) {
    let hub = site.hub();
    let mut watch = hub.watch().unwrap();
    assert!(!watch.wait(Duration::ZERO));
    hub.enqueue(&[event(&id("a"), "go")]).unwrap();
    assert!(watch.wait(Duration::ZERO));
}

pub(crate) fn without_a_change_time_runs_out(site: &Site) {
    let hub = site.hub();
    let mut watch = hub.watch().unwrap();
    let started = Instant::now();
    assert!(!watch.wait(Duration::from_millis(120)));
    assert!(started.elapsed() >= Duration::from_millis(120));
}

pub(crate) fn a_change_of_another_opening_is_seen_soon(site: &Site) {
    let mut watch = site.hub().watch().unwrap();
    let elsewhere = site.hub_elsewhere();
    while watch.wait(Duration::ZERO) {}
    let seen = std::thread::scope(|scope| {
        let watcher = scope.spawn(move || {
            // Long enough to have become idle.
            while !watch.wait(Duration::from_secs(30)) {}
            Instant::now()
        });
        let mut quiet = elsewhere.watch().unwrap();
        assert!(!quiet.wait(Duration::from_millis(200)));
        elsewhere.enqueue(&[event(&id("a"), "go")]).unwrap();
        let changed = Instant::now();
        watcher.join().unwrap().saturating_duration_since(changed)
    });
    // 50 ms are promised; the rest is for a busy machine.
    assert!(seen < Duration::from_millis(500), "{seen:?}");
}
