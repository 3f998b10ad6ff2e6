-- Moving a version to another storage class, in place: its row, id, ETag and times stay.

CREATE FUNCTION objects_move_version(
    p_bucket_id bigint, p_version bigint, p_size_bytes bigint, p_from text, p_to text, p_chunks jsonb
) RETURNS boolean LANGUAGE plpgsql AS $$
-- Say under the key's lock that a version is in another class now, if it still is there, of the size it had and in
-- the class it was in. With `p_chunks` its bytes have been written anew and the chunks that held them become questions; without, they stay where
-- they are, as both classes keep them alike. Readers on their way go on in the old chunks until the collector's grace ends.
DECLARE
    v_version objects_objectversion;
BEGIN
    PERFORM pg_advisory_xact_lock_shared(28514, hashint8(p_bucket_id));
    PERFORM FROM objects_object o
      WHERE o.id = (SELECT v.object_id FROM objects_objectversion v WHERE v.id = p_version) FOR UPDATE;
    SELECT * INTO v_version FROM objects_objectversion v
     WHERE v.id = p_version AND v.bucket_id = p_bucket_id AND v.deleted_at IS NULL AND NOT v.is_delete_marker
       AND v.storage_class = p_from AND v.size_bytes = p_size_bytes;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    IF p_chunks IS NULL THEN
        PERFORM FROM chunks_chunk c
          WHERE c.id IN (SELECT e.chunk_id FROM objects_extent e WHERE e.version_id = p_version)
            AND c.storage_class <> p_to ORDER BY c.id FOR NO KEY UPDATE;
        UPDATE chunks_chunk SET storage_class = p_to
         WHERE id IN (SELECT e.chunk_id FROM objects_extent e WHERE e.version_id = p_version) AND storage_class <> p_to;
    ELSE
        INSERT INTO chunks_garbage (chunk_id)
        SELECT DISTINCT chunk_id FROM objects_extent WHERE version_id = p_version ORDER BY chunk_id
            ON CONFLICT (chunk_id) DO UPDATE SET asked_at = clock_timestamp();
        DELETE FROM objects_extent WHERE version_id = p_version;
        PERFORM objects_insert_chunks(p_chunks, p_version, NULL);
    END IF;
    DELETE FROM objects_restore WHERE version_id = p_version;
    UPDATE objects_objectversion SET storage_class = p_to WHERE id = p_version;
    RETURN true;
END $$;
