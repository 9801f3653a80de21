-- What a hub has one of, by name.
CREATE TABLE settings (
    hub INTEGER NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (hub, name)
) STRICT, WITHOUT ROWID;
