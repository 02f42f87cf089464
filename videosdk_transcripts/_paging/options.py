"""The arguments of a walk, checked before anything is sent."""

from __future__ import annotations

from typing import Final, Literal, get_args

from attrs import frozen

from videosdk_transcripts._api.filter import Filter, Unverified
from videosdk_transcripts._api.pages import OnInvalid
from videosdk_transcripts._validation import check_count, check_number, check_word
from videosdk_transcripts.errors import ConfigurationError

from .checkpoint import Checkpoint
from .time_range import ALL_TIMES, TimeRange

Consistency = Literal["once", "verify"]
PageSize = int | Literal["auto"]
"""Rows to request per page; ``auto`` for the larger of two sizes that the service accepts."""

LARGE_PAGE_SIZE: Final = 100
"""The page size that ``auto`` tries first. Larger pages would hardly save more time."""
DOCUMENTED_PAGE_SIZE: Final = 20
"""The page size that ``auto`` uses if the service refuses the first one."""


def check_page_options(page_size: object, on_unverified: object, on_invalid: object) -> None:
    """Check the options that apply to walks and to single pages."""
    check_count("page_size", page_size)
    check_word("on_unverified", on_unverified, get_args(Unverified))
    check_word("on_invalid", on_invalid, get_args(OnInvalid))


@frozen
class WalkOptions:
    """
    The options of a walk, as `TranscriptsClient.iter_transcriptions` documents them.

    Raises:
        ConfigurationError: an option is out of bounds.
    """

    wanted: Filter
    limit: int | None
    page_size: PageSize
    resume: str | None
    on_unverified: Unverified
    on_invalid: OnInvalid
    consistency: Consistency
    max_empty_pages: int
    readahead: int
    walk_timeout: float | None
    times: TimeRange = ALL_TIMES

    def __attrs_post_init__(self) -> None:
        check_page_options(self.first_page_size, self.on_unverified, self.on_invalid)
        check_count("max_empty_pages", self.max_empty_pages)
        check_word("consistency", self.consistency, get_args(Consistency))
        check_count("readahead", self.readahead, least=0)
        if self.limit is not None:
            check_count("limit", self.limit)
        if self.walk_timeout is not None:
            check_number("walk_timeout", self.walk_timeout, least=0, above=True)
        if self.consistency == "verify" and self.resume is not None:
            raise ConfigurationError(
                "a resumed walk can't be verified, because it covers only the end of the list; "
                "start a new walk, or resume with consistency='once'"
            )

    @property
    def first_page_size(self) -> int:
        """Return how many rows to request on the first page."""
        return LARGE_PAGE_SIZE if self.page_size == "auto" else self.page_size

    def load_checkpoint(self, list_name: str) -> Checkpoint | None:
        """
        Return the checkpoint to resume from; None for a new walk.

        Args:
            list_name: the name of the list in the API.

        Raises:
            ConfigurationError: `resume` is not a checkpoint of such a walk.
        """
        if self.resume is None:
            return None
        return Checkpoint.loads(self.resume, self.wanted, self.page_size, list_name, self.times)
