"""Rows, messages and progress, on a terminal and elsewhere."""

import csv
import io
import json
from contextlib import redirect_stdout
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import web

from videosdk_transcripts import RetryPolicy
from videosdk_transcripts.cli._exit import ExitCode
from videosdk_transcripts.testing import Exchange, FakeVideoSDK, Status

from .command_line import (
    NAME,
    WILD,
    Run,
    add_wild,
    shown_on_a_terminal,
    use_policy,
)

ROOM = "abcd-efgh-ijkl"
SESSION = "64f1a2b3c4d5e6f708192a3b"


@pytest.fixture
def _no_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """The program does not wait between attempts."""
    use_policy(monkeypatch, RetryPolicy(wait_initial=0, wait_max=0))


# Lines and documents.


def test_rows_are_tab_separated_off_a_terminal(account: FakeVideoSDK, run: Run) -> None:
    """Off a terminal a row is a line with tabs between its columns."""
    account.add_transcription(row_id="t-1", formats=("txt", "vtt"))
    account.add_transcription(row_id="t-2", status="running", duration=None, formats=())
    out = (
        "t-1\tcompleted\t2026-03-02T09:00:00+00:00\t2026-03-02T09:25:00+00:00\t"
        f"{ROOM}\t{SESSION}\ttxt,vtt,summary\n"
        f"t-2\trunning\t2026-03-02T10:00:00+00:00\t\t{ROOM}\t{SESSION}\t\n"
    )
    assert (0, out, "") == run("list")


def test_json_is_one_document(account: FakeVideoSDK, run: Run) -> None:
    """`--json` prints one array in the documented shape, over all pages."""
    account.add_transcriptions(45)
    code, out, err = run("list", "--json")
    assert (code, err) == (0, "")
    assert account.rows == json.loads(out)
    assert out.endswith("}\n]\n")


def test_jsonl_is_one_object_per_line(account: FakeVideoSDK, run: Run) -> None:
    """`--jsonl` prints one object per line in the documented shape."""
    account.add_transcriptions(45)
    code, out, err = run("list", "--jsonl")
    assert (code, err) == (0, "")
    assert account.rows == [json.loads(line) for line in out.splitlines()]


@pytest.mark.parametrize(("options", "out"), [([], ""), (["--jsonl"], ""), (["--json"], "[]\n")])
def test_empty_list_prints_no_rows(
    account: FakeVideoSDK, run: Run, options: list[str], out: str
) -> None:
    """No rows are not a failure."""
    assert (0, out, "") == run("list", *options)


@pytest.mark.parametrize("options", [[], ["--jsonl"], ["--json"]])
def test_rows_are_written_before_the_next_page(
    account: FakeVideoSDK, run: Run, tmp_path: Path, options: list[str]
) -> None:
    """The rows of the first page are written when the second page is requested."""
    account.add_transcriptions(45)
    path = tmp_path / "out"
    seen: list[int] = []

    async def count_written(exchange: Exchange) -> web.StreamResponse:
        seen.append(sum(row["id"] in path.read_text() for row in account.rows))
        return exchange.response()

    account.on_page(2, count_written)
    with path.open("w") as file, redirect_stdout(file):
        assert run("list", *options).code == 0
    assert seen == [20]


def test_json_of_a_failed_walk_is_left_open(account: FakeVideoSDK, run: Run) -> None:
    """The array of a walk that failed is not valid JSON, and each row in it is complete."""
    account.add_transcriptions(45)
    account.on_page(2, Status(404))
    code, out, _ = run("list", "--json")
    assert code == ExitCode.PARTIAL
    with pytest.raises(json.JSONDecodeError):
        json.loads(out)
    assert account.rows[:20] == json.loads(f"{out}]")


def test_jsonl_of_a_failed_walk_ends_with_a_complete_line(account: FakeVideoSDK, run: Run) -> None:
    """A stream that failed ends with a complete line."""
    account.add_transcriptions(45)
    account.on_page(2, Status(404))
    code, out, _ = run("list", "--jsonl")
    assert code == ExitCode.PARTIAL
    assert account.rows[:20] == [json.loads(line) for line in out.splitlines()]


