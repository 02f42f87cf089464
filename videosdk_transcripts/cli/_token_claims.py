"""Decode the claims of a token without verification. No I/O."""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple, NoReturn

_LAST_SECOND: Final = datetime.max.replace(tzinfo=UTC).timestamp()
_EXPIRES_SOON: Final = 60.0
"""Seconds before the expiry in which there is a warning."""
_LABELS: Final = {
    "apikey": "API key",
    "permissions": "permissions",
    "version": "version",
    "roles": "roles",
    "roomId": "room",
    "participantId": "participant",
    "iat": "issued",
    "nbf": "valid from",
    "exp": "expires",
}
_TIMES: Final = ("iat", "nbf", "exp")
# No others are documented. Repeated from `auth`, because importing that loads PyJWT.
# https://docs.videosdk.live/server-sdk/authentication-and-tokens
PERMISSIONS: Final = ("allow_join", "allow_mod", "ask_join")
ROLES: Final = ("crawler", "rtc")


class Problem(NamedTuple):
    """An actual or possible fault of a token, and what to do about it."""

    what: str
    advice: str
    is_rejected: bool
    """Whether the API rejects such a token, according to its documentation."""

    def __str__(self) -> str:
        return f"{self.what}; {self.advice}"


class DecodedToken(NamedTuple):
    """The content of a token. The header or the claims are None if they cannot be decoded."""

    header: dict[str, Any] | None
    claims: dict[str, Any] | None
    problems: tuple[Problem, ...]

    @property
    def is_rejected(self) -> bool:
        """Return whether the API rejects this token, according to its documentation."""
        return any(problem.is_rejected for problem in self.problems)

    @property
    def expiry(self) -> float | None:
        """Return when the token expires, in seconds since the epoch, or None if it does not."""
        return read_time((self.claims or {}).get("exp"))


def decode_token(text: str, now: float) -> DecodedToken:
    """
    Decode a token without verification, and find its problems. Never raises an error.

    Args:
        text: the token; surrounding whitespace is ignored.
        now: seconds since the epoch, to compare with the times of the token.
    """
    token, problems = _strip(text.strip())
    parts = token.split(".")
    if len(parts) != 3:
        problems.append(
            Problem(
                f"it has {len(parts)} part{'' if len(parts) == 1 else 's'} instead of 3",
                "pass the whole token: header, claims and signature, separated by dots",
                is_rejected=True,
            )
        )
        return DecodedToken(None, None, tuple(problems))
    header, claims = _decode_part(parts[0]), _decode_part(parts[1])
    for name, decoded in (("header", header), ("claims", claims)):
        if decoded is None:
            problems.append(
                Problem(
                    f"its {name} cannot be decoded: not a JSON object in base64url",
                    "copy the whole token, unchanged",
                    is_rejected=True,
                )
            )
    if header is not None and header.get("alg") != "HS256":
        problems.append(
            Problem(
                f"its algorithm is {_format(header.get('alg'))}, not HS256",
                "sign it with HS256 and the project's secret",
                is_rejected=True,
            )
        )
    if not re.fullmatch(r"[\w-]+", parts[2], re.ASCII):
        problems.append(
            Problem("it has no signature", "sign it with the project's secret", is_rejected=True)
        )
    if claims is not None:
        problems += [*_time_problems(claims, now), *_claim_problems(claims)]
    return DecodedToken(header, claims, tuple(problems))


def _strip(token: str) -> tuple[str, list[Problem]]:
    """Return a token without a pasted prefix and quotes, and the problems found."""
    problems = []
    word, _, rest = token.partition(" ")
    if word.lower() in ("bearer", "basic"):
        token = rest.strip()
        problems.append(
            Problem(f"it starts with '{word} '", "remove this prefix", is_rejected=True)
        )
    if token[:1] in {"'", '"'}:
        token = token.strip("'\"")
        problems.append(Problem("it is in quotes", "remove the quotes", is_rejected=True))
    return token, problems


def _decode_part(part: str) -> dict[str, Any] | None:
    if not re.fullmatch(r"[\w-]+", part, re.ASCII):
        return None
    try:
        text = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
        decoded = json.loads(text, parse_constant=_reject_constant)
    except (ValueError, RecursionError):
        return None
    return decoded if isinstance(decoded, dict) else None


