"""
The wire format of the API, without I/O: arguments to a request, a response to models.

In reading order:

- `protocol`: what to request, and a response to JSON or to an error (P12).
- `pages`: the envelope of a list and its page information (P1, P4).
- `converter`: a row to a model, strict and tolerant (P11).
- `rooms`: a custom room id to a room id.
- `filter`: which rows belong to the room or session that was requested (P2).

May import `errors`, `models`, `_validation` and `_redact`; never asyncio or aiohttp. cattrs
is imported in `converter` only.
"""
