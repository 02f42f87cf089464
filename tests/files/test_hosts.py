"""P9 for files: which hosts and addresses are allowed. No I/O."""

from typing import Any

import pytest

from videosdk_transcripts import ConfigurationError
from videosdk_transcripts._files.hosts import FileHosts
from videosdk_transcripts.errors import FileHostRefusedError

CDN = "https://cdn.videosdk.live"


def refusal(url: object, *extra: str, base: str | None = None) -> str:
    """Return the text of the error for a URL."""
    hosts = FileHosts(extra)
    before = None if base is None else hosts.check(base)
    with pytest.raises(FileHostRefusedError) as caught:
        hosts.check(url, base=before)
    return str(caught.value)


@pytest.mark.parametrize(
    ("url", "sent"),
    [
        (f"{CDN}/a/b.txt", f"{CDN}/a/b.txt"),
        ("HTTPS://CDN.VideoSDK.live:443/A", f"{CDN}/A"),
        (CDN, f"{CDN}/"),
        (f"{CDN}?x=/y", f"{CDN}/?x=/y"),
        (f"{CDN}/a%20b?s=%2F+&t=a/b?#part", f"{CDN}/a%20b?s=%2F+&t=a/b?"),
        (f"{CDN}/ä b\r\nX: y?q= ", f"{CDN}/%C3%A4%20b%0D%0AX:%20y?q=%20"),
        # Raw bytes of a header, and a lone surrogate of JSON
        (f"{CDN}/\udc80\udcff?\udcf8", f"{CDN}/%80%FF?%F8"),
        (f"{CDN}/\ud800\udc7f?\udd00\udfff", f"{CDN}/%EF%BF%BD%EF%BF%BD?%EF%BF%BD%EF%BF%BD"),
        (f"{CDN}/@evil.example/", f"{CDN}/@evil.example/"),
    ],
)
def test_requested_url_is_built_from_the_checked_parts(url: str, sent: str) -> None:
    """A signature stays unchanged."""
    assert FileHosts().check(url).url == sent


HOW_TO_ALLOW = "which is not an allowed file host; if you trust it, allow it with file_hosts="


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("https://a.example/b?c", f"points to a.example, {HOW_TO_ALLOW}['a.example']"),
        ("https://a.example:8/b", f"points to a.example:8, {HOW_TO_ALLOW}['https://a.example:8']"),
        (
            "http://a.example/b",
            (
                "points to a.example over http, not https; allow it with "
                "file_hosts=['http://a.example']"
            ),
        ),
        ("ftp://a.example/b", "points to a.example over ftp, not https"),
        ("https://a@b.example/", "has a user name for b.example, which no file host needs"),
        ("https://127.1/", "has a malformed host or address 127.1"),
        ("mailto:a@b", "is not an absolute https URL with a host"),
    ],
)
def test_error_explains_what_is_wrong(url: str, text: str) -> None:
    """The message has the link or the redirect, the host, the reason and the remedy."""
    assert refusal(url) == f"the link {text}"
    assert refusal(url, base=CDN) == f"the redirect from cdn.videosdk.live {text}"


