-- Renaming an object within its bucket: two keys in one transaction, locked in the order of their names.

CREATE FUNCTION objects_rename_object(
    p_bucket_id bigint, p_source_key text, p_source bigint, p_source_etag text, p_key text, p_changes jsonb,
    p_marker jsonb, p_if_none_match text, p_if_match text, p_modified_since timestamptz, p_unmodified_since timestamptz,
    p_token text, p_parameters text,
    OUT outcome text, OUT version_row bigint, OUT version_id text, OUT became_current_at timestamptz
) LANGUAGE plpgsql AS $$
-- RenameObject: what is current at the source, which must be the version that the caller saw, becomes current at the key,
-- sharing its chunks, and the source is deleted. `p_changes` has the new version id, and the cause of the event. Conditions and times are about what is at the key so far. A token makes
-- the repetition of a rename that was carried out say so, and the use of the same token for another one a mismatch.
DECLARE
    v_source objects_object;
    v_current objects_objectversion;
    v_target objects_objectversion;
    v_extents objects_extent[];
    v_known text;
BEGIN
    outcome := '';
    PERFORM pg_advisory_xact_lock_shared(28514, hashint8(p_bucket_id));
    IF p_token IS NOT NULL THEN
        INSERT INTO objects_renametoken (bucket_id, token, parameters) VALUES (p_bucket_id, p_token, p_parameters)
            ON CONFLICT (bucket_id, token) DO NOTHING;
        IF NOT FOUND THEN
            SELECT t.parameters INTO v_known FROM objects_renametoken t
             WHERE t.bucket_id = p_bucket_id AND t.token = p_token;
            outcome := CASE WHEN v_known = p_parameters THEN 'done' ELSE 'IdempotencyParameterMismatch' END;
            RETURN;
        END IF;
    END IF;
    -- Before the keys' locks, as when publishing: near its end, a quota's lock is taken here.
    PERFORM objects_quota_room(
        p_bucket_id, (SELECT v.size_bytes FROM objects_objectversion v WHERE v.id = p_source));
    PERFORM FROM objects_object o WHERE o.bucket_id = p_bucket_id AND o.key IN (p_source_key, p_key)
      ORDER BY o.key FOR UPDATE;
    SELECT * INTO v_source FROM objects_object o WHERE o.bucket_id = p_bucket_id AND o.key = p_source_key;
    SELECT * INTO v_current FROM objects_objectversion v WHERE v.id = v_source.current_version_id;
    SELECT v.* INTO v_target FROM objects_object o JOIN objects_objectversion v ON v.id = o.current_version_id
     WHERE o.bucket_id = p_bucket_id AND o.key = p_key AND o.is_listed;
    IF NOT coalesce(v_source.is_listed, false) THEN
        outcome := 'NoSuchKey';
    ELSIF v_current.id <> p_source OR v_current.etag <> p_source_etag THEN
        outcome := 'ConditionalRequestConflict';
    ELSIF (p_modified_since IS NOT NULL
           AND coalesce(date_trunc('second', v_target.became_current_at) <= p_modified_since, true))
       OR coalesce(date_trunc('second', v_target.became_current_at) > p_unmodified_since, false) THEN
        outcome := 'PreconditionFailed';
    END IF;
    IF outcome <> '' THEN
        DELETE FROM objects_renametoken t WHERE t.bucket_id = p_bucket_id AND t.token = p_token;
        RETURN;
    END IF;

    SELECT coalesce(array_agg(e), '{}') INTO v_extents FROM objects_extent e WHERE e.version_id = v_current.id;
    SELECT x.outcome, x.version_row, x.version_id, x.became_current_at
      INTO outcome, version_row, version_id, became_current_at
      FROM objects_publish_version(
           p_bucket_id, p_key,
           to_jsonb(v_current)
               || '{"lock_mode": "", "retain_until": null, "legal_hold": null, "replication_status": ""}'
               || p_changes,
           p_if_none_match, p_if_match) x;
    IF outcome <> '' THEN
        DELETE FROM objects_renametoken t WHERE t.bucket_id = p_bucket_id AND t.token = p_token;
        RETURN;
    END IF;
    INSERT INTO objects_extent (version_id, offset_bytes, size_bytes, chunk_id, chunk_offset_bytes)
    SELECT version_row, e.offset_bytes, e.size_bytes, e.chunk_id, e.chunk_offset_bytes FROM unnest(v_extents) e
     ORDER BY e.chunk_id;
    PERFORM objects_copy_annotations(v_current.id, version_row);
    PERFORM objects_delete_object(p_bucket_id, p_source_key, NULL, p_marker, NULL, NULL, NULL, false);
END $$;
