"""P2, only yours: the one rule for the request and for the answer."""

import logging

import pytest

from videosdk_transcripts import Page, Transcription, UnverifiedRowError
from videosdk_transcripts._api.filter import Filter, Unverified, apply_filter, warn_of_foreign_rows

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
        # One id that differs is proof, though the other one is silent.
        ((R, S), (None, "other"), False),
        ((None, S), (None, S), True),
    ],
)
def test_owns(
    wanted: tuple[str | None, str | None],
    row: tuple[str | None, str | None],
    verdict: bool | None,
) -> None:
    """A row is ours, another's, or does not say."""
    t = Transcription("a", room_id=row[0], session_id=row[1])
    assert verdict is Filter(*wanted).matches(t)


def test_params_say_the_same_to_the_service() -> None:
    """What is not asked for is not in the query."""
    assert Filter().params() == {}
    assert Filter(R, S).params() == {"roomId": R, "sessionId": S}
    assert Filter(None, S).params() == {"sessionId": S}


def test_the_query_is_the_beginning_of_one() -> None:
    """Others can follow it, and what an id holds stays its value."""
    assert [Filter().query, Filter(None, S).query] == ["", "sessionId=session-a&"]
    assert Filter("a&b", S).query == "roomId=a%26b&sessionId=session-a&"


def test_what_a_filter_has_made_once_is_no_part_of_it() -> None:
    """It is equal to another one that was not asked for it yet."""
    asked = Filter(R, S)
    assert (asked.query is asked.query, asked.words is asked.words) == (True, True)
    assert asked == Filter(R, S)
    assert (hash(asked), repr(asked)) == (hash(Filter(R, S)), repr(Filter(R, S)))


def test_a_filter_names_itself() -> None:
    """Errors and logs say what was walked."""
    assert [str(Filter()), str(Filter(R)), str(Filter(R, S))] == [
        "the whole account",
        "room room-a",
        "room room-a and session session-a",
    ]


OURS = Transcription("ours", room_id=R)
THEIRS = Transcription("theirs", room_id="other")
SILENT = Transcription("silent")


@pytest.mark.parametrize(
    ("on_unverified", "kept"), [("skip", ("ours",)), ("yield", ("ours", "silent"))]
)
def test_screen_drops_and_counts(on_unverified: Unverified, kept: tuple[str, ...]) -> None:
    """Foreign rows go, rows without ids follow the option, and both are counted."""
    page = apply_filter(Page(1, (OURS, THEIRS, SILENT), total=3), Filter(R), on_unverified)
    assert kept == tuple(t.id for t in page.items)
    assert (page.foreign_rows_dropped, page.unverified_rows, page.total) == (1, 1, 3)


def test_screen_raises_for_a_silent_row_and_names_the_option() -> None:
    """By default nobody is handed a row that may be another's."""
    with pytest.raises(UnverifiedRowError, match="on_unverified='yield'") as caught:
        apply_filter(Page(4, (OURS, SILENT)), Filter(R), "raise")
    assert (caught.value.row_id, caught.value.page) == ("silent", 4)


def test_screen_passes_a_clean_page_as_it_is() -> None:
    """No copy is made where there is nothing to drop, or nothing was asked for."""
    clean, mixed = Page(1, (OURS,)), Page(1, (OURS, THEIRS, SILENT))
    assert apply_filter(clean, Filter(R), "raise") is clean
    assert apply_filter(mixed, Filter(), "raise") is mixed


def test_the_warning_counts_and_advises(caplog: pytest.LogCaptureFixture) -> None:
    """The log says how many rows, of which page, and what to try."""
    with caplog.at_level(logging.WARNING, "videosdk_transcripts"):
        warn_of_foreign_rows(Page(2, (), foreign_rows_dropped=5), Filter(R))
    assert "page 2 held 5 rows of others" in caplog.text
    assert "custom id" in caplog.text
