"""
The wire format of the API, without I/O: convert arguments to requests, and responses to models.

In reading order:

- `protocol`: creates requests, and turns responses into JSON or errors (P12).
- `pages`: reads the envelope of a list and its page information (P1, P4).
- `converter`: converts rows to models, strict and tolerant (P11).
- `rooms`: resolves a custom room id to a room id.
- `filter`: checks which rows belong to the requested room or session (P2).

May import `errors`, `models`, `_validation` and `_redact`; never asyncio or aiohttp. cattrs
is imported in `converter` only.
"""
