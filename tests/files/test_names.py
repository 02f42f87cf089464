"""Names of files on disk."""

import pytest

from videosdk_transcripts._files.names import file_name
from videosdk_transcripts.errors import ConfigurationError, FileError


@pytest.mark.parametrize(
    ("row_id", "name"),
    [
        ("fb82860d-eabc-48d0-b341-facdff0ac0f1", "fb82860d-eabc-48d0-b341-facdff0ac0f1.txt"),
        ("64f1a2b3c4d5e6f708192a3b", "64f1a2b3c4d5e6f708192a3b.txt"),
        ("Ab", "=41b.txt"),
        ("../../etc/passwd", "=2e=2e=2f=2e=2e=2fetc=2fpasswd.txt"),
        ("..", "=2e=2e.txt"),
        ("a\\b:c\0", "a=5cb=3ac=00.txt"),
        ("a=41", "a=3d41.txt"),
        ("ä", "=c3=a4.txt"),
        ("\ud800", "=ed=a0=80.txt"),
        ("con", "=63on.txt"),
        ("CON", "=43=4f=4e.txt"),
        ("lpt9", "=6cpt9.txt"),
        ("console", "console.txt"),
        ("a-summary", "a-summar=79.txt"),
        ("-summary", "-summar=79.txt"),
        ("a" * 200, "a" * 200 + ".txt"),
    ],
)
def test_file_name_encodes_the_id(row_id: str, name: str) -> None:
    """It uses an allow-list: no id can lead out of the directory or to a device."""
    assert file_name(row_id, "txt", summary=False) == name


def test_file_names_are_unique() -> None:
    """They are unique even on a case-insensitive file system."""
    ids = ["a", "A", "=41", "a-summary", "a-summar=79", "A-summary", "con", "=63on", "a.txt", "ä"]
    made = [
        file_name(row_id, name, summary=summary).lower()
        for row_id in ids
        for name in ("txt", "TXT")
        for summary in (False, True)
    ]
    assert len(set(made)) == len(made)
    assert file_name("a", "txt", summary=True) == "a-summary.txt"
    assert file_name("a", "TXT", summary=False) == "a.=54=58=54"


@pytest.mark.parametrize("row_id", ["", "a" * 201, "/" * 67])
def test_empty_or_long_id_has_no_file_name(row_id: str) -> None:
    """The error has the length of the id."""
    with pytest.raises(FileError, match=f"an id of {len(row_id)} characters"):
        file_name(row_id, "txt", summary=False)


def test_long_format_is_not_quoted() -> None:
    """It may be a secret, passed by mistake."""
    with pytest.raises(ConfigurationError, match="not 'a/b'"):
        file_name("id", "a/b", summary=False)
    with pytest.raises(ConfigurationError, match="not a string of 21 characters"):
        file_name("id", "a" * 21, summary=False)
