-- name: add_threat
INSERT INTO EPOEvents (ServerID, DetectedUTC, EventTimeLocal, AgentGUID, EventKey, EventText, Analyzer, AnalyzerName,
    AnalyzerVersion, AnalyzerHostName, AnalyzerIPV4, AnalyzerIPV6, AnalyzerMAC, AnalyzerDATVersion,
    AnalyzerEngineVersion, AnalyzerDetectionMethod, SourceHostName, SourceIPV4, SourceIPV6, SourceMAC, SourceUserName,
    SourceProcessName, SourceURL, TargetHostName, TargetIPV4, TargetIPV6, TargetMAC, TargetUserName, TargetPort,
    TargetProtocol, TargetProcessName, TargetFileName, ThreatCategory, ThreatEventID, ThreatSeverity, ThreatName,
    ThreatType, ThreatActionTaken, ThreatHandled)
VALUES (%(server_id)s, to_timestamp(%(detected)s), to_timestamp(%(detected)s), %(guid)s, %(key)s, %(text)s,
    %(Analyzer)s, %(AnalyzerName)s, %(AnalyzerVersion)s, %(AnalyzerHostName)s, %(AnalyzerIPV4)s, %(AnalyzerIPV6)s,
    %(AnalyzerMAC)s, %(AnalyzerDATVersion)s, %(AnalyzerEngineVersion)s, %(AnalyzerDetectionMethod)s,
    %(SourceHostName)s, %(SourceIPV4)s, %(SourceIPV6)s, %(SourceMAC)s, %(SourceUserName)s, %(SourceProcessName)s,
    %(SourceURL)s, %(TargetHostName)s, %(TargetIPV4)s, %(TargetIPV6)s, %(TargetMAC)s, %(TargetUserName)s,
    %(TargetPort)s, %(TargetProtocol)s, %(TargetProcessName)s, %(TargetFileName)s, %(ThreatCategory)s, %(event_id)s,
    %(severity)s, %(ThreatName)s, %(ThreatType)s, %(ThreatActionTaken)s, %(ThreatHandled)s)
ON CONFLICT (AgentGUID, EventKey) DO NOTHING;

-- name: add_product
INSERT INTO EPOProductEvents (DetectedUTC, AgentGUID, EventKey, EventText, NodeID, TVDEventID, TVDSeverity, HostName,
    UserName, IPV6, ProductCode, Version, SPHotFix, ExtraDATNames, Type, Error, Locale, SiteName, InitiatorID,
    InitiatorType)
VALUES (to_timestamp(%(detected)s), %(guid)s, %(key)s, %(text)s, %(leaf_id)s, %(event_id)s, %(severity)s,
    %(HostName)s, %(UserName)s, %(IPV6)s, %(ProductCode)s, %(version)s, %(SPHotFix)s, %(ExtraDATNames)s, %(Type)s,
    %(Error)s, %(Locale)s, %(SiteName)s, %(InitiatorID)s, %(InitiatorType)s)
ON CONFLICT (AgentGUID, EventKey) DO NOTHING;

-- name: list
SELECT 'threat' AS kind, e.AutoID AS id, e.AgentGUID AS guid, l.NodeName AS name, c.IPHostName AS fqdn, e.EventKey AS key,
       e.ThreatEventID AS event_id, e.ThreatSeverity AS severity, e.EventText AS text,
       extract(epoch FROM e.DetectedUTC)::float8 AS detected, extract(epoch FROM e.ReceivedUTC)::float8 AS received
FROM EPOEvents e LEFT JOIN EPOLeafNode l ON l.AgentGUID = e.AgentGUID
LEFT JOIN EPOComputerProperties c ON c.ParentID = l.AutoID
WHERE %(name)s::text IS NULL OR lower(%(name)s) IN (lower(l.NodeName), lower(c.IPHostName))
UNION ALL
SELECT 'product', p.AutoID, p.AgentGUID, l.NodeName, c.IPHostName, p.EventKey, p.TVDEventID, p.TVDSeverity, p.EventText,
       extract(epoch FROM p.DetectedUTC)::float8, extract(epoch FROM p.ReceivedUTC)::float8
FROM EPOProductEvents p LEFT JOIN EPOLeafNode l ON l.AgentGUID = p.AgentGUID
LEFT JOIN EPOComputerProperties c ON c.ParentID = l.AutoID
WHERE %(name)s::text IS NULL OR lower(%(name)s) IN (lower(l.NodeName), lower(c.IPHostName))
ORDER BY received, id;
