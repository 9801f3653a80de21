//! An aggregator: thousands of devices send readings, each into an entity of its own, and the entities
//! are queried at the end. An entity that has seen enough is a row and nothing else.
//!
//! Kill it in the middle and start it again: each device goes on with the reading after the last one
//! that its entity has, so that none is lost and none is counted twice.

use durable_runtime::client::EntityQuery;
use durable_runtime::prelude::*;
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Serialize};

const DEVICES: u32 = 2_000;
const READINGS: u32 = 20;

/// What is known of a device.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Device {
    readings: u32,
    sum: f64,
    highest: f64,
}

#[derive(Debug, Serialize, Deserialize)]
struct Reading {
    /// Counted from 0: one that was sent again is known by it.
    number: u32,
    degrees: f64,
}

#[entity]
impl Device {
    fn record(&mut self, reading: Reading) {
        if reading.number != self.readings {
            return;
        }
        self.readings += 1;
        self.sum += reading.degrees;
        self.highest = self.highest.max(reading.degrees);
    }
}

/// Sends the readings that the entity of a device does not have yet.
async fn send_readings(client: DurableClient, device: u32) -> Result<()> {
    let key = format!("device-{device:04}");
    let known: Option<Device> = client.read_entity_state(Device::id(key.as_str())).await?;
    let signals = client.signal::<Device>(key);
    for number in known.map_or(0, |device| device.readings)..READINGS {
        let degrees = f64::from((device * 7 + number * 3) % 40);
        signals.record(Reading { number, degrees }).await?;
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<()> {
    let host = DurableHost::builder()
        .task_hub("DeviceMetrics")
        .start()
        .await?;
    let client = host.client();
    println!("{DEVICES} devices send {READINGS} readings each");
    stream::iter(0..DEVICES)
        .map(|device| send_readings(client.clone(), device))
        .buffer_unordered(500)
        .try_collect::<()>()
        .await?;
    let query = EntityQuery::new().name("Device").page_size(1_000);
    let devices: Vec<_> = client.list_entities(query).stream().try_collect().await?;
    let mut readings = 0;
    let mut hottest = (String::new(), f64::MIN);
    for entity in &devices {
        let state = entity.state.clone().unwrap_or_default();
        let device: Device = serde_json::from_value(state)?;
        readings += device.readings;
        let mean = device.sum / f64::from(device.readings);
        if mean > hottest.1 {
            hottest = (entity.id.key().to_owned(), mean);
        }
    }
    host.shutdown().await?;
    println!("{readings} readings of {} devices", devices.len());
    println!("the hottest is {} with {:.1} degrees", hottest.0, hottest.1);
    Ok(())
}
