"""
One request with all its attempts (P6, P14).

Files, in reading order:

- `retry`: what is retried and when, and the loop that does it (P6)
- `timeout`: one timer for several limits, which leaves nothing behind (P5)
- `proxy`: the proxy of the caller or of the environment
- `session`: the connections of each event loop (P14)
- `rate_limit`: an even pace for all requests
- `throttle`: fewer requests while the service responds with 429
- `request_queue`: which request is sent next, and when (P13)
- `aiohttp_errors`: what aiohttp raises, as errors of this package (P12)
- `encoding`: gzip and deflate, independent of what is installed (P10)
- `transport`: sends the requests of the API (P9, P10)

May import `auth`, `_api` and what is below them. Never imports `_paging`.
"""
