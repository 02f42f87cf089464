"""The arguments of a walk are checked before anything is sent."""

from __future__ import annotations

from typing import Any

import pytest

from videosdk_transcripts import ConfigurationError

from .lists import walk_options


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("page_size", 0),
        ("page_size", "AUTO"),
        ("limit", 0),
        ("max_empty_pages", 0),
        ("readahead", -1),
        ("walk_timeout", 0),
        ("walk_timeout", float("nan")),
        ("on_unverified", "ignore"),
        ("on_invalid", "ignore"),
        ("consistency", "strict"),
    ],
)
def test_invalid_option_is_rejected_by_name(name: str, value: Any) -> None:
    """The error begins with the option, as the caller wrote it."""
    with pytest.raises(ConfigurationError, match=f"^{name} must be"):
        walk_options(**{name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("page_size", 1),
        ("page_size", "auto"),
        ("limit", 1),
        ("limit", None),
        ("max_empty_pages", 1),
        ("readahead", 0),
        ("walk_timeout", 0.001),
        ("walk_timeout", None),
        ("on_unverified", "yield"),
        ("on_unverified", "skip"),
        ("on_invalid", "skip"),
        ("on_invalid", "collect"),
        ("consistency", "verify"),
    ],
)
def test_option_may_be_at_its_bounds(name: str, value: Any) -> None:
    """The options have it unchanged."""
    assert getattr(walk_options(**{name: value}), name) == value


def test_only_verified_walks_cannot_be_resumed() -> None:
    """They would verify only the end of the list."""
    assert walk_options(resume="{}").consistency == "once"
    with pytest.raises(ConfigurationError, match="a resumed walk can't be verified"):
        walk_options(resume="{}", consistency="verify")
