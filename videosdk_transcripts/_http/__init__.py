"""
Send a request with all its attempts (P6, P14).

Files, in reading order:

- `retry`: decides what is retried and when, and retries it (P6)
- `timeout`: one timer for several limits, without leaks (P5)
- `proxy`: chooses the proxy of the caller or of the environment
- `session`: the connections of each event loop (P14)
- `rate_limit`: an even pace for all requests
- `throttle`: slows requests down while the service responds with 429
- `request_queue`: decides which request is sent next, and when (P13)
- `aiohttp_errors`: converts aiohttp's exceptions to errors of this package (P12)
- `encoding`: decodes gzip and deflate, independently of installed packages (P10)
- `transport`: sends the requests of the API (P9, P10)

May import `auth`, `_api` and what these may import. Never imports `_paging`.
"""
