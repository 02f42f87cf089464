"""Transcripts into turns: nothing is guessed, nothing is lost, nothing raises."""

import json
import pickle
import subprocess
import sys
import time
from collections import Counter
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from videosdk_transcripts import ConfigurationError, Transcript, Turn, parse_transcript

FORMATS = ["txt", "srt", "vtt", "tsv", "json"]
SRT = """1
00:00:01,000 --> 00:00:02,500
Ann: Good morning.

2
00:00:03,000 --> 00:00:04,000
[SPEAKER_01]: Good morning, Ann.
How are you?
"""
VTT = """WEBVTT - a meeting
Language: en

NOTE made by hand

STYLE
::cue { color: red }

intro
00:01.000 --> 00:02.500 align:start position:10%
<v.loud Ann Lee>Good <b>morning</b> &amp; <00:00:02.000>welcome</v>

01:00:03.000 --> 01:00:04.000
[Bob]: 1 < 2&nbsp;&lt;b&gt;
"""
TSV = "start\tend\ttext\n1000\t2500\tAnn: Good morning.\n3000\t4000\ta\tb\n"
WHISPER = """{
 "text": " Good morning. Yes.",
 "segments": [
  {"id": 0, "start": 1.0, "end": 2.5, "text": " Good morning.", "speaker": "SPEAKER_00"},
  {"id": 1, "start": 3, "end": 4, "text": " Yes.", "words": [{"word": "Yes."}]}
 ],
 "language": "en"
}
"""


def said(transcript: Transcript) -> list[tuple[str | None, str]]:
    """Return who said what."""
    return [(turn.speaker, turn.text) for turn in transcript.turns]


def timed(transcript: Transcript) -> list[tuple[Any, ...]]:
    """Return all of the turns but their raw text."""
    return [(turn.speaker, turn.text, turn.start, turn.end) for turn in transcript.turns]


def faults(transcript: Transcript) -> list[tuple[int, str, str]]:
    """Return what could not be read."""
    return [(part.line, part.reason, part.raw) for part in transcript.unread]


@pytest.mark.parametrize(
    ("line", "speaker", "text"),
    [
        ("Ann: Hi", "Ann", "Hi"),
        ("  Ann :\tHi ", "Ann", "Hi"),
        ("Speaker 1: Hi: you", "Speaker 1", "Hi: you"),
        ("Dr. Ann Lee (she/her): Hi", "Dr. Ann Lee (she/her)", "Hi"),
        ("Zoë O'Neil-Łu | Sales: Hi", "Zoë O'Neil-Łu | Sales", "Hi"),
        ("李雷: 你好", "李雷", "你好"),
        ("[Ann]: Hi", "Ann", "Hi"),
        ("[Lee, Ann; the one that came in late]: Hi", "Lee, Ann; the one that came in late", "Hi"),
        ("Note: see https://example.com", "Note", "see https://example.com"),
        ("Ann:", "Ann", ""),
        # From here on nobody is named.
        ("Ann:Hi", None, "Ann:Hi"),
        ("https://example.com is up", None, "https://example.com is up"),
        ("10:30 we start", None, "10:30 we start"),
        ("at 10:30 we start", None, "at 10:30 we start"),
        ("10: we start", None, "10: we start"),
        ("[10:30]: we start", None, "[10:30]: we start"),
        ("[1] a note: this", None, "[1] a note: this"),
        ("[[Ann]]: Hi", None, "[[Ann]]: Hi"),
        ("[Ann] Hi", None, "[Ann] Hi"),
        ("[]: Hi", None, "[]: Hi"),
        (": Hi", None, ": Hi"),
        ("Well, one thing: no", None, "Well, one thing: no"),
        ("What I want to say is this: no", None, "What I want to say is this: no"),
        ("x" * 61 + ": no", None, "x" * 61 + ": no"),
        ("[" + "x" * 61 + "]: no", None, "[" + "x" * 61 + "]: no"),
        ("no speaker", None, "no speaker"),
    ],
)
def test_who_a_line_names(line: str, speaker: str | None, text: str) -> None:
    """By signs that are written down, and alike in a text, a cue and a cell."""
    assert said(parse_transcript(line, format="txt")) == [(speaker, text)]
    cue = f"1\n00:00:01,000 --> 00:00:02,000\n{line}\n"
    assert timed(parse_transcript(cue)) == [(speaker, text, 1, 2)]
    assert timed(parse_transcript(f"1\t2\t{line}", format="tsv")) == [(speaker, text, 0.001, 0.002)]


