"""`_api/filter.py` (P2): one rule for the request and for the response."""

import logging
from typing import Any

import pytest

from videosdk_transcripts import ConfigurationError, Page, Transcription, UnverifiedRowError
from videosdk_transcripts._api.filter import (
    Filter,
    Unverified,
    apply_filter,
    warn_of_foreign_rows,
    warn_of_only_foreign_rows,
)

R, S = "room-a", "session-a"


@pytest.mark.parametrize(
    ("wanted", "row", "verdict"),
    [
        ((None, None), (None, None), True),
        ((R, None), (R, None), True),
        ((R, None), (R, "any"), True),
        ((R, None), ("other", S), False),
        ((R, None), (None, S), None),
        ((R, S), (R, S), True),
        ((R, S), (R, "other"), False),
        ((R, S), (R, None), None),
        ((R, S), (None, None), None),
        # If one id differs, the row is foreign, even if the other id is missing.
        ((R, S), (None, "other"), False),
        ((None, S), (None, S), True),
    ],
)
def test_row_matches_by_its_ids(
    wanted: tuple[str | None, str | None],
    row: tuple[str | None, str | None],
    verdict: bool | None,
) -> None:
    """The result is None if an id that decides it is missing."""
    t = Transcription("a", room_id=row[0], session_id=row[1])
    assert verdict is Filter(*wanted).matches(t)


def test_filter_of_arguments_rejects_invalid_ids_by_name() -> None:
    """The error names the argument and its alternative."""
    assert Filter.of(None, None) == Filter()
    assert Filter.of(R, S) == Filter(R, S)
    wrong: Any
    for wrong in ("", " ", "a\nb"):
        with pytest.raises(ConfigurationError, match=r"^room_id must be .*None selects all"):
            Filter.of(wrong, S)
        with pytest.raises(ConfigurationError, match=r"^session_id must be .*None selects all"):
            Filter.of(R, wrong)
    wrong = 5
    with pytest.raises(
        ConfigurationError, match="^session_id must be a string, not int; None selects all$"
    ):
        Filter.of(R, wrong)


def test_params_have_only_requested_ids() -> None:
    """An id that is None is not sent."""
    assert Filter().params() == {}
    assert Filter(R, S).params() == {"roomId": R, "sessionId": S}
    assert Filter(None, S).params() == {"sessionId": S}


def test_query_can_be_extended() -> None:
    """It ends with an ampersand, and ids are quoted."""
    assert [Filter().query, Filter(None, S).query] == ["", "sessionId=session-a&"]
    assert Filter("a&b", S).query == "roomId=a%26b&sessionId=session-a&"


def test_cached_query_does_not_affect_equality() -> None:
    """A filter equals another one whose query was not computed yet."""
    asked = Filter(R, S)
    assert (asked.query is asked.query, asked.words is asked.words) == (True, True)
    assert asked == Filter(R, S)
    assert (hash(asked), repr(asked)) == (hash(Filter(R, S)), repr(Filter(R, S)))


def test_str_of_a_filter() -> None:
    """It is shown in errors and logs."""
    assert [str(Filter()), str(Filter(R)), str(Filter(R, S))] == [
        "the whole account",
        "room room-a",
        "room room-a and session session-a",
    ]


MATCHING = Transcription("ours", room_id=R)
LATER = Transcription("later", room_id=R)
FOREIGN = Transcription("theirs", room_id="other")
WITHOUT_IDS = Transcription("silent")


@pytest.mark.parametrize(
    ("on_unverified", "kept"),
    [("skip", ("ours", "later")), ("yield", ("ours", "silent", "later"))],
)
def test_foreign_rows_are_dropped_and_counted(
    on_unverified: Unverified, kept: tuple[str, ...]
) -> None:
    """Rows without ids are treated according to the option, and are counted, too."""
    rows = (MATCHING, FOREIGN, WITHOUT_IDS, LATER)
    page = apply_filter(Page(1, rows, total=4), Filter(R), on_unverified)
    assert kept == tuple(t.id for t in page.items)
    assert (page.foreign_rows_dropped, page.unverified_rows, page.total) == (1, 1, 4)


def test_row_of_another_session_is_dropped() -> None:
    """It is dropped even if it belongs to the requested room."""
    rows = (
        Transcription("a", room_id=R, session_id=S),
        Transcription("b", room_id=R, session_id="x"),
    )
    page = apply_filter(Page(1, rows), Filter(None, S), "yield")
    assert ([row.id for row in page.items], page.foreign_rows_dropped) == (["a"], 1)


def test_unverified_row_raises_and_names_the_options() -> None:
    """This is the default, so that no foreign row is yielded; the row may have one of two ids."""
    with pytest.raises(UnverifiedRowError) as caught:
        apply_filter(Page(4, (MATCHING, WITHOUT_IDS)), Filter(R), "raise")
    assert (caught.value.row_id, caught.value.page) == ("silent", 4)
    assert caught.value.message == (
        "row silent lacks a room or session id, so it can't be verified that it belongs to room "
        "room-a; pass on_unverified='yield' to accept such rows or on_unverified='skip' to skip "
        "them"
    )
    with pytest.raises(
        UnverifiedRowError, match="^row ours lacks a .* room room-a and session session-a;"
    ):
        apply_filter(Page(4, (MATCHING,)), Filter(R, S), "raise")


def test_all_rows_match_only_if_each_does() -> None:
    """Rows are compared by room and by session; a row without ids does not match."""
    rows = (Transcription("a", room_id=R, session_id=S), Transcription("b", room_id=R))
    checked = [Filter(*ids).matches_all(rows) for ids in ((None, None), (R, None), (R, S), (S, R))]
    assert checked == [True, True, False, False]
    assert Filter(None, S).matches_all(rows[:1]) is True
    assert Filter(None, R).matches_all(rows[:1]) is False


def test_page_without_foreign_rows_is_returned_unchanged() -> None:
    """No copy is made if nothing is dropped or nothing was requested."""
    clean, mixed = Page(1, (MATCHING,)), Page(1, (MATCHING, FOREIGN, WITHOUT_IDS))
    assert apply_filter(clean, Filter(R), "raise") is clean
    assert apply_filter(mixed, Filter(), "raise") is mixed


def test_warning_has_count_page_and_advice(caplog: pytest.LogCaptureFixture) -> None:
    """A custom room id is the likely cause."""
    with caplog.at_level(logging.WARNING, "videosdk_transcripts"):
        warn_of_foreign_rows(Page(2, (), foreign_rows_dropped=5), Filter(R))
    (record,) = caplog.records
    assert record.name == "videosdk_transcripts"
    assert "the filter for room room-a: page 2 had 5 foreign rows" in record.getMessage()
    assert "custom room id, pass the room id that resolve_room() returns" in record.getMessage()


def test_warning_about_only_foreign_rows_has_filter_and_advice(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The id may be mistyped as well."""
    with caplog.at_level(logging.WARNING, "videosdk_transcripts"):
        warn_of_only_foreign_rows(Filter(R, S))
    (record,) = caplog.records
    assert record.getMessage() == (
        "The service listed only rows that do not belong to room room-a and session session-a. If "
        "it is not empty, its id may be mistyped, or may be a custom room id: pass the room id "
        "that resolve_room() returns."
    )
