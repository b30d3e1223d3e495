-- What people look for a case by (card number, doctor, department, profile, conditions of care), and a mark of the person. They are read again from the
-- kept files of packages that were loaded before; `reading` is the version of that reading, 0 for none.
-- `was` is what a version was before it was replaced, set aside, dropped or taken back: states divided by `/`, the last one first.
ALTER TABLE cases ADD COLUMN was TEXT NOT NULL DEFAULT '';
UPDATE cases SET was = CASE WHEN EXISTS (SELECT 1 FROM sanctions s WHERE s.mo = cases.mo AND s.case_id = cases.id AND s.sum >= cases.sum)
    THEN 'refused' ELSE 'free' END WHERE state = 'replaced';
ALTER TABLE cases ADD COLUMN history TEXT NOT NULL DEFAULT '';
ALTER TABLE cases ADD COLUMN doctor TEXT NOT NULL DEFAULT '';
ALTER TABLE cases ADD COLUMN unit TEXT NOT NULL DEFAULT '';
ALTER TABLE cases ADD COLUMN profile TEXT NOT NULL DEFAULT '';
ALTER TABLE cases ADD COLUMN conditions TEXT NOT NULL DEFAULT '';
ALTER TABLE cases ADD COLUMN person BIGINT NOT NULL DEFAULT 0;

-- The moment at which a package was taken back; empty for one that counts. The same bytes may be loaded again afterwards.
ALTER TABLE packages ADD COLUMN undone TEXT NOT NULL DEFAULT '';
ALTER TABLE packages ADD COLUMN reading BIGINT NOT NULL DEFAULT 0;
DROP INDEX packages_content;
CREATE UNIQUE INDEX packages_content ON packages (mo, main_object, main_entry, persons_object, persons_entry, undone);
