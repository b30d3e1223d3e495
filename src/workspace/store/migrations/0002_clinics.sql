-- A clinic is the unit: every table of a clinic has the clinic's code `mo` first in its keys. Ids and the journal are a clinic's own; numbers of
-- registries come in blocks, so that they are unique in the store.
-- Tables of no clinic: `blocks` (numbers that are given to clinics in blocks), `days` (entries over all clinics), `journal_before` (the journal of a store of version 1, which was one for all clinics).
-- The content of rows is as in version 1. The store moves the journal and the counters itself, because hashes cannot be made here, compares the numbers of
-- rows, and then removes the tables `old_…`.
-- `/* clustered */` becomes WITHOUT ROWID in SQLite, which then keeps the rows in the order of their key.

DROP INDEX packages_content;
ALTER TABLE packages RENAME TO old_packages;
CREATE TABLE packages (
    mo TEXT NOT NULL,
    id BIGINT NOT NULL,
    main_object TEXT NOT NULL,
    main_entry TEXT NOT NULL,
    main_index BIGINT NOT NULL,
    main_name TEXT NOT NULL,
    persons_object TEXT NOT NULL,
    persons_entry TEXT NOT NULL,
    persons_index BIGINT NOT NULL,
    persons_name TEXT NOT NULL,
    letters TEXT NOT NULL,
    family TEXT NOT NULL,
    edition TEXT NOT NULL,
    persons_edition TEXT NOT NULL,
    period TEXT NOT NULL,
    receiver TEXT NOT NULL,
    payer TEXT NOT NULL,
    account_no TEXT NOT NULL,
    account_date TEXT NOT NULL,
    cases BIGINT NOT NULL,
    sum BIGINT NOT NULL,
    verdict TEXT NOT NULL,
    blocked BIGINT NOT NULL,
    loaded_at TEXT NOT NULL,
    loaded_by TEXT NOT NULL,
    binding TEXT NOT NULL,
    PRIMARY KEY (mo, id)
) /* clustered */;
INSERT INTO packages (mo, id, main_object, main_entry, main_index, main_name, persons_object, persons_entry, persons_index, persons_name, letters, family,
    edition, persons_edition, period, receiver, payer, account_no, account_date, cases, sum, verdict, blocked, loaded_at, loaded_by, binding)
SELECT mo, id, main_object, main_entry, main_index, main_name, persons_object, persons_entry, persons_index, persons_name, letters, family,
    edition, persons_edition, period, receiver, payer, account_no, account_date, cases, sum, verdict, blocked, loaded_at, loaded_by, binding FROM old_packages;
CREATE UNIQUE INDEX packages_content ON packages (mo, main_object, main_entry, persons_object, persons_entry);
-- Asked before the clinic of a file is known.
CREATE INDEX packages_object ON packages (main_object);

DROP INDEX cases_package;
DROP INDEX cases_identity;
DROP INDEX cases_resemblance;
DROP INDEX cases_registry;
DROP INDEX cases_replaces;
DROP INDEX cases_waiting;
ALTER TABLE cases RENAME TO old_cases;
CREATE TABLE cases (
    mo TEXT NOT NULL,
    id BIGINT NOT NULL,
    package BIGINT NOT NULL,
    state TEXT NOT NULL,
    registry BIGINT NOT NULL DEFAULT 0,
    replaces BIGINT NOT NULL,
    kind TEXT NOT NULL,
    payer TEXT NOT NULL,
    subdivision TEXT NOT NULL,
    n_zap BIGINT NOT NULL,
    idcase BIGINT NOT NULL,
    sl_id TEXT NOT NULL,
    id_pac TEXT NOT NULL,
    date_from BIGINT NOT NULL,
    date_to BIGINT NOT NULL,
    sum BIGINT NOT NULL,
    pr_nov BIGINT NOT NULL,
    errors BIGINT NOT NULL,
    identity BIGINT NOT NULL,
    identity_rest BIGINT NOT NULL,
    resemblance BIGINT NOT NULL,
    content BIGINT NOT NULL,
    place TEXT NOT NULL,
    PRIMARY KEY (mo, id)
) /* clustered */;
INSERT INTO cases (mo, id, package, state, registry, replaces, kind, payer, subdivision, n_zap, idcase, sl_id, id_pac, date_from, date_to, sum, pr_nov, errors,
    identity, identity_rest, resemblance, content, place)
