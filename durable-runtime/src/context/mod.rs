mod activity;
pub use activity::*;
/// x
#[derive(Debug, Clone)]
pub struct OrchestrationContext {}