def test_lines_below_a_speaker_are_that_speakers() -> None:
    """Up to a blank line, where the text begins with a speaker."""
    transcript = parse_transcript("\ufeffAnn:\r\n Hi\rthere\n\n(music)\nBob: Yes\nno\n")
    assert transcript.format == "txt"
    assert said(transcript) == [("Ann", "Hi\nthere"), (None, "(music)"), ("Bob", "Yes\nno")]
    assert [turn.raw for turn in transcript.turns] == [
        "Ann:\r\n Hi\rthere",
        "(music)",
        "Bob: Yes\nno",
    ]
    assert {turn.start for turn in transcript.turns} == {None}


def test_a_sentence_with_a_colon_makes_no_speaker_of_all_below() -> None:
    """In a text that begins without a speaker each line stands for itself."""
    transcript = parse_transcript("We have to choose.\nThe question is: when\nI say now.\n")
    assert said(transcript) == [
        (None, "We have to choose."),
        ("The question is", "when"),
        (None, "I say now."),
    ]


def test_srt() -> None:
    """Numbers, times, speakers, lines; the raw text is what stands there."""
    transcript = parse_transcript(SRT)
    assert transcript.format == "srt"
    assert timed(transcript) == [
        ("Ann", "Good morning.", 1, 2.5),
        ("SPEAKER_01", "Good morning, Ann.\nHow are you?", 3, 4),
    ]
    assert [turn.raw for turn in transcript.turns] == SRT.rstrip().split("\n\n")
    assert (transcript.unread, transcript.frame) == ((), ())


def test_srt_of_the_wild() -> None:
    """No numbers, no blank lines, points, hours beyond 99, no fraction, other line ends."""
    text = (
        "0:00:01.5-->0:00:02\r\nOne\r\n"
        "2\r\n100:00:00,000 --> 12345:00:00.25 X1:0 X2:9\r\n\r\n"
        "3\r00:03,000 --> 00:04,000\r2 --> 3\r42"
    )
    transcript = parse_transcript(text)
    assert timed(transcript) == [
        (None, "One", 1.5, 2),
        (None, "", 360000, 44442000.25),
        (None, "2 --> 3\n42", 3, 4),
    ]
    assert transcript.unread == ()


def test_speakers_within_a_cue() -> None:
    """Each has a turn with the times of the cue, where the first line names one."""
    cue = "00:01,000 --> 00:02,000\n"
    transcript = parse_transcript(f"1\n{cue}Ann: Hi\nyou\nBob: Yes\n\n{cue}wait for\nthis: no")
    assert timed(transcript) == [
        ("Ann", "Hi\nyou", 1, 2),
        ("Bob", "Yes", 1, 2),
        (None, "wait for\nthis: no", 1, 2),
    ]
    assert [turn.raw for turn in transcript.turns][:2] == [f"1\n{cue}Ann: Hi\nyou", "Bob: Yes"]