SELECT p.mo, c.id, c.package, c.state, c.registry, c.replaces, c.kind, c.payer, c.subdivision, c.n_zap, c.idcase, c.sl_id, c.id_pac, c.date_from, c.date_to,
    c.sum, c.pr_nov, c.errors, c.identity, c.identity_rest, c.resemblance, c.content, c.place FROM old_cases c JOIN old_packages p ON p.id = c.package ORDER BY p.mo, c.id;
CREATE INDEX cases_package ON cases (mo, package);
CREATE INDEX cases_identity ON cases (mo, identity);
CREATE INDEX cases_resemblance ON cases (mo, resemblance);
CREATE INDEX cases_registry ON cases (mo, registry) WHERE registry <> 0;
CREATE INDEX cases_replaces ON cases (mo, replaces) WHERE replaces <> 0;
CREATE INDEX cases_waiting ON cases (mo, replaces) WHERE state = 'waiting';

DROP INDEX findings_package;
ALTER TABLE findings RENAME TO old_findings;
CREATE TABLE findings (
    mo TEXT NOT NULL,
    package BIGINT NOT NULL,
    case_id BIGINT NOT NULL,
    rule TEXT NOT NULL,
    severity TEXT NOT NULL,
    file TEXT NOT NULL,
    line BIGINT NOT NULL,
    path TEXT NOT NULL,
    count BIGINT NOT NULL,
    PRIMARY KEY (mo, package, case_id, rule)
) /* clustered */;
INSERT INTO findings (mo, package, case_id, rule, severity, file, line, path, count)
SELECT p.mo, f.package, f.case_id, f.rule, f.severity, f.file, f.line, f.path, f.count FROM old_findings f JOIN old_packages p ON p.id = f.package;

DROP INDEX stock_package;
ALTER TABLE stock RENAME TO old_stock;
CREATE TABLE stock (
    mo TEXT NOT NULL,
    package BIGINT NOT NULL,
    kind TEXT NOT NULL,
    payer TEXT NOT NULL,
    state TEXT NOT NULL,
    blocked BIGINT NOT NULL,
    cases BIGINT NOT NULL,
    sum BIGINT NOT NULL,
    PRIMARY KEY (mo, package, kind, payer, state, blocked)
) /* clustered */;
INSERT INTO stock (mo, package, kind, payer, state, blocked, cases, sum)
SELECT mo, package, kind, payer, state, CASE WHEN errors > 0 THEN 1 ELSE 0 END, COUNT(*), CAST(SUM(sum) AS BIGINT)
FROM cases GROUP BY mo, package, kind, payer, state, CASE WHEN errors > 0 THEN 1 ELSE 0 END;
DROP TABLE old_stock;

DROP INDEX registries_number;
ALTER TABLE registries RENAME TO old_registries;
CREATE TABLE registries (
    mo TEXT NOT NULL,
    id BIGINT NOT NULL,
    number TEXT NOT NULL,
    status TEXT NOT NULL,
    since TEXT NOT NULL,
    revision BIGINT NOT NULL,
    payer TEXT NOT NULL,
    receiver TEXT NOT NULL,
    letters TEXT NOT NULL,
    family TEXT NOT NULL,
    edition TEXT NOT NULL,
    kind TEXT NOT NULL,
    subdivision TEXT NOT NULL,
    period TEXT NOT NULL,
    account_date TEXT NOT NULL,
    file_name TEXT NOT NULL,
    object TEXT NOT NULL,
    cases BIGINT NOT NULL,
    persons BIGINT NOT NULL,
    sum BIGINT NOT NULL,
    accepted_cases BIGINT NOT NULL,
    accepted_sum BIGINT NOT NULL,
    formed_at TEXT NOT NULL,
    sent_at TEXT NOT NULL,
    PRIMARY KEY (mo, id)
) /* clustered */;
INSERT INTO registries (mo, id, number, status, since, revision, payer, receiver, letters, family, edition, kind, subdivision, period, account_date, file_name,
    object, cases, persons, sum, accepted_cases, accepted_sum, formed_at, sent_at)
SELECT mo, id, number, status, since, revision, payer, receiver, letters, family, edition, kind, subdivision, period, account_date, file_name,
    object, cases, persons, sum, accepted_cases, accepted_sum, formed_at, sent_at FROM old_registries;
CREATE UNIQUE INDEX registries_number ON registries (mo, number);
CREATE INDEX registries_file ON registries (mo, file_name);

