//! What a hub has one of, by name.

use rusqlite::OptionalExtension;

use super::hub::Hub;
use crate::storage::StorageError;

const READ: &str = "SELECT value FROM settings WHERE hub = ?1 AND name = ?2";
// Not for a hub that has been deleted.
const INSERT: &str = "
    INSERT INTO settings (hub, name, value) SELECT key, ?2, ?3 FROM hubs WHERE key = ?1";

impl Hub {
    pub(super) fn read_or_set(&self, name: &str, default: &str) -> Result<String, StorageError> {
        self.database.write(|transaction, _| {
            let found = transaction
                .prepare_cached(READ)?
                .query_row((self.key, name), |row| row.get(0))
                .optional()?;
            if let Some(value) = found {
                return Ok(value);
            }
            let inserted = transaction
                .prepare_cached(INSERT)?
                .execute((self.key, name, default))?;
            if inserted == 0 {
                let place = self.database.place();
                return Err(place
                    .unavailable("no longer holds the task hub: open it again")
                    .into());
            }
            Ok(default.to_owned())
        })
    }
}
