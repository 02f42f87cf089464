"""Format detection, and what holds for every format: nothing raises, nothing is lost."""

import pickle
import subprocess
import sys
import time
from collections import Counter

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from videosdk_transcripts import ConfigurationError, Turn, parse_transcript

from .samples import SRT, TSV, VTT, WHISPER

FORMATS = ["txt", "srt", "vtt", "tsv", "csv", "json"]


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
def test_format_is_detected_by_unambiguous_signs(text: str, format: str) -> None:  # noqa: A002
    """A text without any of them is plain text."""
    assert parse_transcript(text).format == format


@pytest.mark.parametrize(("above", "format"), [(19, "srt"), (20, "txt")])
def test_times_of_a_cue_are_in_one_of_the_first_20_lines(above: int, format: str) -> None:  # noqa: A002
    """Blank lines are not counted; further below, they may be speech."""
    text = "words\n\n" * above + "00:01,000 --> 00:02,000\nHi\n"
    assert parse_transcript(text).format == format


def test_bad_arguments_are_rejected() -> None:
    """An unknown format lists the known ones; bytes must be decoded by the caller."""
    with pytest.raises(
        ConfigurationError, match="^format must be one of txt, srt, vtt, tsv, csv, json, not 'xml'"
    ):
        parse_transcript("", format="xml")
    with pytest.raises(ConfigurationError, match="must be a string, not bytes") as caught:
        parse_transcript(b"secret words")  # type: ignore[arg-type]
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("text", [SRT, VTT, TSV, WHISPER, "Ann: Hi\nthere\n\n[0:05] Bob: Yes\n"])
@pytest.mark.parametrize("line_break", ["\r\n", "\r"])
def test_line_breaks_of_any_kind_are_kept_in_raw_text(text: str, line_break: str) -> None:
    """The last one of a turn is not a part of it."""
    expected = parse_transcript(text)
    transcript = parse_transcript(text.replace("\n", line_break))
    assert transcript.turns == expected.turns
    for found, known in (
        ([turn.raw for turn in transcript.turns], [turn.raw for turn in expected.turns]),
        ([part.raw for part in transcript.unread], [part.raw for part in expected.unread]),
        (transcript.frame, expected.frame),
    ):
        assert list(found) == [raw.replace("\n", line_break) for raw in known]
        assert not any(raw.endswith(("\r", "\n")) for raw in found)


def test_parsing_imports_no_network_library() -> None:
    """P16: parsing loads attrs, and neither aiohttp nor the client."""
    code = (
        "import sys; from videosdk_transcripts import merge_turns, parse_transcript, to_vtt\n"
        "to_vtt(merge_turns(parse_transcript('WEBVTT').turns)); print(*sys.modules)"
    )
    command = (sys.executable, "-c", code)
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
    loaded = set(done.stdout.split())
    assert not loaded & {"aiohttp", "asyncio", "cattrs", "jwt", "tenacity"}
    assert "videosdk_transcripts.client" not in loaded


def test_repr_shows_no_transcript_text() -> None:
    """P8: the speaker is not shown either, because it may be a part of a sentence."""
    for text in (SRT, VTT, TSV, WHISPER, "Ann: Hi", "Eve", "{" + SRT):
        for format_ in FORMATS:
            transcript = parse_transcript(text, format=format_)
            shown = f"{transcript!r} {transcript.turns!r} {transcript.unread!r}"
            assert not any(word in shown for word in ("Ann", "SPEAKER", "morning", "WEBVTT", "Eve"))
    assert repr(parse_transcript(SRT)) == "Transcript(format='srt', turns=<2>, unread=<0>)"


def test_transcript_is_picklable_and_compared_by_value() -> None:
    """Turns are equal even if their sources differ."""
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
        *(
            "[00:05] ",
            "  0:05\n",
            "(0:05)",
            "0:05\n",
            "1 minute 5 seconds\n",
            "Lee, Ann: ",
            "ann: ",
        ),
        *("[Ann] ", "+15550100: ", "**", "- ", ">> ", "\uff1a", "\u200e", "\\", "the end is: "),
        *("speaker,text\n", "start\tspeaker\ttext\n", '"a, b"', '{"role": "a", "content": "b"}\n'),
        *('{"words": [{"word": "a", "speaker": 1}]}', '{"results": [', "<i>", "&#39;", "{\\an8}"),
        *("\ud800", "\0", "\u2028", "\x0b", "\x1c", "\uff11"),
    ]
)


