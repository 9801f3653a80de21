-- The times at which messages and schedules are free again are milliseconds since 1970 by the clock of
-- `SQLite`; those of schedules themselves are microseconds by that of the hosts.

CREATE TABLE queue_messages (
    -- The messages of a queue come in this order. AUTOINCREMENT: whoever settles a message by its key
    -- never means a later one.
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    hub INTEGER NOT NULL,
    queue TEXT NOT NULL,
    -- Microseconds since 1970.
    enqueued INTEGER NOT NULL,
    -- Before this it is not given to anyone.
    visible INTEGER NOT NULL,
    -- The worker that has it.
    owner TEXT,
    attempts INTEGER NOT NULL DEFAULT 0,
    -- Why it has not been dealt with so far.
    error TEXT,
    body TEXT NOT NULL
) STRICT;

CREATE INDEX queue_messages_in_order ON queue_messages (hub, queue, key);
CREATE INDEX queue_messages_by_time ON queue_messages (hub, queue, visible, key);
CREATE INDEX queue_messages_by_owner ON queue_messages (hub, owner) WHERE owner IS NOT NULL;

-- One row per function with a timer.
CREATE TABLE schedules (
    hub INTEGER NOT NULL,
    name TEXT NOT NULL,
    cron TEXT NOT NULL,
    -- Due times up to this one are not made up for.
    since INTEGER NOT NULL,
    -- The last due time that was carried out.
    last INTEGER,
    -- The due time that the owner is carrying out.
    claimed INTEGER,
    owner TEXT,
    expires INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (hub, name)
) STRICT, WITHOUT ROWID;

-- For people: what is in the queues.
CREATE VIEW queues AS
SELECT
    hubs.name AS hub,
    queue_messages.queue AS queue,
    strftime('%Y-%m-%d %H:%M:%S', queue_messages.enqueued / 1000000, 'unixepoch')
        || printf('.%06d', queue_messages.enqueued % 1000000) AS enqueued,
    queue_messages.attempts AS attempts,
    queue_messages.owner AS owner,
    queue_messages.error AS error,
    queue_messages.body AS body
FROM hubs
CROSS JOIN queue_messages ON queue_messages.hub = hubs.key
ORDER BY hubs.name, queue_messages.queue, queue_messages.key;
