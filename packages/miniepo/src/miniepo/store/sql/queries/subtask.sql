-- name: columns
s.AutoID AS id, s.TaskLogID AS task_log_id, s.AgentGUID AS guid, s.LeafNodeID AS system_id, s.Name AS name,
       s.State AS state, s.SendStatus AS send, s.StartStatus AS start, s.ProgressStatus AS progress,
       s.ProgressPercent AS percent, s.StartDate AS start_date, s.EndDate AS end_date

-- name: open
INSERT INTO OrionTaskLogSubtask AS s
    (TaskLogID, AgentGUID, LeafNodeID, Name, State, SendStatus, StartStatus, ProgressStatus)
SELECT %(log_id)s, t.guid, t.leaf, t.name, %(state)s, %(segment)s, %(segment)s, %(segment)s
FROM unnest(%(guids)s::text[], %(leaves)s::integer[], %(names)s::text[]) AS t (guid, leaf, name)
RETURNING {columns};

-- name: of_task
SELECT {columns} FROM OrionTaskLogSubtask s WHERE s.TaskLogID = %(log_id)s ORDER BY s.AutoID;

-- name: of_agent
SELECT {columns} FROM OrionTaskLogSubtask s WHERE s.TaskLogID = %(log_id)s
  AND (s.AgentGUID = %(guid)s OR s.LeafNodeID = (SELECT l.AutoID FROM EPOLeafNode l WHERE l.AgentGUID = %(guid)s))
ORDER BY s.AgentGUID IS DISTINCT FROM %(guid)s LIMIT 1;

-- name: record
WITH r AS (
    SELECT * FROM jsonb_to_recordset(%(rows)s::jsonb) AS r (id bigint, state text, send text, start text,
        progress text, percent integer, final boolean, messages text[])
),
changed AS (
    UPDATE OrionTaskLogSubtask s
    SET State = r.state, SendStatus = r.send, StartStatus = r.start, ProgressStatus = r.progress,
        ProgressPercent = r.percent, EndDate = CASE WHEN r.final THEN coalesce(s.EndDate, now()) END
    FROM r WHERE s.AutoID = r.id
    RETURNING s.AutoID, s.TaskLogID, r.messages
)
INSERT INTO OrionTaskLogTaskMessage (TaskLogID, Message, SubtaskID)
SELECT c.TaskLogID, m.message, c.AutoID
FROM changed c CROSS JOIN LATERAL unnest(c.messages) WITH ORDINALITY AS m (message, place)
ORDER BY c.AutoID, m.place;

-- name: set_state
UPDATE OrionTaskLogSubtask
SET State = %(state)s, EndDate = CASE WHEN %(final)s THEN coalesce(EndDate, now()) END
WHERE AutoID = %(id)s;

-- name: interrupted
SELECT t.AutoID AS log_id, count(*)::integer AS count, string_agg(s.Name, ', ' ORDER BY s.AutoID) AS names
FROM OrionTaskLogTask t JOIN OrionTaskLogSubtask s ON s.TaskLogID = t.AutoID
WHERE t.EndDate IS NULL AND s.EndDate IS NULL GROUP BY t.AutoID ORDER BY t.AutoID;