def test_cues_that_are_wrong() -> None:
    """Their words are kept, without times, and what stands outside of any is kept as well."""
    text = (
        "1\n00:00:05,000 --> 00:00:04,000\nBack\n\nlost\nlines\n\n"
        "2\n00:99:00,000 --> 00:00:04,000\nOdd\n\n"
        "3\n00:00:04,000 --> 99999999999:00:00,0\nLong\n\n"
        "4\n-00:01,000 --> 9999999999:00:00,000\nBoth\n\n"
        "above\n00:00:05,000 --> 00:00:06,000 words\nRight\n"
    )
    transcript = parse_transcript(text)
    assert timed(transcript) == [
        (None, "Back", None, None),
        (None, "Odd", None, None),
        (None, "Long", None, None),
        (None, "Both", None, None),
        (None, "Right", 5, 6),
    ]
    unreadable = "has times that can't be read"
    assert faults(transcript) == [
        (2, "ends before it starts", "00:00:05,000 --> 00:00:04,000"),
        (5, "belongs to no cue", "lost\nlines"),
        (9, unreadable, "00:99:00,000 --> 00:00:04,000"),
        (13, unreadable, "00:00:04,000 --> 99999999999:00:00,0"),
        (17, unreadable, "-00:01,000 --> 9999999999:00:00,000"),
        (20, "belongs to no cue", "above"),
        (
            21,
            "has something behind its times that is no setting",
            "00:00:05,000 --> 00:00:06,000 words",
        ),
    ]


def test_vtt() -> None:
    """Voices, tags and references are read; head, comments and styles stand aside."""
    transcript = parse_transcript(VTT)
    assert transcript.format == "vtt"
    assert timed(transcript) == [
        ("Ann Lee", "Good morning & welcome", 1, 2.5),
        ("Bob", "1 < 2\N{NO-BREAK SPACE}<b>", 3603, 3604),
    ]
    assert transcript.frame == (
        "WEBVTT - a meeting\nLanguage: en",
        "NOTE made by hand",
        "STYLE\n::cue { color: red }",
    )
    assert transcript.turns[0].raw.startswith("intro\n00:01.000")
    assert transcript.unread == ()


def test_voices_within_a_cue() -> None:
    """Each has a turn; what stands outside of them is nobody's."""
    cue = "00:01.000 --> 00:02.000\n"
    body = (
        "</v> <v Ann>Hi</v> <v &lt;Bob&gt;>Ann: yes</v>\nand <i>so</i> on</v><v>who</v><v Eve></v>"
    )
    transcript = parse_transcript(f"WEBVTT\n\n{cue}{body}\n\n{cue}before <v Ann>it</v>\n")
    assert timed(transcript) == [
        ("Ann", "Hi", 1, 2),
        ("<Bob>", "Ann: yes", 1, 2),
        (None, "and so on", 1, 2),
        (None, "who", 1, 2),
        ("Eve", "", 1, 2),
        (None, "before", 1, 2),
        ("Ann", "it", 1, 2),
    ]
    raws = [turn.raw for turn in transcript.turns]
    assert "".join(raws[:5]) == cue + body


def test_vtt_of_the_wild() -> None:
    """No blank line behind the head, no head at all, tags that are none, text outside of cues."""
    cue = "00:01.000 --> 00:02.000\nx </v> <y> &copy; </i>\n"
    assert timed(parse_transcript(f"WEBVTT\n{cue}")) == [(None, "x  <y> &copy;", 1, 2)]
    assert timed(parse_transcript(f"WEBVTT\n1\n{cue}\n1\n{cue}")) == 2 * [
        (None, "x  <y> &copy;", 1, 2)
    ]
    bare = parse_transcript(f"{cue}\nREGION\nid:a\n\n[<b>]: no\n\nREGION 2", format="vtt")
    assert timed(bare) == [(None, "x  <y> &copy;", 1, 2)]
    assert bare.frame == ("REGION\nid:a",)
    assert faults(bare) == [
        (7, "belongs to no cue", "[<b>]: no"),
        (9, "belongs to no cue", "REGION 2"),
    ]


