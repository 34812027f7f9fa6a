-- name: find
SELECT AutoID AS id, ProductCode AS product, ProductName AS name, ProductVersion AS version, ProductType AS type,
       PackageBranch AS branch, PackageLangID AS lang, PackageTotalSize AS size, Source AS source,
       CheckinDate AS checked_in
FROM EPOMasterCatalog
WHERE strpos(lower(concat_ws(' ', ProductCode, ProductName, ProductVersion, ProductType, PackageBranch)),
             lower(%(text)s)) > 0
ORDER BY AutoID;

-- name: save
INSERT INTO EPOMasterCatalog (ProductCode, ProductName, ProductVersion, ProductType, PackageBranch, PackageLangID,
    PackageTotalSize, Source)
VALUES (%(product)s, %(name)s, %(version)s, %(type)s, %(branch)s, %(lang)s, %(size)s, %(source)s)
ON CONFLICT (PackageBranch, ProductCode, ProductType, PackageLangID) DO UPDATE SET ProductName = excluded.ProductName,
    ProductVersion = excluded.ProductVersion, PackageTotalSize = excluded.PackageTotalSize, Source = excluded.Source,
    CheckinDate = now();

-- name: delete
DELETE FROM EPOMasterCatalog
WHERE PackageBranch = %(branch)s AND ProductCode = %(product)s AND ProductType = %(type)s;
