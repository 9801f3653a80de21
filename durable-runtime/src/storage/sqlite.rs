/// In a `SQLite` database.
#[derive(Debug, Clone)]
pub struct Sqlite {}
