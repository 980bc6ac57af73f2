"""Content, metadata, listing and derived objects through the unmodified client."""

from __future__ import annotations

import io
import os
import threading
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from google.api_core.exceptions import BadRequest, Conflict, Forbidden, NotFound, ServiceUnavailable

from local.gcs.errors import ApiError
from local.gcs.listing import glob_pattern

pytestmark = pytest.mark.emulated


def test_what_is_uploaded_is_downloaded_with_its_metadata(bucket: Any) -> None:
    blob = bucket.blob("landing/a b/ünï.parquet")
    blob.metadata = {"rows": "3", "window": "20261120T0700Z"}
    blob.upload_from_string(b"0123456789", content_type="application/vnd.apache.parquet", checksum="crc32c")
    found = bucket.get_blob("landing/a b/ünï.parquet")
    assert found.metadata == {"rows": "3", "window": "20261120T0700Z"}
    assert found.content_type == "application/vnd.apache.parquet"
    assert (found.generation, found.size) == (blob.generation, 10)
    assert (found.crc32c, found.md5_hash) == (blob.crc32c, blob.md5_hash)
    assert found.download_as_bytes() == b"0123456789"
    assert found.download_as_bytes(start=3, end=5) == b"345"
    with found.open("rb") as stream:
        assert (stream.seek(8), stream.read()) == (8, b"89")


@pytest.mark.parametrize("size", [100, 9 << 20], ids=["multipart", "resumable"])
def test_a_wrong_checksum_is_rejected_and_leaves_nothing(bucket: Any, size: int) -> None:
    blob = bucket.blob("part")
    blob.crc32c = "AAAAAA=="
    with pytest.raises(BadRequest):
        blob.upload_from_file(io.BytesIO(os.urandom(size)), size=size, checksum=None)
    assert bucket.get_blob("part") is None


def test_metadata_is_patched_key_by_key(bucket: Any) -> None:
    blob = bucket.blob("m")
    blob.metadata = {"a": "1", "b": "2"}
    blob.upload_from_string(b"")
    blob.metadata = {"a": None, "c": "3"}
    blob.patch()
    found = bucket.get_blob("m")
    assert (found.metadata, found.metageneration) == ({"b": "2", "c": "3"}, 2)


def test_pages_joined_are_the_whole_listing(bucket: Any) -> None:
    names = [f"landing/s{source}/w{window}/part" for source in range(3) for window in range(4)]
    for name in [*names, "other/x"]:
        bucket.blob(name).upload_from_string(b"x")
    assert [blob.name for blob in bucket.list_blobs(prefix="landing/", page_size=5)] == names
    folders = bucket.list_blobs(prefix="landing/", delimiter="/", page_size=2)
    assert (list(folders), sorted(folders.prefixes)) == ([], [f"landing/s{source}/" for source in range(3)])
    offset = bucket.list_blobs(start_offset="landing/s1", end_offset="landing/s2")
    assert [blob.name for blob in offset] == names[4:8]
    globbed = bucket.list_blobs(match_glob="**/w3/*")
    assert [blob.name for blob in globbed] == [name for name in names if "/w3/" in name]


@pytest.mark.parametrize(
    ("glob", "name", "matches"),
    [
        ("a/*/c", "a/b/c", True),
        ("a/*/c", "a/b/b/c", False),
        ("a/**/c", "a/b/b/c", True),
        ("a?.{json,csv}", "a1.csv", True),
        ("a?.{json,csv}", "a1.txt", False),
        ("a.b", "axb", False),
    ],
)
def test_globs(glob: str, name: str, matches: bool) -> None:
    assert bool(glob_pattern(glob).fullmatch(name)) is matches


def test_an_unclosed_brace_is_a_bad_request() -> None:
    with pytest.raises(ApiError, match="Invalid matchGlob"):
        glob_pattern("{a,b")


def test_objects_made_of_objects(bucket: Any, storage_client: Any) -> None:
    first, second = bucket.blob("1"), bucket.blob("2")
    first.metadata = {"k": "v"}
    first.upload_from_string(b"one ")
    second.upload_from_string(b"two")
    bucket.blob("both").compose([first, second])
    both = bucket.get_blob("both")
    assert (both.download_as_bytes(), both.component_count, both.md5_hash) == (b"one two", 2, None)
    assert bucket.copy_blob(first, bucket, "copy").download_as_bytes() == b"one "
    assert bucket.get_blob("copy").metadata == {"k": "v"}
    bucket.blob("rewritten").rewrite(second)
    with storage_client.batch():
        bucket.delete_blob("1")
        bucket.delete_blob("2")
    assert [blob.name for blob in bucket.list_blobs()] == ["both", "copy", "rewritten"]


