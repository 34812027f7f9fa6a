-- name: add_data
INSERT INTO EPODataChannelData (Product, Kind, CorrelationID, Payload)
VALUES (%(product)s, %(kind)s, %(correlation)s, %(payload)s) RETURNING AutoID;

-- name: add
INSERT INTO EPOAgentHandlerDatachannelWQ (BatchUid, Target, DataID, ExpiresOn)
SELECT %(batch)s, l.AutoID, %(data_id)s, now() + make_interval(secs => %(expires_seconds)s)
FROM EPOLeafNode l WHERE l.AutoID = ANY (%(targets)s) ORDER BY l.AutoID;

-- name: announce
SELECT pg_notify(%(channel)s, '');

-- name: claim
WITH due AS (
    SELECT q.AutoID
    FROM EPOAgentHandlerDatachannelWQ q
    LEFT JOIN EPOComputerProperties c ON c.ParentID = q.Target
    LEFT JOIN EPOAgentHandlers h ON h.AutoID = c.LastAgentHandler AND h.Enabled
         AND h.LastUpdate > now() - make_interval(secs => %(silent_seconds)s)
    WHERE q.Finished IS NULL AND q.NotBefore <= now() AND q.ExpiresOn > now()
      AND (h.AutoID IS NULL OR h.AutoID = %(handler_id)s
           OR q.NotBefore < now() - make_interval(secs => %(grace_seconds)s))
    ORDER BY q.Attempts > 0, q.AutoID LIMIT %(limit)s FOR UPDATE OF q SKIP LOCKED),
claimed AS (
    UPDATE EPOAgentHandlerDatachannelWQ w
    SET ClaimedBy = %(handler_id)s, ClaimedOn = now(), Attempts = w.Attempts + 1,
        NotBefore = now() + make_interval(secs => %(lease_seconds)s)
    FROM due WHERE w.AutoID = due.AutoID
    RETURNING w.AutoID, w.Target, w.Attempts),
released AS (
    UPDATE EPOAgentHandlerDatachannelWQAttempts a SET Finished = now(), Outcome = 'abandoned'
    FROM claimed WHERE a.ParentID = claimed.AutoID AND a.Finished IS NULL),
attempt AS (
    INSERT INTO EPOAgentHandlerDatachannelWQAttempts (ParentID, HandlerID)
    SELECT AutoID, %(handler_id)s FROM claimed RETURNING AutoID, ParentID)
SELECT c.AutoID AS id, c.Target AS target, c.Attempts AS attempts, attempt.AutoID AS attempt_id
FROM claimed c JOIN attempt ON attempt.ParentID = c.AutoID ORDER BY c.AutoID;

-- name: postpone
WITH r AS (
    SELECT * FROM jsonb_to_recordset(%(rows)s::jsonb) AS r (id bigint, attempt bigint, outcome text, message text,
        seconds float8)
),
locked AS (
    SELECT q.AutoID, r.message, r.seconds
    FROM EPOAgentHandlerDatachannelWQ q JOIN r ON r.id = q.AutoID
    WHERE q.Finished IS NULL ORDER BY q.AutoID FOR UPDATE OF q
),
attempt AS (
    UPDATE EPOAgentHandlerDatachannelWQAttempts a SET Finished = now(), Outcome = r.outcome, Message = r.message
    FROM r WHERE a.AutoID = r.attempt AND a.Finished IS NULL
)
UPDATE EPOAgentHandlerDatachannelWQ q
SET NotBefore = now() + make_interval(secs => locked.seconds), Message = locked.message
FROM locked WHERE q.AutoID = locked.AutoID;

-- name: give_up
WITH locked AS (
    SELECT AutoID FROM EPOAgentHandlerDatachannelWQ
    WHERE AutoID = ANY (%(ids)s) AND Finished IS NULL ORDER BY AutoID FOR UPDATE),
attempt AS (
    UPDATE EPOAgentHandlerDatachannelWQAttempts SET Finished = now(), Outcome = 'failed', Message = %(message)s
    WHERE AutoID = ANY (%(attempts)s) AND Finished IS NULL)
UPDATE EPOAgentHandlerDatachannelWQ q SET Finished = now(), Outcome = 'failed', Message = %(message)s
FROM locked WHERE q.AutoID = locked.AutoID;

-- name: withdraw
UPDATE EPOAgentHandlerDatachannelWQ SET Finished = now(), Outcome = 'failed', Message = %(message)s
WHERE AutoID IN (
    SELECT AutoID FROM EPOAgentHandlerDatachannelWQ
    WHERE BatchUid = %(batch)s AND Finished IS NULL ORDER BY AutoID FOR UPDATE);