def test_csv_has_header_and_all_columns(run: Run, account: FakeVideoSDK) -> None:
    """CSV has a header and all columns, quoted as needed; without rows, the header alone."""
    account.add_transcription(row_id="t-1", room_id='a,"b"', duration=timedelta(seconds=90.5))
    account.add_transcription(row_id="t-2", room_id=None, session_id=None, duration=None)
    code, out, err = run("list", "--csv")
    assert (code, err) == (0, "")
    assert list(csv.DictReader(io.StringIO(out))) == [
        {
            "id": "t-1",
            "status": "completed",
            "start": "2026-03-02T09:00:00+00:00",
            "end": "2026-03-02T09:01:30.500000+00:00",
            "duration": "90.5",
            "room": 'a,"b"',
            "session": "64f1a2b3c4d5e6f708192a3b",
            "files": "txt,summary",
        },
        {
            "id": "t-2",
            "status": "completed",
            "start": "2026-03-02T10:00:00+00:00",
            "end": "",
            "duration": "",
            "room": "",
            "session": "",
            "files": "txt,summary",
        },
    ]
    assert run("list", "no-such-room", "--csv").out == (
        "id,status,start,end,duration,room,session,files\n"
    )


@pytest.mark.parametrize(
    "value",
    [
        "a\rb",
        "a\nb",
        "a\r\nb\r\n",
        'a"b"',
        "a,b",
        "a\0b",
        "  a b  ",
        "'a",
        "a\u2028b\x0bc",
        '"',
        ",",
    ],
)
def test_csv_can_be_read_back(run: Run, account: FakeVideoSDK, value: str) -> None:
    """Each value is one field of one record."""
    account.add_transcription(row_id="t-1", status=value)
    account.add_transcription(row_id="t-2")
    out = run("list", "--csv", "--columns", "id,status").out
    assert list(csv.reader(io.StringIO(out, newline=""))) == [
        ["id", "status"],
        ["t-1", value],
        ["t-2", "completed"],
    ]


def test_csv_of_one_empty_column_has_a_record_for_each_row(run: Run, account: FakeVideoSDK) -> None:
    """An empty value is not an empty line."""
    account.add_transcription(duration=None)
    account.add_transcription(duration=timedelta(seconds=5))
    assert run("list", "--csv", "--columns", "duration").out == 'duration\n""\n5\n'


def test_csv_of_a_failed_walk_has_no_header(run: Run, account: FakeVideoSDK) -> None:
    """Nothing is printed that could be taken for an empty list."""
    account.fail_next(Status(404))
    assert run("list", "--csv").out == ""


@pytest.mark.usefixtures("wide")
def test_columns_are_printed_in_the_given_order(run: Run, account: FakeVideoSDK) -> None:
    """`--columns` selects and orders columns in lines, CSV and tables."""
    account.add_transcription(row_id="t-1")
    assert run("list", "--columns", "files, id").out == "txt,summary\tt-1\n"
    assert run("list", "--csv", "--columns", "id,duration").out == "id,duration\nt-1,1500\n"
    shown, _ = shown_on_a_terminal(run, "list", ROOM, "--columns", "end,room,id")
    assert [line.split() for line in shown.splitlines()] == [
        ["END", "(UTC)", "ROOM", "ID"],
        ["2026-03-02", "09:25", ROOM, "t-1"],
    ]


def test_duration_is_in_seconds_without_exponent(run: Run, account: FakeVideoSDK) -> None:
    """Durations are in seconds, to the millisecond."""
    for length in (timedelta(days=252), timedelta(seconds=3008.579), timedelta(0)):
        account.add_transcription(duration=length)
    assert run("list", "--columns", "duration").out == "21772800\n3008.579\n0\n"


