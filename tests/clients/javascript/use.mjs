// What a program does with the SDK: parts, ranges, checksums, versions, conditions, links and forms. Fails by throwing.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import * as s3 from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { createPresignedPost } from "@aws-sdk/s3-presigned-post";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";

const [endpoint, Bucket] = process.argv.slice(2);
const client = new s3.S3Client({ endpoint, forcePathStyle: true, maxAttempts: 1 });
const send = (name, input = {}) => client.send(new s3[`${name}Command`]({ Bucket, ...input }));
const bytes = async (answer) => Buffer.from(await answer.Body.transformToByteArray());

const small = Buffer.from("größe");
await send("PutObject", { Key: "ä b", Body: small, ChecksumAlgorithm: "SHA256", Metadata: { a: "b" } });
const got = await send("GetObject", { Key: "ä b", ChecksumMode: "ENABLED" });
assert.deepEqual(await bytes(got), small);
assert.equal(got.Metadata.a, "b");
assert.ok(got.ChecksumSHA256);
await assert.rejects(send("PutObject", { Key: "ä b", Body: small, IfNoneMatch: "*" }), { name: "PreconditionFailed" });
await assert.rejects(send("GetObject", { Key: "none" }), { name: "NoSuchKey" });

const large = randomBytes(11 << 20);
const upload = new Upload({ client, params: { Bucket, Key: "large", Body: large }, partSize: 5 << 20 });
await upload.done();
assert.deepEqual(await bytes(await send("GetObject", { Key: "large" })), large);
const range = await send("GetObject", { Key: "large", Range: "bytes=5000000-5999999" });
assert.deepEqual(await bytes(range), large.subarray(5_000_000, 6_000_000));
assert.equal((await send("HeadObject", { Key: "large", PartNumber: 2 })).PartsCount, 3);

const found = [];
for await (const page of s3.paginateListObjectsV2({ client, pageSize: 1 }, { Bucket })) {
  found.push(...(page.Contents ?? []).map((item) => item.Key));
}
assert.deepEqual(found, ["large", "ä b"]);

await send("PutBucketVersioning", { VersioningConfiguration: { Status: "Enabled" } });
const { VersionId } = await send("PutObject", { Key: "v", Body: "one" });
await send("PutObject", { Key: "v", Body: "two" });
assert.equal((await bytes(await send("GetObject", { Key: "v", VersionId }))).toString(), "one");
const deleted = await send("DeleteObjects", { Delete: { Objects: [{ Key: "v" }, { Key: "large" }] } });
assert.equal(deleted.Deleted.length, 2);
assert.equal((await send("ListObjectVersions", { Prefix: "v" })).DeleteMarkers.length, 1);

const link = await getSignedUrl(client, new s3.PutObjectCommand({ Bucket, Key: "link" }), { expiresIn: 60 });
assert.equal((await fetch(link, { method: "PUT", body: "by link" })).status, 200);
const read = await getSignedUrl(client, new s3.GetObjectCommand({ Bucket, Key: "link" }), { expiresIn: 60 });
assert.equal(await (await fetch(read)).text(), "by link");

const form = await createPresignedPost(client, { Bucket, Key: "form", Conditions: [["content-length-range", 1, 10]] });
const body = new FormData();
for (const [name, value] of Object.entries(form.fields)) body.append(name, value);
body.append("file", new Blob(["by form"]));
assert.equal((await fetch(form.url, { method: "POST", body })).status, 204);
assert.equal((await bytes(await send("GetObject", { Key: "form" }))).toString(), "by form");

await send("PutObject", { Key: "data.csv", Body: "a,1\nb,2\n" });
const selected = await send("SelectObjectContent", {
  Key: "data.csv",
  ExpressionType: "SQL",
  Expression: "select _1 from s3object where _2 = 2",
  InputSerialization: { CSV: {} },
  OutputSerialization: { CSV: {} },
});
let records = "";
for await (const event of selected.Payload) if (event.Records) records += Buffer.from(event.Records.Payload).toString();
assert.equal(records, "b\n");
console.log("all is well");
