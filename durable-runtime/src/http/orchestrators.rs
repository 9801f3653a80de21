//! Starting orchestrators, for the first time or again.

use axum::response::Response;

use super::error::HttpError;
use super::service::Call;
use super::status::FailureCode;

impl Call {
    pub(super) async fn start(
        mut self,
        name: &str,
        id: Option<String>,
    ) -> Result<Response, HttpError> {
        let input = self.content().await?.json()?;
        let mut start = self.client.start_new_by_name(name, input);
        if let Some(id) = id {
            start = start.instance_id(id);
        }
        if let Some(version) = self.query.text("version") {
            start = start.version(version);
        }
        let started = start.await?.id().to_owned();
        self.started(started).await
    }

    pub(super) async fn restart(self, id: &str) -> Result<Response, HttpError> {
        let mut restart = self.client.restart(id);
        if self.query.flag("restartWithNewInstanceId", true)? {
            restart = restart.with_new_instance_id();
        }
        let started = restart.await?.id().to_owned();
        self.started(started).await
    }

    /// Where the new instance can be watched; or its outcome, if that is waited for and comes.
    async fn started(self, id: String) -> Result<Response, HttpError> {
        let code = self.failure_code()?;
        match self.query.seconds("timeout")? {
            None => Ok(self.client.create_check_status_response(id)),
            Some(timeout) => {
                let timeout = timeout.min(self.patience);
                let outcome = self
                    .client
                    .outcome_or_check_status(id.clone(), timeout, code);
                tokio::select! {
                    biased;
                    outcome = outcome => Ok(outcome?),
                    // There is no time left to wait in, but for this answer.
                    () = self.ending.cancelled() => Ok(self.client.create_check_status_response(id)),
                }
            }
        }
    }

    pub(super) fn failure_code(&self) -> Result<FailureCode, HttpError> {
        let wanted = self
            .query
            .flag("returnInternalServerErrorOnFailure", false)?;
        Ok(if wanted {
            FailureCode::InternalServerError
        } else {
            FailureCode::Ok
        })
    }
}
