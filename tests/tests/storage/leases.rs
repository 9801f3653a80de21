//! Who owns which partition (invariant 3 of the design: at most one worker's commits succeed for an
//! epoch; rule 45: leases are given back).

use durable_runtime::model::{Epoch, PartitionId};
use durable_runtime::storage::Lease;

use crate::fixture::{LONG, Owner, PARTITIONS, SHORT, Site, eventually, worker};

pub(crate) fn partitions_are_taken_once(site: &Site) {
    let owner = site.owner();
    let partitions: Vec<_> = owner.leases.iter().map(|lease| lease.partition).collect();
    assert_eq!(partitions, [0, 1, 2, 3].map(PartitionId));
    assert!(owner.leases.iter().all(|lease| lease.clean));
    let other = site.hub_elsewhere();
    assert!(other.acquire(&worker("b"), LONG, 9).unwrap().is_empty());
    // Not even by the owner itself.
    let again = owner.hub.acquire(&owner.worker, LONG, 9).unwrap();
    assert!(again.is_empty());
}

pub(crate) fn no_more_than_asked_for(site: &Site) {
    let hub = site.hub();
    let other = site.hub_elsewhere();
    assert!(hub.acquire(&worker("a"), LONG, 0).unwrap().is_empty());
    assert_eq!(hub.acquire(&worker("a"), LONG, 1).unwrap().len(), 1);
    assert_eq!(other.acquire(&worker("b"), LONG, 2).unwrap().len(), 2);
    assert_eq!(hub.acquire(&worker("a"), LONG, 2).unwrap().len(), 1);
    let owned = (0..PARTITIONS).filter(|n| hub.is_owned(PartitionId(*n)).unwrap());
    assert_eq!(owned.count(), 4);
    assert!(!hub.is_owned(PartitionId(99)).unwrap());
}

pub(crate) fn an_expired_lease_can_be_taken(site: &Site) {
    let first = site.hub();
    let lease = first.acquire(&worker("a"), SHORT, 1).unwrap()[0];
    let second = site.hub_elsewhere();
    let taken = eventually("the lease runs out", || {
        let leases = second.acquire(&worker("b"), LONG, 9).unwrap();
        leases.into_iter().find(|l| l.partition == lease.partition)
    });
    assert!(taken.epoch > lease.epoch);
    assert!(!taken.clean, "its owner has not given it back");
    assert!(first.renew(&worker("a"), LONG).unwrap().is_empty());
}

pub(crate) fn a_renewed_lease_is_kept(site: &Site) {
    let hub = site.hub();
    let lease = hub.acquire(&worker("a"), SHORT, 1).unwrap()[0];
    let renewed = hub.renew(&worker("a"), LONG).unwrap();
    assert_eq!(renewed, [(lease.partition, lease.epoch)]);
    // The others' short leases run out meanwhile, the renewed one does not.
    let other = site.hub_elsewhere();
    other.acquire(&worker("b"), SHORT, 9).unwrap();
    let taken = eventually("short leases run out", || {
        let leases = hub.acquire(&worker("c"), LONG, 9).unwrap();
        (!leases.is_empty()).then_some(leases)
    });
    assert!(taken.iter().all(|other| other.partition != lease.partition));
    assert!(hub.is_owned(lease.partition).unwrap());
}

pub(crate) fn an_expired_lease_that_nobody_took_is_renewed(site: &Site) {
    let hub = site.hub();
    let lease = hub.acquire(&worker("a"), SHORT, 1).unwrap()[0];
    eventually("the lease runs out", || {
        (!hub.is_owned(lease.partition).unwrap()).then_some(())
    });
    let renewed = hub.renew(&worker("a"), LONG).unwrap();
    assert_eq!(renewed, [(lease.partition, lease.epoch)]);
    assert!(hub.is_owned(lease.partition).unwrap());
}

pub(crate) fn a_released_partition_is_free_and_clean(site: &Site) {
    let owner = site.owner();
    owner.hub.release(&owner.worker).unwrap();
    assert!(!owner.hub.is_owned(PartitionId(0)).unwrap());
    assert!(owner.hub.renew(&owner.worker, LONG).unwrap().is_empty());
    let next = Owner::new(site.hub_elsewhere(), "next");
    assert_eq!(next.leases.len(), PARTITIONS as usize);
    assert!(next.leases.iter().all(|lease| lease.clean));
}

pub(crate) fn epochs_grow_with_every_owner(site: &Site) {
    let hub = site.hub();
    let mut before = Epoch(0);
    for _ in 0..5 {
        let Lease { epoch, .. } = hub.acquire(&worker("same"), LONG, 1).unwrap()[0];
        assert!(epoch > before);
        before = epoch;
        hub.release(&worker("same")).unwrap();
    }
}

/// Rule 45: after a kill, the next process goes on at once, not when the leases have run out.
pub(crate) fn the_partitions_of_an_owner_that_is_gone_are_taken_at_once(site: &Site) {
    let killed = Owner::new(site.hub_elsewhere(), "worker");
    let survivor = site.hub();
    let none = survivor.acquire(&worker("next"), LONG, 9).unwrap();
    assert!(none.is_empty(), "the owner lives");
    let leases = killed.leases.clone();
    drop(killed);
    // Even under the name of the one that is gone.
    let taken = survivor.acquire(&worker("worker"), LONG, 9).unwrap();
    assert_eq!(taken.len(), leases.len());
    for (now, before) in taken.iter().zip(&leases) {
        assert!(now.epoch > before.epoch);
        assert!(!now.clean);
    }
}

pub(crate) fn one_worker_leaving_does_not_free_the_partitions_of_another(site: &Site) {
    let shared = site.hub();
    shared.acquire(&worker("a"), LONG, 2).unwrap();
    shared.acquire(&worker("b"), LONG, 2).unwrap();
    shared.release(&worker("a")).unwrap();
    let taken = site.hub_elsewhere().acquire(&worker("c"), LONG, 9).unwrap();
    let partitions: Vec<_> = taken.iter().map(|lease| lease.partition).collect();
    assert_eq!(partitions, [PartitionId(0), PartitionId(1)]);
}
