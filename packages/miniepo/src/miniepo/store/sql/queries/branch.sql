-- name: all
SELECT AutoID AS id, ParentID AS parent_id, NodeName AS name, NodeTextPath2 AS path
FROM EPOBranchNode ORDER BY NodeTextPath2;

-- name: by_id
SELECT AutoID AS id, ParentID AS parent_id, NodeName AS name, NodeTextPath2 AS path
FROM EPOBranchNode WHERE AutoID = %(id)s;

-- name: by_path
SELECT AutoID AS id, ParentID AS parent_id, NodeName AS name, NodeTextPath2 AS path
FROM EPOBranchNode WHERE lower(NodeTextPath2) = lower(%(path)s);

-- name: lineage
WITH RECURSIVE up AS (
    SELECT AutoID, ParentID, NodeName, NodeTextPath2, 0 AS distance FROM EPOBranchNode WHERE AutoID = %(id)s
    UNION ALL
    SELECT b.AutoID, b.ParentID, b.NodeName, b.NodeTextPath2, up.distance + 1
    FROM EPOBranchNode b JOIN up ON b.AutoID = up.ParentID
)
SELECT AutoID AS id, ParentID AS parent_id, NodeName AS name, NodeTextPath2 AS path FROM up ORDER BY distance;

-- name: create
INSERT INTO EPOBranchNode (ParentID, NodeName, NodeTextPath, NodeTextPath2)
VALUES (%(parent_id)s, %(name)s, replace(%(path)s, E'\\', '/'), %(path)s)
ON CONFLICT DO NOTHING;