def _reject_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _time_problems(claims: Mapping[str, Any], now: float) -> list[Problem]:
    problems = [
        Problem(
            f"its {name} is not a number of seconds since 1970",
            "create a new token",
            is_rejected=True,
        )
        for name in _TIMES
        if name in claims and read_time(claims[name]) is None
    ]
    for name in ("nbf", "iat"):
        start = read_time(claims.get(name))
        if start is not None and start > now:
            problems.append(
                Problem(
                    f"it is not valid yet: its {name} is {describe_time(start, now)}",
                    "wait until then, or check the clock of the machine that signed it",
                    is_rejected=True,
                )
            )
    expiry = read_time(claims.get("exp"))
    if "exp" not in claims:
        problems.append(
            Problem(
                "it never expires (no exp)",
                "add an expiry: a token cannot be revoked, and the API may reject this one",
                is_rejected=False,
            )
        )
    elif expiry is not None and expiry <= now + _EXPIRES_SOON:
        verb = "expired" if expiry <= now else "expires"
        problems.append(
            Problem(
                f"it {verb} {describe_time(expiry, now)}",
                "create a new token",
                is_rejected=expiry <= now,
            )
        )
    return problems


def _claim_problems(claims: Mapping[str, Any]) -> list[Problem]:
    problems = []
    key = claims.get("apikey")
    if not isinstance(key, str) or not key:
        problems.append(Problem("it has no apikey", "add the project's API key", is_rejected=True))
    if claims.get("version") != 2 or isinstance(claims["version"], bool):
        problems.append(
            Problem(
                f"its version is {_format(claims.get('version'))}, not 2",
                "set version to 2, which the API, roles and roomId require",
                is_rejected=True,
            )
        )
    problems += [*_role_problems(claims), *_permission_problems(claims)]
    for name, noun in (("roomId", "room"), ("participantId", "participant")):
        if name in claims:
            problems.append(
                Problem(
                    f"it is restricted to {noun} {_format(claims[name])}",
                    f"for lists, use a token without {name}: the effect is undocumented",
                    is_rejected=False,
                )
            )
    return problems


def _role_problems(claims: Mapping[str, Any]) -> list[Problem]:
    # A token without the claim is not restricted.
    roles = claims.get("roles", ["crawler"])
    if isinstance(roles, list) and "crawler" in roles:
        return []
    return [
        Problem(
            f"its roles are {_format(roles)}, without crawler",
            "add the role crawler, or omit roles; rtc alone is for joining meetings",
            is_rejected=True,
        )
    ]


def _permission_problems(claims: Mapping[str, Any]) -> list[Problem]:
    permissions = claims.get("permissions")
    if not isinstance(permissions, list) or not permissions:
        return [Problem("it has no permissions", "add allow_join, which the API requires", False)]
    if any(word not in PERMISSIONS for word in permissions):
        what = f"its permissions are {_format(permissions)}"
        return [Problem(what, f"use documented ones: {', '.join(PERMISSIONS)}", False)]
    if "ask_join" in permissions and len(permissions) > 1:
        what = "it combines ask_join with other permissions"
        return [Problem(what, "use ask_join alone, or omit it", is_rejected=False)]
    return []


def read_time(value: object) -> float | None:
    """Return the time of a claim in seconds since the epoch, or None if it is not a time."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) and 0 <= value < _LAST_SECOND else None


def describe_time(seconds: float, now: float) -> str:
    """Return a time in UTC, and its distance from now, in a unit of which there are two or more."""
    distance = abs(seconds - now)
    units = ((120, 1, "s"), (7_200, 60, "min"), (172_800, 3_600, "h"), (math.inf, 86_400, "days"))
    length, unit = next((length, unit) for below, length, unit in units if distance < below)
    amount = f"{round(distance / length)} {unit}"
    return f"{format_utc(seconds)}, {f'in {amount}' if seconds > now else f'{amount} ago'}"


def format_utc(seconds: float) -> str:
    """Return a time in UTC, in ISO 8601."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def describe_token(token: DecodedToken, now: float) -> list[tuple[str, str]]:
    """Return the header and the claims of a token as labels and texts for people."""
    lines = [(f"header {name}", _format(value)) for name, value in (token.header or {}).items()]
    claims = token.claims or {}
    for name in [*_LABELS, *(name for name in claims if name not in _LABELS)]:
        if name in claims:
            time = read_time(claims[name]) if name in _TIMES else None
            text = _format(claims[name]) if time is None else describe_time(time, now)
            lines.append((_LABELS.get(name, f"claim {name}"), text))
    return lines


def token_document(token: DecodedToken) -> dict[str, Any]:
    """Return the content and the problems of a token for JSON."""
    times = {name: read_time((token.claims or {}).get(name)) for name in _TIMES}
    return {
        "verified": False,
        "rejected": token.is_rejected,
        "header": token.header,
        "claims": token.claims,
        "times": {name: format_utc(time) for name, time in times.items() if time is not None},
        "problems": [
            {"rejected": problem.is_rejected, "what": problem.what, "advice": problem.advice}
            for problem in token.problems
        ],
    }


def _format(value: object) -> str:
    if isinstance(value, list) and value and all(isinstance(word, str) for word in value):
        return ", ".join(value)
    return value if isinstance(value, str) else "missing" if value is None else json.dumps(value)
