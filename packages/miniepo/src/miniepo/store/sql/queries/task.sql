-- name: find
SELECT AutoID AS id, Name AS name, Type AS type, Schedule AS schedule, Settings AS settings
FROM EPOTask WHERE strpos(lower(Name || ' ' || Type), lower(%(text)s)) > 0 ORDER BY AutoID;

-- name: by_name
SELECT AutoID AS id, Name AS name, Type AS type, Schedule AS schedule, Settings AS settings
FROM EPOTask WHERE lower(Name) = lower(%(name)s) OR AutoID::text = %(name)s;

-- name: by_id
SELECT AutoID AS id, Name AS name, Type AS type, Schedule AS schedule, Settings AS settings
FROM EPOTask WHERE AutoID = %(id)s;

-- name: save
INSERT INTO EPOTask (Name, Type, Schedule, Settings) VALUES (%(name)s, %(type)s, %(schedule)s, %(settings)s)
ON CONFLICT (Name) DO UPDATE SET Type = excluded.Type, Schedule = excluded.Schedule, Settings = excluded.Settings
RETURNING AutoID AS id;

-- name: delete
DELETE FROM EPOTask WHERE AutoID = %(id)s;

-- name: assign_to_group
INSERT INTO EPOTaskAssignments (TaskID, BranchNodeID) VALUES (%(task_id)s, %(node_id)s) ON CONFLICT DO NOTHING;

-- name: assign_to_system
INSERT INTO EPOTaskAssignments (TaskID, LeafNodeID) VALUES (%(task_id)s, %(node_id)s) ON CONFLICT DO NOTHING;

-- name: assignments
SELECT a.BranchNodeID AS group_id, a.LeafNodeID AS system_id, t.AutoID AS id, t.Name AS name, t.Type AS type,
       t.Schedule AS schedule, t.Settings AS settings
FROM EPOTaskAssignments a JOIN EPOTask t ON t.AutoID = a.TaskID
ORDER BY t.AutoID;

-- name: report
INSERT INTO EPOTaskStatus (AgentGUID, TaskID, RunID, Status, Message, ReportedUTC)
VALUES (%(guid)s, %(task_id)s, %(run_id)s, %(status)s, %(text)s, now())
ON CONFLICT (AgentGUID, TaskID, RunID)
DO UPDATE SET Status = excluded.Status, Message = excluded.Message, ReportedUTC = excluded.ReportedUTC;

-- name: statuses
SELECT s.AgentGUID AS guid, l.NodeName AS name, s.TaskID AS task_id, s.RunID AS run_id, s.Status AS status,
       s.Message AS text, extract(epoch FROM s.ReportedUTC)::float8 AS reported
FROM EPOTaskStatus s LEFT JOIN EPOLeafNode l ON l.AgentGUID = s.AgentGUID
LEFT JOIN EPOComputerProperties c ON c.ParentID = l.AutoID
WHERE %(name)s::text IS NULL OR lower(%(name)s) IN (lower(l.NodeName), lower(c.IPHostName))
ORDER BY s.ReportedUTC;
