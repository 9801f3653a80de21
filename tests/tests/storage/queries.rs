//! Reading instances (rule 11: pages without gaps or duplicates while instances come and go, in
//! order of creation time and then id).

use chrono::Duration;
use durable_runtime::model::{InstanceDelta, InstanceId, InstanceRecord, RuntimeStatus};
use durable_runtime::storage::{
    HubStorage, InstanceFilter, InstancePageRequest, InstanceSummary, PageKey,
};

use crate::fixture::{Site, id, page, record, row, tags, time, upsert};

/// An instance that was created at a time.
fn created(name: &str, micros: i64) -> InstanceRecord {
    let mut record = record(&id(name));
    record.created = time(micros);
    record
}

fn names(page: &[InstanceSummary]) -> Vec<&str> {
    page.iter().map(|row| row.record.id.as_str()).collect()
}

fn key(summary: &InstanceSummary) -> PageKey {
    PageKey {
        created: summary.record.created,
        id: summary.record.id.clone(),
    }
}

/// The names of all that match, page by page.
fn all(hub: &dyn HubStorage, filter: &InstanceFilter, size: usize) -> Vec<String> {
    let mut request = InstancePageRequest {
        filter: filter.clone(),
        ..page(size)
    };
    let mut found = Vec::new();
    loop {
        let rows = hub.list(&request).unwrap();
        found.extend(names(&rows).into_iter().map(str::to_owned));
        if rows.len() < size {
            return found;
        }
        request.after = rows.last().map(key);
    }
}

pub(crate) fn a_summary_is_the_row(site: &Site) {
    let owner = site.owner();
    owner.change(upsert(&record(&id("a")), [row(0, "[0]")]));
    let hub = site.hub_elsewhere();
    let found = hub.summary(&id("a"), false).unwrap().unwrap();
    assert_eq!(found.record, record(&id("a")));
    assert_eq!(found.first_row, None);
    assert_eq!(hub.summary(&id("A"), true).unwrap(), None);
}

pub(crate) fn a_summary_with_input_has_the_first_row(site: &Site) {
    let owner = site.owner();
    owner.change(upsert(&record(&id("a")), [row(0, "[0]"), row(1, "[1]")]));
    owner.change(upsert(&record(&id("b")), []));
    let found = owner.hub.summary(&id("a"), true).unwrap().unwrap();
    assert_eq!(found.first_row, Some(row(0, "[0]")));
    let found = owner.hub.summary(&id("b"), true).unwrap().unwrap();
    assert_eq!(found.first_row, None);
    let mut request = page(9);
    request.with_input = true;
    let found = owner.hub.list(&request).unwrap();
    assert_eq!(found[0].first_row, Some(row(0, "[0]")));
    assert_eq!(found[1].first_row, None);
}

pub(crate) fn pages_are_in_order_of_creation_then_id(site: &Site) {
    let owner = site.owner();
    owner.store([
        created("c", 5),
        created("z", 1),
        created("B", 5),
        created("a", 5),
        created("ä", 5),
        created("0", 9),
    ]);
    let expected = ["z", "B", "a", "c", "ä", "0"];
    let everything = InstanceFilter::default();
    for size in [1, 2, 3, 5, 6, 7, 100] {
        assert_eq!(all(&*owner.hub, &everything, size), expected, "{size}");
    }
    assert!(owner.hub.list(&page(0)).unwrap().is_empty());
    let fine = PageKey {
        created: time(1) + Duration::nanoseconds(1),
        id: id("a"),
    };
    let mut request = page(1);
    request.after = Some(fine);
    assert_eq!(owner.hub.list(&request).unwrap().len(), 1);
}

pub(crate) fn pages_have_no_gaps_while_instances_come_and_go(site: &Site) {
    let owner = site.owner();
    owner.store((0..20).map(|n| created(&format!("i{n:02}"), n / 3)));
    let mut request = page(4);
    let mut found = Vec::new();
    for round in 0_i64.. {
        let rows = owner.hub.list(&request).unwrap();
        found.extend(names(&rows).into_iter().map(str::to_owned));
        let Some(last) = rows.last() else { break };
        request.after = Some(key(last));
        // The row where the page ended goes, and new ones come before and after it.
        let at = (last.record.created - time(0)).num_microseconds().unwrap();
        owner.change(InstanceDelta::Delete {
            id: last.record.id.clone(),
        });
        owner.store([created(&format!("before{round}"), at - 1)]);
        if round < 3 {
            owner.store([created(&format!("x-after{round}"), at + 1)]);
        }
    }
    let old: Vec<_> = found.iter().filter(|name| name.starts_with('i')).collect();
    let expected: Vec<_> = (0..20).map(|n| format!("i{n:02}")).collect();
    assert_eq!(old, expected.iter().collect::<Vec<_>>());
    let mut unique = found.clone();
    unique.sort();
    unique.dedup();
    assert_eq!(unique.len(), found.len());
    assert!(found.contains(&"x-after0".to_owned()));
    assert!(!found.contains(&"before0".to_owned()));
}