def test_an_object_on_hold_stays(bucket: Any) -> None:
    blob = bucket.blob("held")
    blob.upload_from_string(b"x")
    blob.temporary_hold = True
    blob.patch()
    with pytest.raises(Forbidden):
        blob.delete()
    with pytest.raises(Forbidden):
        bucket.blob("held").upload_from_string(b"y")
    assert blob.download_as_bytes() == b"x"


def test_an_upload_that_raises_leaves_no_object(bucket: Any) -> None:
    def write() -> None:
        with bucket.blob("torn").open("wb", chunk_size=256 << 10) as stream:
            stream.write(bytes(600 << 10))
            raise KeyError

    with pytest.raises(KeyError):
        write()
    assert bucket.get_blob("torn") is None


def test_buckets(bucket: Any, storage_client: Any) -> None:
    with pytest.raises(Conflict):
        storage_client.create_bucket(bucket.name)
    assert storage_client.lookup_bucket("no-such-bucket") is None
    with pytest.raises(NotFound):
        storage_client.bucket("no-such-bucket").blob("x").upload_from_string(b"x")
    bucket.blob("x").upload_from_string(b"x")
    with pytest.raises(Conflict):
        bucket.delete()
    bucket.delete(force=True)
    assert storage_client.lookup_bucket(bucket.name) is None


def test_faults_hit_only_what_they_name_and_only_so_often(bucket: Any, emulators: Any) -> None:
    emulators.fault({"action": "error", "method": "GET", "name_contains": "poor", "status": 503, "times": 1, "skip": 1})
    for name in ("poor", "rich"):
        bucket.blob(name).upload_from_string(b"x")
    for _ in range(3):
        bucket.blob("rich").download_as_bytes(retry=None)
    bucket.blob("poor").download_as_bytes(retry=None)
    with pytest.raises(ServiceUnavailable):
        bucket.blob("poor").download_as_bytes(retry=None)
    assert bucket.blob("poor").download_as_bytes(retry=None) == b"x"
    assert httpx.get(f"{emulators.gcs_url}/_emulator/faults").json()[0]["hits"] == 1
    assert httpx.put(f"{emulators.gcs_url}/_emulator/faults", json={"action": "explode"}).status_code == 400


def test_an_upload_survives_the_death_of_the_emulator(launch_emulators: Callable[..., Any]) -> None:
    own = launch_emulators()
    target = own.storage().create_bucket("landing-bucket")
    content = os.urandom(1 << 20)
    with target.blob("part").open("wb", chunk_size=256 << 10) as stream:
        stream.write(content[: 600 << 10])
        own.stack.kill("gcs")
        own.stack.start("gcs")
        stream.write(content[600 << 10 :])
    assert target.blob("part").download_as_bytes() == content


def test_a_chunk_that_is_sent_again_is_taken_once(bucket: Any, emulators: Any) -> None:
    """A client whose answer was lost repeats its chunk, or one that begins within what is there."""
    content = os.urandom(768 << 10)
    third = 256 << 10
    upload = f"{emulators.gcs_url}/upload/storage/v1/b/{bucket.name}/o"
    begun = httpx.post(upload, params={"uploadType": "resumable"}, json={"name": "part"})
    with httpx.Client() as client:

        def send(first: int, end: int) -> httpx.Response:
            headers = {"content-range": f"bytes {first}-{end - 1}/{len(content)}"}
            return client.put(begun.headers["location"], content=content[first:end], headers=headers)

        assert send(0, third).headers["range"] == f"bytes=0-{third - 1}"
        assert send(0, third).headers["range"] == f"bytes=0-{third - 1}"
        assert send(2 * third, 3 * third).headers["range"] == f"bytes=0-{third - 1}"  # a gap is not filled
        assert send(third - 1000, 2 * third).status_code == 308
        assert send(2 * third, 3 * third).json()["size"] == str(len(content))
        assert send(2 * third, 3 * third).json()["name"] == "part"  # told again after the end
    assert bucket.blob("part").download_as_bytes() == content


def test_a_delayed_request_lets_others_pass(bucket: Any, emulators: Any, wait_for: Callable[..., Any]) -> None:
    emulators.fault({"action": "delay", "name_contains": "late", "seconds": 1.0})
    finished: list[str] = []

    def write(name: str) -> None:
        bucket.blob(name).upload_from_string(b"x")
        finished.append(name)

    late = threading.Thread(target=write, args=["late"])
    late.start()
    wait_for(lambda: httpx.get(f"{emulators.gcs_url}/_emulator/faults").json()[0]["hits"])
    write("prompt")
    late.join()
    assert finished == ["prompt", "late"]
