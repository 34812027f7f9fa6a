-- name: user
SELECT AutoID AS id, Name AS name, PasswordHash AS password_hash, Admin AS admin, Disabled AS disabled
FROM OrionUser WHERE lower(Name) = lower(%(name)s);

-- name: add_user
INSERT INTO OrionUser (Name, PasswordHash, Admin) VALUES (%(name)s, %(password_hash)s, %(admin)s)
ON CONFLICT DO NOTHING;

-- name: tasks
SELECT AutoID AS id, Name AS name, Description AS description, Type AS type, EverySeconds AS every_seconds,
       Incremental AS incremental, Enabled AS enabled, StartDate AS start_date, EndDate AS end_date,
       NextRunTime AS next_run_time
FROM OrionSchedulerTask ORDER BY AutoID;

-- name: save_task
INSERT INTO OrionSchedulerTask (Name, Description, Type, EverySeconds, Incremental, Enabled, NextRunTime)
VALUES (%(name)s, %(description)s, %(type)s, %(every_seconds)s, %(incremental)s, %(enabled)s,
    CASE WHEN %(every_seconds)s > 0 THEN now() + make_interval(secs => %(first_after_seconds)s) END)
ON CONFLICT (Name) DO UPDATE SET Type = excluded.Type, EverySeconds = excluded.EverySeconds,
    Incremental = excluded.Incremental, Enabled = excluded.Enabled,
    NextRunTime = CASE WHEN excluded.EverySeconds > 0
        THEN coalesce(OrionSchedulerTask.NextRunTime, excluded.NextRunTime) END;

-- name: claim_due_task
UPDATE OrionSchedulerTask t
SET StartDate = now(), EndDate = NULL, NextRunTime = now() + make_interval(secs => EverySeconds)
WHERE t.AutoID = (SELECT AutoID FROM OrionSchedulerTask
                  WHERE Enabled AND EverySeconds > 0 AND NextRunTime <= now() ORDER BY NextRunTime LIMIT 1)
RETURNING t.AutoID AS id, t.Name AS name, t.Description AS description, t.Type AS type,
    t.EverySeconds AS every_seconds, t.Incremental AS incremental, t.Enabled AS enabled, t.StartDate AS start_date,
    t.EndDate AS end_date, t.NextRunTime AS next_run_time;

-- name: enable_task
UPDATE OrionSchedulerTask SET Enabled = %(enabled)s WHERE AutoID = %(id)s;

-- name: task_started
UPDATE OrionSchedulerTask SET StartDate = now(), EndDate = NULL WHERE AutoID = %(id)s;

-- name: task_ended
UPDATE OrionSchedulerTask SET EndDate = now() WHERE AutoID = %(id)s;

-- name: open_log
INSERT INTO OrionTaskLogTask (Name, UserName, TaskSource, State)
VALUES (%(name)s, %(user)s, %(source)s, 'In Progress') RETURNING AutoID AS id;

-- name: add_message
INSERT INTO OrionTaskLogTaskMessage (TaskLogID, Message, SubtaskID)
VALUES (%(log_id)s, %(message)s, %(subtask_id)s);

-- name: close_log
UPDATE OrionTaskLogTask SET State = %(state)s, EndDate = now() WHERE AutoID = %(log_id)s;

-- name: end_unfinished
UPDATE OrionTaskLogTask SET State = 'Ended', EndDate = now() WHERE EndDate IS NULL;

-- name: history
SELECT AutoID AS id, Name AS name, StartDate AS start_date, EndDate AS end_date, UserName AS user_name,
       TaskSource AS task_source, State AS state
FROM OrionTaskLogTask
WHERE (%(name)s::text IS NULL OR strpos(lower(Name), lower(%(name)s)) > 0)
  AND (%(source)s::text IS NULL OR lower(TaskSource) = lower(%(source)s))
  AND (%(age_seconds)s::float8 IS NULL OR StartDate >= now() - make_interval(secs => %(age_seconds)s))
ORDER BY AutoID DESC LIMIT %(rows)s;

-- name: messages
SELECT m.AutoID AS id, m.TaskLogID AS task_log_id, m.MessageDate AS date, m.Message AS message,
       m.SubtaskID AS subtask_id, s.Name AS subtask
FROM OrionTaskLogTaskMessage m LEFT JOIN OrionTaskLogSubtask s ON s.AutoID = m.SubtaskID
WHERE m.TaskLogID = %(log_id)s ORDER BY m.AutoID;

-- name: log_state
SELECT State AS state FROM OrionTaskLogTask WHERE AutoID = %(log_id)s;

-- name: set_log_state
UPDATE OrionTaskLogTask SET State = %(state)s WHERE AutoID = %(log_id)s AND EndDate IS NULL;

-- name: sources
SELECT DISTINCT TaskSource AS source FROM OrionTaskLogTask ORDER BY TaskSource;

-- name: purge
DELETE FROM OrionTaskLogTask WHERE EndDate < now() - make_interval(secs => %(age_seconds)s);
