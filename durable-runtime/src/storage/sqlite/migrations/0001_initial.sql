-- Times are microseconds since 1970 in UTC unless said otherwise. Leases and replies go by the
-- clock of `SQLite`, everything else by that of the host that wrote it.

CREATE TABLE hubs (
    -- AUTOINCREMENT: the key of a deleted hub never comes again, so that whoever still has it open
    -- cannot write into another.
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE COLLATE NOCASE,
    partitions INTEGER NOT NULL
) STRICT;

-- One row per partition, made with the hub.
CREATE TABLE leases (
    hub INTEGER NOT NULL,
    partition INTEGER NOT NULL,
    owner TEXT,
    -- Whether the owner holds the hub's lock file: then that being free means that the owner is gone.
    locked INTEGER NOT NULL DEFAULT 0,
    epoch INTEGER NOT NULL DEFAULT 0,
    -- Milliseconds since 1970.
    expires INTEGER NOT NULL DEFAULT 0,
    -- Whether the last owner gave it back.
    clean INTEGER NOT NULL DEFAULT 1,
    -- The highest number of a message that the partition has sent.
    sent INTEGER NOT NULL DEFAULT -1,
    -- The highest number of a message that a client has enqueued for the partition.
    enqueued INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (hub, partition)
) STRICT, WITHOUT ROWID;

CREATE TABLE instances (
    key INTEGER PRIMARY KEY,
    hub INTEGER NOT NULL,
    id TEXT NOT NULL,
    partition INTEGER NOT NULL,
    execution BLOB NOT NULL,
    name TEXT NOT NULL,
    version TEXT,
    status TEXT NOT NULL,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    -- 0 is now.
    due INTEGER,
    custom_status TEXT,
    output TEXT,
    parent TEXT,
    tags TEXT,
    UNIQUE (hub, id)
) STRICT;

CREATE INDEX instances_by_creation ON instances (hub, created, id);
CREATE INDEX instances_by_due ON instances (hub, partition, due) WHERE due IS NOT NULL;
CREATE INDEX instances_by_parent ON instances (hub, parent) WHERE parent IS NOT NULL;

-- One row per episode. `instance` is the key of `instances`.
CREATE TABLE history (
    instance INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    events TEXT NOT NULL,
    PRIMARY KEY (instance, sequence)
) STRICT, WITHOUT ROWID;

-- `origin` is the sending partition, or -1 for a client.
CREATE TABLE inbox (
    hub INTEGER NOT NULL,
    partition INTEGER NOT NULL,
    origin INTEGER NOT NULL,
    number INTEGER NOT NULL,
    message TEXT NOT NULL,
    PRIMARY KEY (hub, partition, origin, number)
) STRICT, WITHOUT ROWID;

-- `at` is in seconds since 1970.
CREATE TABLE replies (
    hub INTEGER NOT NULL,
    request BLOB NOT NULL,
    reply TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (hub, request)
) STRICT, WITHOUT ROWID;

-- For people: where each instance stands.
CREATE VIEW instance_status AS
SELECT
    hubs.name AS hub,
    instances.id AS instance,
    instances.name AS orchestrator,
    instances.version AS version,
    instances.status AS status,
    strftime('%Y-%m-%d %H:%M:%S', instances.created / 1000000, 'unixepoch')
        || printf('.%06d', instances.created % 1000000) AS created,
    strftime('%Y-%m-%d %H:%M:%S', instances.updated / 1000000, 'unixepoch')
        || printf('.%06d', instances.updated % 1000000) AS updated,
    CASE
        WHEN instances.due IS NULL THEN NULL
        WHEN instances.due = 0 THEN 'now'
        ELSE strftime('%Y-%m-%d %H:%M:%S', instances.due / 1000000, 'unixepoch')
            || printf('.%06d', instances.due % 1000000)
    END AS due,
    instances.custom_status AS custom_status,
    instances.output AS output,
    instances.parent AS parent,
    instances.tags AS tags,
    lower(hex(instances.execution)) AS execution,
    instances.partition AS partition
FROM hubs
-- CROSS JOIN: hubs first, so that an instance is found by its id.
CROSS JOIN instances ON instances.hub = hubs.key;

-- For people: history, one event per row. An event is stored as `[microseconds, {"Kind": body}]`, or
-- `[microseconds, "Kind"]` where the kind has no body. A row that is not JSON is left out.
CREATE VIEW history_events AS
SELECT
    hubs.name AS hub,
    instances.id AS instance,
    row_number() OVER (
        PARTITION BY hubs.name, instances.id
        ORDER BY history.sequence, event.key
    ) - 1 AS position,
    strftime('%Y-%m-%d %H:%M:%S', json_extract(event.value, '$[0]') / 1000000, 'unixepoch')
        || printf('.%06d', json_extract(event.value, '$[0]') % 1000000) AS time,
    CASE json_type(event.value, '$[1]')
        WHEN 'text' THEN json_extract(event.value, '$[1]')
        ELSE (SELECT kind.key FROM json_each(event.value, '$[1]') AS kind)
    END AS kind,
    CASE json_type(event.value, '$[1]')
        WHEN 'text' THEN NULL
        ELSE (SELECT kind.value FROM json_each(event.value, '$[1]') AS kind)
    END AS body
FROM hubs
CROSS JOIN instances ON instances.hub = hubs.key
CROSS JOIN history ON history.instance = instances.key
CROSS JOIN json_each(CASE WHEN json_valid(history.events) THEN history.events ELSE '[]' END) AS event;
