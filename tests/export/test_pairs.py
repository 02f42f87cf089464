"""Lists of sessions: CSV, JSON lines, iterables, and what is wrong with them."""

import io
from collections.abc import AsyncIterator
from enum import Enum
from pathlib import Path
from typing import Any

import pytest
from support import Meetings, texts

from videosdk_transcripts import ConfigurationError, TranscriptsClient
from videosdk_transcripts.export import Pair, export, read_pairs

PAIRS = [Pair("r1", "s1"), Pair("r2", "s2"), Pair("r3", None)]


@pytest.mark.parametrize(
    "content",
    [
        "r1,s1\nr2,s2\nr3,\n",
        "\ufeffr1,s1\r\n\r\nr2 , s2\r\nr3",
        "room_id,session_id\nr1,s1\nr2,s2\nr3,\n",
        "when,sessionId,roomId\nx,s1,r1\ny,s2,r2\nz,,r3\n",
        '{"room_id": "r1", "session_id": "s1"}\n{"roomId": "r2", "sessionId": "s2"}\n["r3"]\n',
        '["r1", "s1"]\n["r2", "s2"]\n["r3", null]\n',
        '"r1","s1"\n["r2", "s2"]\n{"roomId": "r3", "sessionId": null}\n',
    ],
)
def test_file_is_read(tmp_path: Path, content: str) -> None:
    """It may be a path, or an open file such as stdin."""
    file = tmp_path / "pairs"
    file.write_text(content, "utf-8", newline="")
    assert read_pairs(file) == read_pairs(str(file)) == PAIRS
    assert read_pairs(io.StringIO(content)) == PAIRS


def test_what_is_listed_twice_is_exported_once() -> None:
    """A session is also a part of its room."""
    assert read_pairs(io.StringIO("r1,s1\nr2,s2\nr1,s1\nr2,\n")) == [Pair("r1", "s1"), Pair("r2")]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("r1,s1\nr2,s2,x\n", "line 2: expected a room id and a session id, found 3 cells"),
        ("r1,s1\n,s2\n", "line 2: the room id must be a non-empty id"),
        ("r1,a b\n", "line 1: the session id must be a non-empty id without whitespace"),
        ("\n\nr 1,s\n", "line 3: the room id"),
        ("session_id\ns1\n", "line 1: the header has no column room_id"),
        ("room_id,session_id\nr1\n", "line 2: found 1 cells, but the header has 2"),
        ('r1,"s1\n', "line 1: it is not CSV"),
        ('["r1", "s1"]\n{"room_id": "r1"\n', "line 2: it is not JSON"),
        ('{"session_id": "s1"}\n', "line 1: the key room_id is missing"),
        ('{"room_id": 5}\n', "line 1: the room id must be a string"),
        ('["r1", "s1", "x"]\n', "line 1: expected a room id and a session id"),
        ("[]\n", "line 1: expected a room id and a session id"),
        ('["r1", ["s1"]]\n', "line 1: the session id must be a string"),
        ("\n", "no pairs"),
        ("room_id,session_id\n", "no pairs"),
    ],
)
def test_bad_line_is_named(tmp_path: Path, content: str, message: str) -> None:
    """The error has its number and the reason."""
    file = tmp_path / "pairs"
    file.write_text(content, "utf-8")
    with pytest.raises(ConfigurationError, match=message.replace("[", r"\[")) as caught:
        read_pairs(file)
    assert caught.value.__context__ is None


def test_unreadable_file_is_named(tmp_path: Path) -> None:
    """It may be missing, or not be text."""
    with pytest.raises(ConfigurationError, match="No such file"):
        read_pairs(tmp_path / "missing")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigurationError, match="not valid UTF-8"):
        read_pairs(tmp_path / "binary")


async def test_iterables_are_sources(
    client: TranscriptsClient, meetings: Meetings, tmp_path: Path
) -> None:
    """They may be synchronous or asynchronous; a path is a source, too."""

    async def listed() -> AsyncIterator[Pair]:
        for pair in meetings.pairs:
            yield pair

    file = tmp_path / "pairs.csv"
    file.write_text("".join(f"{room},{session}\n" for room, session in meetings.pairs))
    for number, source in enumerate((iter(meetings.pairs), listed(), file)):
        await export(source, tmp_path / str(number), client=client)
        assert texts(tmp_path / str(number)) == meetings.texts


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (5, "source must be"),
        ("", "room id"),
        (("a", "b c"), "session id"),
        ([("a", "b"), ("c", "")], "pair 2: the session id"),
        ([("a", "b"), "cd"], "pair 2: expected"),
        ([], "no pairs"),
    ],
)
async def test_invalid_source_is_rejected(
    client: TranscriptsClient, sink: Path, source: Any, message: str
) -> None:
    """Nothing has been written by then."""
    with pytest.raises(ConfigurationError, match=message):
        await export(source, sink, client=client)
    assert not sink.exists()


async def test_ids_of_an_enum_are_read_as_their_text(
    client: TranscriptsClient, meetings: Meetings, tmp_path: Path
) -> None:
    """A room, a pair and a list; the `str` of a member is its name."""
    room, session = meetings.pairs[0]
    ids = Enum("Ids", {"ROOM": room, "SESSION": session}, type=str)
    of_enum = (ids["ROOM"], ids["SESSION"])
    sources: list[tuple[Any, Any]] = [
        (room, of_enum[0]),
        ((room, session), of_enum),
        ([(room, session)], [of_enum]),
    ]
    for number, (plain, source) in enumerate(sources):
        await export(plain, tmp_path / f"{number} plain", client=client)
        await export(source, tmp_path / f"{number} enum", client=client)
        found = texts(tmp_path / f"{number} enum")
        assert found == texts(tmp_path / f"{number} plain") != {}
