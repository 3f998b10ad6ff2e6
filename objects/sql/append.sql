-- Appending to an object: no byte of what is there moves.

CREATE FUNCTION objects_append_version(
    p_bucket_id bigint, p_key text, p_base bigint, p_base_etag text, p_offset bigint, p_changes jsonb, p_chunks jsonb,
    p_if_none_match text, p_if_match text,
    OUT outcome text, OUT version_row bigint, OUT version_id text, OUT became_current_at timestamptz
) LANGUAGE plpgsql AS $$
-- Append freshly written chunks to the current version of a key, which must be the one that the writer saw. A null version
-- where versioning is not enabled grows in place, and what it was is remembered for reads as of earlier: the cost does not
-- depend on its size. Elsewhere a new version shares the chunks of the one before. `p_changes` holds the columns that an
-- append changes; the chunks say their offsets themselves.
DECLARE
    v_versioning text;
    v_history_seconds int;
    v_is_told boolean;
    v_object objects_object;
    v_current objects_objectversion;
    v_extents objects_extent[];
    v_grown_bytes bigint := (p_changes->>'size_bytes')::bigint - p_offset;
    v_room_bytes bigint;
BEGIN
    outcome := '';
    PERFORM pg_advisory_xact_lock_shared(28514, hashint8(p_bucket_id));
    SELECT b.versioning, b.history_seconds, b.has_notification_rules INTO v_versioning, v_history_seconds, v_is_told
      FROM buckets_bucket b WHERE b.id = p_bucket_id;
    IF NOT FOUND THEN
        outcome := 'NoSuchBucket';
        RETURN;
    END IF;
    -- Before the key's lock, as writers near the end of a quota take turns. A new version is asked about again, and with it
    -- all of its size, when it is published.
    v_room_bytes := (objects_quota_room(
        p_bucket_id, CASE WHEN v_versioning = 'Enabled' THEN (p_changes->>'size_bytes')::bigint ELSE v_grown_bytes END
    )).bytes_left;
    SELECT * INTO v_object FROM objects_object o WHERE o.bucket_id = p_bucket_id AND o.key = p_key FOR UPDATE;
    SELECT * INTO v_current FROM objects_objectversion v WHERE v.id = v_object.current_version_id;
    IF NOT coalesce(v_object.is_listed, false) OR v_current.size_bytes <> p_offset THEN
        outcome := 'InvalidWriteOffset';
    ELSIF v_current.id <> p_base OR v_current.etag <> p_base_etag THEN
        outcome := 'ConditionalRequestConflict';
    ELSIF p_if_none_match IN ('*', v_current.etag) OR (p_if_match <> '*' AND p_if_match <> v_current.etag) THEN
        outcome := 'PreconditionFailed';
    END IF;
    IF outcome <> '' THEN
        RETURN;
    END IF;

    IF v_versioning = 'Enabled' OR v_current.version_id <> 'null' THEN
        SELECT coalesce(array_agg(e), '{}') INTO v_extents FROM objects_extent e WHERE e.version_id = v_current.id;
        SELECT * INTO outcome, version_row, version_id, became_current_at
          FROM objects_publish_version(
               p_bucket_id, p_key,
               to_jsonb(v_current)
                   || '{"lock_mode": "", "retain_until": null, "legal_hold": null, "replication_status": ""}' || p_changes,
               NULL, NULL);
        IF outcome <> '' THEN
            RETURN;
        END IF;
        INSERT INTO objects_extent (version_id, offset_bytes, size_bytes, chunk_id, chunk_offset_bytes)
        SELECT version_row, e.offset_bytes, e.size_bytes, e.chunk_id, e.chunk_offset_bytes FROM unnest(v_extents) e
         ORDER BY e.chunk_id;
    ELSIF v_room_bytes < v_grown_bytes THEN
        outcome := 'QuotaExceeded';
        RETURN;
    ELSE
        version_row := v_current.id;
        version_id := v_current.version_id;
        became_current_at := clock_timestamp();
        IF v_history_seconds > 0 THEN
            INSERT INTO objects_shorterstate
                   (version_id, began_at, ended_at, size_bytes, etag, checksum_algorithm, checksum_type, checksum,
                    part_count, parts)
            VALUES (v_current.id, v_current.became_current_at, became_current_at, v_current.size_bytes, v_current.etag,
                    v_current.checksum_algorithm, v_current.checksum_type, v_current.checksum, v_current.part_count,
                    v_current.parts);
        END IF;
        UPDATE objects_objectversion v
           SET size_bytes = (p_changes->>'size_bytes')::bigint, etag = p_changes->>'etag',
               checksum_algorithm = p_changes->>'checksum_algorithm', checksum_type = p_changes->>'checksum_type',
               checksum = p_changes->>'checksum', part_count = NULL, parts = NULL,
               became_current_at = objects_append_version.became_current_at
         WHERE v.id = v_current.id;
        PERFORM objects_count_usage(
            p_bucket_id, 0, 0, (p_changes->>'size_bytes')::bigint - v_current.size_bytes, 0, 0);
        IF v_is_told THEN
            PERFORM objects_note_created(p_bucket_id, p_key, version_id, p_changes);
        END IF;
    END IF;
    IF p_chunks IS NOT NULL THEN
        PERFORM objects_insert_chunks(p_chunks, version_row, NULL);
    END IF;
END $$;