ALTER TABLE members RENAME TO old_members;
CREATE TABLE members (
    mo TEXT NOT NULL,
    registry BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    n_zap BIGINT NOT NULL,
    idcase BIGINT NOT NULL,
    case_id BIGINT NOT NULL,
    id_pac TEXT NOT NULL,
    PRIMARY KEY (mo, registry, revision, idcase)
) /* clustered */;
INSERT INTO members (mo, registry, revision, n_zap, idcase, case_id, id_pac)
SELECT r.mo, m.registry, m.revision, m.n_zap, m.idcase, m.case_id, m.id_pac FROM old_members m JOIN old_registries r ON r.id = m.registry
ORDER BY r.mo, m.registry, m.revision, m.idcase;

DROP INDEX sanctions_case;
DROP INDEX sanctions_registry;
ALTER TABLE sanctions RENAME TO old_sanctions;
CREATE TABLE sanctions (
    mo TEXT NOT NULL,
    registry BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    case_id BIGINT NOT NULL,
    code TEXT NOT NULL,
    sum BIGINT NOT NULL,
    comment TEXT NOT NULL,
    source TEXT NOT NULL
);
INSERT INTO sanctions (mo, registry, revision, case_id, code, sum, comment, source)
SELECT r.mo, s.registry, s.revision, s.case_id, s.code, s.sum, s.comment, s.source FROM old_sanctions s JOIN old_registries r ON r.id = s.registry;
CREATE INDEX sanctions_case ON sanctions (mo, case_id);
CREATE INDEX sanctions_registry ON sanctions (mo, registry, revision);

ALTER TABLE answers RENAME TO old_answers;
CREATE TABLE answers (
    mo TEXT NOT NULL,
    object TEXT NOT NULL,
    name TEXT NOT NULL,
    registry BIGINT NOT NULL,
    kind TEXT NOT NULL,
    received_at TEXT NOT NULL,
    PRIMARY KEY (mo, object)
) /* clustered */;
INSERT INTO answers (mo, object, name, registry, kind, received_at)
SELECT r.mo, a.object, a.name, a.registry, a.kind, a.received_at FROM old_answers a JOIN old_registries r ON r.id = a.registry;
-- Asked before the clinic of an answer is known.
CREATE INDEX answers_object ON answers (object);

ALTER TABLE outbox RENAME TO old_outbox;
CREATE TABLE outbox (
    mo TEXT NOT NULL,
    registry BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    path TEXT NOT NULL,
    object TEXT NOT NULL,
    name TEXT NOT NULL,
    placed BIGINT NOT NULL,
    PRIMARY KEY (mo, registry, revision)
) /* clustered */;
INSERT INTO outbox (mo, registry, revision, path, object, name, placed)
SELECT r.mo, o.registry, o.revision, o.path, o.object, o.name, o.placed FROM old_outbox o JOIN old_registries r ON r.id = o.registry;
CREATE INDEX outbox_due ON outbox (mo) WHERE placed = 0;

-- One chain for each clinic; see src/workspace/journal/mod.rs.
DROP INDEX journal_registry;
ALTER TABLE journal RENAME TO journal_before;
CREATE TABLE journal (
    mo TEXT NOT NULL,
    seq BIGINT NOT NULL,
    at TEXT NOT NULL,
    actor TEXT NOT NULL,
    host TEXT NOT NULL,
    role TEXT NOT NULL,
    action TEXT NOT NULL,
    registry TEXT NOT NULL,
    subject TEXT NOT NULL,
    before_state TEXT NOT NULL,
    after_state TEXT NOT NULL,
    details TEXT NOT NULL,
    prev TEXT NOT NULL,
    hash TEXT NOT NULL,
    PRIMARY KEY (mo, seq)
);
CREATE INDEX journal_registry ON journal (mo, registry);
CREATE TABLE days (
    seq BIGINT PRIMARY KEY,
    at TEXT NOT NULL,
    actor TEXT NOT NULL,
    host TEXT NOT NULL,
    role TEXT NOT NULL,
    action TEXT NOT NULL,
    registry TEXT NOT NULL,
    subject TEXT NOT NULL,
    before_state TEXT NOT NULL,
    after_state TEXT NOT NULL,
    details TEXT NOT NULL,
    prev TEXT NOT NULL,
    hash TEXT NOT NULL
);

ALTER TABLE counters RENAME TO old_counters;
CREATE TABLE counters (
    mo TEXT NOT NULL,
    name TEXT NOT NULL,
    value BIGINT NOT NULL,
    PRIMARY KEY (mo, name)
) /* clustered */;
-- The last number of a run that is in any clinic's block.
CREATE TABLE blocks (
    name TEXT PRIMARY KEY,
    value BIGINT NOT NULL
);
