"""From JSON to models: strict on types, generous on what is missing, open for what is new."""

import copy
import json
import pickle
from datetime import UTC, datetime
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from videosdk_transcripts import InvalidRowError, Transcription
from videosdk_transcripts._api.converter import quick_row, read_transcription

# The row of the API page, word for word.
DOCUMENTED: dict[str, Any] = json.loads("""
{
  "id": "82feea14-6783-4e63-84fc-17c5666bfd5c",
  "status": "completed",
  "extension": {
    "enabled": true,
    "provider": "videosdk",
    "extensionConfig": {"roomId": "abc-xyzw-lmno", "sessionId": "621497578bea0d0404c35c4c"}
  },
  "transcriptionFilePaths": {"txt": "https://cdn.videosdk.live/transcriptions/dummy/dummy.txt"},
  "summarizedFilePaths": {"txt": "https://cdn.videosdk.live/transcriptions/dummy/dummy-summary.txt"},
  "start": "2024-02-27T16:00:36.828Z",
  "end": "2024-02-27T16:01:46.939Z"
}
""")


def read(raw: Any) -> Transcription:
    """Read a row that stands somewhere on page 3."""
    return read_transcription(raw, path="$.transcriptions[7]", page=3)


def test_the_documented_row() -> None:
    """Every field of the API page is read, and nothing is left over."""
    assert read(DOCUMENTED) == Transcription(
        id="82feea14-6783-4e63-84fc-17c5666bfd5c",
        status="completed",
        room_id="abc-xyzw-lmno",
        session_id="621497578bea0d0404c35c4c",
        start=datetime(2024, 2, 27, 16, 0, 36, 828000, UTC),
        end=datetime(2024, 2, 27, 16, 1, 46, 939000, UTC),
        files={"txt": "https://cdn.videosdk.live/transcriptions/dummy/dummy.txt"},
        summary_files={"txt": "https://cdn.videosdk.live/transcriptions/dummy/dummy-summary.txt"},
        provider="videosdk",
        enabled=True,
    )


def test_the_documented_row_comes_back() -> None:
    """`to_dict` gives the answer again."""
    assert read(DOCUMENTED).to_dict() == DOCUMENTED


def test_an_id_is_enough() -> None:
    """Everything but the id may be missing."""
    assert read({"id": "a"}) == Transcription("a")


@pytest.mark.parametrize("empty", [None, {}, {"txt": None}])
def test_no_file_is_said_in_several_ways(empty: object) -> None:
    """A file map that is null, empty or full of nulls is like a missing one."""
    t = read({"id": "a", "transcriptionFilePaths": empty, "summarizedFilePaths": empty})
    assert t == Transcription("a")


def test_null_is_like_missing() -> None:
    """Null never becomes a text."""
    nulls = dict.fromkeys(
        ("status", "extension", "webhookUrl", "start", "end", "roomId", "sessionId")
    )
    assert read({"id": "a", **nulls}).status is None
    assert read({"id": "a", "extension": {"extensionConfig": None}}).room_id is None


def test_unknown_words_and_keys_survive() -> None:
    """A status of tomorrow and keys of any depth are kept at their place."""
    raw = {
        "id": "a",
        "status": "summarising",
        "userStorage": None,
        "extension": {"mode": 1, "extensionConfig": {"roomId": "r", "language": "en"}},
    }
    t = read(raw)
    assert t.status == "summarising"
    assert t.extra == {
        "userStorage": None,
        "extension": {"mode": 1, "extensionConfig": {"language": "en"}},
    }
    assert t.to_dict() == raw


