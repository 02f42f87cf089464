"""What a token says of itself, read without verifying it. No I/O."""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple, NoReturn

_LAST_SECOND: Final = datetime.max.replace(tzinfo=UTC).timestamp()
_SOON: Final = 60.0
"""Seconds before its end, in which a token is about to be refused."""
_KNOWN: Final = {
    "apikey": "api key",
    "permissions": "permissions",
    "version": "version",
    "roles": "roles",
    "roomId": "room",
    "participantId": "participant",
    "iat": "issued",
    "nbf": "valid from",
    "exp": "ends",
}
_TIMES: Final = ("iat", "nbf", "exp")


class Fault(NamedTuple):
    """What is wrong with a token, or might be, and what to do."""

    what: str
    advice: str
    is_refused: bool
    """Whether the API refuses such a token, as far as that is known."""

    def __str__(self) -> str:
        return f"{self.what}; {self.advice}"


class Explained(NamedTuple):
    """What a token says. Header and claims are None where they can't be read."""

    header: dict[str, Any] | None
    claims: dict[str, Any] | None
    faults: tuple[Fault, ...]

    @property
    def is_refused(self) -> bool:
        """Tell whether the API would refuse it, as far as that is known."""
        return any(fault.is_refused for fault in self.faults)


def explain_token(given: str, now: float) -> Explained:
    """
    Read a token, and find what will be refused. Nothing is verified, and nothing raised.

    Args:
        given: the token; white space around it does not count.
        now: seconds since the epoch, to judge its times by.
    """
    token, faults = _bare(given.strip())
    parts = token.split(".")
    if len(parts) != 3:
        faults.append(
            Fault(
                f"it has {len(parts)} part{'' if len(parts) == 1 else 's'} and not three",
                "give the whole token: header, claims and signature, with a dot between",
                is_refused=True,
            )
        )
        return Explained(None, None, tuple(faults))
    header, claims = _read(parts[0]), _read(parts[1])
    for name, read in (("header", header), ("claims", claims)):
        if read is None:
            faults.append(
                Fault(
                    f"its {name} can't be read: no JSON object in base64url",
                    "copy it again, whole and unchanged",
                    is_refused=True,
                )
            )
    if header is not None and header.get("alg") != "HS256":
        faults.append(
            Fault(
                f"its alg is {_shown(header.get('alg'))} and not HS256",
                "sign it with HS256 and the project's secret",
                is_refused=True,
            )
        )
    if not re.fullmatch(r"[\w-]+", parts[2], re.ASCII):
        faults.append(Fault("it has no signature", "sign it with the project's secret", True))
    if claims is not None:
        faults += [*_faults_of_times(claims, now), *_faults_of_claims(claims)]
    return Explained(header, claims, tuple(faults))


def _bare(token: str) -> tuple[str, list[Fault]]:
    """Take off what people copy along."""
    faults = []
    word, _, rest = token.partition(" ")
    if word.lower() in ("bearer", "basic"):
        token = rest.strip()
        faults.append(
            Fault(f"it starts with '{word} '", "give what comes behind that word", is_refused=True)
        )
    if token[:1] in {"'", '"'}:
        token = token.strip("'\"")
        faults.append(Fault("it has quotes around it", "take them off", is_refused=True))
    return token, faults


def _read(part: str) -> dict[str, Any] | None:
    if not re.fullmatch(r"[\w-]+", part, re.ASCII):
        return None
    try:
        text = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
        found = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _faults_of_times(claims: Mapping[str, Any], now: float) -> list[Fault]:
    faults = [
        Fault(f"its {name} is no time in seconds since 1970", "sign a new one", is_refused=True)
        for name in _TIMES
        if name in claims and moment(claims[name]) is None
    ]
    for name in ("nbf", "iat"):
        start = moment(claims.get(name))
        if start is not None and start > now:
            faults.append(
                Fault(
                    f"it is not yet valid: its {name} is {when(start, now)}",
                    "wait until then, or check the clock of the machine that signed it",
                    is_refused=True,
                )
            )
    end = moment(claims.get("exp"))
    if "exp" not in claims:
        faults.append(
            Fault(
                "it has no end (exp)",
                "give it one: nobody can call it back, and the API may refuse it",
                is_refused=False,
            )
        )
    elif end is not None and end <= now + _SOON:
        word = "ended" if end <= now else "ends"
        faults.append(Fault(f"it {word} {when(end, now)}", "get a new one", is_refused=end <= now))
    return faults


