"""The web, on this machine: one loopback server that plays search engines and picture hosts.

It is an HTTP proxy on 127.0.0.1 that forwards nothing. Whatever host is asked for through it
(`CONNECT duckduckgo.com:443`, `GET http://pictures.test/...`), the answer is made here, over TLS
with a certificate from an authority made when it starts. So the unmodified search libraries and
our own downloader run against it with two settings: the proxy and the authority.

In a test (fixtures of `tests/gather/conftest.py`; one server a session, fresh for each test):

    def test_x(standin, settings):              # settings: Settings that lead to the stand-in
        standin.play("duckduckgo", status=202)  # from now on, until the test ends
        ...
        assert standin.count("duckduckgo") == 3 # requests seen

For a subprocess (`kezako gather ...`), add `standin.environment()` to its environment.

Searching
    `duckduckgo.com/?q=`, `/i.js`, `www.bing.com/images/async`, `api.openverse.org/v1/images/` and
    `commons.wikimedia.org/w/api.php` answer with pictures of the class whose name is in the query:
    photos from `KEZAKO_PHOTOS` or `../shared/photos` where such a class exists ("black bear"), else
    drawn ones (any words, `standin.drawn` = 120 a query). `Standin(photos=None)`, and the fixture
    `drawn_standin`, draw always: the same bytes everywhere, and quick.
    `standin.offer(query, urls)` sets exactly what every engine finds for a query.

Pictures
    `standin.urls("black bear", 20)` are addresses of good pictures, `https://pictures-3.test/...`,
    spread over eight hosts. `direct=True` gives `http://127.0.0.1:PORT/...`, for clients without a
    proxy (they need KEZAKO_ALLOW_PRIVATE: `standin.environment(direct=True)`).
    Any other host shows them too; one whose name begins with "http2" (`https://http2.test/drawn/
    unicorn/00001.jpg`) speaks HTTP/2.
    `standin.trouble(kind)` is an address that goes wrong in one way; kinds are in `TROUBLES`:
    status-404, status-403, status-410, status-500, status-503, status-429 (Retry-After: 1),
    once-500 (good at the second request), once-429, html (a page named .jpg), html-typed-jpeg,
    text, empty, octet-stream (a good JPEG of no stated type), wrong-type (a good JPEG called
    text/html), truncated, bomb (PNG of 30,000 x 30,000 pixels), svg, gif, tiny, blank, endless,
    huge-length (Content-Length of 10 GB), drip (a byte now and then), hang (never answers), drop
    (closes before the answer), drop-midway (closes inside the body), noai, noimageai,
    redirect-good, redirect-loop, redirect-metadata (169.254.169.254), redirect-loopback,
    redirect-private, redirect-ipv6 ([::1]), redirect-file (file:///etc/passwd), redirect-nowhere
    (no Location).

Playing: `standin.play(where, **how)`; the newest that fits a request wins
    where   "duckduckgo", "bing", "openverse", "wikimedia", "pictures", a host name, or "*"
    how     status=429, retry_after=7, headers={...}, body=b"...", content_type="text/html",
            redirect="http://...", empty=True (a search page without results), untitled=True (each
            title None), html=True, drop=True, raw=b"..." (these bytes, then a close), hang=True,
            endless=True, drip=0.2 (seconds a byte), latency=0.5 (seconds before the answer;
            combines with the real answer)
    and only where  query="black" (words in the query), path="/i.js" (its beginning),
            times=2 (the next two that fit), after=1 (let one that fits pass first)

As a proxy it wants a name and a password after `standin.login = "NAME:PASSWORD"`: 407 without.

Seen: `standin.requests` is a list of `Seen(service, host, path, query, status, at, protocol,
    headers, proxied)`;
    `standin.count(where, path="")`; `standin.most_at_once(where="*")` the most requests that were
    open at one time (for a host too).

Benchmarks: `Standin(photos, latency=0.1, failures=0.1)`; `failures` of the picture addresses
    (chosen by their hash, so always the same) answer 404, 500, HTML or a closed connection:
    `standin.fails(url)` says which, or None. `standin.urls(query, 5000, direct=True)`.

Alone: `python -m tests.standin --photos DIR --latency 0.1` prints the variables to export, and
    serves until it is stopped.
"""

from tests.standin.server import Standin
from tests.standin.trouble import TROUBLES

__all__ = ["TROUBLES", "Standin"]
