//! States of entities that were stored by old code.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use durable_runtime::Failure;
use durable_runtime::prelude::*;

use crate::support::{Hub, Program, refused, says, within};

mod old {
    use super::*;

    #[derive(Debug, Default, Serialize, Deserialize)]
    pub(super) struct Account {
        cents: i64,
        owner: String,
    }

    #[entity]
    impl Account {
        fn pay(&mut self, cents: i64) -> i64 {
            self.cents += cents;
            self.cents
        }
    }
}

/// One field has another name and room for more, one is new, one is gone.
mod new {
    use super::*;

    #[derive(Debug, Default, Serialize, Deserialize)]
    pub(super) struct Account {
        #[serde(alias = "cents")]
        balance: i128,
        #[serde(default)]
        payments: u32,
    }

    #[entity]
    impl Account {
        fn pay(&mut self, cents: i64) -> i64 {
            self.balance += i128::from(cents);
            self.payments += 1;
            self.balance.try_into().unwrap_or(i64::MAX)
        }
    }
}

/// The type of a field is another one, and nothing reads the old one.
mod broken {
    use super::*;

    #[derive(Debug, Default, Serialize, Deserialize)]
    pub(super) struct Account {
        cents: String,
    }

    #[entity]
    impl Account {
        fn pay(&mut self, cents: i64) -> String {
            self.cents = cents.to_string();
            self.cents.clone()
        }
    }
}

#[orchestrator]
async fn pays(ctx: OrchestrationContext, cents: i64) -> Result<Value> {
    let id = EntityId::new("Account", "ada");
    Ok(ctx.call_entity(id, "pay", cents).await?)
}

#[orchestrator]
async fn deletes(ctx: OrchestrationContext) -> Result<()> {
    let id = EntityId::new("Account", "ada");
    Ok(ctx.call_entity(id, "delete", ()).await?)
}

async fn deploy<E: durable_runtime::Register>(hub: &Hub) -> Program {
    hub.deploy(|builder| {
        let builder = builder.register::<E>().register::<pays>();
        builder.register::<deletes>()
    })
    .await
}

async fn state(program: &Program) -> Option<Value> {
    let id = EntityId::new("Account", "ada");
    within(program.client.read_entity_state(id)).await.unwrap()
}

/// A file with an account of the old type.
async fn filled() -> Hub {
    let hub = Hub::new();
    let program = deploy::<old::Account>(&hub).await;
    program.begin("pays", "p1", json!(5)).await;
    assert_eq!(program.output("p1").await, 5);
    program.stop().await;
    hub
}

// A state is read as the new type, and written as that with the next operation that succeeds.
#[tokio::test]
async fn a_state_is_read_as_the_new_type() {
    let hub = filled().await;
    let program = deploy::<new::Account>(&hub).await;
    assert_eq!(
        state(&program).await,
        Some(json!({ "cents": 5, "owner": "" }))
    );
    program.begin("pays", "p2", json!(2)).await;
    assert_eq!(program.output("p2").await, 7);
    let written = Some(json!({ "balance": 7, "payments": 1 }));
    assert_eq!(state(&program).await, written);
    program.stop().await;
}

// Rule 34: operations on a state that does not fit fail, and leave it as it is; where the type is mended, they
// go on with it.
#[tokio::test]
async fn a_state_that_does_not_fit_is_kept() {
    let hub = filled().await;
    let program = deploy::<broken::Account>(&hub).await;
    let parts = [
        "the state of entity \"@account@ada\"",
        "`evolution::states::broken::Account`",
        "at `cents`: invalid type: integer `5`, expected a string",
    ];
    program.begin("pays", "p2", json!(2)).await;
    let failure = program.failure("p2").await;
    let cause = failure.inner().unwrap();
    assert_eq!(cause.error_type(), Failure::SERIALIZATION);
    assert!(cause.is_non_retriable());
    says(cause.message(), &parts);
    says(cause.message(), &["is kept"]);
    let id = EntityId::new("Account", "ada");
    let read = program.client.read_entity_state::<broken::Account>(id);
    refused(within(read).await, &parts);
    assert_eq!(
        state(&program).await,
        Some(json!({ "cents": 5, "owner": "" }))
    );
    program.stop().await;

    let program = deploy::<new::Account>(&hub).await;
    program.client.restart("p2").await.unwrap();
    assert_eq!(program.output("p2").await, 7);
    program.stop().await;
}

// The way out when the state is of no more use.
#[tokio::test]
async fn a_state_that_does_not_fit_can_be_deleted() {
    let hub = filled().await;
    let program = deploy::<broken::Account>(&hub).await;
    program.begin("deletes", "d", json!(null)).await;
    assert_eq!(program.output("d").await, json!(null));
    assert_eq!(state(&program).await, None);
    program.begin("pays", "p2", json!(2)).await;
    assert_eq!(program.output("p2").await, "2");
    program.stop().await;
}

// Rolled back: the old code misses the field that has another name now, and touches nothing.
#[tokio::test]
async fn old_code_does_not_write_over_what_it_cannot_read() {
    let hub = filled().await;
    let program = deploy::<new::Account>(&hub).await;
    program.begin("pays", "p2", json!(2)).await;
    program.output("p2").await;
    program.stop().await;
    let program = deploy::<old::Account>(&hub).await;
    program.begin("pays", "p3", json!(1)).await;
    let failure = program.failure("p3").await;
    says(
        failure.message(),
        &["@account@ada", "missing field `cents`"],
    );
    let kept = Some(json!({ "balance": 7, "payments": 1 }));
    assert_eq!(state(&program).await, kept);
    program.stop().await;
}
