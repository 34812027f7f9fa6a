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
    WHERE q.Finished IS NULL AND q.NotBefore <= now() AND q.ExpiresOn > now() AND q.Kind <> 'listener'
      AND (q.ClaimedOn IS NULL OR q.ClaimedOn < now() - make_interval(secs => %(abandoned_seconds)s))
      AND (q.Options->'among' IS NULL OR q.Options->'among' @> to_jsonb(%(handler_id)s::integer))
      AND (q.PreferredHandlerID IS NULL OR q.PreferredHandlerID = %(handler_id)s
           OR (coalesce(q.Options->>'held', 'grace') = 'grace'
               AND q.CreatedOn < now() - make_interval(secs => %(grace_seconds)s))
           OR (coalesce(q.Options->>'held', 'grace') <> 'only'
               AND NOT EXISTS (SELECT FROM EPOAgentHandlers h WHERE h.AutoID = q.PreferredHandlerID AND h.Enabled
                               AND h.LastUpdate > now() - make_interval(secs => %(silent_seconds)s))))
    ORDER BY q.AutoID LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING w.AutoID AS id, w.Kind AS kind, w.Target AS target, w.WakeupID AS wakeup_id, w.Options AS options,
    w.Attempts AS attempts;

-- name: finish
UPDATE EPOAgentHandlerWQ
SET Finished = now(), Outcome = %(outcome)s, Message = %(message)s, Options = Options - 'password'
WHERE AutoID = %(id)s AND Finished IS NULL;

-- name: postpone
UPDATE EPOAgentHandlerWQ
SET ClaimedBy = NULL, ClaimedOn = NULL, Message = %(message)s,
    PreferredHandlerID = CASE WHEN coalesce(Options->>'held', 'grace') <> 'grace' THEN PreferredHandlerID END,
    NotBefore = now() + make_interval(secs => %(seconds)s)
WHERE AutoID = %(id)s AND Finished IS NULL;

-- name: expire
UPDATE EPOAgentHandlerWQ
SET Finished = now(), Outcome = 'expired', Options = Options - 'password',
    Message = CASE WHEN Message <> '' THEN Message WHEN Kind = 'listener' THEN 'did not call in after the broadcast'
                   WHEN ClaimedBy IS NULL THEN 'no handler asked for it in time' ELSE 'not done in time' END
WHERE Finished IS NULL AND BatchUid = %(batch)s AND ExpiresOn <= now();

-- name: withdraw
UPDATE EPOAgentHandlerWQ
SET Finished = now(), Outcome = 'expired', Options = Options - 'password', Message = %(message)s
WHERE BatchUid = %(batch)s AND Finished IS NULL;

-- name: heard
UPDATE EPOAgentHandlerWQ w SET Finished = now(), Outcome = 'completed', Message = 'called in after the broadcast'
WHERE w.Finished IS NULL AND w.BatchUid = %(batch)s AND w.Kind = 'listener'
  AND EXISTS (SELECT FROM AgentCallin c
              WHERE c.LeafNodeID = w.Target AND c.WakeupID = w.WakeupID AND c.ReceivedUTC >= w.CreatedOn);

-- name: unheard
UPDATE EPOAgentHandlerWQ w SET Finished = now(), Outcome = 'failed', Message = 'no SuperAgent of its segment was reached'
WHERE w.Finished IS NULL AND w.BatchUid = %(batch)s AND w.Kind = 'listener'
  AND NOT EXISTS (SELECT FROM EPOAgentHandlerWQ s
                  WHERE s.BatchUid = w.BatchUid AND s.WakeupID = w.WakeupID AND s.Kind = 'superagent'
                    AND (s.Finished IS NULL OR s.Outcome = 'completed'));

-- name: batch
SELECT w.AutoID AS id, w.Target AS target, w.Kind AS kind, l.NodeName AS name, w.WakeupID AS wakeup_id, w.Outcome AS outcome,
       w.Message AS message, h.HandlerName AS handler
FROM EPOAgentHandlerWQ w
JOIN EPOLeafNode l ON l.AutoID = w.Target
LEFT JOIN EPOAgentHandlers h ON h.AutoID = w.ClaimedBy
WHERE w.BatchUid = %(batch)s ORDER BY w.AutoID;

-- name: options_of_wakeup
SELECT Options AS options FROM EPOAgentHandlerWQ WHERE WakeupID = %(wakeup_id)s LIMIT 1;

-- name: forget_old
DELETE FROM EPOAgentHandlerWQ WHERE coalesce(Finished, ExpiresOn) < now() - make_interval(secs => %(age_seconds)s);
