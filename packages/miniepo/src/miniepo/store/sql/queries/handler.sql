-- name: handler
SELECT AutoID AS id, HandlerName AS name, ComputerName AS computer_name, DNSName AS fqdn, LastKnownTCPIP AS address,
       LastKnownIPV6 AS address_v6, ePOVersion AS version, HttpPort AS http_port, HttpsPort AS https_port,
       BuiltIn AS built_in, Enabled AS enabled, extract(epoch FROM now() - LastUpdate)::float8 AS silent_seconds,
       LastUpdate AS last_update
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
UPDATE EPOAgentHandlers SET LastUpdate = now() WHERE AutoID = %(id)s;

-- name: rules
SELECT r.Priority AS priority, r.BranchNodeID AS group_id, host(r.Subnet) || '/' || masklen(r.Subnet) AS subnet,
       r.UseAll AS use_all, r.HandlerNames AS handlers
FROM EPOHandlerAssignmentRule r ORDER BY r.Priority;

-- name: clear_rules
DELETE FROM EPOHandlerAssignmentRule;

-- name: add_rule
INSERT INTO EPOHandlerAssignmentRule (Priority, BranchNodeID, Subnet, UseAll, HandlerNames)
VALUES (%(priority)s, %(group_id)s, %(subnet)s::cidr, %(use_all)s, %(handlers)s);