def characters(*parts: str) -> Counter[str]:
    """Count the characters that are not whitespace."""
    return Counter("".join("".join(parts).split()))


texts = st.one_of(st.text(), st.lists(st.one_of(pieces, st.text(max_size=3))).map("".join))


@settings(max_examples=300, deadline=None)
@given(text=texts, format=st.sampled_from([None, *FORMATS]))
@example(text=SRT, format="vtt")
@example(text=WHISPER + WHISPER, format=None)
@example(text="0\x1f\t1\ta", format="tsv")
def test_no_text_raises_or_loses_characters(text: str, format: str | None) -> None:  # noqa: A002
    """Each part is a piece of the source, and together they hold all of it but whitespace."""
    transcript = parse_transcript(text, format=format)
    source = text.removeprefix("\ufeff")
    read = [*(turn.raw for turn in transcript.turns), *transcript.frame]
    unread = [part.raw for part in transcript.unread]
    assert all(part in source for part in (*read, *unread))
    # They are counted, because the same words may occur several times.
    assert characters(*read) <= characters(source)
    left = characters(source) - characters(*read) - characters(*unread)
    assert set(left) <= ({","} if transcript.format == "json" else set())


@pytest.mark.parametrize(
    ("format", "unit"),
    [
        ("txt", "Ann: hi\nmore\n"),
        ("txt", "a:"),
        ("txt", "["),
        ("txt", "[a\\"),
        ("txt", "- "),
        ("txt", "**1. "),
        ("txt", "\u200e"),
        ("txt", "(0:05 "),
        ("txt", "00:00:00 1m "),
        ("txt", "0:00\n"),
        ("txt", "Ann\n0:05\n\n"),
        ("txt", "\\\n"),
        ("srt", "<i "),
        ("srt", "{\\"),
        ("srt", "\u200e"),
        ("srt", "0: "),
        ("srt", "\n\n1\n"),
        ("csv", '"'),
        ("csv", 'a,"b\n'),
        ("csv", "a,b,c\n"),
        ("csv", "text,"),
        ("csv", "_"),
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
        ("json", '[{"a": '),
        ("json", '{"word": "a", "speaker": 1},'),
        ("json", '{"text": "a"}\n'),
        ("json", "\r\n "),
    ],
)
def test_parsing_time_is_linear(format: str, unit: str) -> None:  # noqa: A002
    """Whatever a text repeats."""
    cue = "00:00:01.000 --> 00:00:02.000\n"
    head = {"json": "[", "vtt": f"{cue}<v Ann>", "srt": f"{cue}Ann:"}.get(format, "")
    assert takes_linear_time(format, head, unit)


@pytest.mark.parametrize(
    ("head", "unit", "tail"),
    [
        ("", "- ", "Ann: hi"),
        ("Ann", " ", "Lee 0:05"),
        ("[0:05", " ", "Ann: hi"),
        ("Ann ", "5 ", "0:05"),
    ],
)
def test_parsing_time_of_a_long_line_is_linear(head: str, unit: str, tail: str) -> None:
    """Whatever is repeated before a name or a time."""
    assert takes_linear_time("txt", head, unit, tail)


def takes_linear_time(format: str, head: str, unit: str, tail: str = "") -> bool:  # noqa: A002
    """Eight times the length takes about eight times as long, where quadratic time takes 64."""

    def seconds(characters: int) -> float:
        text = head + unit * (characters // len(unit)) + tail
        # CPU time does not include other programs.
        began = time.process_time()
        parse_transcript(text, format=format)
        return time.process_time() - began

    # A virtual machine may pause during a measurement; quadratic time is long in every one.
    return any(seconds(160_000) < 24 * seconds(20_000) + 0.1 for _ in range(5))
