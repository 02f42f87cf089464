"""Whisper's TSV."""

from videosdk_transcripts import parse_transcript

from .samples import TSV, turns_without_raw, unread_parts


def test_longest_times_are_read() -> None:
    """Just below a billion hours, in up to 16 digits; spaces around them are ignored."""
    rows = (" 0 \t3599999999999999\ta", "0\t3600000000000000\tb", f"{1:017}\t2\tc")
    transcript = parse_transcript("\n".join(rows), format="tsv")
    assert turns_without_raw(transcript) == [
        (None, "a", 0, 3599999999999.999),
        (None, "b", None, None),
        (None, "c", None, None),
    ]
    assert [part.line for part in transcript.unread] == [2, 3]


def test_header_has_exactly_three_columns() -> None:
    """With any white space around their names, on any line."""
    transcript = parse_transcript(" start \tend\t text\n1\t2\ta\nstart\tend\ttext\n")
    assert (transcript.format, transcript.frame) == (
        "tsv",
        (" start \tend\t text", "start\tend\ttext"),
    )
    assert turns_without_raw(transcript) == [(None, "a", 0.001, 0.002)]
    for line in ("start\tend\ttext\tmore", "start\tend", "Start\tend\ttext", "start\tend\ttexts"):
        assert parse_transcript(line).format == "txt"


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
