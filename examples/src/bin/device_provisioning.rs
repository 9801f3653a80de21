//! Sub-orchestrations: each device is provisioned by an orchestration of its own, in several steps,
//! all devices at the same time, and a table is printed at the end.
//!
//! Kill it in the middle and start it again: every device goes on with the step it had come to (each
//! activity says when it runs), and keeps the serial number it was given.

use std::time::Duration;

use durable_runtime::client::OnExisting;
use durable_runtime::prelude::*;
use serde::{Deserialize, Serialize};
use tokio::time::sleep;
use uuid::Uuid;

#[derive(Debug, Serialize, Deserialize)]
struct Device {
    name: String,
    serial: Uuid,
    address: String,
    firmware: String,
}

#[activity]
async fn register(name: String, serial: Uuid) -> Result<String> {
    println!("{name}: registering {serial}");
    sleep(Duration::from_millis(400)).await;
    Ok(format!("{name}.devices.example"))
}

#[activity]
async fn install_firmware(name: String) -> Result<String> {
    println!("{name}: installing the firmware");
    sleep(Duration::from_millis(900)).await;
    Ok("2.1.0".to_owned())
}

#[activity]
async fn reboot(name: String) -> Result<()> {
    println!("{name}: rebooting");
    sleep(Duration::from_millis(600)).await;
    Ok(())
}

#[orchestrator]
async fn provision_device(ctx: OrchestrationContext, name: String) -> Result<Device> {
    // The same whenever this code is replayed, unlike `Uuid::new_v4`.
    let serial = ctx.new_guid();
    let address = ctx
        .call_activity::<register>((name.clone(), serial))
        .await?;
    let firmware = ctx.call_activity::<install_firmware>(name.as_str()).await?;
    ctx.call_activity::<reboot>(name.as_str()).await?;
    Ok(Device {
        name,
        serial,
        address,
        firmware,
    })
}

#[orchestrator]
async fn provision_devices(ctx: OrchestrationContext, names: Vec<String>) -> Result<Vec<Device>> {
    let devices = names
        .into_iter()
        .map(|name| ctx.call_sub_orchestrator::<provision_device>(name));
    Ok(when_all(devices).await?)
}

#[tokio::main]
async fn main() -> Result<()> {
    let host = DurableHost::builder()
        .task_hub("DeviceProvisioning")
        .start()
        .await?;
    let client = host.client();
    let names = ["camera", "thermostat", "door", "lamp"].map(String::from);
    // If the last run of this program was killed, its orchestration is there and is joined.
    let run = client
        .start_new::<provision_devices>(names)
        .instance_id("device-provisioning")
        .on_existing(OnExisting::Ignore)
        .await?;
    let devices = run.output().await;
    client.purge(run.id()).await?;
    host.shutdown().await?;
    let devices = devices?;
    println!(
        "{:<12} {:<36} {:<28} FIRMWARE",
        "DEVICE", "SERIAL", "ADDRESS"
    );
    for device in devices {
        let Device {
            name,
            serial,
            address,
            firmware,
        } = device;
        println!("{name:<12} {serial:<36} {address:<28} {firmware}");
    }
    Ok(())
}
