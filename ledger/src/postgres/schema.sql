-- Version 1 of the record of truth on PostgreSQL.
--
-- batch       a batch with its rows; a partition a month of commit time
-- quarantine  the place of a refused row, by the name under which it is found again; partitioned alike
-- shortened   months of whose batches lines were deleted, and whose partition is still the old one
-- act         a batch with an act of the gateways' own that is no link
-- head        where each source stands: its last batch may be older than the history that is kept
-- counter     the last position: one row, whose lock is the turn to write
-- gateway     how far each gateway follows
-- held        how many deliveries of a source a gateway holds back
CREATE SCHEMA shikaku;
SET LOCAL search_path TO shikaku;

CREATE TABLE meta (version bigint NOT NULL, id bytea NOT NULL);
CREATE UNIQUE INDEX meta_is_one ON meta ((true));

CREATE TABLE counter (position bigint NOT NULL, committed_at bigint) WITH (fillfactor = 20);
CREATE UNIQUE INDEX counter_is_one ON counter ((true));
INSERT INTO counter VALUES (0, NULL);

CREATE TABLE batch (
    position bigint NOT NULL,
    source text NOT NULL,
    epoch integer NOT NULL,
    first_sequence bigint,
    last_sequence bigint,
    committed_sequence bigint NOT NULL,
    since_mark bigint NOT NULL,
    committed_at bigint NOT NULL,
    rows integer NOT NULL,
    format smallint,
    stubs bytea,
    bodies bytea
) PARTITION BY RANGE (committed_at);
-- Both are compressed, or random, already.
ALTER TABLE batch ALTER stubs SET STORAGE EXTERNAL, ALTER bodies SET STORAGE EXTERNAL;
CREATE INDEX batch_by_position ON batch (position);
CREATE INDEX batch_by_sequence ON batch (source, epoch, first_sequence);
CREATE INDEX batch_by_source ON batch (source, position);

CREATE TABLE quarantine (
    source text NOT NULL,
    epoch integer NOT NULL,
    name text NOT NULL,
    hash bytea NOT NULL,
    committed_at bigint NOT NULL
) PARTITION BY RANGE (committed_at);
CREATE INDEX quarantine_by_name ON quarantine (source, epoch, name);

CREATE TABLE shortened (month bigint PRIMARY KEY);

CREATE TABLE act (
    kind text NOT NULL,
    position bigint NOT NULL,
    committed_at bigint NOT NULL,
    PRIMARY KEY (kind, position)
);

CREATE TABLE head (
    source text PRIMARY KEY,
    epoch integer NOT NULL,
    committed_sequence bigint NOT NULL,
    since_mark bigint NOT NULL,
    position bigint NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE gateway (
    name text PRIMARY KEY,
    position bigint NOT NULL,
    seen_at timestamptz NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE held (
    gateway text NOT NULL,
    source text NOT NULL,
    deliveries bigint NOT NULL,
    PRIMARY KEY (gateway, source)
);

-- When the month of this time begins (milliseconds).
CREATE FUNCTION month_of(at bigint) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT extract(epoch FROM date_trunc('month', to_timestamp(at / 1000.0) AT TIME ZONE 'UTC'))::bigint * 1000
$$;

-- Makes room for what is committed at this time (milliseconds), and tells up to when there is room.
CREATE FUNCTION room(at bigint) RETURNS bigint LANGUAGE plpgsql SET search_path = shikaku AS $$
DECLARE
    month timestamp := date_trunc('month', to_timestamp(at / 1000.0) AT TIME ZONE 'UTC');
    begins bigint := extract(epoch FROM month)::bigint * 1000;
    ends bigint := extract(epoch FROM month + interval '1 month')::bigint * 1000;
    parent text;
BEGIN
    FOREACH parent IN ARRAY ARRAY['batch', 'quarantine'] LOOP
        EXECUTE format('CREATE TABLE IF NOT EXISTS %I PARTITION OF %I FOR VALUES FROM (%s) TO (%s)',
            parent || to_char(month, '_YYYY_MM'), parent, begins, ends);
    END LOOP;
    RETURN ends;
END $$;

-- Puts another partition in place of a month's, without what was deleted of it, and drops the old one with
-- all that was in it.
CREATE FUNCTION renew(begins bigint) RETURNS void LANGUAGE plpgsql SET search_path = shikaku AS $$
DECLARE
    month timestamp := to_timestamp(begins / 1000.0) AT TIME ZONE 'UTC';
    ends bigint := extract(epoch FROM month + interval '1 month')::bigint * 1000;
    old text := 'batch' || to_char(month, '_YYYY_MM');
    new text := old || '_renewed';
BEGIN
    EXECUTE format('CREATE TABLE %I (LIKE batch INCLUDING ALL)', new);
    EXECUTE format('INSERT INTO %I SELECT * FROM %I', new, old);
    -- Known to fit, it is not looked through while all others wait for it.
    EXECUTE format('ALTER TABLE %I ADD CHECK (committed_at >= %s AND committed_at < %s)', new, begins, ends);
    EXECUTE format('ALTER TABLE batch DETACH PARTITION %I', old);
    EXECUTE format('DROP TABLE %I', old);
    EXECUTE format('ALTER TABLE %I RENAME TO %I', new, old);
    EXECUTE format('ALTER TABLE batch ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)', old, begins, ends);
    DELETE FROM shortened WHERE shortened.month = begins;
END $$;
