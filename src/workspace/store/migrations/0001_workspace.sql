-- The memory of a workspace. One text for SQLite and PostgreSQL.
-- Times are RFC 3339 in UTC, days YYYY-MM-DD, months YYYY-MM, sums kopecks; what is absent is '' or 0, never NULL.
-- No names, policy numbers or birth dates: those stay in the packages, which are files that only their owner reads.

-- A package as loaded: where its files lie (by the SHA-256 of the file that was given) and what its head said.
CREATE TABLE packages (
    id BIGINT PRIMARY KEY,
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
    mo TEXT NOT NULL,
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
    binding TEXT NOT NULL
);
CREATE UNIQUE INDEX packages_content ON packages (main_object, main_entry, persons_object, persons_entry);

-- One version of a completed case. `state`: free, held, waiting, refused, question, paid, replaced. Ids grow with the place in the package.
-- INTEGER: SQLite keeps the rows by it. Dates of a case are numbers, 20210228; those and numbers that cannot be read are 0. `identity` and `identity_rest` are one key. `place`: offset and length of the record, of the
-- case and of the person (0 0: none) in the unpacked files.
CREATE TABLE cases (
    id INTEGER PRIMARY KEY,
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
    place TEXT NOT NULL
);
CREATE INDEX cases_package ON cases (package);
CREATE INDEX cases_identity ON cases (identity);
CREATE INDEX cases_resemblance ON cases (resemblance);
CREATE INDEX cases_registry ON cases (registry) WHERE registry <> 0;
CREATE INDEX cases_replaces ON cases (replaces) WHERE replaces <> 0;
CREATE INDEX cases_waiting ON cases (replaces) WHERE state = 'waiting';

-- What ФЛК found: one row for a rule of a case (case_id 0: of the package as a whole). No values.
CREATE TABLE findings (
    package BIGINT NOT NULL,
    case_id BIGINT NOT NULL,
    rule TEXT NOT NULL,
    severity TEXT NOT NULL,
    file TEXT NOT NULL,
    line BIGINT NOT NULL,
    path TEXT NOT NULL,
    count BIGINT NOT NULL
);
CREATE INDEX findings_package ON findings (package, case_id);

-- Counts of cases by package, so that a status of a million cases is read and not counted.
CREATE TABLE stock (
    package BIGINT NOT NULL,
    kind TEXT NOT NULL,
    payer TEXT NOT NULL,
    state TEXT NOT NULL,
    blocked BIGINT NOT NULL,
    cases BIGINT NOT NULL,
    sum BIGINT NOT NULL
);
CREATE INDEX stock_package ON stock (package);

CREATE TABLE registries (
    id BIGINT PRIMARY KEY,
    number TEXT NOT NULL,
    status TEXT NOT NULL,
    since TEXT NOT NULL,
    revision BIGINT NOT NULL,
    mo TEXT NOT NULL,
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
    sent_at TEXT NOT NULL
);
CREATE UNIQUE INDEX registries_number ON registries (number);

-- Which version of a case stands where in which revision of a registry, with its numbers there; those of its package stand in `cases`.
-- `id_pac`: where it is another one than in the package.
CREATE TABLE members (
    registry BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    n_zap BIGINT NOT NULL,
    idcase BIGINT NOT NULL,
    case_id BIGINT NOT NULL,
    id_pac TEXT NOT NULL,
    PRIMARY KEY (registry, revision, idcase)
);
CREATE INDEX members_case ON members (case_id);

-- What an insurer took off, by case; the code is of F014.
CREATE TABLE sanctions (
    registry BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    case_id BIGINT NOT NULL,
    code TEXT NOT NULL,
    sum BIGINT NOT NULL,
    comment TEXT NOT NULL,
    source TEXT NOT NULL
);
CREATE INDEX sanctions_case ON sanctions (case_id);
CREATE INDEX sanctions_registry ON sanctions (registry, revision);

-- Answers that were taken in, kept unchanged as packages are.
CREATE TABLE answers (
    object TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    registry BIGINT NOT NULL,
    kind TEXT NOT NULL,
    received_at TEXT NOT NULL
);

-- What is to stand in the outbox. `placed` 0: the program was stopped in between, the next command places it.
CREATE TABLE outbox (
    registry BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    path TEXT NOT NULL,
    object TEXT NOT NULL,
    name TEXT NOT NULL,
    placed BIGINT NOT NULL,
    PRIMARY KEY (registry, revision)
);

-- The chain of entries; see src/workspace/journal.rs.
CREATE TABLE journal (
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
CREATE INDEX journal_registry ON journal (registry);

-- Numbers that are given out: one row for each table's ids and for each run of packet numbers.
CREATE TABLE counters (
    name TEXT PRIMARY KEY,
    value BIGINT NOT NULL
);
