//! Every example of the project, which the tests of the workspace build as programs.
#![allow(dead_code)]

#[path = "../../../../examples/src/bin/bank_transfer.rs"]
mod bank_transfer;
#[path = "../../../../examples/src/bin/counter.rs"]
mod counter;
#[path = "../../../../examples/src/bin/device_metrics.rs"]
mod device_metrics;
#[path = "../../../../examples/src/bin/device_provisioning.rs"]
mod device_provisioning;
#[path = "../../../../examples/src/bin/embed_in_axum.rs"]
mod embed_in_axum;
#[path = "../../../../examples/src/bin/hello_cities.rs"]
mod hello_cities;
#[path = "../../../../examples/src/bin/http_poll.rs"]
mod http_poll;
#[path = "../../../../examples/src/bin/http_approval.rs"]
mod http_approval;
#[path = "../../../../examples/src/bin/http_start.rs"]
mod http_start;
#[path = "../../../../examples/src/bin/monitor.rs"]
mod monitor;
#[path = "../../../../examples/src/bin/order_queue.rs"]
mod order_queue;
#[path = "../../../../examples/src/bin/periodic_cleanup.rs"]
mod periodic_cleanup;
#[path = "../../../../examples/src/bin/phone_verification.rs"]
mod phone_verification;
#[path = "../../../../examples/src/bin/retry.rs"]
mod retry;
#[path = "../../../../examples/src/bin/scheduled_batch.rs"]
mod scheduled_batch;
#[path = "../../../../examples/src/bin/site_backup.rs"]
mod site_backup;
#[path = "../../../../examples/src/bin/transfer_funds.rs"]
mod transfer_funds;

fn main() {}
