-- History from here on. An ordinary table, not one WITHOUT ROWID: where that has no room for a row, it moves
-- others among several pages, all of which a commit writes; here a row at the end of the table begins a new
-- page.
CREATE TABLE episodes (
    -- The key of the instance times 2^20 (1048576), plus the number of the row. Where keys are looked for they
    -- are multiplied, not shifted: too large a product is a REAL, which no key equals.
    key INTEGER PRIMARY KEY,
    -- When the instance was last updated, if its own row was not written with this one.
    updated INTEGER,
    events TEXT NOT NULL
) STRICT;

DROP VIEW instance_status;
DROP VIEW history_events;

-- What was written before, and rows whose number has no place in the key of `episodes`. Renamed, for a program
-- of before that has the file open would take this for all of history.
ALTER TABLE history RENAME TO other_history;

-- Keys of instances that are gone come again, and a new one begins without looking for history.
DELETE FROM other_history WHERE instance NOT IN (SELECT key FROM instances);

CREATE TRIGGER history_goes AFTER DELETE ON instances BEGIN
    DELETE FROM other_history WHERE instance = OLD.key;
    DELETE FROM episodes WHERE key >= OLD.key * 1048576 AND key < (OLD.key + 1) * 1048576;
END;

-- For people: where each instance stands.
CREATE VIEW instance_status AS
SELECT
    hub,
    instance,
    orchestrator,
    version,
    status,
    strftime('%Y-%m-%d %H:%M:%S', created / 1000000, 'unixepoch')
        || printf('.%06d', created % 1000000) AS created,
    strftime('%Y-%m-%d %H:%M:%S', last_updated / 1000000, 'unixepoch')
        || printf('.%06d', last_updated % 1000000) AS updated,
    CASE
        WHEN due IS NULL THEN NULL
        WHEN due = 0 THEN 'now'
        ELSE strftime('%Y-%m-%d %H:%M:%S', due / 1000000, 'unixepoch')
            || printf('.%06d', due % 1000000)
    END AS due,
    custom_status,
    output,
    parent,
    tags,
    lower(hex(execution)) AS execution,
    partition
FROM (
    SELECT
        hubs.name AS hub,
        instances.id AS instance,
        instances.name AS orchestrator,
        instances.*,
        max(
            instances.updated,
            ifnull(
                (
                    SELECT episodes.updated FROM episodes
                    WHERE episodes.key >= instances.key * 1048576
                    AND episodes.key < (instances.key + 1) * 1048576
                    ORDER BY episodes.key DESC LIMIT 1
                ),
                instances.updated
            )
        ) AS last_updated
    FROM hubs
    -- CROSS JOIN: hubs first, so that an instance is found by its id.
    CROSS JOIN instances ON instances.hub = hubs.key
);

-- For people: history, one event per row. An event is stored as `[microseconds, {"Kind": body}]`, or
-- `[microseconds, "Kind"]` where the kind has no body. A row that is not JSON is left out.
CREATE VIEW history_events AS
SELECT
    hub,
    instance,
    row_number() OVER (PARTITION BY hub, instance ORDER BY sequence, event.key) - 1 AS position,
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
FROM (
    SELECT
        hubs.name AS hub,
        instances.id AS instance,
        other_history.sequence AS sequence,
        other_history.events AS events
    FROM hubs
    CROSS JOIN instances ON instances.hub = hubs.key
    CROSS JOIN other_history ON other_history.instance = instances.key
    UNION ALL
    SELECT
        hubs.name AS hub,
        instances.id AS instance,
        episodes.key & 0xFFFFF AS sequence,
        episodes.events AS events
    FROM hubs
    CROSS JOIN instances ON instances.hub = hubs.key
    CROSS JOIN episodes
        ON episodes.key >= instances.key * 1048576 AND episodes.key < (instances.key + 1) * 1048576
)
CROSS JOIN json_each(CASE WHEN json_valid(events) THEN events ELSE '[]' END) AS event;
