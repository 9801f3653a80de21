//! Transactions, and the statements in them, of which none is parsed twice.

use std::ops::Deref;

use rusqlite::{CachedStatement, Connection};

/// A transaction, rolled back when it is dropped without having been committed. Unlike that of
/// `rusqlite` it keeps the statements that begin and end it: parsing them takes as long as what a small
/// commit does.
#[derive(Debug)]
pub(super) struct Transaction<'a>(&'a Connection);

impl<'a> Transaction<'a> {
    /// For reading: the database stays as it is found when it is looked at for the first time.
    pub(super) fn begin(connection: &'a mut Connection) -> Result<Self, rusqlite::Error> {
        Self::begin_with(connection, "BEGIN")
    }

    /// For writing: no other connection writes until this ends.
    pub(super) fn begin_immediate(connection: &'a mut Connection) -> Result<Self, rusqlite::Error> {
        Self::begin_with(connection, "BEGIN IMMEDIATE")
    }

    fn begin_with(connection: &'a mut Connection, sql: &str) -> Result<Self, rusqlite::Error> {
        let connection = &*connection;
        connection.prepare_cached(sql)?.execute(())?;
        Ok(Self(connection))
    }

    /// Also the end of one that has only read.
    pub(super) fn commit(self) -> Result<(), rusqlite::Error> {
        self.0.prepare_cached("COMMIT")?.execute(())?;
        Ok(())
    }

    /// A statement of this transaction.
    pub(super) fn statement(&self, sql: &'static str) -> Statement<'_> {
        Statement {
            connection: self.0,
            sql,
            prepared: None,
        }
    }
}

impl Deref for Transaction<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.0
    }
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        // Some failures have rolled it back already.
        if !self.0.is_autocommit() {
            // One that cannot be rolled back makes the next one fail, which says so.
            drop(self.0.execute_batch("ROLLBACK"));
        }
    }
}

/// A statement that is prepared when it is needed, and then kept: most commits need few of those that
/// they may need, and some need them thousands of times.
pub(super) struct Statement<'a> {
    connection: &'a Connection,
    sql: &'static str,
    prepared: Option<CachedStatement<'a>>,
}

impl<'a> Statement<'a> {
    pub(super) fn get(&mut self) -> Result<&mut CachedStatement<'a>, rusqlite::Error> {
        let prepared = match self.prepared.take() {
            Some(prepared) => prepared,
            None => self.connection.prepare_cached(self.sql)?,
        };
        Ok(self.prepared.insert(prepared))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connection() -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        connection
            .execute_batch("CREATE TABLE t (n INTEGER UNIQUE)")
            .unwrap();
        connection
    }

    fn count(connection: &Connection) -> i64 {
        let count = connection.query_row("SELECT count(*) FROM t", (), |row| row.get(0));
        count.unwrap()
    }

    #[test]
    fn what_is_not_committed_is_undone() {
        let mut connection = connection();
        for (number, counted) in [(1, 1), (2, 2)] {
            let transaction = Transaction::begin_immediate(&mut connection).unwrap();
            let mut insert = transaction.statement("INSERT INTO t VALUES (?1)");
            insert.get().unwrap().execute([number]).unwrap();
            drop(insert);
            transaction.commit().unwrap();
            let transaction = Transaction::begin_immediate(&mut connection).unwrap();
            transaction.execute("DELETE FROM t", ()).unwrap();
            drop(transaction);
            assert!(connection.is_autocommit());
            assert_eq!(count(&connection), counted);
        }
    }

    #[test]
    fn a_statement_that_fails_works_again() {
        let mut connection = connection();
        let transaction = Transaction::begin_immediate(&mut connection).unwrap();
        let mut insert = transaction.statement("INSERT INTO t VALUES (?1)");
        insert.get().unwrap().execute([1]).unwrap();
        insert.get().unwrap().execute([1]).unwrap_err();
        insert.get().unwrap().execute([2]).unwrap();
        drop(insert);
        transaction.commit().unwrap();
        assert_eq!(count(&connection), 2);
    }
}
