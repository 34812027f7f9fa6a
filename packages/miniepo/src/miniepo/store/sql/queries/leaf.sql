-- name: system
SELECT l.AutoID AS id, l.ParentID AS group_id, l.NodeName AS name, l.AgentGUID AS guid, l.AgentVersion AS version,
       l.LastUpdate AS last_update, l.PublicKey AS public_key, l.PropsVersion AS props_version,
       l.PolicyVersion AS policy_version, l.TasksVersion AS tasks_version, l.SiteListVersion AS sitelist_version,
       l.EnforcementProblems AS problems, l.LastWakeupID AS last_wakeup_id, l.ViaRelay AS via_relay,
       l.RemoteAddress AS remote_address, l.SequenceNumber AS sequence, l.SequenceErrorCount AS sequence_errors,
       l.RegenerateGUID AS regenerate_guid, b.NodeTextPath2 AS group_path,
       coalesce(c.ComputerName, '') AS computer_name, coalesce(c.IPHostName, '') AS fqdn,
       coalesce(c.NetAddress, '') AS net_address, coalesce(c.IPAddress, '') AS address, coalesce(c.IPV6, '') AS ipv6, c.LastAgentHandler AS last_handler_id,
       coalesce(c.ReceivedProperties, '{}') AS properties,
       EXISTS (SELECT FROM EPOAgentHandlerDatachannelWQ w WHERE w.Target = l.AutoID AND w.Finished IS NULL)
           AS channel_waits
FROM EPOLeafNode l
JOIN EPOBranchNode b ON b.AutoID = l.ParentID
LEFT JOIN EPOComputerProperties c ON c.ParentID = l.AutoID

-- name: by_guid
{system} WHERE l.AgentGUID = %(guid)s;

-- name: by_guids
{system} WHERE l.AgentGUID = ANY (%(guids)s);

-- name: by_id
{system} WHERE l.AutoID = %(id)s;

-- name: same_machine
{system} WHERE lower(l.NodeName) = lower(%(name)s)
  AND (%(fqdn)s = '' OR coalesce(c.IPHostName, '') = '' OR lower(c.IPHostName) = lower(%(fqdn)s))
ORDER BY coalesce(c.IPHostName, '') = '', l.AutoID;

-- name: lock
SELECT pg_advisory_xact_lock(hashtext('EPOLeafNode'));

-- name: named
{system} WHERE lower(l.NodeName) = ANY (%(names)s) OR lower(c.IPHostName) = ANY (%(names)s)
    OR lower(c.ComputerName) = ANY (%(names)s) OR c.IPAddress IN (
        SELECT IPAddress FROM EPOComputerProperties WHERE IPAddress = ANY (%(names)s) GROUP BY IPAddress
        HAVING count(DISTINCT regexp_replace(lower(coalesce(nullif(IPHostName, ''), ParentID::text)),
            '-[0-9]{4,}(\.|$)', '\1')) = 1
    ) ORDER BY l.AutoID;

-- name: numbered
{system} WHERE l.AutoID = ANY (%(ids)s) ORDER BY l.AutoID;

-- name: present
SELECT AutoID AS id FROM EPOLeafNode WHERE AutoID = ANY (%(ids)s);

-- name: all
{system} ORDER BY l.AutoID;

-- name: around_relays
{system} WHERE l.ViaRelay IS NOT NULL OR c.ReceivedProperties ->> 'Relay.Enabled' = '1' ORDER BY l.AutoID;

-- name: import
INSERT INTO EPOLeafNode (ParentID, NodeName) VALUES (%(group_id)s, %(name)s) RETURNING AutoID;

-- name: taken
SELECT DISTINCT lower(NodeName) AS name FROM EPOLeafNode WHERE lower(NodeName) = ANY (%(names)s);

-- name: import_new
WITH named AS (SELECT * FROM unnest(%(names)s::text[], %(fqdns)s::text[]) AS n (name, fqdn)),
made AS (
    INSERT INTO EPOLeafNode (ParentID, NodeName) SELECT %(group_id)s, name FROM named RETURNING AutoID, NodeName
)
INSERT INTO EPOComputerProperties (ParentID, ComputerName, IPHostName)
SELECT m.AutoID, n.name, n.fqdn FROM made m JOIN named n ON n.name = m.NodeName
RETURNING ParentID AS id, ComputerName AS name;

-- name: enrol
UPDATE EPOLeafNode
SET AgentGUID = %(guid)s, PublicKey = %(public_key)s, AgentVersion = %(version)s, ManagedState = 1,
    PropsVersion = '', PolicyVersion = '', TasksVersion = '', SiteListVersion = '',
    SequenceNumber = 0, SequenceErrorCount = 0, RegenerateGUID = false
WHERE AutoID = %(id)s;

-- name: ensure_properties
INSERT INTO EPOComputerProperties (ParentID, ComputerName, IPHostName)
VALUES (%(id)s, %(computer_name)s, %(fqdn)s)
ON CONFLICT (ParentID) DO UPDATE SET ComputerName = excluded.ComputerName,
    IPHostName = CASE WHEN excluded.IPHostName <> '' THEN excluded.IPHostName ELSE EPOComputerProperties.IPHostName END;

