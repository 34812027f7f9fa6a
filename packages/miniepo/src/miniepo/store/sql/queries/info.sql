-- name: get
SELECT Value AS value FROM EPOServerInfo WHERE Name = %(name)s;

-- name: set
INSERT INTO EPOServerInfo (Name, Value) VALUES (%(name)s, %(value)s)
ON CONFLICT (Name) DO UPDATE SET Value = excluded.Value;
