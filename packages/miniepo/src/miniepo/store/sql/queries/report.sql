-- name: first_uses
WITH used AS (
    INSERT INTO AgentNonce (AgentGUID, Nonce)
    SELECT * FROM unnest(%(guids)s::text[], %(nonces)s::text[]) ON CONFLICT DO NOTHING RETURNING AgentGUID, Nonce
)
SELECT u.AgentGUID AS guid, u.Nonce AS nonce, d.Number AS number FROM used u CROSS JOIN DeclaredChange d;

-- name: declared
SELECT Number AS number FROM DeclaredChange;

-- name: call_ins
WITH r AS (
    SELECT * FROM jsonb_to_recordset(%(rows)s::jsonb) AS r (id integer, version text, policy_version text,
        tasks_version text, sitelist_version text, reason text, wakeup_id text, via_relay text, remote_address text,
        handler_id integer, sequence bigint, sequence_errors integer)
),
called AS (
    UPDATE EPOLeafNode l
    SET LastUpdate = now(), AgentVersion = r.version, PolicyVersion = r.policy_version,
        TasksVersion = r.tasks_version, SiteListVersion = r.sitelist_version,
        LastWakeupID = coalesce(r.wakeup_id, l.LastWakeupID), ViaRelay = r.via_relay,
        RemoteAddress = r.remote_address,
        SequenceNumber = CASE WHEN r.sequence > 0 THEN r.sequence ELSE l.SequenceNumber END,
        SequenceErrorCount = r.sequence_errors
    FROM r WHERE l.AutoID = r.id RETURNING l.AutoID
),
handled AS (
    UPDATE EPOComputerProperties c SET LastAgentHandler = r.handler_id
    FROM r WHERE c.ParentID = r.id AND c.LastAgentHandler IS DISTINCT FROM r.handler_id
)
INSERT INTO AgentCallin (LeafNodeID, HandlerID, Reason, WakeupID, ViaRelay, RemoteAddress)
SELECT r.id, r.handler_id, r.reason, r.wakeup_id, r.via_relay, r.remote_address
FROM r JOIN called c ON c.AutoID = r.id
RETURNING LeafNodeID AS id;

-- name: properties
WITH r AS (
    SELECT * FROM jsonb_to_recordset(%(rows)s::jsonb) AS r (id integer, props_version text, received jsonb,
        "ComputerName" text, "Description" text, "SystemDescription" text, "TimeZone" text, "DefaultLangID" text,
        "UserName" text, "DomainName" text, "IPHostName" text, "IPV6" text, "IPAddress" text, "IPSubnet" text,
        "IPSubnetMask" text, "IPV4x" integer, "SubnetAddress" text, "SubnetMask" text, "NetAddress" text,
        "OSType" text, "OSVersion" text, "OSServicePackVer" text, "OSBuildNum" integer, "OSPlatform" text,
        "OSOEMID" text, "CPUType" text, "CPUSpeed" integer, "NumOfCPU" integer, "TotalPhysicalMemory" bigint,
        "FreeMemory" bigint, "FreeDiskSpace" bigint, "TotalDiskSpace" bigint, "IsPortable" integer, "Vdi" integer,
        "OSBitMode" integer, "UserProperty1" text, "UserProperty2" text, "UserProperty3" text, "UserProperty4" text,
        "SysvolFreeSpace" bigint, "SysvolTotalSpace" bigint)
),
versions AS (
    UPDATE EPOLeafNode l SET PropsVersion = r.props_version FROM r WHERE l.AutoID = r.id
)
UPDATE EPOComputerProperties c SET
    ComputerName = r."ComputerName", Description = r."Description", SystemDescription = r."SystemDescription",
    TimeZone = r."TimeZone", DefaultLangID = r."DefaultLangID", UserName = r."UserName", DomainName = r."DomainName",
    IPHostName = r."IPHostName", IPV6 = r."IPV6", IPAddress = r."IPAddress", IPSubnet = r."IPSubnet",
    IPSubnetMask = r."IPSubnetMask", IPV4x = r."IPV4x", SubnetAddress = r."SubnetAddress",
    SubnetMask = r."SubnetMask", NetAddress = r."NetAddress", OSType = r."OSType", OSVersion = r."OSVersion",
    OSServicePackVer = r."OSServicePackVer", OSBuildNum = r."OSBuildNum", OSPlatform = r."OSPlatform",
    OSOEMID = r."OSOEMID", CPUType = r."CPUType", CPUSpeed = r."CPUSpeed", NumOfCPU = r."NumOfCPU",
    TotalPhysicalMemory = r."TotalPhysicalMemory", FreeMemory = r."FreeMemory", FreeDiskSpace = r."FreeDiskSpace",
    TotalDiskSpace = r."TotalDiskSpace", IsPortable = r."IsPortable", Vdi = r."Vdi", OSBitMode = r."OSBitMode",
    UserProperty1 = r."UserProperty1", UserProperty2 = r."UserProperty2", UserProperty3 = r."UserProperty3",
    UserProperty4 = r."UserProperty4", SysvolFreeSpace = r."SysvolFreeSpace", SysvolTotalSpace = r."SysvolTotalSpace",
    ReceivedProperties = r.received
FROM r WHERE c.ParentID = r.id
RETURNING c.ParentID AS id;
