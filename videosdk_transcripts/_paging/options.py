"""What a caller says of a walk, checked at once, and the pager that it makes."""

from __future__ import annotations

from typing import Literal, get_args

from attrs import frozen

from videosdk_transcripts._api.filter import Filter, TranscriptionT, Unverified
from videosdk_transcripts._api.pages import OnInvalid
from videosdk_transcripts._clock import Clock
from videosdk_transcripts._validation import check_count, check_number, check_word
from videosdk_transcripts.errors import ConfigurationError
from videosdk_transcripts.models import WalkStats

from .checkpoint import REALTIME, Checkpoint
from .pager import Pager
from .readahead import FetchPage
from .verify import VerifiedWalk
from .walk import Walk

Consistency = Literal["once", "verify"]


def check_page_options(page_size: object, on_unverified: object, on_invalid: object) -> None:
    """Check what a walk and a single page have in common."""
    check_count("page_size", page_size)
    check_word("on_unverified", on_unverified, get_args(Unverified))
    check_word("on_invalid", on_invalid, get_args(OnInvalid))


@frozen
class WalkOptions:
    """
    The options of a walk, as `TranscriptsClient.iter_transcriptions` describes them.

    Raises:
        ConfigurationError: one of them is out of its bounds.
    """

    wanted: Filter
    limit: int | None
    page_size: int
    resume: str | None
    on_unverified: Unverified
    on_invalid: OnInvalid
    consistency: Consistency
    max_empty_pages: int
    readahead: int
    walk_timeout: float | None

    def __attrs_post_init__(self) -> None:
        check_page_options(self.page_size, self.on_unverified, self.on_invalid)
        check_count("max_empty_pages", self.max_empty_pages)
        check_word("consistency", self.consistency, get_args(Consistency))
        check_count("readahead", self.readahead, least=0)
        if self.limit is not None:
            check_count("limit", self.limit)
        if self.walk_timeout is not None:
            check_number("walk_timeout", self.walk_timeout, least=0, above=True)
        if self.consistency == "verify" and self.resume is not None:
            raise ConfigurationError(
                "a walk that is taken up again can't be verified, since only its end is walked; "
                "start a new walk, or resume with consistency='once'"
            )


def make_pager(
    options: WalkOptions,
    fetch: FetchPage[TranscriptionT],
    *,
    stats: WalkStats,
    clock: Clock,
    listed: str = REALTIME,
) -> Pager[TranscriptionT]:
    """
    Make the pager of a walk, which sends nothing yet.

    Args:
        options: what the caller said.
        fetch: gets a page of the list.
        stats: the counters of the walk.
        clock: the time, and how to wait.
        listed: which list it is, for its checkpoints.

    Raises:
        ConfigurationError: the checkpoint is none, or is of another walk.
    """
    taken_up = None
    if options.resume is not None:
        taken_up = Checkpoint.loads(options.resume, options.wanted, options.page_size, listed)

    def make_walk(stats: WalkStats) -> Walk[TranscriptionT]:
        return Walk(
            options.wanted,
            on_unverified=options.on_unverified,
            page_size=options.page_size,
            max_empty_pages=options.max_empty_pages,
            stats=stats,
            start=taken_up.position if taken_up else None,
            recent=taken_up.recent if taken_up else (),
            complete_from_page=taken_up.complete_from_page if taken_up else 1,
        )

    verified = options.consistency == "verify"
    return Pager(
        fetch,
        VerifiedWalk(make_walk, stats) if verified else make_walk(stats),
        wanted=options.wanted,
        page_size=options.page_size,
        limit=options.limit,
        readahead=options.readahead,
        walk_timeout=options.walk_timeout,
        collect_invalid=options.on_invalid == "collect",
        clock=clock,
        recent=taken_up.recent if taken_up else (),
        complete_from_page=taken_up.complete_from_page if taken_up else 1,
        listed=listed,
    )