def test_tsv() -> None:
    """Whole milliseconds; what is none is kept, and its words are."""
    transcript = parse_transcript(TSV)
    assert transcript.format == "tsv"
    assert timed(transcript) == [("Ann", "Good morning.", 1, 2.5), (None, "a\tb", 3, 4)]
    assert transcript.frame == ("start\tend\ttext",)
    odd = parse_transcript(
        "2\t1\ta\n1.5\t2\tb\n-1\t2\tc\n1\n\n1\t2\t\n9999999999999999\t1\td", format="tsv"
    )
    assert timed(odd) == [
        (None, "a", None, None),
        (None, "b", None, None),
        (None, "c", None, None),
        (None, "", 0.001, 0.002),
        (None, "d", None, None),
    ]
    no_times = "has times that are no whole milliseconds"
    assert faults(odd) == [
        (1, "ends before it starts", "2\t1\ta"),
        (2, no_times, "1.5\t2\tb"),
        (3, no_times, "-1\t2\tc"),
        (4, "has fewer than three cells", "1"),
        (7, no_times, "9999999999999999\t1\td"),
    ]


def test_json() -> None:
    """Segments, each with its place in the source; what stands around them is kept."""
    transcript = parse_transcript(WHISPER)
    assert transcript.format == "json"
    assert timed(transcript) == [
        ("SPEAKER_00", "Good morning.", 1, 2.5),
        (None, "Yes.", 3, 4),
    ]
    assert json.loads(transcript.turns[1].raw)["id"] == 1
    assert transcript.turns[1].raw in WHISPER
    assert [part.split()[0] for part in transcript.frame] == ["{", "],"]
    assert transcript.unread == ()


@pytest.mark.parametrize(
    ("segment", "speaker"),
    [
        ({"speaker": " Ann "}, "Ann"),
        ({"speaker": ""}, None),
        ({"speaker": None, "words": [{"speaker": "Ann"}, {"speaker": "Ann"}]}, "Ann"),
        ({"words": [{"speaker": "Ann"}, {"speaker": "Bob"}]}, None),
        ({"words": [{"speaker": "Ann"}, {"word": "x"}]}, None),
        ({"words": ["x"]}, None),
        ({"words": []}, None),
        ({"words": "Ann"}, None),
    ],
)
def test_the_speaker_of_a_segment(segment: dict[str, Any], speaker: str | None) -> None:
    """Its own, or the one that all its words name; the text is not searched for one."""
    text = json.dumps([{"text": "Eve: Hi", **segment}])
    assert timed(parse_transcript(text)) == [(speaker, "Eve: Hi", None, None)]
    assert parse_transcript(text).unread == ()


@pytest.mark.parametrize(
    "wrong", ["true", "-1", "NaN", "Infinity", "1e999", '"1"', "[]", "9" * 5000]
)
def test_times_that_are_none(wrong: str) -> None:
    """They are not taken for others, and the words stay."""
    segment = f'{{"text": "Hi", "start": 0, "end": {wrong}}}'
    transcript = parse_transcript(f'{{"segments": [\r\n\r{segment}]}}')
    assert timed(transcript) == [(None, "Hi", None, None)]
    assert faults(transcript) == [(3, "has times that are no seconds", segment)]


def test_segments_that_are_wrong() -> None:
    """Each is kept where it stands, and the others are read."""
    parts = [
        '{"text": "a", "start": 2, "end": 1}',
        '{"text": 1}',
        "3",
        '{"text": "b", "speaker": 1, "start": 1}',
    ]
    transcript = parse_transcript("[" + ",\n".join(parts[1:2] + parts) + "]", format="json")
    assert timed(transcript) == [(None, "a", None, None), (None, "b", 1, None)]
    assert faults(transcript) == [
        (1, "is no segment with a text", parts[1]),
        (2, "ends before it starts", parts[0]),
        (3, "is no segment with a text", parts[1]),
        (4, "is no segment with a text", parts[2]),
        (5, "has a speaker that is no text", parts[3]),
    ]


