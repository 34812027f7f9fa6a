-- name: find
SELECT PolicyObjectID AS id, Name AS name, Category AS category, Notes AS notes, Settings AS settings
FROM EPOPolicyObjects
WHERE strpos(lower(Name || ' ' || Category), lower(%(text)s)) > 0 ORDER BY PolicyObjectID;

-- name: by_id
SELECT PolicyObjectID AS id, Name AS name, Category AS category, Notes AS notes, Settings AS settings
FROM EPOPolicyObjects WHERE PolicyObjectID = %(id)s;

-- name: save
INSERT INTO EPOPolicyObjects (Name, Category, Notes, Settings)
VALUES (%(name)s, %(category)s, %(notes)s, %(settings)s)
ON CONFLICT (Category, Name) DO UPDATE SET Notes = excluded.Notes, Settings = excluded.Settings
RETURNING PolicyObjectID AS id;

-- name: assign_to_group
INSERT INTO EPOPolicyAssignments (BranchNodeID, Category, PolicyObjectID)
VALUES (%(node_id)s, %(category)s, %(policy_id)s)
ON CONFLICT (BranchNodeID, Category) DO UPDATE SET PolicyObjectID = excluded.PolicyObjectID;

-- name: assign_to_system
INSERT INTO EPOPolicyAssignments (LeafNodeID, Category, PolicyObjectID)
VALUES (%(node_id)s, %(category)s, %(policy_id)s)
ON CONFLICT (LeafNodeID, Category) DO UPDATE SET PolicyObjectID = excluded.PolicyObjectID;

-- name: reset_system
DELETE FROM EPOPolicyAssignments WHERE LeafNodeID = %(node_id)s AND Category = %(category)s;

-- name: reset_group
DELETE FROM EPOPolicyAssignments WHERE BranchNodeID = %(node_id)s AND Category = %(category)s;

-- name: assignments
SELECT a.BranchNodeID AS group_id, a.LeafNodeID AS system_id, p.PolicyObjectID AS policy_id, p.Category AS category,
       p.Name AS name, p.Settings AS settings
FROM EPOPolicyAssignments a JOIN EPOPolicyObjects p ON p.PolicyObjectID = a.PolicyObjectID
ORDER BY p.Category;

-- name: delete
DELETE FROM EPOPolicyObjects WHERE PolicyObjectID = %(id)s;