def test_control_characters_are_replaced_in_lines(account: FakeVideoSDK, run: Run) -> None:
    """Text of the service can neither move a cursor nor break a line or a column."""
    add_wild(account)
    code, out, err = run("list")
    assert (code, err) == (0, "")
    assert {"\n", "\t"} == {c for c in out if not c.isprintable()}
    assert (out.count("\n"), out.count("\t")) == (1, 6)
    tame = "a�[2J�]0;b�c�d�e���1m���z"
    assert [tame, tame, tame, tame] == [out.split("\t")[column] for column in (0, 1, 4, 5)]


@pytest.mark.parametrize("option", ["--json", "--jsonl"])
def test_control_characters_are_escaped_in_json(
    account: FakeVideoSDK, run: Run, option: str
) -> None:
    """JSON keeps the text of the service as escapes."""
    add_wild(account)
    code, out, err = run("list", option)
    assert (code, err) == (0, "")
    assert out.isascii()
    assert {"\n"} == {c for c in out if not c.isprintable()}
    found = json.loads(out)
    assert (found[0] if option == "--json" else found)["id"] == WILD


# Skipped rows.


def test_foreign_rows_are_reported(account: FakeVideoSDK, run: Run) -> None:
    """If the service ignores the filter, rows of others are dropped, counted and reported."""
    account.filters = "ignored"
    account.add_transcriptions(2)
    account.add_transcriptions(3, room_id="another-room")
    code, out, err = run("list", ROOM)
    assert (code, len(out.splitlines())) == (0, 2)
    warning, count = err.splitlines()
    assert warning.startswith(NAME)
    assert ROOM in warning
    assert count == "3 rows of other rooms or sessions dropped"


def test_duplicates_are_reported(account: FakeVideoSDK, run: Run) -> None:
    """A row that is listed twice is printed once, and reported."""
    account.rows.append(account.add_transcription())
    code, out, err = run("list")
    assert (code, len(out.splitlines()), err) == (0, 1, "1 duplicate skipped\n")


def test_unreadable_rows_are_reported(account: FakeVideoSDK, run: Run) -> None:
    """With `--on-invalid skip`, unreadable rows are skipped and reported."""
    account.add_transcriptions(3)
    account.rows[1]["start"] = 5
    code, out, err = run("list", "--on-invalid", "skip", "--json")
    assert (code, err) == (0, "1 unreadable row skipped\n")
    assert [account.rows[0], account.rows[2]] == json.loads(out)


@pytest.mark.parametrize(
    ("word", "printed", "treated"), [("skip", 2, "skipped"), ("yield", 3, "included")]
)
def test_rows_without_a_room_are_reported(
    account: FakeVideoSDK, run: Run, word: str, printed: int, treated: str
) -> None:
    """With `--on-unverified`, rows without a room are reported as skipped or included."""
    account.filters = "ignored"
    account.add_transcriptions(2)
    account.add_transcription(room_id=None)
    code, out, err = run("list", ROOM, "--on-unverified", word)
    assert (0, printed) == (code, len(out.splitlines()))
    assert err == f"1 row without room or session {treated}\n"


@pytest.mark.parametrize("form", [["--json"], []])
def test_skipped_rows_are_reported_before_a_failure(
    account: FakeVideoSDK, run: Run, form: list[str]
) -> None:
    """What was skipped before a failure is reported, then the failure."""
    account.add_transcriptions(45)
    account.rows[5] = account.rows[0]
    account.rows[6]["start"] = 5
    account.on_page(2, Status(404))
    code, _, err = run("list", "--on-invalid", "skip", *form)
    assert code == ExitCode.PARTIAL
    twice, unreadable, failure = err.splitlines()
    assert twice == "1 duplicate skipped"
    assert unreadable == "1 unreadable row skipped"
    assert failure.startswith(f"{NAME}stopped after 18 rows: ")


def test_skipped_rows_without_output_keep_the_exit_code(account: FakeVideoSDK, run: Run) -> None:
    """If all rows were skipped, the exit code is that of the failure."""
    account.add_transcriptions(45)
    for row in account.rows:
        row["start"] = 5
    account.on_page(2, Status(404))
    code, out, err = run("list", "--on-invalid", "skip")
    assert (code, out) == (ExitCode.NOT_FOUND, "")
    assert err.startswith(f"20 unreadable rows skipped\n{NAME}")
