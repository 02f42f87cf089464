"""`_api/converter.py` (P11): strict types, missing and unknown keys, located faults."""

import contextlib
import copy
import json
import pickle
import time
from datetime import UTC, datetime
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from videosdk_transcripts import InvalidRowError, Transcription
from videosdk_transcripts._api import converter
from videosdk_transcripts._api.converter import (
    STRUCTURE_ERRORS,
    _transcription_of_any_shape,
    invalid_row,
    structure_hook,
    structure_row,
)

# The row of the API reference, unchanged.
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
    """Structure a row of page 3, as the reader of pages does."""
    try:
        return structure_hook(Transcription)(raw, Transcription)
    except STRUCTURE_ERRORS as error:
        failure = invalid_row(error, raw, path="$.transcriptions[7]", page=3)
    raise failure


def test_documented_row_is_read_completely() -> None:
    """Every field of the API reference is read, and nothing is left for `extra`."""
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


def test_to_dict_restores_the_documented_row() -> None:
    """The result has the documented shape."""
    assert read(DOCUMENTED).to_dict() == DOCUMENTED


def test_only_the_id_is_required() -> None:
    """Every other key may be missing."""
    assert read({"id": "a"}) == Transcription("a")


@pytest.mark.parametrize("empty", [None, {}, {"txt": None}])
def test_null_and_empty_file_maps_are_like_missing_ones(empty: object) -> None:
    """A map of nulls is equivalent, too."""
    t = read({"id": "a", "transcriptionFilePaths": empty, "summarizedFilePaths": empty})
    assert t == Transcription("a")


def test_null_link_does_not_hide_other_links() -> None:
    """The order in the map does not matter."""
    for links in ({"txt": None, "srt": "u", "vtt": "v"}, {"srt": "u", "txt": None, "vtt": "v"}):
        t = read(DOCUMENTED | {"transcriptionFilePaths": links, "summarizedFilePaths": links})
        assert t.files == t.summary_files == {"srt": "u", "vtt": "v"}


def test_modelled_keys_are_not_in_extra() -> None:
    """Each has a field, even in a row of another shape."""
    t = read(DOCUMENTED | {"webhookUrl": "https://a.example", "end": None})
    assert (t.webhook_url, t.extra) == ("https://a.example", {})


def test_null_is_like_missing() -> None:
    """It never becomes a string."""
    nulls = dict.fromkeys(
        ("status", "extension", "webhookUrl", "start", "end", "roomId", "sessionId")
    )
    assert read({"id": "a", **nulls}).status is None
    assert read({"id": "a", "extension": {"extensionConfig": None}}).room_id is None


def test_unknown_status_and_keys_survive() -> None:
    """Unknown keys are in `extra`, nested as in the row."""
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