def test_ids_are_read_from_either_place() -> None:
    """The documented place wins, the top level serves where it is silent."""
    top = read({"id": "a", "roomId": "r", "sessionId": "s"})
    assert (top.room_id, top.session_id) == ("r", "s")
    assert top.extra == {"roomId": "r", "sessionId": "s"}
    nested = {"extension": {"extensionConfig": {"roomId": "r", "sessionId": "s"}}}
    both = read({"id": "a", "roomId": "x", "sessionId": "y", **nested})
    assert (both.room_id, both.session_id) == ("r", "s")


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2024-02-27T16:00:36Z", datetime(2024, 2, 27, 16, 0, 36, tzinfo=UTC)),
        ("2024-02-27T16:00:36.8Z", datetime(2024, 2, 27, 16, 0, 36, 800000, UTC)),
        ("2024-02-27T16:00:36.123456789Z", datetime(2024, 2, 27, 16, 0, 36, 123456, UTC)),
        ("2024-02-27T21:30:36+05:30", datetime(2024, 2, 27, 16, 0, 36, tzinfo=UTC)),
        ("2024-02-27T16:00:36", datetime(2024, 2, 27, 16, 0, 36, tzinfo=UTC)),
    ],
)
def test_times_are_utc(text: str, moment: datetime) -> None:
    """Zones and fractions of any length end as an aware UTC time."""
    start = read({"id": "a", "start": text}).start
    assert start == moment
    assert start is not None
    assert start.tzinfo is UTC


@pytest.mark.parametrize(
    ("change", "path", "reason"),
    [
        ({"id": None}, "$.transcriptions[7].id", "expected a string, found null"),
        ({"id": 5}, "$.transcriptions[7].id", "expected a string, found a number"),
        ({"id": ""}, "$.transcriptions[7].id", "expected an id, found a string"),
        ({"status": True}, "$.transcriptions[7].status", "expected a string, found a boolean"),
        ({"extension": "x"}, "$.transcriptions[7].extension", "expected an object, found a string"),
        (
            {"extension": {"enabled": "false"}},
            "$.transcriptions[7].extension.enabled",
            "expected a boolean, found a string",
        ),
        (
            {"extension": {"extensionConfig": {"roomId": 1.5}}},
            "$.transcriptions[7].extension.extensionConfig.roomId",
            "expected a string, found a number",
        ),
        (
            {"transcriptionFilePaths": ["u"]},
            "$.transcriptions[7].transcriptionFilePaths",
            "expected an object, found an array",
        ),
        (
            {"summarizedFilePaths": {"txt": {}}},
            "$.transcriptions[7].summarizedFilePaths['txt']",
            "expected a string, found an object",
        ),
        # The vendor's own page shows a webhook time with minute 60.
        (
            {"start": "2024-02-27T16:60:36Z"},
            "$.transcriptions[7].start",
            "expected an ISO 8601 time, found a string",
        ),
        (
            {"end": "0001-01-01T00:00:00+23:00"},
            "$.transcriptions[7].end",
            "expected an ISO 8601 time, found a string",
        ),
    ],
)
def test_a_wrong_type_is_an_error_with_its_place(
    change: dict[str, Any], path: str, reason: str
) -> None:
    """No coercion: the error tells page, path, id and the two types."""
    with pytest.raises(InvalidRowError) as caught:
        read(DOCUMENTED | change)
    error = caught.value
    assert (path, 3) == (error.path, error.page)
    assert f"{reason} @ {path}" in str(error)
    assert error.row_id == (None if "id" in change else DOCUMENTED["id"])
    assert error.__context__ is None


def test_a_missing_id_is_an_error() -> None:
    """Without an id a row can't be told from others."""
    with pytest.raises(
        InvalidRowError, match=r"required, but missing @ \$\.transcriptions\[7\]\.id"
    ):
        read({"status": "completed"})


@pytest.mark.parametrize("raw", [None, [], "x", 5, True])
def test_a_row_is_an_object(raw: object) -> None:
    """Anything else is an error at the row itself."""
    with pytest.raises(InvalidRowError) as caught:
        read(raw)
    assert caught.value.path == "$.transcriptions[7]"


def test_several_faults_are_told_at_once() -> None:
    """Whoever repairs a row need not come back for each fault."""
    with pytest.raises(InvalidRowError) as caught:
        read({"id": 1, "start": 2})
    assert "transcriptions[7].id" in str(caught.value)
    assert "transcriptions[7].start" in str(caught.value)