def test_json_with_a_text_alone() -> None:
    """It is one turn; an empty one is none, and an object without either is unread."""
    transcript = parse_transcript('{"text": " Hi\\nyou", "segments": []}')
    assert timed(transcript) == [(None, "Hi\nyou", None, None)]
    assert transcript.turns[0].raw == '" Hi\\nyou"'
    assert transcript.frame == ('{"text":', ', "segments": []}')
    for empty in ('{"text": " "}', "[]", '{"segments": []}'):
        assert parse_transcript(empty) == Transcript("json", (), (), (empty,))
    for other in ("{}", '{"segments": 1}', '{"text": null}'):
        assert faults(parse_transcript(other)) == [(1, "has neither segments nor a text", other)]


@pytest.mark.parametrize(
    ("rest", "reason"),
    [
        ('{"text": "b', "is no JSON from here on"),
        ("[" * 100_000, "is no JSON from here on"),
        (': 2, "c"]}', "is no JSON from here on"),
        ("", "is no JSON from here on"),
        ("4]} and more", "stands behind the end of the JSON"),
    ],
    ids=["cut", "deep", "odd", "nothing", "more"],
)
def test_json_that_breaks_off(rest: str, reason: str) -> None:
    """What stands before the fault is read, and the rest is kept."""
    transcript = parse_transcript('{"segments": [{"text": "a"},\n' + rest)
    assert timed(transcript) == [(None, "a", None, None)]
    last = transcript.unread[-1]
    assert (last.line, last.reason) == (2, reason)
    assert rest.endswith(last.raw)


def test_text_that_is_no_json() -> None:
    """Told to be JSON, it is unread; not told so, it is what it looks like."""
    for text in ("Hi", '"Hi"', ""):
        assert faults(parse_transcript(text, format="json")) == [
            (1, "is no JSON from here on", text)
        ]
    assert said(parse_transcript("[Ann]: Hi [laughs]")) == [("Ann", "Hi [laughs]")]
    assert said(parse_transcript("{laughs}")) == [(None, "{laughs}")]


@pytest.mark.parametrize(
    ("text", "format"),
    [
        ("", "txt"),
        (" \n\n", "txt"),
        ("1\n2\n", "txt"),
        ("WEBVTTs are files", "txt"),
        ("we saw 1 --> 2", "txt"),
        ("start end text", "txt"),
        ("\ufeff\n\nWEBVTT", "vtt"),
        ("WEBVTT\tx", "vtt"),
        ("\n\n7\r\n00:01,0 --> 00:02,0", "srt"),
        ("start \t end\ttext\r\n", "tsv"),
        (' {\n"', "json"),
        ("[ {", "json"),
        ("[ ]\n", "json"),
        ("[ ] buy milk", "txt"),
    ],
)
def test_the_format_is_known_by_clear_signs(text: str, format: str) -> None:  # noqa: A002
    """What has none is lines of text."""
    assert parse_transcript(text).format == format


def test_what_is_no_argument() -> None:
    """An unknown format names those that there are; bytes are decoded by whoever knows how."""
    with pytest.raises(ConfigurationError, match="one of txt, srt, vtt, tsv, json, not 'xml'"):
        parse_transcript("", format="xml")
    with pytest.raises(ConfigurationError, match="must be a string, not bytes") as caught:
        parse_transcript(b"secret words")  # type: ignore[arg-type]
    assert "secret" not in str(caught.value)


def test_reading_needs_no_network_library() -> None:
    """P16: whoever has a text already loads attrs, and neither aiohttp nor a client."""
    code = (
        "import sys; from videosdk_transcripts import merge_turns, parse_transcript, to_vtt\n"
        "to_vtt(merge_turns(parse_transcript('WEBVTT').turns)); print(*sys.modules)"
    )
    command = (sys.executable, "-c", code)
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
    loaded = set(done.stdout.split())
    assert not loaded & {"aiohttp", "asyncio", "cattrs", "jwt", "tenacity"}
    assert "videosdk_transcripts.client" not in loaded


