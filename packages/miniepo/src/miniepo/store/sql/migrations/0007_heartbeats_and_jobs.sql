-- A heartbeat changes nothing that is declared: only the columns count that site lists are made from.
DROP TRIGGER declared ON EPOAgentHandlers;
CREATE CONSTRAINT TRIGGER declared AFTER INSERT OR DELETE OR UPDATE OF AutoID, HandlerName, ComputerName, DNSName,
    LastKnownTCPIP, LastKnownIPV6, PublishedIP, PublishedDNSName, ePOVersion, HttpPort, HttpsPort, BuiltIn, Enabled
    ON EPOAgentHandlers
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION note_declared_change();

-- A job that has ended needs its password no more, and itself only for a while.
UPDATE EPOAgentHandlerWQ SET Options = Options - 'password' WHERE Finished IS NOT NULL;
CREATE INDEX EPOAgentHandlerWQ_WakeupID ON EPOAgentHandlerWQ (WakeupID);
CREATE INDEX EPOAgentHandlerWQ_Ended ON EPOAgentHandlerWQ ((coalesce(Finished, ExpiresOn)));
