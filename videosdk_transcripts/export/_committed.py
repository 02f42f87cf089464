"""Read the summaries of committed parts, each of which was written before its part."""

from __future__ import annotations

from hashlib import sha256

from videosdk_transcripts.errors import ConfigurationError

from ._names import PROGRESS, generation_shard, part_name, shard_of_summary
from ._options import Job
from ._shard_summary import ShardSummary
from ._store import Store


async def read_summary(store: Store, job: Job, shard: str) -> ShardSummary | None:
    """Return the summary of a shard; None if its part is not committed."""
    size = await store.size(part_name(job, shard))
    if size is None:
        return None
    names = [name for name in await store.sizes(PROGRESS) if shard_of_summary(name) == shard]
    return await _summary_of_part(store, job, shard, size, names)


async def read_summaries(store: Store, job: Job) -> dict[str, ShardSummary]:
    """
    Return the summaries of all parts of the generation in progress, by shard.

    Raises:
        ConfigurationError: a part was changed after this export wrote it.
    """
    sizes = {
        shard: size
        for name, size in (await store.sizes()).items()
        if size is not None and (shard := generation_shard(job, name)) is not None
    }
    names: dict[str, list[str]] = {}
    for name in await store.sizes(PROGRESS):
        shard = shard_of_summary(name)
        if shard is not None:
            names.setdefault(shard, []).append(name)
    return {
        shard: await _summary_of_part(store, job, shard, size, names.get(shard, []))
        for shard, size in sorted(sizes.items())
    }


async def _summary_of_part(
    store: Store, job: Job, shard: str, size: int, names: list[str]
) -> ShardSummary:
    """Return the summary that belongs to a part; several processes may have written one each."""
    part = part_name(job, shard)
    found = []
    for name in names:
        data = await store.read_if_present(f"{PROGRESS}/{name}")
        if data is not None:
            found.append(ShardSummary.loads(data))
    found = [summary for summary in found if summary.size == size]
    if len({summary.sha256 for summary in found}) > 1:
        digest = sha256(await store.read(part)).hexdigest()
        found = [summary for summary in found if summary.sha256 == digest]
    if not found:
        raise ConfigurationError(
            f"{part} in {store} was changed or moved there since it was exported; "
            "delete it and run the same export again"
        )
    # If several attempts wrote the same content, the newest has only the remaining errors.
    return min(found, key=lambda summary: len(summary.errors))
