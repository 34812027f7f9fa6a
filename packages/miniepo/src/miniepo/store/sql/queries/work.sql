-- name: add
INSERT INTO EPOAgentHandlerWQ (Kind, Target, BatchUid, WakeupID, Options, PreferredHandlerID, ExpiresOn)
VALUES (%(kind)s, %(target)s, %(batch)s, %(wakeup_id)s, %(options)s, %(preferred)s,
    now() + make_interval(secs => %(expires_seconds)s));

-- name: announce
SELECT pg_notify(%(channel)s, '');

-- name: claim
UPDATE EPOAgentHandlerWQ w
SET ClaimedBy = %(handler_id)s, ClaimedOn = now(), Attempts = Attempts + 1
WHERE w.AutoID = (
    SELECT q.AutoID FROM EPOAgentHandlerWQ q
    WHERE q.Finished IS NULL AND q.NotBefore <= now() AND q.ExpiresOn > now()
      AND (q.ClaimedOn IS NULL OR q.ClaimedOn < now() - make_interval(secs => %(abandoned_seconds)s))
      AND (q.PreferredHandlerID IS NULL OR q.PreferredHandlerID = %(handler_id)s
           OR q.CreatedOn < now() - make_interval(secs => %(grace_seconds)s))
    ORDER BY q.AutoID LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING w.AutoID AS id, w.Kind AS kind, w.Target AS target, w.WakeupID AS wakeup_id, w.Options AS options,
    w.Attempts AS attempts;

-- name: finish
UPDATE EPOAgentHandlerWQ SET Finished = now(), Outcome = %(outcome)s, Message = %(message)s WHERE AutoID = %(id)s;

-- name: postpone
UPDATE EPOAgentHandlerWQ
SET ClaimedBy = NULL, ClaimedOn = NULL, PreferredHandlerID = NULL, Message = %(message)s,
    NotBefore = now() + make_interval(secs => %(seconds)s)
WHERE AutoID = %(id)s;

-- name: expire
UPDATE EPOAgentHandlerWQ SET Finished = now(), Outcome = 'expired'
WHERE Finished IS NULL AND BatchUid = %(batch)s AND ExpiresOn <= now();

-- name: batch
SELECT w.AutoID AS id, w.Target AS target, l.NodeName AS name, w.WakeupID AS wakeup_id, w.Outcome AS outcome,
       w.Message AS message, h.HandlerName AS handler
FROM EPOAgentHandlerWQ w
JOIN EPOLeafNode l ON l.AutoID = w.Target
LEFT JOIN EPOAgentHandlers h ON h.AutoID = w.ClaimedBy
WHERE w.BatchUid = %(batch)s ORDER BY w.AutoID;

-- name: options_of_wakeup
SELECT Options AS options FROM EPOAgentHandlerWQ WHERE WakeupID = %(wakeup_id)s;
