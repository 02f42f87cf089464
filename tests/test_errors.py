"""`errors.py`: one tree, plain values, one line of text, pickling."""

import copy
import pickle

import pytest

from videosdk_transcripts import errors
from videosdk_transcripts._api.protocol import status_error
from videosdk_transcripts.errors import (
    InvalidRowError,
    StatusError,
    UnverifiedRowError,
    VideoSDKTranscriptsError,
)

ALL = [
    value
    for value in vars(errors).values()
    if isinstance(value, type) and issubclass(value, VideoSDKTranscriptsError)
]


@pytest.mark.parametrize("error_class", ALL)
@pytest.mark.parametrize(
    "trip", [lambda e: pickle.loads(pickle.dumps(e)), copy.copy, copy.deepcopy]
)
def test_every_error_survives_pickle_and_copy(error_class: type, trip: object) -> None:
    """An error of a worker process arrives complete."""
    error = error_class("what happened")
    error.page, error.attempts, error.checkpoint, error.retry_after = 3, 2, "{}", 1.5
    again = trip(error)  # type: ignore[operator]
    assert type(again) is error_class
    assert vars(again) == vars(error)
    assert str(again) == str(error) == "what happened [page 3, attempts 2, retry after 1.5]"


def test_attributes_of_subclasses_survive_pickle() -> None:
    """These are paths, ids and counts."""
    invalid = pickle.loads(pickle.dumps(InvalidRowError("x", path="$.a", row_id="b", page=2)))
    assert (invalid.path, invalid.row_id, invalid.page) == ("$.a", "b", 2)
    unverified = pickle.loads(pickle.dumps(UnverifiedRowError("x", row_id="b")))
    assert (unverified.row_id, unverified.page) == ("b", None)
    incomplete = pickle.loads(pickle.dumps(errors.IncompleteWalkError("x", passes=5, differing=2)))
    assert (incomplete.passes, incomplete.differing) == (5, 2)


def test_str_appends_known_attributes() -> None:
    """There are no brackets without known attributes."""
    assert str(VideoSDKTranscriptsError("plain")) == "plain"
    assert str(StatusError("x", request_id="r-1")) == "x [request id r-1]"


@pytest.mark.parametrize(
    ("error_class", "builtin"),
    [
        (errors.ConfigurationError, ValueError),
        (errors.TimedOutError, TimeoutError),
        (errors.ClientClosedError, RuntimeError),
    ],
)
def test_builtin_base_classes(error_class: type, builtin: type) -> None:
    """Handlers of built-in errors catch them."""
    assert issubclass(error_class, builtin)


@pytest.mark.parametrize(
    ("status", "name"),
    [
        (400, "BadRequestError"),
        (422, "BadRequestError"),
        (401, "AuthenticationError"),
        (403, "PermissionDeniedError"),
        (402, "NotFoundError"),
        (404, "NotFoundError"),
        (409, "ConflictError"),
        (429, "RateLimitedError"),
        (406, "ServerError"),
        (500, "ServerError"),
        (599, "ServerError"),
        (302, "RedirectError"),
        (418, "StatusError"),
        (408, "StatusError"),
    ],
)
def test_error_class_of_a_status(status: int, name: str) -> None:
    """A table maps statuses to classes."""
    assert name == status_error(status).__name__


def test_docstring_lists_every_error() -> None:
    """`__all__` lists every error, too."""
    docstring = errors.__doc__ or ""
    assert [name for name in errors.__all__ if name not in docstring] == []
    assert sorted(errors.__all__) == sorted(c.__name__ for c in ALL)