def test_other_errors_explain_what_is_wrong() -> None:
    """The messages are those for an address, and those of the constructor."""
    with pytest.raises(FileHostRefusedError) as caught:
        FileHosts().check_addresses("a.example", 443, ["10.0.0.1"])
    assert str(caught.value) == (
        "the file host a.example has an address that is not public; if that is intended, allow "
        "it with file_hosts=['https://a.example']"
    )
    for entries, text in (
        ("a.example", 'file_hosts must be a list of hosts: file_hosts=["..."]'),
        (
            ["10.0.0.1"],
            "file_hosts: 10.0.0.1 is not public; write it as an origin, 'https://10.0.0.1'",
        ),
        (
            ["a/b"],
            (
                "file_hosts must hold host names such as 'files.example.com' and origins such as "
                "'https://files.example.com:8443', without user, path and query"
            ),
        ),
    ):
        with pytest.raises(ConfigurationError) as refused:
            FileHosts(entries)
        assert str(refused.value) == text


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("https://evil.example/secret?sig=1", "points to evil.example, which"),
        (f"{CDN}.evil.example/", "file_hosts=['cdn.videosdk.live.evil.example']"),
        ("https://cdn.videosdk.live./", "points to cdn.videosdk.live., which"),
        (f"{CDN}:8443/", "file_hosts=['https://cdn.videosdk.live:8443']"),
        (f"{CDN}:99999/", "cdn.videosdk.live:99999"),
        (f"{CDN}:000443/", "not an absolute https URL"),
        (f"{CDN}:/", "not an absolute https URL"),
        ("http://cdn.videosdk.live/", "over http, not https; allow it"),
        ("ftp://cdn.videosdk.live/", "over ftp, not https"),
        ("ftp://cdn.videosdk.live:443/", "over ftp, not https"),
        ("https://user:pass@cdn.videosdk.live/", "has a user name for cdn.videosdk.live"),
        ("https://cdn.videosdk.live@evil.example/", "has a user name for evil.example"),
        ("https://cdn.videosdk.live\\@evil.example/", "not an absolute https URL"),
        ("https://evil.example\\.cdn.videosdk.live/", "not an absolute https URL"),
        ("https://127.0.0.1/", "file_hosts=['https://127.0.0.1']"),
        ("https://8.8.8.8/", "file_hosts=['8.8.8.8']"),
        ("https://[::1]/", "file_hosts=['https://[::1]']"),
        ("https://2130706433/", "has a malformed host or address"),
        ("https://127.1/", "has a malformed host or address"),
        ("https://0x7f.1/", "has a malformed host or address"),
        ("https://0177.0.0.1/", "has a malformed host or address"),
        ("https://127.0.0.1./", "has a malformed host or address"),
        ("https://[1::2::3]/", "has a malformed host or address"),
        ("https://[127.0.0.1]/", "not an absolute https URL"),
        ("https://./", "has a malformed host or address"),
        ("https://cdn..videosdk.live/", "has a malformed host or address cdn..videosdk.live"),
        (f"https://{'a' * 64}.example/", "has a malformed host or address"),
        (f"https://{'a' * 63}.example/", "which is not an allowed file host"),
        ("https:///a", "not an absolute https URL"),
        ("/transcriptions/1.txt", "not an absolute https URL"),
        ("transcriptions/1.txt", "not an absolute https URL"),
        (" https://cdn.videosdk.live/", "not an absolute https URL"),
        ("https://пример.example/", "not an absolute https URL"),
        ("javascript:alert(1)", "not an absolute https URL"),
        ("", "not an absolute https URL"),
        (None, "not an absolute https URL"),
        (7, "not an absolute https URL"),
    ],
)
def test_disallowed_url_is_rejected(url: object, text: str) -> None:
    """The error names the host, never the path or the query."""
    said = refusal(url)
    assert text in said
    assert "secret" not in said
    assert "sig=" not in said


def test_added_hosts_and_origins_are_allowed() -> None:
    """A name is allowed for https on port 443, an origin exactly as written."""
    hosts = FileHosts(["Files.Example.com", "http://127.0.0.1:8080", "[2606:4700::1]", "8.8.8.8"])
    assert hosts.check("https://files.example.com/a").host == "files.example.com"
    assert hosts.check("http://127.0.0.1:8080/a").url == "http://127.0.0.1:8080/a"
    assert hosts.check("https://[2606:4700::1]/a").url == "https://[2606:4700::1]/a"
    assert hosts.check("https://8.8.8.8/a").port == 443
    for url in (
        "http://files.example.com/",
        "https://files.example.com:8080/",
        "https://127.0.0.1:8080/",
        "http://127.0.0.1/",
        "http://127.0.0.1:8081/",
        "http://127.0.0.2:8080/",
        "https://sub.files.example.com/",
    ):
        with pytest.raises(FileHostRefusedError):
            hosts.check(url)


@pytest.mark.parametrize("host", [f"{'a' * 63}.example", "a_b-c.example.", "files"])
def test_parts_of_a_name_have_up_to_63_characters(host: str) -> None:
    """The last one may be empty, as in a name of the DNS that is absolute."""
    assert FileHosts([host]).check(f"https://{host}/a").host == host


@pytest.mark.parametrize(("scheme", "port"), [("http", 80), ("https", 443)])
def test_default_port_of_an_origin_may_be_omitted(scheme: str, port: int) -> None:
    """It may be omitted in the entry, the link, or both; it is never sent."""
    short, full = f"{scheme}://10.0.0.1", f"{scheme}://10.0.0.1:{port}"
    for entry in (short, full):
        for link in (short, full):
            assert FileHosts([entry]).check(f"{link}/a").url == f"{short}/a"
        with pytest.raises(FileHostRefusedError):
            FileHosts([entry]).check(f"{short}:{port + 1}/a")


@pytest.mark.parametrize("entry", ["https://[2001:db8::1]:1", "http://10.0.0.1:65535"])
def test_origin_may_have_any_address_and_port(entry: str) -> None:
    """Its own address is allowed then, even if it is not public."""
    hosts = FileHosts([entry.upper()])
    checked = hosts.check(f"{entry}/a")
    assert checked.url == f"{entry}/a"
    hosts.check_addresses(checked.host, checked.port, [checked.host])


