-- An ordinary table with an index, not one WITHOUT ROWID: the rows may be large, and in a tree that is
-- ordered by id a new one makes room for itself by moving others, all of which a commit writes.
CREATE TABLE entities (
    key INTEGER PRIMARY KEY,
    hub INTEGER NOT NULL,
    -- `@name@key`.
    id TEXT NOT NULL,
    partition INTEGER NOT NULL,
    last_operation INTEGER NOT NULL,
    -- 0 is now.
    due INTEGER,
    -- What it is locked for, as JSON.
    lock TEXT,
    -- The large columns come last, so that the others are read without them. NULL is no state.
    state TEXT,
    -- A JSON array of operations, or NULL if there are none.
    queue TEXT,
    UNIQUE (hub, id)
) STRICT;

CREATE INDEX entities_by_due ON entities (hub, partition, due) WHERE due IS NOT NULL;

-- For people: what each entity holds, and what waits for it.
CREATE VIEW entity_states AS
SELECT
    hubs.name AS hub,
    entities.id AS entity,
    entities.state AS state,
    strftime('%Y-%m-%d %H:%M:%S', entities.last_operation / 1000000, 'unixepoch')
        || printf('.%06d', entities.last_operation % 1000000) AS last_operation,
    CASE
        WHEN entities.due IS NULL THEN NULL
        WHEN entities.due = 0 THEN 'now'
        ELSE strftime('%Y-%m-%d %H:%M:%S', entities.due / 1000000, 'unixepoch')
            || printf('.%06d', entities.due % 1000000)
    END AS due,
    entities.lock AS lock,
    entities.queue AS queue,
    entities.partition AS partition
FROM hubs
-- CROSS JOIN: hubs first, so that an entity is found by its id.
CROSS JOIN entities ON entities.hub = hubs.key;
