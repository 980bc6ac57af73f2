"""Preconditions hold under concurrency, and the traps that the real client has are reproduced."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from google.api_core.exceptions import NotFound, PreconditionFailed
from google.cloud.storage.exceptions import InvalidResponse

pytestmark = pytest.mark.emulated


def test_of_sixteen_create_only_writers_exactly_one_wins(bucket: Any) -> None:
    def write(name: str, writer: int) -> bytes | None:
        content = f"writer {writer}".encode()
        try:
            bucket.blob(name).upload_from_string(content, if_generation_match=0)
        except PreconditionFailed:
            return None
        return content

    with ThreadPoolExecutor(16) as threads:
        for turn in range(3):
            name = f"claims/{turn}"
            winners = [won for won in threads.map(lambda writer, n=name: write(n, writer), range(16)) if won]
            assert len(winners) == 1
            assert bucket.blob(name).download_as_bytes() == winners[0]


def test_no_increment_by_compare_and_swap_is_lost(bucket: Any) -> None:
    bucket.blob("counter").upload_from_string(b"0")

    def increment(_: int) -> None:
        while True:
            blob = bucket.get_blob("counter")
            value = int(blob.download_as_bytes(if_generation_match=blob.generation)) if blob else 0
            try:
                blob.upload_from_string(str(value + 1), if_generation_match=blob.generation)
            except PreconditionFailed:
                continue
            return

    def attempt(number: int) -> None:
        while True:
            try:
                return increment(number)
            except (PreconditionFailed, NotFound):
                continue  # another writer replaced the object between the two reads

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(attempt, range(40)))
    assert bucket.blob("counter").download_as_bytes() == b"40"


def test_stale_generation_is_refused_by_every_write(bucket: Any) -> None:
    blob = bucket.blob("state")
    blob.upload_from_string(b"1")
    stale = blob.generation
    blob.upload_from_string(b"2", if_generation_match=stale)
    with pytest.raises(PreconditionFailed):
        blob.upload_from_string(b"3", if_generation_match=stale)
    with pytest.raises(PreconditionFailed):
        blob.delete(if_generation_match=stale)
    with pytest.raises(PreconditionFailed):
        bucket.copy_blob(blob, bucket, "state", if_generation_match=stale)
    metageneration = blob.metageneration
    blob.metadata = {"owner": "a"}
    blob.patch(if_metageneration_match=metageneration)
    with pytest.raises(PreconditionFailed):
        blob.patch(if_metageneration_match=metageneration)
    assert bucket.get_blob("state").metadata == {"owner": "a"}
    assert blob.download_as_bytes() == b"2"


def test_generations_only_grow_across_deletion(bucket: Any) -> None:
    seen = []
    for _ in range(5):
        blob = bucket.blob("again")
        blob.upload_from_string(b"x", if_generation_match=0)
        seen.append(blob.generation)
        blob.delete(if_generation_match=blob.generation)
    assert seen == sorted(set(seen))


def test_a_session_that_began_first_loses_when_another_finished(bucket: Any) -> None:
    slow = bucket.blob("part").open("wb", if_generation_match=0, chunk_size=256 << 10)
    slow.write(bytes(600 << 10))
    bucket.blob("part").upload_from_string(b"fast", if_generation_match=0)
    with pytest.raises(InvalidResponse) as refused:
        slow.close()
    assert refused.value.response.status_code == 412
    assert bucket.blob("part").download_as_bytes() == b"fast"


def test_a_lost_answer_makes_the_client_report_a_conflict_with_its_own_write(bucket: Any, emulators: Any) -> None:
    emulators.fault(
        {"method": "POST", "path_contains": "/upload/", "name_contains": "lease", "action": "drop_response"}
    )
    blob = bucket.blob("lease")
    blob.metadata = {"owner": "me"}
    with pytest.raises(PreconditionFailed):
        blob.upload_from_string(b"mine", if_generation_match=0)
    found = bucket.get_blob("lease")
    assert (found.metadata, found.download_as_bytes()) == ({"owner": "me"}, b"mine")


def test_a_lost_answer_to_the_last_chunk_of_a_session_is_told_again(bucket: Any, emulators: Any) -> None:
    emulators.fault({"method": "PUT", "path_contains": "/upload/", "action": "drop_response"})
    content = bytes(9 << 20)  # above the size at which the client makes a session
    blob = bucket.blob("large")
    blob.upload_from_string(content, if_generation_match=0)
    assert bucket.get_blob("large").size == len(content)
