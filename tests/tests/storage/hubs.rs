//! Opening and deleting hubs.

use std::collections::BTreeSet;

use durable_runtime::storage::{HubOptions, StorageError};

use crate::fixture::{
    LONG, Owner, PARTITIONS, Site, event, hub_name, id, open, record, waiting, worker,
};

pub(crate) fn opened_again_it_is_the_same_hub(site: &Site) {
    let owner = site.owner();
    owner.store([record(&id("a"))]);
    let again = site.hub_elsewhere();
    assert_eq!(
        again.load(&[id("a")]).unwrap()[0].as_ref().unwrap().record,
        record(&id("a"))
    );
}

pub(crate) fn names_differ_by_more_than_case(site: &Site) {
    let owner = Owner::new(open(site.provider(), "Orders"), "worker");
    owner.store([record(&id("a"))]);
    let same = open(site.provider(), "oRDERS");
    assert!(same.summary(&id("a"), false).unwrap().is_some());
}

pub(crate) fn the_partition_count_is_fixed_at_creation(site: &Site) {
    assert_eq!(site.hub().partition_count(), PARTITIONS);
    let other = HubOptions {
        partition_count: 32,
    };
    let again = site.elsewhere().open_hub(&hub_name("hub"), &other).unwrap();
    assert_eq!(again.partition_count(), PARTITIONS);
    let default = site
        .provider()
        .open_hub(&hub_name("other"), &HubOptions::default())
        .unwrap();
    assert_eq!(default.partition_count(), 16);
}

/// One of several processes creates the hub, all of them open it.
pub(crate) fn opened_by_many_at_once_it_is_created_once(site: &Site) {
    let leases: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|n| {
                scope.spawn(move || {
                    let hub = site.hub_elsewhere();
                    let worker = worker(&format!("worker-{n}"));
                    let leases = hub.acquire(&worker, LONG, usize::MAX).unwrap();
                    // Kept open, lest another takes the partitions as those of one that is gone.
                    (leases.len(), hub)
                })
            })
            .collect();
        let opened: Vec<_> = threads.into_iter().map(|t| t.join().unwrap()).collect();
        opened.iter().map(|(leases, _)| leases).sum()
    });
    assert_eq!(leases, PARTITIONS as usize);
}

/// Looking for a hub creates none.
pub(crate) fn only_a_hub_that_exists_is_found(site: &Site) {
    let provider = site.provider();
    assert!(provider.find_hub(&hub_name("hub")).unwrap().is_none());
    assert!(provider.hubs().unwrap().is_empty());

    let owner = site.owner();
    owner.store([record(&id("a"))]);
    let found = site.elsewhere().find_hub(&hub_name("HUB")).unwrap();
    let found = found.unwrap();
    assert!(found.summary(&id("a"), false).unwrap().is_some());
    assert!(provider.find_hub(&hub_name("other")).unwrap().is_none());
}

pub(crate) fn hubs_are_named_in_order(site: &Site) {
    for name in ["orders", "Bills", "Zoo"] {
        open(site.provider(), name);
    }
    assert_eq!(site.elsewhere().hubs().unwrap(), ["Bills", "orders", "Zoo"]);
    site.provider().delete_hub(&hub_name("ORDERS")).unwrap();
    assert_eq!(site.provider().hubs().unwrap(), ["Bills", "Zoo"]);
}

pub(crate) fn hubs_do_not_see_each_other(site: &Site) {
    let one = Owner::new(open(site.provider(), "one"), "worker");
    let two = Owner::new(open(site.provider(), "two"), "worker");
    assert_eq!(two.leases.len(), PARTITIONS as usize);
    one.store([record(&id("a"))]);
    one.hub.enqueue(&[event(&id("a"), "go")]).unwrap();
    assert_eq!(two.record(&id("a")), None);
    assert!(waiting(&*two.hub, &id("a")).is_empty());
    one.hub.release(&one.worker).unwrap();
    assert!(two.hub.is_owned(two.leases[0].partition).unwrap());
}

pub(crate) fn a_deleted_hub_is_gone(site: &Site) {
    let owner = site.owner();
    owner.store([record(&id("a"))]);
    owner.hub.enqueue(&[event(&id("a"), "go")]).unwrap();

    assert!(site.elsewhere().delete_hub(&hub_name("HUB")).unwrap());
    assert!(!site.provider().delete_hub(&hub_name("hub")).unwrap());

    // Those who still have it open can do nothing with it, nor with the one that comes after it.
    let next = Owner::new(site.hub(), "next");
    assert_eq!(next.leases.len(), PARTITIONS as usize);
    let delta = owner.delta_of(&id("a"));
    let error = owner.hub.commit(std::slice::from_ref(&delta)).unwrap_err();
    assert!(
        matches!(&error, StorageError::Fenced { partitions } if *partitions == [delta.partition]),
        "{error}"
    );
    let error = owner.hub.enqueue(&[event(&id("a"), "go")]).unwrap_err();
    assert!(error.is_transient(), "{error}");
    assert!(owner.hub.acquire(&worker("w"), LONG, 9).unwrap().is_empty());
    assert!(owner.hub.renew(&owner.worker, LONG).unwrap().is_empty());

    assert_eq!(next.record(&id("a")), None);
    assert!(waiting(&*next.hub, &id("a")).is_empty());
}

/// Of many that want to set it, one does, and all are told what it is.
pub(crate) fn a_setting_is_set_once(site: &Site) {
    let told: BTreeSet<String> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|n| {
                let hub = site.hub_elsewhere();
                scope.spawn(move || hub.setting("key", &format!("of {n}")).unwrap())
            })
            .collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    });
    assert_eq!(told.len(), 1, "{told:?}");
    let again = site.hub_elsewhere().setting("key", "later").unwrap();
    assert!(told.contains(&again), "{again}");
    assert_eq!(site.hub().setting("other", "another").unwrap(), "another");
}

pub(crate) fn hubs_have_settings_of_their_own(site: &Site) {
    let (one, two) = (open(site.provider(), "one"), open(site.provider(), "two"));
    assert_eq!(one.setting("key", "of one").unwrap(), "of one");
    assert_eq!(two.setting("key", "of two").unwrap(), "of two");

    site.provider().delete_hub(&hub_name("one")).unwrap();
    let error = one.setting("key", "x").unwrap_err();
    assert!(error.is_transient(), "{error}");
    let next = open(site.provider(), "one");
    assert_eq!(next.setting("key", "of the next").unwrap(), "of the next");
    assert_eq!(two.setting("key", "x").unwrap(), "of two");
}
