-- Reads as of a moment within the history window. A version exists from when it began until it was deleted, and what was
-- current is the newest that existed; so nothing but those two times is asked, whatever has become current since.

CREATE FUNCTION objects_began_by(p_version objects_objectversion, p_moment timestamptz) RETURNS boolean
LANGUAGE sql STABLE AS $$
    -- Whether a version existed from some time up to the moment on. One that grew in place began before it last grew.
    SELECT p_version.became_current_at <= p_moment OR EXISTS (
        SELECT FROM objects_shorterstate s WHERE s.version_id = p_version.id AND s.began_at <= p_moment)
$$;

CREATE FUNCTION objects_version_as_of(p_object bigint, p_moment timestamptz) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
-- The row of the version or delete marker that was current; null for none. The versions of a key began in the order of
-- their rows, so the newest that had begun is found by halving: some 40 probes of the index versions_of_object at most,
-- however many came since.
DECLARE
    v_low bigint := 0;
    v_high bigint;
    v_middle bigint;
    v_version objects_objectversion;
BEGIN
    SELECT * INTO v_version FROM objects_objectversion v WHERE v.object_id = p_object ORDER BY v.id DESC LIMIT 1;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    IF objects_began_by(v_version, p_moment) THEN
        v_low := v_version.id;
    ELSE
        v_high := v_version.id;
        WHILE v_high - v_low > 1 LOOP  -- none began behind v_low and before v_high but those between
            v_middle := v_low + (v_high - v_low) / 2;
            SELECT * INTO v_version FROM objects_objectversion v
             WHERE v.object_id = p_object AND v.id <= v_middle AND v.id > v_low ORDER BY v.id DESC LIMIT 1;
            IF NOT FOUND OR objects_began_by(v_version, p_moment) THEN
                v_low := v_middle;
            ELSE
                v_high := v_version.id;
            END IF;
        END LOOP;
    END IF;
    SELECT v.id INTO v_high FROM objects_objectversion v
     WHERE v.object_id = p_object AND v.id <= v_low AND (v.deleted_at IS NULL OR v.deleted_at > p_moment)
     ORDER BY v.id DESC LIMIT 1;
    RETURN v_high;
END $$;

CREATE FUNCTION objects_walk_keys_as_of(
    p_bucket_id bigint, p_prefix text, p_delimiter text, p_delimiter_next text,
    p_after text, p_after_inclusive boolean, p_end text, p_limit int, p_moment timestamptz
) RETURNS TABLE (name text, version_row bigint) LANGUAGE plpgsql STABLE AS $$
-- objects_walk_keys as of a moment. The cost follows the keys of the range that the bucket has or had within its history
-- window, up to the last one returned; those below a common prefix are looked at up to the first that was there.
DECLARE
    v_from text COLLATE "C" := p_after;
    v_inclusive boolean := p_after_inclusive;
    v_found int := 0;
    v_at int;
    v_goes_on boolean := true;
    v_seen int;
    v_key record;
    v_version bigint;
BEGIN
    WHILE v_goes_on AND v_found < p_limit LOOP
        v_goes_on := false;
        v_seen := 0;
        -- Plan: a range of the unique index on (bucket, key).
        FOR v_key IN
            SELECT o.id, o.key FROM objects_object o
             WHERE o.bucket_id = p_bucket_id AND o.key >= v_from AND (p_end IS NULL OR o.key < p_end)
             ORDER BY o.key LIMIT 1000
        LOOP
            v_seen := v_seen + 1;
            CONTINUE WHEN NOT v_inclusive AND v_key.key = v_from;
            v_version := objects_version_as_of(v_key.id, p_moment);
            CONTINUE WHEN v_version IS NULL
                OR (SELECT v.is_delete_marker FROM objects_objectversion v WHERE v.id = v_version);
            v_at := CASE WHEN p_delimiter = '' THEN 0
                         ELSE strpos(substr(v_key.key, length(p_prefix) + 1), p_delimiter) END;
            v_found := v_found + 1;
            IF v_at > 0 THEN
                name := left(v_key.key, length(p_prefix) + v_at + length(p_delimiter) - 1);
                version_row := NULL;
                v_from := left(v_key.key, length(p_prefix) + v_at - 1) || p_delimiter_next;
                v_inclusive := true;
                v_goes_on := true;
                RETURN NEXT;
                EXIT;
            END IF;
            name := v_key.key;
            version_row := v_version;
            RETURN NEXT;
            EXIT WHEN v_found >= p_limit;
        END LOOP;
        IF NOT v_goes_on AND v_seen = 1000 THEN
            v_from := v_key.key;
            v_inclusive := false;
            v_goes_on := true;
        END IF;
    END LOOP;
END $$;

CREATE FUNCTION objects_walk_versions_as_of(
    p_bucket_id bigint, p_prefix text, p_delimiter text, p_delimiter_next text,
    p_after text, p_after_inclusive boolean, p_before_version bigint, p_end text, p_limit int, p_moment timestamptz
) RETURNS TABLE (name text, version_row bigint, is_latest boolean) LANGUAGE plpgsql STABLE AS $$
-- objects_walk_versions as of a moment, at the cost of objects_walk_keys_as_of.
DECLARE
    v_from text COLLATE "C" := p_after;
    v_inclusive boolean := p_after_inclusive OR p_before_version IS NOT NULL;
    v_found int := 0;
    v_at int;
    v_goes_on boolean := true;
    v_seen int;
    v_key record;
    v_current bigint;
    v_version record;
BEGIN
    WHILE v_goes_on AND v_found < p_limit LOOP
        v_goes_on := false;
        v_seen := 0;
        -- Plan: a range of the unique index on (bucket, key).
        FOR v_key IN
            SELECT o.id, o.key FROM objects_object o
             WHERE o.bucket_id = p_bucket_id AND o.key >= v_from AND (p_end IS NULL OR o.key < p_end)
             ORDER BY o.key LIMIT 1000
        LOOP
            v_seen := v_seen + 1;
            CONTINUE WHEN NOT v_inclusive AND v_key.key = v_from;
            v_current := objects_version_as_of(v_key.id, p_moment);
            CONTINUE WHEN v_current IS NULL;
            v_at := CASE WHEN p_delimiter = '' THEN 0
                         ELSE strpos(substr(v_key.key, length(p_prefix) + 1), p_delimiter) END;
            IF v_at > 0 THEN
                v_found := v_found + 1;
                name := left(v_key.key, length(p_prefix) + v_at + length(p_delimiter) - 1);
                version_row := NULL;
                is_latest := NULL;
                v_from := left(v_key.key, length(p_prefix) + v_at - 1) || p_delimiter_next;
                v_inclusive := true;
                v_goes_on := true;
                RETURN NEXT;
                EXIT;
            END IF;
            -- Plan: a range of the index versions_of_object.
            FOR v_version IN
                SELECT v.id FROM objects_objectversion v
                 WHERE v.object_id = v_key.id AND v.id <= v_current AND (v.deleted_at IS NULL OR v.deleted_at > p_moment)
                   AND (p_before_version IS NULL OR v_key.key <> p_after OR v.id < p_before_version)
                 ORDER BY v.id DESC LIMIT p_limit - v_found
            LOOP
                v_found := v_found + 1;
                name := v_key.key;
                version_row := v_version.id;
                is_latest := v_version.id = v_current;
                RETURN NEXT;
            END LOOP;
            EXIT WHEN v_found >= p_limit;
        END LOOP;
        IF NOT v_goes_on AND v_seen = 1000 THEN
            v_from := v_key.key;
            v_inclusive := false;
            v_goes_on := true;
        END IF;
    END LOOP;
END $$;