@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_what_is_nested_too_deep_is_an_error(opening: str) -> None:
    """A row that is handed out can be copied, compared, hashed, pickled and written."""
    closing = {"[": "]", '{"a":': "}"}[opening]

    def nested(levels: int) -> Any:
        return json.loads(opening * levels + "1" + closing * levels)

    kept = read({"id": "t", "later": nested(98)})
    assert kept == pickle.loads(pickle.dumps(kept))
    assert json.loads(json.dumps(kept.to_dict())) == kept.to_dict()
    with pytest.raises(InvalidRowError, match=r"row t .* deeper than 100 levels @ \$"):
        read({"id": "t", "later": nested(900)})


def test_the_hint_at_on_invalid_is_for_lists_alone() -> None:
    """A single transcription has no option to go on without it."""
    with pytest.raises(InvalidRowError) as caught:
        read_transcription({}, path="$")
    assert "on_invalid" not in str(caught.value)
    with pytest.raises(InvalidRowError, match="on_invalid='skip'"):
        read({})


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(
    st.fixed_dictionaries(
        {"id": st.text(max_size=4) | json_values},
        optional={
            key: json_values
            for key in (*DOCUMENTED, "webhookUrl", "roomId", "sessionId", "other")
            if key != "id"
        },
    )
    | json_values
)
def test_any_json_is_a_row_or_our_error(raw: Any) -> None:
    """Whatever comes, the types of a row are right or the error is ours and tells no value."""
    try:
        t = read(raw)
    except InvalidRowError as error:
        assert (error.path or "").startswith("$.transcriptions[7]")
        return
    assert isinstance(t.id, str)
    assert t.id
    for text in (t.status, t.room_id, t.session_id, t.provider, t.webhook_url):
        assert text is None or isinstance(text, str)
    assert t.enabled in (None, True, False)
    assert all(isinstance(url, str) for url in {**t.files, **t.summary_files}.values())
    assert read(t.to_dict()) == t


# Rows that are right but for what one key in three or so has, may have or lacks.
texts = st.text(max_size=4) | st.none()
odd = json_values | st.just({"txt": None})
times = st.sampled_from(
    [
        "2024-02-27T16:00:36.828Z",
        "2024-02-27T16:00:36+00:00",
        "2024-02-27T16:00:36+05:30",
        "2024-02-27T16:00:36",
        "2024-02-27",
        "2024-02-27T16:60:36Z",
        "0001-01-01T00:00:00+23:00",
        "",
    ]
)
file_maps = st.dictionaries(st.text(max_size=4), texts | odd, max_size=3) | st.none()
unknown = st.dictionaries(st.text(min_size=6, max_size=8), json_values, max_size=2)


