-- name: handler
SELECT AutoID AS id, HandlerName AS name, ComputerName AS computer_name, DNSName AS fqdn, LastKnownTCPIP AS address,
       LastKnownIPV6 AS address_v6, ePOVersion AS version, HttpPort AS http_port, HttpsPort AS https_port,
       BuiltIn AS built_in, Enabled AS enabled, extract(epoch FROM now() - LastUpdate)::float8 AS silent_seconds,
       LastUpdate AS last_update, OpenConnections AS open_connections, RefusedConnections AS refused_connections
FROM EPOAgentHandlers

-- name: all
{handler} ORDER BY BuiltIn DESC, AutoID;

-- name: register
INSERT INTO EPOAgentHandlers (HandlerName, ComputerName, DNSName, LastKnownTCPIP, LastKnownIPV6, PublishedIP,
    PublishedDNSName, ePOVersion, HttpPort, HttpsPort, BuiltIn)
VALUES (%(name)s, %(computer_name)s, %(fqdn)s, %(address)s, %(address_v6)s, %(address)s, %(fqdn)s, %(version)s,
    %(http_port)s, %(https_port)s, %(built_in)s)
ON CONFLICT (HandlerName) DO UPDATE SET ComputerName = excluded.ComputerName, DNSName = excluded.DNSName,
    LastKnownTCPIP = excluded.LastKnownTCPIP, LastKnownIPV6 = excluded.LastKnownIPV6, ePOVersion = excluded.ePOVersion,
    HttpPort = excluded.HttpPort, HttpsPort = excluded.HttpsPort, BuiltIn = excluded.BuiltIn, LastUpdate = now()
RETURNING AutoID AS id;

-- name: heartbeat
UPDATE EPOAgentHandlers
SET LastUpdate = now(), OpenConnections = %(open_connections)s, RefusedConnections = %(refused_connections)s
WHERE AutoID = %(id)s;

-- name: groups
SELECT GroupName AS name, Spread AS spread, HandlerNames AS handlers FROM EPOHandlerGroup ORDER BY GroupName;

-- name: clear_groups
DELETE FROM EPOHandlerGroup;

-- name: add_group
INSERT INTO EPOHandlerGroup (GroupName, Spread, HandlerNames) VALUES (%(name)s, %(spread)s, %(handlers)s);

-- name: rules
SELECT Priority AS priority, RuleName AS name, BranchNodeID AS group_id, Subnets AS subnets, UseAll AS use_all,
       HandlerNames AS choices
FROM EPOHandlerAssignmentRule ORDER BY Priority;

-- name: clear_rules
DELETE FROM EPOHandlerAssignmentRule;

-- name: add_rule
INSERT INTO EPOHandlerAssignmentRule (Priority, RuleName, BranchNodeID, Subnets, UseAll, HandlerNames)
VALUES (%(priority)s, %(name)s, %(group_id)s, %(subnets)s, %(use_all)s, %(choices)s);
