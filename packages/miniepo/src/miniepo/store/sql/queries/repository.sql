-- name: repository
SELECT r.AutoID AS id, r.Name AS name, r.Type AS type, r.LeafNodeID AS system_id, r.Port AS port,
       r.Enabled AS enabled, r.ReplicatedVersion AS replicated_version, r.ReplicatedOn AS replicated_on,
       r.LastError AS last_error, coalesce(c.IPHostName, '') AS fqdn, coalesce(c.IPAddress, '') AS address,
       coalesce(c.ReceivedProperties ->> 'IPV6', '') AS address_v6, coalesce(c.ComputerName, '') AS computer_name
FROM EPORepository r LEFT JOIN EPOComputerProperties c ON c.ParentID = r.LeafNodeID

-- name: all
{repository} ORDER BY r.AutoID;

-- name: register
INSERT INTO EPORepository (Name, Type, LeafNodeID, Port) VALUES (%(name)s, 'SuperAgent', %(system_id)s, %(port)s)
ON CONFLICT (LeafNodeID) DO UPDATE SET Name = excluded.Name, Port = excluded.Port
RETURNING (xmax = 0) AS created;

-- name: unregister
DELETE FROM EPORepository WHERE LeafNodeID = %(system_id)s;

-- name: replicated
UPDATE EPORepository SET ReplicatedVersion = %(version)s, ReplicatedOn = now(), LastError = '' WHERE AutoID = %(id)s;

-- name: failed
UPDATE EPORepository SET LastError = %(error)s WHERE AutoID = %(id)s;
