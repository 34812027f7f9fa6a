-- The number of each agent's last call, how often the numbers did not rise, and who is asked for a new GUID.

ALTER TABLE EPOLeafNode
    ADD COLUMN SequenceNumber bigint NOT NULL DEFAULT 0,
    ADD COLUMN SequenceErrorCount integer NOT NULL DEFAULT 0,
    ADD COLUMN RegenerateGUID boolean NOT NULL DEFAULT false;