-- name: waiting
SELECT t.target AS target, w.*
FROM unnest(%(targets)s::integer[]) AS t (target)
CROSS JOIN LATERAL (
    SELECT q.BatchUid || '-' || q.AutoID AS id, d.Product AS product, d.Kind AS kind, d.CorrelationID AS correlation,
           d.Payload AS payload, extract(epoch FROM q.ExpiresOn)::float8 AS expires
    FROM EPOAgentHandlerDatachannelWQ q JOIN EPODataChannelData d ON d.AutoID = q.DataID
    WHERE q.Target = t.target AND q.Finished IS NULL AND q.ExpiresOn > now()
    ORDER BY q.AutoID LIMIT %(limit)s) AS w;

-- name: deliver
WITH r AS (
    SELECT * FROM jsonb_to_recordset(%(rows)s::jsonb) AS r (target integer, number bigint, id text, message text)
),
locked AS (
    SELECT q.AutoID, r.message
    FROM EPOAgentHandlerDatachannelWQ q JOIN r ON r.number = q.AutoID
    WHERE q.Finished IS NULL AND q.Target = r.target AND q.BatchUid || '-' || q.AutoID = r.id
    ORDER BY q.AutoID FOR UPDATE OF q
)
UPDATE EPOAgentHandlerDatachannelWQ q
SET Finished = now(), Outcome = 'delivered', Message = locked.message
FROM locked WHERE q.AutoID = locked.AutoID
RETURNING q.Target AS target;

-- name: expire
UPDATE EPOAgentHandlerDatachannelWQ SET Finished = now(), Outcome = 'expired'
WHERE AutoID IN (
    SELECT AutoID FROM EPOAgentHandlerDatachannelWQ
    WHERE Finished IS NULL AND ExpiresOn <= now() ORDER BY AutoID FOR UPDATE SKIP LOCKED);

-- name: batch
SELECT q.AutoID AS id, q.Target AS target, l.NodeName AS name, l.AgentGUID AS guid, q.Attempts AS attempts,
       q.Outcome AS outcome, q.Message AS message, h.HandlerName AS handler
FROM EPOAgentHandlerDatachannelWQ q
JOIN EPOLeafNode l ON l.AutoID = q.Target
LEFT JOIN EPOAgentHandlers h ON h.AutoID = q.ClaimedBy
WHERE q.BatchUid = %(batch)s ORDER BY q.AutoID;

-- name: due_handlers
SELECT q.AutoID AS id, h.AutoID AS handler_id
FROM EPOAgentHandlerDatachannelWQ q
LEFT JOIN EPOComputerProperties c ON c.ParentID = q.Target
LEFT JOIN EPOAgentHandlers h ON h.AutoID = c.LastAgentHandler AND h.Enabled
     AND h.LastUpdate > now() - make_interval(secs => %(silent_seconds)s)
WHERE q.Finished IS NULL AND q.NotBefore <= now() AND q.ExpiresOn > now()
ORDER BY q.AutoID LIMIT %(limit)s;

-- name: received
SELECT r.AgentGUID AS guid, r.MessageID AS id
FROM unnest(%(guids)s::text[], %(ids)s::text[]) AS a (guid, id)
JOIN EPODataChannelReceived r ON r.AgentGUID = a.guid AND r.MessageID = a.id;

-- name: receive
INSERT INTO EPODataChannelReceived (AgentGUID, MessageID, Product, Kind, CorrelationID, HandlerName, Payload)
SELECT r.guid, r.id, r.product, r.kind, r.correlation, r.handler, r.payload
FROM jsonb_to_recordset(%(rows)s::jsonb) AS r (guid text, id text, product text, kind text, correlation text,
    handler text, payload jsonb)
ON CONFLICT DO NOTHING;

-- name: answers
SELECT r.AgentGUID AS guid, l.NodeName AS name, r.MessageID AS id, r.Product AS product, r.Kind AS kind,
       r.HandlerName AS handler, r.Payload AS payload, extract(epoch FROM r.ReceivedUTC)::float8 AS received
FROM EPODataChannelReceived r LEFT JOIN EPOLeafNode l ON l.AgentGUID = r.AgentGUID
WHERE r.CorrelationID = %(correlation)s ORDER BY r.AutoID;

-- name: forget_finished
DELETE FROM EPOAgentHandlerDatachannelWQ WHERE Finished < now() - make_interval(secs => %(age_seconds)s);

-- name: forget_data
DELETE FROM EPODataChannelData d WHERE d.CreatedOn < now() - make_interval(secs => %(age_seconds)s)
    AND NOT EXISTS (SELECT 1 FROM EPOAgentHandlerDatachannelWQ q WHERE q.DataID = d.AutoID);

-- name: forget_received
DELETE FROM EPODataChannelReceived WHERE ReceivedUTC < now() - make_interval(secs => %(age_seconds)s);

-- name: forget_crowded
DELETE FROM EPODataChannelReceived WHERE AutoID IN (
    SELECT AutoID FROM (
        SELECT AutoID, row_number() OVER (PARTITION BY AgentGUID ORDER BY AutoID DESC) AS place
        FROM EPODataChannelReceived) AS ranked
    WHERE place > %(most)s);