-- name: called_in
UPDATE EPOLeafNode
SET LastUpdate = now(), AgentVersion = %(version)s, PolicyVersion = %(policy_version)s,
    TasksVersion = %(tasks_version)s, SiteListVersion = %(sitelist_version)s,
    LastWakeupID = coalesce(%(wakeup_id)s, LastWakeupID), ViaRelay = %(via_relay)s, RemoteAddress = %(remote_address)s,
    SequenceNumber = CASE WHEN %(sequence)s > 0 THEN %(sequence)s ELSE SequenceNumber END,
    SequenceErrorCount = %(sequence_errors)s
WHERE AutoID = %(id)s;

-- name: regenerate_guid
UPDATE EPOLeafNode SET RegenerateGUID = true WHERE AutoID = ANY (%(ids)s) AND AgentGUID IS NOT NULL;

-- name: record_handler
UPDATE EPOComputerProperties SET LastAgentHandler = %(handler_id)s WHERE ParentID = %(id)s;

-- name: record_callin
INSERT INTO AgentCallin (LeafNodeID, HandlerID, Reason, WakeupID, ViaRelay, RemoteAddress)
VALUES (%(id)s, %(handler_id)s, %(reason)s, %(wakeup_id)s, %(via_relay)s, %(remote_address)s);

-- name: enforced
UPDATE EPOLeafNode
SET PolicyVersion = %(policy_version)s, TasksVersion = %(tasks_version)s, SiteListVersion = %(sitelist_version)s,
    EnforcementProblems = %(problems)s
WHERE AutoID = %(id)s;

-- name: set_props_version
UPDATE EPOLeafNode SET PropsVersion = %(props_version)s WHERE AutoID = %(id)s;

-- name: set_properties
UPDATE EPOComputerProperties SET
    ComputerName = %(ComputerName)s, Description = %(Description)s, SystemDescription = %(SystemDescription)s,
    TimeZone = %(TimeZone)s, DefaultLangID = %(DefaultLangID)s, UserName = %(UserName)s, DomainName = %(DomainName)s,
    IPHostName = %(IPHostName)s, IPV6 = %(IPV6)s, IPAddress = %(IPAddress)s, IPSubnet = %(IPSubnet)s,
    IPSubnetMask = %(IPSubnetMask)s, IPV4x = %(IPV4x)s, SubnetAddress = %(SubnetAddress)s, SubnetMask = %(SubnetMask)s,
    NetAddress = %(NetAddress)s, OSType = %(OSType)s, OSVersion = %(OSVersion)s,
    OSServicePackVer = %(OSServicePackVer)s, OSBuildNum = %(OSBuildNum)s, OSPlatform = %(OSPlatform)s,
    OSOEMID = %(OSOEMID)s, CPUType = %(CPUType)s, CPUSpeed = %(CPUSpeed)s, NumOfCPU = %(NumOfCPU)s,
    TotalPhysicalMemory = %(TotalPhysicalMemory)s, FreeMemory = %(FreeMemory)s, FreeDiskSpace = %(FreeDiskSpace)s,
    TotalDiskSpace = %(TotalDiskSpace)s, IsPortable = %(IsPortable)s, Vdi = %(Vdi)s, OSBitMode = %(OSBitMode)s,
    UserProperty1 = %(UserProperty1)s, UserProperty2 = %(UserProperty2)s, UserProperty3 = %(UserProperty3)s,
    UserProperty4 = %(UserProperty4)s, SysvolFreeSpace = %(SysvolFreeSpace)s, SysvolTotalSpace = %(SysvolTotalSpace)s,
    ReceivedProperties = %(received)s
WHERE ParentID = %(id)s;

-- name: move
UPDATE EPOLeafNode SET ParentID = %(group_id)s WHERE AutoID = %(id)s;

-- name: delete
DELETE FROM EPOLeafNode WHERE AutoID = %(id)s;

-- name: first_use_of_nonce
INSERT INTO AgentNonce (AgentGUID, Nonce) VALUES (%(guid)s, %(nonce)s) ON CONFLICT DO NOTHING;

-- name: forget_old
WITH old AS (DELETE FROM AgentNonce WHERE ReceivedUTC < now() - make_interval(secs => %(nonce_seconds)s))
DELETE FROM AgentCallin WHERE ReceivedUTC < now() - make_interval(secs => %(callin_seconds)s);

-- name: callins
SELECT c.AutoID AS id, l.NodeName AS name, p.IPHostName AS fqdn, l.AgentGUID AS guid, h.HandlerName AS handler,
       extract(epoch FROM c.ReceivedUTC)::float8 AS received, c.Reason AS reason, c.WakeupID AS wakeup_id,
       c.ViaRelay AS via_relay, c.RemoteAddress AS remote_address
