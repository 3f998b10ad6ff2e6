-- Annotations: named payloads beside a version. They go with it (objects_erase_version) and are copied with it.

CREATE FUNCTION objects_put_annotation(
    p_version bigint, p_if_match text, p_annotation jsonb, p_payload bytea, p_count_max int
) RETURNS text LANGUAGE plpgsql AS $$
-- Attach a payload to a visible version, in the place of one of the same name. The answer is '' or an S3 error code. The
-- version's row orders those who annotate it. A locked version loses none, but gains some.
DECLARE
    v_version objects_objectversion;
    v_bucket_id bigint := (SELECT v.bucket_id FROM objects_objectversion v WHERE v.id = p_version);
    v_size_bytes bigint := (p_annotation->>'size_bytes')::bigint;
    v_room_bytes bigint;
    v_before bigint;
BEGIN
    -- Before the lock of the version, as writers near the end of a quota take turns.
    v_room_bytes := (objects_quota_room(v_bucket_id, v_size_bytes)).bytes_left;
    SELECT * INTO v_version FROM objects_objectversion v WHERE v.id = p_version AND v.deleted_at IS NULL FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN 'NoSuchKey';
    END IF;
    IF p_if_match <> '*' AND p_if_match <> v_version.etag THEN
        RETURN 'PreconditionFailed';
    END IF;
    SELECT a.size_bytes INTO v_before FROM objects_annotation a
     WHERE a.version_id = p_version AND a.name = p_annotation->>'name';
    IF FOUND THEN
        IF objects_is_locked(v_version, false) THEN
            RETURN 'AccessDenied';
        END IF;
    ELSIF (SELECT count(*) FROM objects_annotation a WHERE a.version_id = p_version) >= p_count_max THEN
        RETURN 'AnnotationLimitExceeded';
    END IF;
    IF v_room_bytes + coalesce(v_before, 0) < v_size_bytes THEN
        RETURN 'QuotaExceeded';
    END IF;
    INSERT INTO objects_annotation AS a
           (version_id, name, size_bytes, etag, checksum_algorithm, checksum, is_sealed, payload, modified_at)
    VALUES (p_version, p_annotation->>'name', (p_annotation->>'size_bytes')::int, p_annotation->>'etag',
            p_annotation->>'checksum_algorithm', p_annotation->>'checksum', (p_annotation->>'is_sealed')::boolean,
            p_payload, clock_timestamp())
    ON CONFLICT (version_id, name) DO UPDATE SET
           size_bytes = excluded.size_bytes, etag = excluded.etag, checksum_algorithm = excluded.checksum_algorithm,
           checksum = excluded.checksum, is_sealed = excluded.is_sealed, payload = excluded.payload,
           modified_at = excluded.modified_at;
    PERFORM objects_count_annotations(v_bucket_id, v_size_bytes - coalesce(v_before, 0));
    RETURN '';
END $$;

CREATE FUNCTION objects_copy_annotations(p_from bigint, p_to bigint) RETURNS void LANGUAGE sql AS $$
    -- For versions with one data key, or none.
    INSERT INTO objects_annotation
           (version_id, name, size_bytes, etag, checksum_algorithm, checksum, is_sealed, payload, modified_at)
    SELECT p_to, a.name, a.size_bytes, a.etag, a.checksum_algorithm, a.checksum, a.is_sealed, a.payload, a.modified_at
      FROM objects_annotation a WHERE a.version_id = p_from;
    SELECT objects_count_annotations(v.bucket_id, (SELECT coalesce(sum(a.size_bytes), 0) FROM objects_annotation a
                                                    WHERE a.version_id = p_from))
      FROM objects_objectversion v WHERE v.id = p_to
$$;
