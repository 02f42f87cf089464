"""How the fake service judges a token. Does not share a line with the client's signing."""

from __future__ import annotations

import warnings

import jwt


def judge_token(  # noqa: PLR0911 - a list of reasons, one line each
    header: str | None, *, api_key: str, secret: str, now: float
) -> tuple[int, str] | None:
    """
    Return the status and the message of a refusal, or None for a good token.

    401 for a token that is not genuine or not valid now, 403 for one that may not call
    the server API: https://docs.videosdk.live/api-reference/realtime-communication/intro
    """
    if not header:
        return 401, "Token is required"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", jwt.InsecureKeyLengthWarning)
        try:
            claims = jwt.decode(
                header,
                secret,
                algorithms=["HS256"],
                # Judged below, by a clock that a test can set.
                options={"verify_exp": False, "verify_iat": False, "require": ["exp"]},
            )
        except jwt.PyJWTError:
            return 401, "Token is invalid"
    if claims.get("apikey") != api_key:
        return 401, "Token is invalid"
    end, start = claims["exp"], claims.get("iat", 0)
    if not all(isinstance(moment, int | float) for moment in (end, start)):
        return 401, "Token is invalid"
    if end <= now or start > now:
        return 401, "Token is expired or not yet valid"
    if claims.get("version") != 2:
        return 403, "Token must have version 2"
    roles = claims.get("roles", ["crawler"])
    if not isinstance(roles, list) or "crawler" not in roles:
        return 403, "Role of the token is not crawler"
    return None