FROM AgentCallin c
JOIN EPOLeafNode l ON l.AutoID = c.LeafNodeID
LEFT JOIN EPOComputerProperties p ON p.ParentID = l.AutoID
LEFT JOIN EPOAgentHandlers h ON h.AutoID = c.HandlerID
WHERE (%(name)s::text IS NULL OR lower(%(name)s) IN (lower(l.NodeName), lower(p.IPHostName))) AND c.ReceivedUTC >= to_timestamp(%(since)s)
ORDER BY c.AutoID;

-- name: find
SELECT c.ParentID AS "EPOComputerProperties.ParentID", c.ComputerName AS "EPOComputerProperties.ComputerName",
    c.Description AS "EPOComputerProperties.Description",
    c.SystemDescription AS "EPOComputerProperties.SystemDescription", c.TimeZone AS "EPOComputerProperties.TimeZone",
    c.DefaultLangID AS "EPOComputerProperties.DefaultLangID", c.UserName AS "EPOComputerProperties.UserName",
    c.DomainName AS "EPOComputerProperties.DomainName", c.IPHostName AS "EPOComputerProperties.IPHostName",
    c.IPV6 AS "EPOComputerProperties.IPV6", c.IPAddress AS "EPOComputerProperties.IPAddress",
    c.IPSubnet AS "EPOComputerProperties.IPSubnet", c.IPSubnetMask AS "EPOComputerProperties.IPSubnetMask",
    c.IPV4x AS "EPOComputerProperties.IPV4x", c.IPXAddress AS "EPOComputerProperties.IPXAddress",
    c.SubnetAddress AS "EPOComputerProperties.SubnetAddress", c.SubnetMask AS "EPOComputerProperties.SubnetMask",
    c.NetAddress AS "EPOComputerProperties.NetAddress", c.OSType AS "EPOComputerProperties.OSType",
    c.OSVersion AS "EPOComputerProperties.OSVersion", c.OSServicePackVer AS "EPOComputerProperties.OSServicePackVer",
    c.OSBuildNum AS "EPOComputerProperties.OSBuildNum", c.OSPlatform AS "EPOComputerProperties.OSPlatform",
    c.OSOEMID AS "EPOComputerProperties.OSOEMID", c.CPUType AS "EPOComputerProperties.CPUType",
    c.CPUSpeed AS "EPOComputerProperties.CPUSpeed", c.NumOfCPU AS "EPOComputerProperties.NumOfCPU",
    c.CPUSerialNum AS "EPOComputerProperties.CPUSerialNum",
    c.TotalPhysicalMemory AS "EPOComputerProperties.TotalPhysicalMemory",
    c.FreeMemory AS "EPOComputerProperties.FreeMemory", c.FreeDiskSpace AS "EPOComputerProperties.FreeDiskSpace",
    c.TotalDiskSpace AS "EPOComputerProperties.TotalDiskSpace", c.IsPortable AS "EPOComputerProperties.IsPortable",
    c.Vdi AS "EPOComputerProperties.Vdi", c.OSBitMode AS "EPOComputerProperties.OSBitMode",
    c.LastAgentHandler AS "EPOComputerProperties.LastAgentHandler",
    c.UserProperty1 AS "EPOComputerProperties.UserProperty1", c.UserProperty2 AS "EPOComputerProperties.UserProperty2",
    c.UserProperty3 AS "EPOComputerProperties.UserProperty3", c.UserProperty4 AS "EPOComputerProperties.UserProperty4",
    c.UserProperty5 AS "EPOComputerProperties.UserProperty5", c.UserProperty6 AS "EPOComputerProperties.UserProperty6",
    c.UserProperty7 AS "EPOComputerProperties.UserProperty7", c.UserProperty8 AS "EPOComputerProperties.UserProperty8",
    c.SysvolFreeSpace AS "EPOComputerProperties.SysvolFreeSpace",
    c.SysvolTotalSpace AS "EPOComputerProperties.SysvolTotalSpace",
    l.Tags AS "EPOLeafNode.Tags", l.ExcludedTags AS "EPOLeafNode.ExcludedTags",
    l.LastUpdate AS "EPOLeafNode.LastUpdate", l.ManagedState AS "EPOLeafNode.ManagedState",
    l.AgentGUID AS "EPOLeafNode.AgentGUID", l.AgentVersion AS "EPOLeafNode.AgentVersion",
    l.ParentID AS "EPOBranchNode.AutoID"
FROM EPOLeafNode l JOIN EPOComputerProperties c ON c.ParentID = l.AutoID
WHERE (%(group_ids)s::integer[] IS NULL OR l.ParentID = ANY (%(group_ids)s))
  AND (%(name_only)s = false OR strpos(lower(l.NodeName), lower(%(text)s)) > 0)
  AND (%(name_only)s OR strpos(lower(concat_ws(E'\n', l.NodeName, c.ComputerName, c.IPHostName, c.IPAddress, c.IPV6,
        c.NetAddress, c.UserName, l.AgentGUID, l.Tags)), lower(%(text)s)) > 0)
ORDER BY l.AutoID;
