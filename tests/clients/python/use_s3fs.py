"""What a program does with s3fs: parts, ranges, trees, versions, metadata, tags, links. Fails by raising."""

import os
import sys
import urllib.request

import s3fs

endpoint, bucket = sys.argv[1:]
options = {
    "endpoint_url": endpoint,
    "key": os.environ["AWS_ACCESS_KEY_ID"],
    "secret": os.environ["AWS_SECRET_ACCESS_KEY"],
    "client_kwargs": {"region_name": os.environ["AWS_REGION"]},
    "use_listings_cache": False,
}
files = s3fs.S3FileSystem(**options)

large = os.urandom(12 << 20)
with files.open(f"{bucket}/tree/large", "wb", block_size=5 << 20) as file:
    file.write(large)
assert files.cat_file(f"{bucket}/tree/large") == large
assert files.cat_file(f"{bucket}/tree/large", start=5_000_000, end=5_999_999) == large[5_000_000:5_999_999]
assert files.cat_ranges([f"{bucket}/tree/large"] * 2, [0, 9_000_000], [10, 9_000_010]) == [
    large[:10],
    large[9_000_000:9_000_010],
]
with files.open(f"{bucket}/tree/large", "rb") as file:
    file.seek(-1_000, os.SEEK_END)
    assert file.read() == large[-1_000:]

names = [f"{bucket}/tree/{name}" for name in ("a/ä b", "a/b/c", "d+e", "f%20g")]
files.pipe(dict.fromkeys(names, b"small"))
assert files.find(f"{bucket}/tree/a") == sorted(names[:2])
assert files.glob(f"{bucket}/tree/*") == sorted([f"{bucket}/tree/a", *names[2:], f"{bucket}/tree/large"])
assert files.isdir(f"{bucket}/tree/a")
assert files.info(names[2])["size"] == 5
assert files.du(f"{bucket}/tree") == len(large) + 5 * len(names)

files.copy(f"{bucket}/tree/large", f"{bucket}/copy")
assert files.cat_file(f"{bucket}/copy") == large
files.copy(f"{bucket}/tree/a", f"{bucket}/moved", recursive=True)
files.mv(f"{bucket}/moved/b/c", f"{bucket}/moved/d")
assert sorted(files.find(f"{bucket}/moved")) == [f"{bucket}/moved/d", f"{bucket}/moved/ä b"]
with files.open(names[2], "ab") as file:
    file.write(b" and more")
assert files.cat_file(names[2]) == b"small and more"

files.setxattr(names[2], colour="red")
assert files.getxattr(names[2], "colour") == "red"
files.put_tags(names[2], {"kind": "test"})
assert files.get_tags(names[2]) == {"kind": "test"}
assert files.exists(names[2])
assert not files.exists(f"{bucket}/none")
with urllib.request.urlopen(files.sign(names[2], expiration=60)) as answer:
    assert answer.read() == b"small and more"

files.make_bucket_versioned(bucket, True)
aware = s3fs.S3FileSystem(version_aware=True, **options)
aware.pipe_file(f"{bucket}/v", b"one")
first = aware.info(f"{bucket}/v")["VersionId"]
aware.pipe_file(f"{bucket}/v", b"two")
with aware.open(f"{bucket}/v", version_id=first) as file:
    assert file.read() == b"one"
assert len(aware.object_version_info(f"{bucket}/v")) == 2

files.rm(f"{bucket}/tree", recursive=True)
assert not files.exists(f"{bucket}/tree")
try:
    files.cat_file(f"{bucket}/none")
except FileNotFoundError:
    print("all is well")