def _faults_of_claims(claims: Mapping[str, Any]) -> list[Fault]:
    faults = []
    key = claims.get("apikey")
    if not isinstance(key, str) or not key:
        faults.append(Fault("it has no apikey", "sign it with the project's API key in it", True))
    if claims.get("version") != 2 or isinstance(claims["version"], bool):
        faults.append(
            Fault(
                f"its version is {_shown(claims.get('version'))} and not 2",
                "sign it with version: 2, which the API asks for, and roles and roomId too",
                is_refused=True,
            )
        )
    faults += [*_faults_of_roles(claims), *_faults_of_permissions(claims)]
    for name, word in (("roomId", "room"), ("participantId", "participant")):
        if name in claims:
            faults.append(
                Fault(
                    f"it is bound to the {word} {_shown(claims[name])}",
                    f"for lists, use one without {name}: what this one may see is not documented",
                    is_refused=False,
                )
            )
    return faults


def _faults_of_roles(claims: Mapping[str, Any]) -> list[Fault]:
    # Without the claim there is no restriction.
    roles = claims.get("roles", ["crawler"])
    if isinstance(roles, list) and "crawler" in roles:
        return []
    return [
        Fault(
            f"its roles are {_shown(roles)}, without crawler",
            "add the role crawler, or name no roles; rtc alone is for joining meetings",
            is_refused=True,
        )
    ]


def _faults_of_permissions(claims: Mapping[str, Any]) -> list[Fault]:
    given = claims.get("permissions")
    if not isinstance(given, list) or not given:
        return [Fault("it has no permissions", "add allow_join, which the API asks for", False)]
    known = ("allow_join", "allow_mod", "ask_join")
    if any(word not in known for word in given):
        what = f"its permissions are {_shown(given)}"
        return [Fault(what, f"use what is documented: {', '.join(known)}", False)]
    if "ask_join" in given and len(given) > 1:
        return [Fault("it has ask_join beside others", "leave ask_join alone, or out", False)]
    return []


def moment(value: object) -> float | None:
    """Return a time of a token in seconds since the epoch, or None where it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) and 0 <= value < _LAST_SECOND else None


def when(seconds: float, now: float) -> str:
    """Say when something is, in UTC and as seen from now."""
    size = abs(seconds - now)
    steps = ((120, 1, "s"), (7_200, 60, "min"), (172_800, 3_600, "h"), (math.inf, 86_400, "days"))
    length, unit = next((length, unit) for below, length, unit in steps if size < below)
    apart = f"{round(size / length)} {unit}"
    apart = f"in {apart}" if seconds > now else f"{apart} ago"
    return f"{utc(seconds)}, {apart}"


def utc(seconds: float) -> str:
    """Write a time in UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def facts(explained: Explained, now: float) -> list[tuple[str, str]]:
    """Return what a token says, as names and words for a person."""
    found = [(f"header {name}", _shown(value)) for name, value in (explained.header or {}).items()]
    claims = explained.claims or {}
    for name in [*_KNOWN, *(name for name in claims if name not in _KNOWN)]:
        if name in claims:
            at = moment(claims[name]) if name in _TIMES else None
            text = _shown(claims[name]) if at is None else when(at, now)
            found.append((_KNOWN.get(name, f"claim {name}"), text))
    return found


def as_json(explained: Explained) -> dict[str, Any]:
    """Return the same for programs."""
    times = {name: moment((explained.claims or {}).get(name)) for name in _TIMES}
    return {
        "verified": False,
        "refused": explained.is_refused,
        "header": explained.header,
        "claims": explained.claims,
        "times": {name: utc(at) for name, at in times.items() if at is not None},
        "warnings": [
            {"refused": fault.is_refused, "what": fault.what, "advice": fault.advice}
            for fault in explained.faults
        ],
    }


def _shown(value: object) -> str:
    if isinstance(value, list) and value and all(isinstance(word, str) for word in value):
        return ", ".join(value)
    return value if isinstance(value, str) else "missing" if value is None else json.dumps(value)
