//! What a step writes.

use std::sync::Arc;

use durable_runtime::host::HostOptions;
use durable_runtime::prelude::*;
use durable_runtime::storage::Sqlite;

use crate::fixture::{Gate, host};
use crate::process::Site;

#[activity]
async fn pass(State(gate): State<Arc<Gate>>, number: u32) -> Result<u32> {
    gate.pass().await;
    Ok(number)
}

#[orchestrator]
async fn passes(ctx: OrchestrationContext) -> Result<u32> {
    let mut sum = 0;
    for number in 1..=3_u32 {
        sum += ctx.call_activity::<pass>(number).await?;
        if number == 2 {
            ctx.set_custom_status("second")?;
        }
    }
    Ok(sum)
}

/// A step that changes nothing of the instance's row but the time does not write it, which is half of what a lone
/// step would write. Whoever asks is told the time all the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_changes_no_column_leaves_the_row_alone() {
    let site = Site::new();
    let gate = Arc::new(Gate::default());
    let running = host(
        Sqlite::open(site.database()).unwrap(),
        HostOptions::default(),
    );
    let running = running
        .state(Arc::clone(&gate))
        .register::<pass>()
        .register::<passes>()
        .start()
        .await
        .unwrap();
    let connection = rusqlite::Connection::open(site.database()).unwrap();
    let written = || -> i64 {
        let sql = "SELECT updated FROM instances WHERE id = 'one'";
        connection.query_row(sql, [], |row| row.get(0)).unwrap()
    };
    let client = running.client();
    let run = client.start_new::<passes>(()).instance_id("one");
    let run = run.await.unwrap();
    let shown = async || {
        let status = client.get_status("one").await.unwrap().unwrap();
        status.last_updated_time.timestamp_micros()
    };
    gate.entered(1).await;
    let first = written();
    assert_eq!(shown().await, first);
    gate.let_out(1);
    gate.entered(1).await;
    assert_eq!(written(), first);
    let second = shown().await;
    assert!(second > first, "{second} > {first}");
    // This one has a status to write.
    gate.let_out(1);
    gate.entered(1).await;
    let third = written();
    assert!(third > second, "{third} > {second}");
    assert_eq!(shown().await, third);
    gate.let_out(1);
    assert_eq!(run.output().await.unwrap(), 6);
    assert!(written() > third);
    running.shutdown().await.unwrap();
}
