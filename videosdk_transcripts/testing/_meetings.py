"""
Generate transcripts and summaries of meetings for the rooms of the sandbox.

The room and the id of a row determine the speakers and the topics. The layouts of the files are
assumptions, because the vendor documents none.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from videosdk_transcripts.parsing import Transcript, Turn, to_srt, to_vtt

from ._rows import Row, find_id

_WORDS_PER_SECOND: Final = 2.5
_TOPICS: Final = 3
_LENGTH: Final = 1500.0
"""Seconds of a meeting that has not ended."""


class _Topic(NamedTuple):
    """A part of a meeting: its turns, and its decision and next step for the summary."""

    turns: tuple[str, ...]
    """The turns, each in the form ``Speaker: text``."""
    decision: str
    next_step: str


class _Series(NamedTuple):
    """A series of meetings of the same people: a title, and turns to choose from."""

    title: str
    opening: tuple[str, ...]
    topics: tuple[_Topic, ...]
    closing: tuple[str, ...]


def meeting_file(row: Row, ending: str, summary: bool = False) -> bytes:
    """
    Return the content of a file of a row.

    Args:
        row: the transcription, with an id, and optionally a room, a start and an end.
        ending: ``json``, ``srt``, ``tsv`` or ``vtt``; any other format is plain text.
        summary: whether it is the summary, which is plain text in any format.
    """
    series = _series_of(row)
    # Seeded with the id, so that the files of a row are always the same.
    topics = random.Random(str(row["id"])).sample(series.topics, _TOPICS)  # noqa: S311 - sample data
    if summary:
        return _summary(series, topics).encode()
    spoken = (*series.opening, *(turn for topic in topics for turn in topic.turns), *series.closing)
    return _transcript(tuple(_timed(spoken, _seconds(row))), ending).encode()


def _series_of(row: Row) -> _Series:
    room_id = str(find_id(row, "roomId"))
    if room_id in _ROOMS:
        return _ROOMS[room_id]
    return list(_ROOMS.values())[sum(room_id.encode()) % len(_ROOMS)]


def _seconds(row: Row) -> float:
    if "start" not in row or "end" not in row:
        return _LENGTH
    start, end = (datetime.fromisoformat(row[name]) for name in ("start", "end"))
    return (end - start).total_seconds()


def _timed(spoken: Sequence[str], seconds: float) -> Iterator[Turn]:
    """Distribute turns over a meeting, each in proportion to its words."""
    counts = [len(line.split()) for line in spoken]
    total, said = sum(counts), 0
    for line, count in zip(spoken, counts, strict=True):
        speaker, _, text = line.partition(": ")
        start = round(seconds * said / total, 1)
        said += count
        end = min(start + count / _WORDS_PER_SECOND, seconds * said / total)
        yield Turn(speaker, text, start, max(start, round(end, 1)))


def _transcript(turns: tuple[Turn, ...], ending: str) -> str:
    if ending == "srt":
        return to_srt(turns)
    if ending == "vtt":
        return to_vtt(turns)
    if ending == "tsv":
        lines = (f"{_ms(turn.start)}\t{_ms(turn.end)}\t{turn.text}\n" for turn in turns)
        return "".join(("start\tend\ttext\n", *lines))
    if ending == "json":
        segments = [
            {"start": turn.start, "end": turn.end, "speaker": turn.speaker, "text": turn.text}
            for turn in turns
        ]
        return json.dumps({"segments": segments}, indent=2) + "\n"
    return Transcript("txt", turns).to_text()


def _ms(seconds: float | None) -> int:
    return round(1000 * (seconds or 0))


def _summary(series: _Series, topics: Sequence[_Topic]) -> str:
    people = dict.fromkeys(turn.partition(": ")[0] for topic in topics for turn in topic.turns)
    lines = [
        f"{series.title} with {', '.join(sorted(people))}",
        "",
        "Decisions:",
        *(f"- {topic.decision}" for topic in topics),
        "",
        "Next steps:",
        *(f"- {topic.next_step}" for topic in topics),
        "",
    ]
    return "\n".join(lines)


_TEAM: Final = _Series(
    "Weekly team sync",
    (
        "Ann: Good morning. Shall we begin? I have three things for today.",
        "Bob: Morning. I can take notes.",
    ),
    (
        _Topic(
            (
                "Ann: First, the release. Are we still on for Thursday?",
                "Bob: The code is ready, but two of the upgrade tests fail on the old schema.",
                "Carla: I can look at those this afternoon. It is probably the same index again.",
                "Ann: Then we keep Thursday, and decide on Wednesday at noon if they still fail.",
            ),
            "The release stays on Thursday; the final decision is on Wednesday at noon.",
            "Carla fixes the two failing upgrade tests.",
        ),
        _Topic(
            (
                "Carla: The support queue grew to forty tickets last week.",
                "Bob: Half of them are about the new invitation mail. People do not find the link.",
                "Ann: Let us move the link to the top and answer those tickets with one macro.",
            ),
            "The invitation mail gets its link at the top.",
            "Bob changes the mail template and writes the macro for support.",
        ),
        _Topic(
            (
                "Ann: We have two candidates for the backend position.",
                "Carla: I talked to both. The second one has run a large migration before.",
                "Bob: I would like to see her again with a practical exercise.",
                "Ann: Agreed. I will invite her for next Tuesday.",
            ),
            "The second backend candidate comes for a practical interview.",
            "Ann invites her for next Tuesday.",
        ),
        _Topic(
            (
                "Bob: Our storage bill went up by thirty percent.",
                "Ann: Do we know why?",
                "Bob: We keep every recording for ever. Ninety days would be enough.",
                "Carla: Legal asked for ninety days as well, so nobody will object.",
            ),
            "Recordings are kept for ninety days.",
            "Bob sets the retention rule and reports the savings.",
        ),
        _Topic(
            (
                "Carla: The on-call plan for December has a gap over the holidays.",
                "Ann: I can take the first week.",
                "Bob: Then I take the second one, if somebody swaps the weekend with me.",
                "Carla: I will swap. The plan is complete then.",
            ),
            "Ann and Bob are on call over the holidays.",
            "Carla publishes the on-call plan.",
        ),
        _Topic(
            (
                "Ann: Customers ask for search in transcripts. How large is that?",
                "Bob: A simple version takes two weeks. We already store the text.",
                "Carla: I would ship the simple version first and measure what people search for.",
            ),
            "A simple search in transcripts is built first.",
            "Bob writes a proposal with an estimate.",
        ),
    ),
    (
        "Ann: Anything else? No? Then thank you, and see you next week.",
        "Bob: Notes are in the channel. Bye.",
    ),
)

_TRIAGE: Final = _Series(
    "Bug triage",
    (
        "Dana: Hello everybody. I share the list of open bugs, newest first.",
        "Eli: I see it.",
    ),
    (
        _Topic(
            (
                "Dana: Number one: login fails when the password has an umlaut.",
                "Eli: That is the encoding of the form. I saw it last year in the old client.",
                "Farah: It affects eleven customers so far, so I would fix it this week.",
                "Eli: I take it. A fix and a test should be a day.",
            ),
            "The login bug with umlauts is fixed this week.",
            "Eli fixes the encoding of the login form.",
        ),
        _Topic(
            (
                "Farah: The export stops after ten thousand rows without a message.",
                "Dana: Without any message? That is worse than an error.",
                "Eli: The worker runs out of memory and is restarted. We should write it in parts.",
                "Dana: High priority then. Farah, can you send Eli the file?",
            ),
            "The export is written in parts; a failed one reports an error.",
            "Farah sends the file with which it fails.",
        ),
        _Topic(
            (
                "Eli: Search is slow for accounts with more than a thousand rooms.",
                "Farah: How slow?",
                "Eli: Nine seconds. With the missing index it is below one hundred milliseconds.",
                "Dana: Add the index tonight, when there is little traffic.",
            ),
            "The missing index for search is added tonight.",
            "Eli adds the index and measures again.",
        ),
        _Topic(
            (
                "Dana: Somebody reports that the clock in the meeting is an hour ahead.",
                "Farah: I could not reproduce it. I asked for the time zone.",
                "Dana: Then it waits until we have one.",
            ),
            "The report about the clock waits for an answer of the customer.",
            "Farah asks again and closes it after two weeks.",
        ),
        _Topic(
            (
                "Farah: The mobile app shows an empty list after a network change.",
                "Eli: It never retries. The web client does, so we can copy the logic.",
                "Dana: Please with a test that switches the network off and on.",
            ),
            "The mobile app retries after a network change.",
            "Eli adds the retry and a test for it.",
        ),
    ),
    (
        "Dana: That was the list. Thank you both.",
        "Farah: Thank you. I update the tickets now.",
    ),
)

_SALES: Final = _Series(
    "Sales call",
    (
        "Grace: Thank you for making time. You wanted to continue where we stopped last week.",
        "Hugo: Yes. Ines from our engineering is with me today.",
        "Ines: Hello.",
    ),
    (
        _Topic(
            (
                "Hugo: The price for two hundred seats is above our budget.",
                "Grace: With a contract of two years I can offer fifteen percent off.",
                "Hugo: That would fit. I need the offer in writing by Friday.",
            ),
            "Two hundred seats for two years with fifteen percent off.",
            "Grace sends the written offer by Friday.",
        ),
        _Topic(
            (
                "Ines: Where are our transcripts stored, and for how long?",
                "Grace: In the European region, and as long as you choose. Ninety days is usual.",
                "Ines: Our security team has a questionnaire for that. It has forty questions.",
                "Grace: Send it to me. We return it within five days.",
            ),
            "Data stays in the European region.",
            "Ines sends the security questionnaire; Grace returns it within five days.",
        ),
        _Topic(
            (
                "Grace: How would you like to test it?",
                "Hugo: With one team of twenty people for a month.",
                "Ines: I need an account with single sign-on for that.",
                "Grace: I set it up on Monday, and we meet again after two weeks.",
            ),
            "A pilot with twenty people runs for one month.",
            "Grace sets up the pilot account with single sign-on on Monday.",
        ),
        _Topic(
            (
                "Ines: Can we get the summaries into our own ticket system?",
                "Grace: Yes, with a webhook and the API. I can show you an example.",
                "Ines: An example in Python would save me a day.",
            ),
            "Summaries go to the ticket system through the API.",
            "Grace sends an example in Python.",
        ),
        _Topic(
            (
                "Hugo: The board decides at the end of the quarter. What do you need from me?",
                "Grace: The names of the people who sign, and the start date.",
                "Hugo: I sign together with our finance director. We could start on the first.",
            ),
            "The start is planned for the first of next quarter.",
            "Hugo names the people who sign.",
        ),
    ),
    (
        "Grace: Thank you. I send a summary of this call today.",
        "Hugo: Thank you, Grace. Goodbye.",
    ),
)

_INTERVIEW: Final = _Series(
    "User interview",
    (
        "Jonas: Thank you for joining, Kim. Lea takes notes. May we record this?",
        "Kim: Yes, that is fine.",
    ),
    (
        _Topic(
            (
                "Jonas: How do you find what was said in a meeting today?",
                "Kim: I scroll through the recording. It takes me ten minutes for one sentence.",
                "Jonas: And with a transcript?",
                "Kim: I would search for the name of the customer and be done.",
            ),
            "Kim needs search by name more than anything else.",
            "Jonas adds search by speaker to the prototype.",
        ),
        _Topic(
            (
                "Jonas: Here is the new summary. What do you look at first?",
                "Kim: The next steps. I copy them into my task list.",
                "Lea: By hand?",
                "Kim: Yes, each one. A button for that would be wonderful.",
            ),
            "Next steps are the most useful part of the summary.",
            "Lea sketches a button that copies the next steps.",
        ),
        _Topic(
            (
                "Kim: Sometimes the transcript has the wrong speaker.",
                "Jonas: When does that happen?",
                "Kim: When two of us share one microphone in the small room.",
                "Jonas: That is hard to detect. We could let you rename a speaker.",
            ),
            "Speakers can be renamed afterwards.",
            "Jonas tests renaming with the next three participants.",
        ),
        _Topic(
            (
                "Lea: Whom do you share a transcript with?",
                "Kim: Only with my team. Customers get the summary, never the full text.",
                "Jonas: So the two need separate links.",
            ),
            "Transcript and summary get separate links.",
            "Lea writes down the rules for sharing.",
        ),
        _Topic(
            (
                "Jonas: Which device do you use for this?",
                "Kim: My phone, on the train. The text is too small there.",
                "Lea: Do you use the dark mode?",
                "Kim: Always.",
            ),
            "The phone is the main device for reading.",
            "Lea checks the font size on small screens.",
        ),
    ),
    (
        "Jonas: That was very helpful. Thank you, Kim.",
        "Kim: You are welcome. Good luck.",
    ),
)

_ROOMS: Final = {
    "wkly-team-sync": _TEAM,
    "9hjt-2m4k-p0qa": _TRIAGE,
    "sale-call-demo": _SALES,
    "bqrz-tt51-x3nd": _INTERVIEW,
}
"""The meetings of each room of `SANDBOX_ROOMS`; other rooms share them."""
