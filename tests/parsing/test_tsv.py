"""Whisper's TSV."""

from videosdk_transcripts import parse_transcript

from .samples import TSV, turns_without_raw, unread_parts


def test_rows_with_whole_milliseconds_are_read() -> None:
    """Rows with other times keep their words and are reported."""
    transcript = parse_transcript(TSV)
    assert transcript.format == "tsv"
    assert turns_without_raw(transcript) == [("Ann", "Good morning.", 1, 2.5), (None, "a\tb", 3, 4)]
    assert transcript.frame == ("start\tend\ttext",)
    odd = parse_transcript(
        "2\t1\ta\n1.5\t2\tb\n-1\t2\tc\n1\n\n1\t2\t\n9999999999999999\t1\td", format="tsv"
    )
    assert turns_without_raw(odd) == [
        (None, "a", None, None),
        (None, "b", None, None),
        (None, "c", None, None),
        (None, "", 0.001, 0.002),
        (None, "d", None, None),
    ]
    no_times = "has times that are not whole milliseconds"
    assert unread_parts(odd) == [
        (1, "ends before it starts", "2\t1\ta"),
        (2, no_times, "1.5\t2\tb"),
        (3, no_times, "-1\t2\tc"),
        (4, "has fewer than three columns", "1"),
        (7, no_times, "9999999999999999\t1\td"),
    ]