def test_room_and_session_are_read_from_either_place() -> None:
    """The documented place takes precedence over the top level."""
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
def test_times_are_converted_to_utc(
    text: str, moment: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Times of any zone and precision are accepted, whatever the local time zone is."""
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("TZ", "XXX-5:30")
        time.tzset()
        start = read({"id": "a", "start": text}).start
    time.tzset()
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
def test_wrong_type_raises_with_its_json_path(
    change: dict[str, Any], path: str, reason: str
) -> None:
    """There is no coercion: the error has the page, the path, the id and the two types."""
    with pytest.raises(InvalidRowError) as caught:
        read(DOCUMENTED | change)
    error = caught.value
    assert (path, 3) == (error.path, error.page)
    assert f"{reason} @ {path}" in str(error)
    assert error.row_id == (None if "id" in change else DOCUMENTED["id"])
    assert error.__context__ is None


def test_missing_id_raises() -> None:
    """Rows are identified by their ids."""
    with pytest.raises(
        InvalidRowError, match=r"required, but missing @ \$\.transcriptions\[7\]\.id"
    ):
        read({"status": "completed"})


@pytest.mark.parametrize("raw", [None, [], "x", 5, True])
def test_row_that_is_not_an_object_raises(raw: object) -> None:
    """The error has the path of the row itself."""
    with pytest.raises(InvalidRowError) as caught:
        read(raw)
    assert caught.value.path == "$.transcriptions[7]"


def test_error_lists_several_faults() -> None:
    """The message contains more than the first one."""
    with pytest.raises(InvalidRowError) as caught:
        read({"id": 1, "start": 2})
    assert "transcriptions[7].id" in str(caught.value)
    assert "transcriptions[7].start" in str(caught.value)


@pytest.mark.parametrize(
    ("keys", "more"),
    [
        (("id",), ""),
        (("id", "status", "start"), ""),
        (("id", "status", "start", "end"), "; and 1 more"),
        (("id", "status", "start", "end", "webhookUrl"), "; and 2 more"),
    ],
)
def test_error_names_three_faults_and_counts_the_others(keys: tuple[str, ...], more: str) -> None:
    """It contains nothing else, and the error of a single row has no advice for lists."""
    with pytest.raises(InvalidRowError) as caught:
        structure_row({key: [] for key in keys}, Transcription, path="$")
    # In the order of the fields.
    named = [k for k in ("id", "status", "webhookUrl", "start", "end") if k in keys][:3]
    faults = "; ".join(f"expected a string, found an array @ $.{key}" for key in named)
    assert caught.value.message == f"a row can't be read: {faults}{more}"
    assert caught.value.page is None


@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_too_deep_nesting_raises(opening: str) -> None:
    """Every row can be copied, compared, hashed, pickled and written as JSON."""
    closing = {"[": "]", '{"a":': "}"}[opening]

    def nested(levels: int) -> Any:
        return json.loads(opening * levels + "1" + closing * levels)

    kept = read({"id": "t", "later": nested(98)})
    assert kept == pickle.loads(pickle.dumps(kept))
    assert json.loads(json.dumps(kept.to_dict())) == kept.to_dict()
    with pytest.raises(InvalidRowError, match=r"row t .* deeper than 100 levels @ \$"):
        read({"id": "t", "later": nested(900)})


@pytest.mark.parametrize("missing", ["end", "transcriptionFilePaths", "summarizedFilePaths"])
def test_row_without_one_of_its_values_has_the_others(missing: str) -> None:
    """A row without an end may have a summary already."""
    row = read({key: value for key, value in DOCUMENTED.items() if key != missing})
    whole = read(DOCUMENTED)
    assert row.end == (None if missing == "end" else whole.end)
    assert row.files == ({} if missing == "transcriptionFilePaths" else whole.files)
    assert row.summary_files == ({} if missing == "summarizedFilePaths" else whole.summary_files)


def test_error_names_on_invalid_for_rows_of_a_list_only() -> None:
    """A single transcription has no such option."""
    with pytest.raises(InvalidRowError) as caught:
        structure_row({}, Transcription, path="$")
    assert "on_invalid" not in str(caught.value)
    with pytest.raises(InvalidRowError) as caught:
        read({})
    assert str(caught.value).partition(" [")[0] == (
        "a row can't be read: required, but missing @ $.transcriptions[7].id; pass "
        "on_invalid='skip' or 'collect' to continue without such rows"
    )


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
def test_any_json_is_a_valid_row_or_an_invalid_row_error(raw: Any) -> None:
    """Every field of a row has its declared type."""
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


# Rows that are mostly valid: about one key in three is missing, odd or additional.
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
    """Generate objects with some of the keys, some odd values, and some unknown keys."""
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
    """Return a row without some keys."""
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
@settings(max_examples=200)
def test_documented_row_is_structured_like_any_other(raw: Any) -> None:
    """Direct reading of a documented row has the same result as the generated hooks."""
    before = json.dumps(raw)
    row = expected = None
    with contextlib.suppress(*STRUCTURE_ERRORS):
        row = structure_hook(Transcription)(raw, Transcription)
    with contextlib.suppress(*STRUCTURE_ERRORS):
        expected = _transcription_of_any_shape(raw)
    assert row == expected
    if row is not None and expected is not None:
        assert attrs.asdict(row) == attrs.asdict(expected)
        assert list(map(type, attrs.astuple(row))) == list(map(type, attrs.astuple(expected)))
        assert list(row.extra) == list(expected.extra)
    assert json.dumps(raw) == before


def with_value(place: str, value: object) -> dict[str, Any]:
    """Return the documented row with another value at one place."""
    row = copy.deepcopy(DOCUMENTED)
    inner = row
    *keys, last = place.split(".")
    for key in keys:
        inner = inner[key]
    inner[last] = value
    return row


CONFIG = "extension.extensionConfig"
NO_FILES = without(DOCUMENTED, {"transcriptionFilePaths", "summarizedFilePaths"})


@pytest.mark.parametrize(
    ("raw", "is_direct"),
    [
        (DOCUMENTED, True),
        *((without(DOCUMENTED, {key}), True) for key in ("end", "transcriptionFilePaths")),
        (without(DOCUMENTED, {"summarizedFilePaths"}), True),
        (without(NO_FILES, {"end"}) | {"status": "running"}, True),
        (DOCUMENTED | {"transcriptionFilePaths": {}, "summarizedFilePaths": {}}, True),
        (DOCUMENTED | {"start": "2024-02-27T16:00:36+00:00"}, True),
        (DOCUMENTED | {"end": None}, True),
        (with_value("extension.enabled", False), True),
        (with_value(f"{CONFIG}.language", "en"), False),
        (with_value("extension.mode", 1), False),
        (with_value("transcriptionFilePaths.srt", "u"), False),
        (with_value("summarizedFilePaths.srt", "u"), False),
        (DOCUMENTED | {"webhookUrl": "u"}, False),
        (without(NO_FILES, {"end"}) | {"roomId": "r"}, False),
        (DOCUMENTED | {"transcriptionFilePaths": {"txt": None}}, False),
        (DOCUMENTED | {"summarizedFilePaths": {"txt": None}}, False),
        (DOCUMENTED | {"summarizedFilePaths": None}, True),
        (DOCUMENTED | {"region": None}, False),
        (DOCUMENTED | {"start": "2024-02-27T21:30:36+05:30"}, False),
        (DOCUMENTED | {"end": "2024-02-27T16:01:46"}, False),
        (DOCUMENTED | {"status": None}, False),
        (DOCUMENTED | {"extension": DOCUMENTED["extension"] | {"provider": None}}, False),
        (DOCUMENTED | {"extension": DOCUMENTED["extension"] | {"enabled": None}}, False),
        (DOCUMENTED | {"extension": None}, False),
        ({"id": "a"}, False),
    ],
)
def test_every_valid_shape_is_structured(
    raw: Any, is_direct: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Documented rows don't use the generated hooks, which are several times slower."""
    calls: list[Any] = []

    def generated(raw: Any) -> Transcription:
        calls.append(raw)
        return _transcription_of_any_shape(raw)

    monkeypatch.setattr(converter, "_transcription_of_any_shape", generated)
    assert read(raw) == _transcription_of_any_shape(raw)
    assert (calls == []) is is_direct


NO_STRING: list[Any] = [7, 0, 1.5, True, False, [], ["x"], {}, {"x": "y"}]
NO_BOOLEAN: list[Any] = [1, 0, "true", "", [], {}]
NO_OBJECT: list[Any] = [7, 0, True, False, "", "x", [], ["x"]]


@pytest.mark.parametrize(
    ("place", "wrong"),
    [
        ("id", NO_STRING),
        ("status", NO_STRING),
        ("start", [*NO_STRING, "", "x"]),
        ("end", [*NO_STRING, "", "x"]),
        ("extension", NO_OBJECT),
        ("extension.enabled", NO_BOOLEAN),
        ("extension.provider", NO_STRING),
        (CONFIG, NO_OBJECT),
        (f"{CONFIG}.roomId", NO_STRING),
        (f"{CONFIG}.sessionId", NO_STRING),
        ("transcriptionFilePaths", NO_OBJECT),
        ("transcriptionFilePaths.txt", NO_STRING),
        ("summarizedFilePaths", NO_OBJECT),
        ("summarizedFilePaths.txt", NO_STRING),
    ],
)
def test_one_wrong_value_in_a_documented_row_raises(place: str, wrong: list[Any]) -> None:
    """Each value is checked, even in a row that needs no generated hook."""
    for value in wrong:
        with pytest.raises(InvalidRowError) as caught:
            read(with_value(place, value))
        assert (caught.value.path or "").startswith(
            f"$.transcriptions[7].{place.partition('.')[0]}"
        )


@pytest.mark.parametrize("place", ["", "extension.", f"{CONFIG}."])
def test_unknown_key_in_a_documented_row_survives(place: str) -> None:
    """It is in `extra`, at its place, whatever its value is."""
    for value in ("new", None, 0, {"a": ["b"]}):
        row = with_value(f"{place}later", value)
        t = read(row)
        assert t.to_dict() == row
        extra: Any = t.extra
        for key in place.split(".")[:-1]:
            extra = extra[key]
        assert extra == {"later": value}


@pytest.mark.parametrize("missing", ["end", "transcriptionFilePaths", "summarizedFilePaths"])
@pytest.mark.parametrize("value", [..., None, {}])
def test_unknown_key_in_place_of_a_documented_one_survives(missing: str, value: Any) -> None:
    """Such a row has as many keys as a documented one, or one more."""
    row = without(DOCUMENTED, {missing}) | {"later": "new"}
    if value is None or (value == {} and missing != "end"):
        row[missing] = value
    assert read(row).extra == {"later": "new"}


@pytest.mark.parametrize("name", ["transcriptionFilePaths", "summarizedFilePaths"])
def test_other_formats_in_a_documented_row_are_kept(name: str) -> None:
    """They are kept with and without the usual format."""
    for files in ({"txt": "a", "srt": "b"}, {"srt": "b"}, {"srt": "b", "vtt": "c"}):
        t = read(DOCUMENTED | {name: files})
        assert files in (t.files, t.summary_files)
        assert t.to_dict() == DOCUMENTED | {name: files}


@pytest.mark.parametrize("key", ["transcriptionFilePaths", "summarizedFilePaths", "end"])
@pytest.mark.parametrize("value", [0, False, "", []])
def test_falsy_value_of_the_wrong_type_raises(key: str, value: object) -> None:
    """Only null and an empty object mean that there are no files."""
    with pytest.raises(InvalidRowError, match=key):
        read(DOCUMENTED | {key: value})


def test_empty_id_of_a_documented_row_raises() -> None:
    """It is a string, but not an id."""
    with pytest.raises(InvalidRowError, match="expected an id"):
        read(DOCUMENTED | {"id": ""})


def test_structured_row_is_a_plain_value() -> None:
    """Frozen, hashed by id, and ready to be pickled, copied and changed by `evolve`."""
    row = read(DOCUMENTED)
    assert pickle.loads(pickle.dumps(row)) == copy.copy(row) == copy.deepcopy(row) == row
    assert hash(row) == hash(DOCUMENTED["id"])
    assert attrs.evolve(row, status="x").status == "x"
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        row.status = "x"  # type: ignore[misc]


def test_rows_share_no_mutable_default() -> None:
    """A change in one row's mapping is not seen in another row."""
    assert read({"id": "a"}).extra is not read({"id": "a"}).extra
    first, second = (read(without(NO_FILES, {"end"})) for _ in range(2))
    assert first.extra is not second.extra
    assert first.files is not second.files