def some(values: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """Make objects with some of the keys, of which some are odd, and with some of their own."""
    mixed = {key: value | odd for key, value in values.items()}
    return st.builds(
        lambda usual, strange, more: {**usual, **strange, **more},
        st.fixed_dictionaries({}, optional=values),
        st.just({}) | st.fixed_dictionaries({}, optional=mixed),
        st.just({}) | unknown,
    )


configs = some({"roomId": texts, "sessionId": texts})
extensions = some(
    {"enabled": st.booleans() | st.none(), "provider": texts, "extensionConfig": configs}
)
changes = some(
    {
        "id": st.text(max_size=4),
        "status": texts,
        "extension": extensions,
        "transcriptionFilePaths": file_maps,
        "summarizedFilePaths": file_maps,
        "webhookUrl": texts,
        "start": times | st.none(),
        "end": times | st.none(),
        "roomId": texts,
        "sessionId": texts,
    }
)


def without(row: dict[str, Any], missing: set[str]) -> dict[str, Any]:
    """Leave keys out of a row."""
    return {key: value for key, value in row.items() if key not in missing}


@given(
    st.builds(
        lambda changed, missing: without(DOCUMENTED | changed, missing),
        changes,
        st.sets(st.sampled_from(sorted(DOCUMENTED)), max_size=2),
    )
    | changes
    | json_values
)
@settings(max_examples=400)
def test_what_the_quick_way_takes_both_ways_read_alike(raw: Any) -> None:
    """What it does not take is no fault yet; what it takes has none, and loses nothing."""
    before = json.dumps(raw)
    quick = quick_row(raw)
    if quick is not None:
        careful = read(raw)
        assert attrs.asdict(quick) == attrs.asdict(careful)
        assert list(map(type, attrs.astuple(quick))) == list(map(type, attrs.astuple(careful)))
        assert list(quick.extra) == list(careful.extra)
        assert quick == careful
    assert json.dumps(raw) == before


RUNNING = without(DOCUMENTED, {"end", "transcriptionFilePaths", "summarizedFilePaths"})


@pytest.mark.parametrize(
    "raw",
    [
        DOCUMENTED,
        RUNNING | {"status": "running"},
        DOCUMENTED | {"transcriptionFilePaths": {}, "summarizedFilePaths": {}},
        DOCUMENTED | dict.fromkeys(without(DOCUMENTED, {"id"})),
        DOCUMENTED | {"start": "2024-02-27T16:00:36+00:00"},
        DOCUMENTED | {"webhookUrl": "https://example.com/hook", "roomId": "r", "sessionId": None},
        DOCUMENTED | {"region": None, "later": {"deep": [1]}},
        DOCUMENTED | {"extension": {"mode": 1, "extensionConfig": {"language": "en"}}},
        {"id": "a", "extension": {"extensionConfig": None}, "roomId": "r", "sessionId": "s"},
        {"id": "a"},
    ],
)
def test_the_quick_way_takes_what_is_usual(raw: Any) -> None:
    """Rows that are complete, that run, that lack what they may lack or have what is new."""
    row = quick_row(raw)
    assert row is not None
    assert row == read(raw)
    assert type(row) is Transcription


@pytest.mark.parametrize(
    "change",
    [
        {"id": ""},
        {"id": 5},
        {"status": True},
        {"webhookUrl": 1},
        {"roomId": 1},
        {"extension": []},
        {"extension": "x"},
        {"extension": {"extensionConfig": 5}},
        {"extension": DOCUMENTED["extension"] | {"enabled": 1}},
        {"extension": DOCUMENTED["extension"] | {"provider": 1}},
        {"extension": {"extensionConfig": {"roomId": 1}}},
        {"extension": {"extensionConfig": {"sessionId": 1}}},
        {"transcriptionFilePaths": {"txt": None}},
        {"summarizedFilePaths": ["u"]},
        {"start": 5},
        {"start": "2024-02-27T16:60:36Z"},
        {"start": "2024-02-27T16:00:36"},
        {"end": "2024-02-27T21:30:36+05:30"},
        {"later": json.loads("[" * 900 + "]" * 900)},
    ],
)
def test_the_quick_way_leaves_what_is_not(change: dict[str, Any]) -> None:
    """It never guesses: the careful way reads it, or says what is wrong with it."""
    assert quick_row(DOCUMENTED | change) is None


def test_a_row_that_was_made_quickly_is_like_any_other() -> None:
    """Frozen, hashed by id, and ready for another process, a copy or a change."""
    quick, careful = quick_row(DOCUMENTED), read(DOCUMENTED)
    assert quick is not None
    assert repr(quick) == repr(careful)
    assert {quick} == {careful}
    assert pickle.loads(pickle.dumps(quick)) == copy.copy(quick) == copy.deepcopy(quick) == careful
    assert attrs.evolve(quick, status="x") == attrs.evolve(careful, status="x")
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        quick.status = "x"  # type: ignore[misc]
    with pytest.raises(AttributeError):
        object.__setattr__(quick, "other", 1)
    assert quick_row(DOCUMENTED | {"id": "b"}).extra is not quick.extra  # type: ignore[union-attr]
