-- Listings. Both functions walk the keys in order and, on meeting a common prefix, jump behind it: the cost follows what
-- is returned, not what is skipped. `p_after` and `p_after_inclusive` say where to begin; `p_end` is the first string
-- behind all keys with the prefix (null: none). A common prefix ends with the delimiter, so what follows all keys that
-- share it is the same text with `p_delimiter_next`, the delimiter's successor, in the delimiter's place.

CREATE FUNCTION objects_walk_keys(
    p_bucket_id bigint, p_prefix text, p_delimiter text, p_delimiter_next text,
    p_after text, p_after_inclusive boolean, p_end text, p_limit int
) RETURNS TABLE (name text, version_row bigint) LANGUAGE plpgsql STABLE AS $$
-- ListObjects: the keys with a current object, `version_row` null for a common prefix.
DECLARE
    v_from text COLLATE "C" := p_after;
    v_inclusive boolean := p_after_inclusive;
    v_found int := 0;
    v_at int;
    v_jumped boolean := true;
    v_row record;
BEGIN
    WHILE v_jumped AND v_found < p_limit LOOP
        v_jumped := false;
        -- Plan: a range of the index objects_listed, fetched a few rows at a time.
        FOR v_row IN
            SELECT o.key, o.current_version_id FROM objects_object o
             WHERE o.bucket_id = p_bucket_id AND o.is_listed AND o.key >= v_from
               AND (p_end IS NULL OR o.key < p_end)
             ORDER BY o.key LIMIT p_limit - v_found + 1
        LOOP
            CONTINUE WHEN NOT v_inclusive AND v_row.key = v_from;
            v_at := CASE WHEN p_delimiter = '' THEN 0
                         ELSE strpos(substr(v_row.key, length(p_prefix) + 1), p_delimiter) END;
            v_found := v_found + 1;
            IF v_at > 0 THEN
                name := left(v_row.key, length(p_prefix) + v_at + length(p_delimiter) - 1);
                version_row := NULL;
                v_from := left(v_row.key, length(p_prefix) + v_at - 1) || p_delimiter_next;
                v_inclusive := true;
                v_jumped := true;
                RETURN NEXT;
                EXIT;
            END IF;
            name := v_row.key;
            version_row := v_row.current_version_id;
            RETURN NEXT;
            EXIT WHEN v_found >= p_limit;
        END LOOP;
    END LOOP;
END $$;

CREATE FUNCTION objects_walk_versions(
    p_bucket_id bigint, p_prefix text, p_delimiter text, p_delimiter_next text,
    p_after text, p_after_inclusive boolean, p_before_version bigint, p_end text, p_limit int
) RETURNS TABLE (name text, version_row bigint, is_latest boolean) LANGUAGE plpgsql STABLE AS $$
-- ListObjectVersions: all visible versions, newest first within a key. With `p_before_version`, the walk begins inside
-- the key `p_after`, behind that version.
DECLARE
    v_from text COLLATE "C" := p_after;
    v_inclusive boolean := p_after_inclusive OR p_before_version IS NOT NULL;
    v_found int := 0;
    v_at int;
    v_jumped boolean := true;
    v_key record;
    v_version record;
BEGIN
    WHILE v_jumped AND v_found < p_limit LOOP
        v_jumped := false;
        -- Plan: a range of the unique index on (bucket_id, key), fetched a few rows at a time.
        FOR v_key IN
            SELECT o.id, o.key, o.current_version_id FROM objects_object o
             WHERE o.bucket_id = p_bucket_id AND o.key >= v_from AND o.current_version_id IS NOT NULL
               AND (p_end IS NULL OR o.key < p_end)
             ORDER BY o.key LIMIT p_limit - v_found + 1
        LOOP
            CONTINUE WHEN NOT v_inclusive AND v_key.key = v_from;
            v_at := CASE WHEN p_delimiter = '' THEN 0
                         ELSE strpos(substr(v_key.key, length(p_prefix) + 1), p_delimiter) END;
            IF v_at > 0 THEN
                v_found := v_found + 1;
                name := left(v_key.key, length(p_prefix) + v_at + length(p_delimiter) - 1);
                version_row := NULL;
                is_latest := NULL;
                v_from := left(v_key.key, length(p_prefix) + v_at - 1) || p_delimiter_next;
                v_inclusive := true;
                v_jumped := true;
                RETURN NEXT;
                EXIT;
            END IF;
            -- Plan: a range of the index versions_of_object.
            FOR v_version IN
                SELECT v.id FROM objects_objectversion v
                 WHERE v.object_id = v_key.id AND v.deleted_at IS NULL
                   AND (p_before_version IS NULL OR v_key.key <> p_after OR v.id < p_before_version)
                 ORDER BY v.id DESC LIMIT p_limit - v_found
            LOOP
                v_found := v_found + 1;
                name := v_key.key;
                version_row := v_version.id;
                is_latest := v_version.id = v_key.current_version_id;
                RETURN NEXT;
            END LOOP;
            EXIT WHEN v_found >= p_limit;
        END LOOP;
    END LOOP;
END $$;
