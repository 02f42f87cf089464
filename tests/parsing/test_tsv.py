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
        (4, "has fewer than 3 columns", "1"),
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


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("0.30000000000000004", 0.30000000000000004),
        ("4.1000000000000005", 4.1000000000000005),
        (f"1.{'0' * 19}1", 1),
        (f"1.{'0' * 20}1", None),
        ("999999999999.5", 999999999999.5),
        ("1000000000000.5", None),
        ("1.", None),
        (".5", None),
        ("1e-05", None),
        ("00:00:01.5", 1.5),
    ],
)
def test_seconds_of_programs_are_read_exactly(written: str, seconds: float | None) -> None:
    """Python writes up to 17 digits after the point."""
    (turn,) = parse_transcript(f"speaker,start,text\nAnn,{written},Hi\n").turns
    assert turn.start == seconds


def test_unit_of_whole_numbers_is_that_of_the_others() -> None:
    """JavaScript writes whole seconds without a point; milliseconds never have one."""
    header = "start\tend\ttext\n"
    times = [(turn.start, turn.end) for turn in parse_transcript(f"{header}0\t1.5\tHi\n").turns]
    assert times == [(0, 1.5)]
    mixed = parse_transcript(f"{header}0\t900\tHi\n900\t1900\tyou\n1.5\t2\tb\n").turns
    assert [(turn.start, turn.end) for turn in mixed] == [(0, 0.9), (0.9, 1.9), (None, None)]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ('"Start (ms)","Text"\n4,Hi\n', 0.004),
        ('"text","start_ms "\nHi,4\n', 0.004),
        ("start [milliseconds],text\n4,Hi\n", 0.004),
        ("start_s,text\n4,Hi\n", 4),
        ("text,start (sec)\nHi,4\n", 4),
        ("start seconds,text\n4000,Hi\n", 4000),
    ],
)
def test_unit_in_the_header_is_that_of_the_times(text: str, seconds: float) -> None:
    """It may be in brackets or after an underscore, and in quotation marks."""
    assert turns_without_raw(parse_transcript(text)) == [(None, "Hi", seconds, None)]


def test_rows_may_have_spaces_and_further_cells() -> None:
    """Spaces after commas do not hide quotation marks; blank rows are in no turn."""
    text = 'speaker, start, text\nAnn, 0.5, "Hi, you"\nBob, 1.5, Yes, more\n  \n" ", ,\t\n'
    transcript = parse_transcript(text)
    assert turns_without_raw(transcript) == [
        ("Ann", "Hi, you", 0.5, None),
        ("Bob", "Yes", 1.5, None),
    ]
    assert transcript.frame == ("speaker, start, text", '" ", ,\t')
    assert transcript.unread == ()


def test_rows_may_lack_a_time() -> None:
    """The other one is kept, whether there is a column for speakers or not."""
    for text in (
        "start,end,text\n0.5,,Hi\n,1.5,Yes\n",
        "start\tend\ttext\n500\t\tHi\n\t1500\tYes\n",
    ):
        transcript = parse_transcript(text)
        assert turns_without_raw(transcript) == [(None, "Hi", 0.5, None), (None, "Yes", None, 1.5)]
        assert transcript.unread == ()


def test_rows_without_words_are_not_counted_as_rows_without_a_label() -> None:
    """Most of the other rows have labels, so that these are speakers."""
    rows = ("ann: hi", "", "", "", "bob: yes")
    text = "start\tend\ttext\n" + "".join(f"0\t1000\t{row}\n" for row in rows)
    assert [turn.speaker for turn in parse_transcript(text).turns] == [
        "ann",
        *(None, None, None),
        "bob",
    ]


def test_header_of_any_length_is_found() -> None:
    """The columns of words and times may be the last ones."""
    header = ",".join([*(f"column {number}" for number in range(200)), "speaker", "text"])
    row = "," * 200 + "Ann,Hi"
    assert turns_without_raw(parse_transcript(f"{header}\n{row}\n")) == [("Ann", "Hi", None, None)]


def test_table_without_a_header_has_the_columns_of_whisper() -> None:
    """Its times are milliseconds if they would be too long in seconds."""
    for text, format_ in (("500\t1500\tHi, you\n", "tsv"), ("500,1500,Hi\n0,1,\n", "csv")):
        turn = parse_transcript(text, format=format_).turns[0]
        assert (turn.start, turn.end, turn.text[:2]) == (0.5, 1.5, "Hi")


def test_blank_lines_may_precede_the_header() -> None:
    """The format is detected or given."""
    text = "\n \n\nspeaker,text\nAnn,Hi\n"
    for transcript in (parse_transcript(text), parse_transcript(text, format="csv")):
        assert turns_without_raw(transcript) == [("Ann", "Hi", None, None)]
        assert transcript.frame == ("speaker,text",)


def test_whole_numbers_of_other_programs_are_seconds_unless_they_are_long() -> None:
    """Rows with one time do not count."""
    for text, start in (
        ("start,end,text\n1,4,Hi there\n5,,Yes\n,9,So\n", 1),
        ("start,end,text\n1000,4000,Hi there\n5000,,Yes\n", 1),
        ("start\tend\ttext\n1000\t4000\tHi there\n", 1),
        ("start\tend\tspeaker\ttext\n1\t4\tAnn\tHi there\n", 1),
    ):
        assert parse_transcript(text).turns[0].start == start


@pytest.mark.parametrize("hint", ["sep=|", '"sep=|"', "SEP=|", "sep="])
def test_line_for_excel_is_in_the_frame(hint: str) -> None:
    """It may precede the header, and is not reported."""
    text = f"{hint}\r\nspeaker|text\r\nAnn|sep=|\r\n"
    for transcript in (parse_transcript(text), parse_transcript(text, format="csv")):
        assert transcript.format == "csv"
        assert transcript.turns[0].speaker == "Ann"
        assert transcript.frame == (hint, "speaker|text")
        assert transcript.unread == ()


@pytest.mark.parametrize("header", ["", "start\tend\ttext\n"])
def test_blank_rows_are_in_no_list(header: str) -> None:
    """A header may recur in capitals."""
    text = f"{header}0\t500\ta\n\n \nSTART\tEND\tTEXT\n500\t900\tb\n\n"
    transcript = parse_transcript(text, format="tsv")
    assert turns_without_raw(transcript)[0] == (None, "a", 0, 0.5)
    assert turns_without_raw(transcript)[-1] == (None, "b", 0.5, 0.9)
    assert transcript.unread == () or not header
    assert transcript.frame == ((header.strip(), "START\tEND\tTEXT") if header else ())


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