@pytest.mark.parametrize(
    "entry",
    [
        "",
        " ",
        "*.example.com",
        "files.example.com:8443",
        "files.example.com/path",
        "user@files.example.com",
        "https://files.example.com/",
        "https://files.example.com/path",
        "https://files.example.com?x",
        "https://user@files.example.com",
        "https://files.example.com:0",
        "https://files.example.com:65536",
        "https://files.example.com:",
        "https://files.example.com:000443",
        "ftp://files.example.com",
        "ftp://files.example.com:21",
        "ftp://files.example.com:443",
        "wss://files.example.com:443",
        "https://127.1",
        "127.1",
        "127.0.0.1",
        "[::1]",
        "files..example.com",
        ".example.com",
        "https://files.example.com..",
        f"{'a' * 64}.example.com",
        "[::ffff:8.8.8.8%1]",
        "пример.example",
        None,
        b"files.example.com",
    ],
)
def test_invalid_entry_is_rejected(entry: object) -> None:
    """The constructor raises the error."""
    with pytest.raises(ConfigurationError, match="file_hosts"):
        FileHosts([entry])  # type: ignore[list-item]


@pytest.mark.parametrize("entry", [".", "a..b", "127.1", "[1::2::3]", "https://127.1"])
def test_malformed_entry_is_explained_like_any_other_text(entry: str) -> None:
    """It is not an address, so advice about addresses would not help."""
    with pytest.raises(ConfigurationError, match="file_hosts must hold host names such as"):
        FileHosts([entry])


@pytest.mark.parametrize("extra", ["cdn.example.com", 7, None])
def test_anything_but_a_list_is_rejected(extra: Any) -> None:
    """Otherwise each letter of a string would be a host."""
    with pytest.raises(ConfigurationError, match="must be a list"):
        FileHosts(extra)


def test_error_does_not_show_the_entry() -> None:
    """It may be a signed link passed by mistake."""
    with pytest.raises(ConfigurationError) as caught:
        FileHosts(["https://files.example.com/a?Signature=abc"])
    assert "abc" not in str(caught.value)


# Redirects.


@pytest.mark.parametrize(
    ("location", "sent"),
    [
        ("/b?x", f"{CDN}/b?x"),
        ("b", f"{CDN}/d/b"),
        ("//cdn.videosdk.live/c", f"{CDN}/c"),
        (f"{CDN}/c", f"{CDN}/c"),
        ("\\\\evil.example/", f"{CDN}/d/%5C%5Cevil.example/"),
    ],
)
def test_relative_redirect_stays_on_the_host(location: str, sent: str) -> None:
    """It is resolved against the URL that redirected."""
    hosts = FileHosts()
    assert hosts.check(location, base=hosts.check(f"{CDN}/d/a")).url == sent


@pytest.mark.parametrize(
    ("location", "text"),
    [
        ("//evil.example/c", "the redirect from cdn.videosdk.live points to evil.example"),
        ("http://cdn.videosdk.live/c", "over http"),
        ("https://127.0.0.1/", "points to 127.0.0.1"),
        ("https://[::1/", "the redirect from cdn.videosdk.live is not an absolute https URL"),
        ("mailto:a@b", "not an absolute https URL"),
    ],
)
def test_redirect_is_checked_like_the_first_link(location: str, text: str) -> None:
    """Its scheme, host and address are checked."""
    assert text in refusal(location, base=f"{CDN}/d/a")


# Addresses.


@pytest.mark.parametrize(
    "address",
    ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "2002:808:808::1", "64:ff9b::808:808"],
)
def test_public_address_is_allowed(address: str) -> None:
    """This includes IPv4 embedded in IPv6."""
    FileHosts().check_addresses("cdn.videosdk.live", 443, [address])


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",  # noqa: S104
        "255.255.255.255",
        "224.0.0.1",
        "192.0.2.1",
        "::",
        "::1",
        "::127.0.0.1",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "fd00::1",
        "ff0e::1",
        "2001:db8::1",
        "3fff::1",
        "::ffff:127.0.0.1",
        "2002:7f00:1::",
        "64:ff9b::7f00:1",
        "64:ff9b:1::808:808",
        "no address",
    ],
)
def test_private_address_is_rejected(address: str) -> None:
    """One of several is sufficient, unless the origin was added."""
    with pytest.raises(FileHostRefusedError, match="has an address that is not public") as caught:
        FileHosts(["f.example"]).check_addresses("f.example", 443, ["8.8.8.8", address])
    assert "file_hosts=['https://f.example']" in str(caught.value)
    for origin, port in (("https://f.example", 443), ("http://f.example:81", 81)):
        FileHosts([origin]).check_addresses("f.example", port, ["8.8.8.8", address])
    with pytest.raises(FileHostRefusedError):
        FileHosts(["https://f.example:444"]).check_addresses("f.example", 443, [address])