fn zoo() -> Vec<InstanceRecord> {
    let mut zoo: Vec<_> = ["order-1", "order-2", "Order-3", "order%", "orde", "öl"]
        .into_iter()
        .zip(0..)
        .map(|(name, n)| created(name, n * 10))
        .collect();
    zoo[0].status = RuntimeStatus::Completed;
    zoo[1].status = RuntimeStatus::Failed;
    zoo[1].name = "Orchestrator".into();
    zoo[2].tags = tags([("color", "red"), ("size", "1")]);
    zoo[3].tags = tags([("color", "red"), ("$.odd \"key\"", "")]);
    zoo[4].tags = tags([("Color", "red")]);
    zoo
}

pub(crate) fn every_filter_filters(site: &Site) {
    let owner = site.owner();
    owner.store(zoo());
    let check = |filter: InstanceFilter, expected: &[&str]| {
        for size in [1, 2, 100] {
            assert_eq!(all(&*owner.hub, &filter, size), expected, "{filter:?}");
        }
    };
    let none = InstanceFilter::default;
    let statuses = |statuses: &[RuntimeStatus]| InstanceFilter {
        statuses: statuses.to_vec(),
        ..none()
    };
    check(statuses(&[RuntimeStatus::Failed]), &["order-2"]);
    check(
        statuses(&[RuntimeStatus::Failed, RuntimeStatus::Completed]),
        &["order-1", "order-2"],
    );
    check(statuses(&[RuntimeStatus::Pending]), &[]);

    let prefix = |prefix: &str| InstanceFilter {
        id_prefix: Some(prefix.into()),
        ..none()
    };
    check(prefix("order-"), &["order-1", "order-2"]);
    check(prefix("order%"), &["order%"]);
    check(prefix("orde"), &["order-1", "order-2", "order%", "orde"]);
    check(prefix("ö"), &["öl"]);
    check(prefix("*"), &[]);
    check(prefix("order-1-and-more"), &[]);
    assert_eq!(all(&*owner.hub, &prefix(""), 2).len(), 6);

    let name = |name: &str| InstanceFilter {
        name: Some(name.into()),
        ..none()
    };
    check(name("Orchestrator"), &["order-2"]);
    check(name("orch"), &[]);

    let tagged = |pairs| InstanceFilter {
        tags: pairs,
        ..none()
    };
    check(tagged(tags([("color", "red")])), &["Order-3", "order%"]);
    check(
        tagged(tags([("color", "red"), ("size", "1")])),
        &["Order-3"],
    );
    check(tagged(tags([("$.odd \"key\"", "")])), &["order%"]);
    check(tagged(tags([("size", "2")])), &[]);
}

pub(crate) fn filters_are_combined(site: &Site) {
    let owner = site.owner();
    owner.store(zoo());
    let check = |filter: &InstanceFilter, expected: &[&str]| {
        assert_eq!(all(&*owner.hub, filter, 1), expected, "{filter:?}");
    };
    let nano = Duration::nanoseconds(1);
    let mut filter = InstanceFilter {
        created_from: Some(time(10)),
        created_to: Some(time(30)),
        ..InstanceFilter::default()
    };
    check(&filter, &["order-2", "Order-3", "order%"]);
    filter.created_from = Some(time(10) + nano);
    filter.created_to = Some(time(30) + nano);
    check(&filter, &["Order-3", "order%"]);
    filter.created_to = Some(time(30) - nano);
    check(&filter, &["Order-3"]);
    filter.created_to = None;
    filter.id_prefix = Some("order".into());
    check(&filter, &["order%"]);
    filter.tags = tags([("color", "red")]);
    filter.statuses = vec![RuntimeStatus::Running, RuntimeStatus::Failed];
    filter.name = Some("orchestrator".into());
    check(&filter, &["order%"]);
    filter.statuses = vec![RuntimeStatus::Failed];
    check(&filter, &[]);
}

/// Rules 6 and 10: descendants are found by their parents.
pub(crate) fn children_are_found(site: &Site) {
    let owner = site.owner();
    let parent = id("parent");
    let child = |name: &str, parent: &InstanceId| {
        let mut record = record(&id(name));
        record.parent = Some(parent.clone());
        record
    };
    owner.store([
        record(&parent),
        child("b", &parent),
        child("a", &parent),
        child("grandchild", &id("a")),
        child("other", &id("parent-2")),
    ]);
    let mut found = site.hub_elsewhere().children(&parent).unwrap();
    found.sort();
    assert_eq!(found, [id("a"), id("b")]);
    assert!(owner.hub.children(&id("b")).unwrap().is_empty());
    owner.change(InstanceDelta::Delete { id: id("a") });
    assert_eq!(owner.hub.children(&parent).unwrap(), [id("b")]);
}