def test_a_repr_shows_no_text() -> None:
    """P8: not even the speaker, who may be the half of a sentence."""
    for text in (SRT, VTT, TSV, WHISPER, "Ann: Hi", "Eve", "{" + SRT):
        for format_ in FORMATS:
            transcript = parse_transcript(text, format=format_)
            shown = f"{transcript!r} {transcript.turns!r} {transcript.unread!r}"
            assert not any(word in shown for word in ("Ann", "SPEAKER", "morning", "WEBVTT", "Eve"))
    assert repr(parse_transcript(SRT)) == "Transcript(format='srt', turns=<2>, unread=<0>)"


def test_a_transcript_travels() -> None:
    """It is a plain value, equal to its copy, and so is each turn whatever it was read from."""
    transcript = parse_transcript(VTT)
    assert pickle.loads(pickle.dumps(transcript)) == transcript
    assert Turn("Ann", "Hi", raw="Ann: Hi") == Turn("Ann", "Hi")


pieces = st.sampled_from(
    [
        *SRT.splitlines(keepends=True),
        *VTT.splitlines(keepends=True),
        *TSV.splitlines(keepends=True),
        *WHISPER.splitlines(keepends=True),
        *("\n", "\r", "\r\n", "\t", " ", ",", "{", "}", "[", "]", '"', ":", "Ann: ", "[Bob]: "),
        *("<v Ann>", "</v>", "<", ">", "&lt;", "-->", "00:01,000", "NOTE", "WEBVTT", "\ufeff"),
        *('{"text": "a"}', '"segments": [', '{"segments": [', '{"text": "b", "start": 1e400}'),
        *("\ud800", "\0", "\u2028", "\x0b", "\x1c", "\uff11"),
    ]
)


def characters(*parts: str) -> Counter[str]:
    """Count what is not blank."""
    return Counter("".join("".join(parts).split()))


texts = st.one_of(st.text(), st.lists(st.one_of(pieces, st.text(max_size=3))).map("".join))


@settings(max_examples=300, deadline=None)
@given(text=texts, format=st.sampled_from([None, *FORMATS]))
@example(text=SRT, format="vtt")
@example(text=WHISPER + WHISPER, format=None)
@example(text="0\x1f\t1\ta", format="tsv")
def test_nothing_raises_and_nothing_is_lost(text: str, format: str | None) -> None:  # noqa: A002
    """Each part is a piece of the source, and but for blanks they are all of it."""
    transcript = parse_transcript(text, format=format)
    source = text.removeprefix("\ufeff")
    read = [*(turn.raw for turn in transcript.turns), *transcript.frame]
    unread = [part.raw for part in transcript.unread]
    assert all(part in source for part in (*read, *unread))
    # Counted, as the same words may stand at several places.
    assert characters(*read) <= characters(source)
    left = characters(source) - characters(*read) - characters(*unread)
    assert set(left) <= ({","} if transcript.format == "json" else set())


@pytest.mark.parametrize(
    ("format", "unit"),
    [
        ("txt", "Ann: hi\nmore\n"),
        ("txt", "a:"),
        ("txt", "["),
        ("srt", "1\n00:01,000 --> 00:02,000\nAnn: hi\n\n"),
        ("srt", "00:01,000 --> "),
        ("srt", "9"),
        ("vtt", "1\n00:01.000 --> 00:02.000\n<v Ann>hi</v>\n\n"),
        ("vtt", "</v>"),
        ("vtt", "<v "),
        ("vtt", "<v.a.a"),
        ("vtt", "&lt"),
        ("tsv", "1\t2\thi\n"),
        ("tsv", "1\t"),
        ("json", '{"text": "hi", "start": true},\n'),
        ("json", "["),
        ("json", "\r\n "),
    ],
)
def test_long_texts_take_no_long_time(format: str, unit: str) -> None:  # noqa: A002
    """What took the square of the length would take minutes for these."""
    heads = {"json": "[", "vtt": "00:01.000 --> 00:02.000\n<v Ann>"}
    text = heads.get(format, "") + unit * (300_000 // len(unit))
    began = time.perf_counter()
    parse_transcript(text, format=format)
    assert time.perf_counter() - began < 10
