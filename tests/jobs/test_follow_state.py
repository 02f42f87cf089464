"""The state of a follower as a checkpoint."""

import json
from typing import Any

import pytest

from videosdk_transcripts import ConfigurationError, Transcription
from videosdk_transcripts._api.filter import Filter
from videosdk_transcripts._jobs.follow_state import FollowState


def test_id_may_be_any_json_string() -> None:
    """This includes a lone surrogate."""
    state = FollowState(Filter(), primed=True)
    odd = Transcription(id="\ud800", status="running")
    assert state.next_change(odd) == "new"
    state.record(odd)
    assert state.next_change(odd) is None
    assert FollowState.loads(state.dumps(), Filter()).next_change(odd) is None


GOOD = json.loads(FollowState(Filter("a"), primed=True).dumps())


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (5, "must be the checkpoint of a follower"),
        ("x", "must be the checkpoint of a follower"),
        ("[" * 100_000, "must be the checkpoint of a follower"),
        ("[]", "must be the checkpoint of a follower"),
        (
            json.dumps({"version": 1, "list": "realtime-transcriptions"}),
            "the checkpoint of a follower",
        ),
        (json.dumps(GOOD | {"version": 2}), "this release reads version 1"),
        (json.dumps(GOOD | {"room_id": 5}), "damaged"),
        (json.dumps(GOOD | {"primed": 1}), "damaged"),
        (json.dumps(GOOD | {"unfinished": [1]}), "damaged"),
        (json.dumps(GOOD | {"known": "AAAA"}), "damaged"),
        (json.dumps(GOOD | {"known": "!"}), "damaged"),
        (json.dumps({key: GOOD[key] for key in list(GOOD)[:-1]}), "damaged"),
        (json.dumps(GOOD | {"room_id": "b"}), "follows room b, not room a"),
    ],
)
def test_invalid_checkpoint_is_rejected(text: Any, reason: str) -> None:
    """Nothing has been sent by then."""
    with pytest.raises(ConfigurationError, match=reason):
        FollowState.loads(text, Filter("a"))
