"""Generated meetings whose speakers are known: no word is given to another speaker."""

import random
import re
from collections.abc import Callable

import pytest

from videosdk_transcripts import parse_transcript

NAMES = (
    *("Ann", "Bob Ray", "Smith, Ann", "O'Brien, Pat", "de la Cruz, Maria", "Martin King, Jr."),
    *("+15550100", "555-010-0199", "+1 (555) 010-0100", "sip:1001@example.com", "pat@example.com"),
    *("Dr. Ann Lee", "J. R. R. Tolkien", "St. John-Smythe", "Ludwig van Beethoven", "van der Berg"),
    *("ann", "ann lee", "bob123", "j.smith", "Ann_Lee", "@ann", "#1 Fan", "2Pac", "guest-4821"),
    *("Speaker 1", "SPEAKER_02", "spk_0", "speaker 3", "Unknown speaker", "Audience member"),
    *("Conference Room 4B", "Ann's iPhone", "iPhone von Ann", "Sales (Berlin)", "ACME - Ann"),
    *("Ann [she/her]", "[External] Ann", "(Guest) Ann", "Ann/Bob", "Ann & Bob", "Ann | ACME"),
    *("MR. SMITH", "THE COURT", "Q", "A", "user", "assistant", "host", "null", "Everyone"),
    *("李雷", "田中太郎", "김철수", "محمد علي", "דנה", "Анна Петрова", "анна", "अमित", "สมชาย"),
    *("\N{FOX FACE} Ann", 'Team "Rocket"', "Yahoo! Support", "Professor Ann Maria Lee von Berg"),
)
# In wrapped lines, a name that occurs once may have the form of a sentence.
LONG_NAMES = ("Man in the back", "man in the back", "ann van dyke", "Sales team Berlin")


def txt(number: int, name: str, words: str) -> str:
    """Write a line of text."""
    return f"{name}: {words}\n"


def wrapped(number: int, name: str, words: str) -> str:
    """Write two lines of text."""
    return f"{name}: {words}\n{words.lower()}\n"


def stamped(number: int, name: str, words: str) -> str:
    """Write a line with a time."""
    return f"[00:{number:02}] {name}: {words}\n"


def bold(number: int, name: str, words: str) -> str:
    """Write a line with emphasis."""
    return f"- **{name}:** {words}\n"


def header(number: int, name: str, words: str) -> str:
    """Write name and time above the words."""
    return f"{name}  0:{number:02}\n{words}\n\n"


def srt(number: int, name: str, words: str) -> str:
    """Write a cue."""
    return f"{number + 1}\n00:00:{number:02},000 --> 00:00:{number:02},900\n{name}: {words}\n\n"


def voice(number: int, name: str, words: str) -> str:
    """Write a cue of WebVTT."""
    head = "" if number else "WEBVTT\n\n"
    return f"{head}00:{number:02}.000 --> 00:{number:02}.900\n<v {name}>{words}\n\n"


@pytest.mark.parametrize(
    ("write", "names", "least"),
    [
        (txt, NAMES + LONG_NAMES, 0.9),
        (wrapped, NAMES, 0.75),
        (stamped, NAMES + LONG_NAMES, 0.9),
        (bold, NAMES + LONG_NAMES, 0.9),
        (header, NAMES + LONG_NAMES, 0.85),
        (srt, NAMES + LONG_NAMES, 0.9),
        (voice, NAMES + LONG_NAMES, 1),
    ],
)
def test_words_are_given_to_no_other_speaker(
    write: Callable[[int, str, str], str], names: tuple[str, ...], least: float
) -> None:
    """They have their speaker, and rarely none."""
    given = total = 0
    for seed in range(100):
        draw = random.Random(seed)  # noqa: S311 - meetings have to be the same in each run
        people = draw.sample(names, draw.randint(2, 5))
        text = ""
        for number in range(draw.randint(2, 15)):
            person = draw.randrange(len(people))
            words = " ".join(f"w{person}n{number}" for _ in range(draw.randint(1, 5)))
            text += write(number, people[person], words + draw.choice([".", "?", "!", "", ""]))
        for turn in parse_transcript(text).turns:
            for person in re.findall(r"w(\d)n", turn.text):
                assert turn.speaker in (None, people[int(person)])
                given += turn.speaker is not None
                total += 1
    assert given >= least * total
