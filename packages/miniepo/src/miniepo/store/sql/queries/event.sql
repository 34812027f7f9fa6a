-- name: copy_threats
COPY EPOEvents (
    ServerID, DetectedUTC, EventTimeLocal, AgentGUID, EventKey, EventText, ThreatEventID, ThreatSeverity,
    ThreatHandled, Analyzer, AnalyzerName, AnalyzerVersion, AnalyzerHostName, AnalyzerIPV4, AnalyzerIPV6,
    AnalyzerMAC, AnalyzerDATVersion, AnalyzerEngineVersion, AnalyzerDetectionMethod, SourceHostName, SourceIPV4,
    SourceIPV6, SourceMAC, SourceUserName, SourceProcessName, SourceURL, TargetHostName, TargetIPV4, TargetIPV6,
    TargetMAC, TargetUserName, TargetPort, TargetProtocol, TargetProcessName, TargetFileName, ThreatCategory,
    ThreatName, ThreatType, ThreatActionTaken) FROM STDIN WITH (NULL E'\x01');

-- name: copy_products
COPY EPOProductEvents (
    DetectedUTC, AgentGUID, EventKey, EventText, NodeID, TVDEventID, TVDSeverity, HostName, UserName, IPV6,
    ProductCode, version, SPHotFix, ExtraDATNames, Type, Error, Locale, SiteName, InitiatorID, InitiatorType) FROM STDIN WITH (NULL E'\x01');

-- name: add_threats
INSERT INTO EPOEvents (
    ServerID, DetectedUTC, EventTimeLocal, AgentGUID, EventKey, EventText, Analyzer, AnalyzerName, AnalyzerVersion,
    AnalyzerHostName, AnalyzerIPV4, AnalyzerIPV6, AnalyzerMAC, AnalyzerDATVersion, AnalyzerEngineVersion,
    AnalyzerDetectionMethod, SourceHostName, SourceIPV4, SourceIPV6, SourceMAC, SourceUserName, SourceProcessName,
    SourceURL, TargetHostName, TargetIPV4, TargetIPV6, TargetMAC, TargetUserName, TargetPort, TargetProtocol,
    TargetProcessName, TargetFileName, ThreatCategory, ThreatName, ThreatType, ThreatActionTaken, ThreatHandled,
    ThreatEventID, ThreatSeverity)
SELECT
    e.server_id, to_timestamp(e.detected), to_timestamp(e.detected), e.guid, e.key, e.text, e."Analyzer",
    e."AnalyzerName", e."AnalyzerVersion", e."AnalyzerHostName", e."AnalyzerIPV4", e."AnalyzerIPV6",
    e."AnalyzerMAC", e."AnalyzerDATVersion", e."AnalyzerEngineVersion", e."AnalyzerDetectionMethod",
    e."SourceHostName", e."SourceIPV4", e."SourceIPV6", e."SourceMAC", e."SourceUserName", e."SourceProcessName",
    e."SourceURL", e."TargetHostName", e."TargetIPV4", e."TargetIPV6", e."TargetMAC", e."TargetUserName",
    e."TargetPort", e."TargetProtocol", e."TargetProcessName", e."TargetFileName", e."ThreatCategory",
    e."ThreatName", e."ThreatType", e."ThreatActionTaken", e."ThreatHandled", e.event_id, e.severity
FROM jsonb_to_recordset(%(rows)s::jsonb) AS e (
    server_id text, guid text, key text, text text, detected double precision, event_id integer, severity integer, "Analyzer" text,
    "AnalyzerName" text, "AnalyzerVersion" text, "AnalyzerHostName" text, "AnalyzerIPV4" text, "AnalyzerIPV6" text,
    "AnalyzerMAC" text, "AnalyzerDATVersion" text, "AnalyzerEngineVersion" text, "AnalyzerDetectionMethod" text,
    "SourceHostName" text, "SourceIPV4" text, "SourceIPV6" text, "SourceMAC" text, "SourceUserName" text,
    "SourceProcessName" text, "SourceURL" text, "TargetHostName" text, "TargetIPV4" text, "TargetIPV6" text,
    "TargetMAC" text, "TargetUserName" text, "TargetPort" text, "TargetProtocol" text, "TargetProcessName" text,
    "TargetFileName" text, "ThreatCategory" text, "ThreatName" text, "ThreatType" text, "ThreatActionTaken" text,
    "ThreatHandled" boolean)
ON CONFLICT (AgentGUID, EventKey) DO NOTHING;

-- name: add_products
INSERT INTO EPOProductEvents (
    DetectedUTC, AgentGUID, EventKey, EventText, NodeID, TVDEventID, TVDSeverity, HostName, UserName, IPV6,
    ProductCode, version, SPHotFix, ExtraDATNames, Type, Error, Locale, SiteName, InitiatorID, InitiatorType)
SELECT
    to_timestamp(e.detected), e.guid, e.key, e.text, e.leaf_id, e.event_id, e.severity, e."HostName", e."UserName",
    e."IPV6", e."ProductCode", e."version", e."SPHotFix", e."ExtraDATNames", e."Type", e."Error", e."Locale",
    e."SiteName", e."InitiatorID", e."InitiatorType"
FROM jsonb_to_recordset(%(rows)s::jsonb) AS e (
    guid text, leaf_id integer, key text, text text, detected double precision, event_id integer, severity integer,
    "HostName" text, "UserName" text, "IPV6" text, "ProductCode" text, "version" text, "SPHotFix" text,
    "ExtraDATNames" text, "Type" text, "Error" text, "Locale" text, "SiteName" text, "InitiatorID" text,
    "InitiatorType" text)
ON CONFLICT (AgentGUID, EventKey) DO NOTHING;

-- name: list
SELECT 'threat' AS kind, e.AutoID AS id, e.AgentGUID AS guid, l.NodeName AS name, c.IPHostName AS fqdn, e.EventKey AS key,
       e.ThreatEventID AS event_id, e.ThreatSeverity AS severity, e.EventText AS text,
       extract(epoch FROM e.DetectedUTC)::float8 AS detected, extract(epoch FROM e.ReceivedUTC)::float8 AS received
FROM EPOEvents e LEFT JOIN EPOLeafNode l ON l.AgentGUID = e.AgentGUID
LEFT JOIN EPOComputerProperties c ON c.ParentID = l.AutoID
WHERE (%(name)s::text IS NULL OR lower(%(name)s) IN (lower(l.NodeName), lower(c.IPHostName)))
  AND e.ReceivedUTC >= to_timestamp(%(since)s)
UNION ALL
SELECT 'product', p.AutoID, p.AgentGUID, l.NodeName, c.IPHostName, p.EventKey, p.TVDEventID, p.TVDSeverity, p.EventText,
       extract(epoch FROM p.DetectedUTC)::float8, extract(epoch FROM p.ReceivedUTC)::float8
FROM EPOProductEvents p LEFT JOIN EPOLeafNode l ON l.AgentGUID = p.AgentGUID
LEFT JOIN EPOComputerProperties c ON c.ParentID = l.AutoID
WHERE (%(name)s::text IS NULL OR lower(%(name)s) IN (lower(l.NodeName), lower(c.IPHostName)))
  AND p.ReceivedUTC >= to_timestamp(%(since)s)
ORDER BY received, id;
