"""Failures of a single request that a long wait outlives."""

from __future__ import annotations

from typing import Final

from .errors import NoResponseError, RateLimitedError, ServerError

__all__ = ["TRANSIENT"]

TRANSIENT: Final = (NoResponseError, RateLimitedError, ServerError)
"""
These and no others. Each has been tried several times before it comes here, and says
nothing about what was asked for, which a refused token or a row that can't be read does.
"""
