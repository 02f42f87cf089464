"""Tables: tabs and commas, with and without a header."""

import pytest

from videosdk_transcripts import parse_transcript

from .samples import TSV, turns_without_raw, unread_parts


def test_longest_times_are_read() -> None:
    """They are below a billion hours, with up to 16 digits; spaces around them are ignored."""
    rows = (" 0 \t3599999999999999\ta", "0\t3600000000000000\tb", f"{1:017}\t2\tc")
    transcript = parse_transcript("\n".join(rows), format="tsv")
    assert turns_without_raw(transcript) == [
        (None, "a", 0, 3599999999999.999),
        (None, "b", None, None),
        (None, "c", None, None),
    ]
    assert [part.line for part in transcript.unread] == [2, 3]


def test_header_has_known_columns() -> None:
    """Names are case-insensitive, whitespace is ignored, and any line may be the header."""
    transcript = parse_transcript(" start \tend\t text\n1\t2\ta\nstart\tend\ttext\n")
    assert (transcript.format, transcript.frame) == (
        "tsv",
        (" start \tend\t text", "start\tend\ttext"),
    )
    assert turns_without_raw(transcript) == [(None, "a", 0.001, 0.002)]
    for line in ("start\tend", "start\tend\ttexts", "end\ttext"):
        assert parse_transcript(line).format == "txt"
    for line in ("start\tend\ttext\tmore", "Start\tEnd\tText", "Start Time\tText"):
        assert parse_transcript(line).format == "tsv"


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


def test_rows_of_another_layout_are_reported() -> None:
    """Rows may be short, or have impossible times or unbalanced quotation marks."""
    text = (
        "speaker,start,end,text\n"
        "Ann,1.5,2.5,Hi\n"
        "Bob,2.5\n"
        "Ann,soon,2.5,Yes\n"
        'Ann,1.5,2.5,"So" he said\n'
        "Ann,,,No\n"
        ",,,\n"
        "\n"
        'Ann,3.5,4.5,"Oh\n'
        "Bob,4.5,5.5,Ah\n"
    )
    transcript = parse_transcript(text)
    assert transcript.format == "csv"
    assert turns_without_raw(transcript) == [
        ("Ann", "Hi", 1.5, 2.5),
        ("Ann", "Yes", None, None),
        ("Ann", "No", None, None),
    ]
    quotes = "has unpaired quotation marks"
    assert unread_parts(transcript) == [
        (3, "has fewer than 4 columns", "Bob,2.5"),
        (4, "has times that are not clock times or seconds", "Ann,soon,2.5,Yes"),
        (5, quotes, 'Ann,1.5,2.5,"So" he said'),
        (9, quotes, 'Ann,3.5,4.5,"Oh\nBob,4.5,5.5,Ah'),
    ]
    assert transcript.frame == ("speaker,start,end,text", ",,,")


def test_further_columns_stay_in_raw_text() -> None:
    """This includes a second column of the same kind."""
    text = "Speaker\tText\tStart\tNotes\tName\nAnn\tHi\t00:01\tloud\tAnn Lee\n"
    transcript = parse_transcript(text)
    assert turns_without_raw(transcript) == [("Ann", "Hi", 1, None)]
    assert transcript.turns[0].raw.endswith("loud\tAnn Lee")


def test_cells_longer_than_the_limit_of_the_csv_module_are_reported() -> None:
    """Nothing raises."""
    long = "x" * 200_000
    transcript = parse_transcript(f"speaker,text\nAnn,{long}\nBob,Yes\n")
    assert turns_without_raw(transcript) == [("Bob", "Yes", None, None)]
    assert [part.raw for part in transcript.unread] == [f"Ann,{long}"]


@pytest.mark.parametrize(
    ("column", "names"),
    [
        (
            "start",
            "start|start time|startTime|start-timestamp|begin|from|time|timestamp|timecode",
        ),
        ("end", "end|end_time|EndTime|End Timestamp|stop|to"),
        ("speaker", "speaker|speakerName|Speaker Label|speaker_id|participant|name"),
        (
            "text",
            ("text|transcript|transcription|content|utterance|sentence|caption|words|message"),
        ),
    ],
)
def test_columns_have_the_names_of_many_programs(column: str, names: str) -> None:
    """Each of them means the same column."""
    usual = ["start", "end", "speaker", "text"]
    for name in names.split("|"):
        header = ",".join(name if one == column else one for one in usual)
        transcript = parse_transcript(f"{header}\n1.5,2.5,Ann,Hi\n")
        assert transcript.format == "csv", name
        assert turns_without_raw(transcript) == [("Ann", "Hi", 1.5, 2.5)], name
