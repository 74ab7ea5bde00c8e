"""What a decoder of outside bytes is told, and what it may do: the harness of `test_decoders.py`.

random bytes      whatever comes
mutated samples   real ones, cut, with bytes flipped, doubled or replaced by what breaks parsers
mutated trees     real JSON and YAML of which one value is another: too deep, too large, of another type
shapes            one thing again and again, as much of it as the caller hands over: work stays in proportion
"""

import json
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from copy import deepcopy
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from hypothesis import strategies as st

MOST_CPU_SECONDS = 3.0
"""What a look at `Decoder.most` bytes may take: work in proportion takes a tenth, by squares ten times."""


class Decoder(NamedTuple):
    """One decoder of bytes that somebody else wrote.

    Fields:
        name: As docs/testing.md lists it.
        source: The file it stands in.
        read: Takes bytes as its caller does.
        refuses: What may be raised, and nothing else.
        samples: Real ones, which are read.
        tokens: What its grammar is made of, to be repeated.
        most: Bytes that its caller hands over at most, and at most 64 KiB of them.
    """

    name: str
    source: str
    read: Callable[[bytes], object]
    refuses: tuple[type[Exception], ...]
    samples: tuple[bytes, ...]
    tokens: tuple[bytes, ...] = ()
    most: int = 64 * 1024


NASTY = (
    b"",
    b"\0",
    b"\n",
    b"\r\n",
    b"\xff\xfe",
    b"\xed\xb3\xbf",  # half a surrogate pair as UTF-8
    b'"',
    b"\\ud800",
    b"\\u0000",
    b"\xe2\x80\xae",  # turns text around
    b"\x1b[2J",
    b"[" * 2000,
    b'{"a":' * 2000,
    b"(" * 2000,
    b"9" * 5000,
    b"1e999",
    b"-1",
    b"NaN",
    b"\xff\xff\xff\xff",
    b"\x7f\xff\xff\xff",
    b"\0\0\0\0\0\0\0\0",
    b"A" * 5000,
    b"../../",
    b"%00",
    "\u0661\u0662".encode(),  # digits, but not ASCII's
    b"0000-00-00T00:00:00Z",
    b"9999-12-31T23:59:59-23:59",
)


def deep(levels: int) -> Any:  # noqa: ANN401 - JSON
    """A list in a list in a list."""
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


VALUES: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    2**31,
    2**63,
    2**64,
    10**400,
    1.5,
    float("inf"),
    float("nan"),
    "",
    "\0",
    "\ud800",
    "x" * 9000,
    "\u202e\x1b[2J\n",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "../..",
    "::ffff:1%eth0",
    "2026-03-02T09:10:00",
    [],
    {},
    [None],
    {"": ""},
    deep(90),
    {"a": deep(90)},
    ["x"] * 300,
    {f"k{n}": n for n in range(300)},
)
_CUT, _FLIP, _INSERT, _REPLACE, _DOUBLE, _DROP = range(6)
_EDITS = st.tuples(
    st.integers(_CUT, _DROP),
    st.floats(0, 1, exclude_max=True),
    st.integers(1, 40),
    st.sampled_from(NASTY) | st.binary(min_size=1, max_size=6),
)


def edited(sample: bytes, edits: list[tuple[int, float, int, bytes]]) -> bytes:
    """Return a sample with changes: what, where (a share of its length), how long, and with what."""
    for kind, share, length, piece in edits:
        at = int(share * (len(sample) + 1))
        head, tail = sample[:at], sample[at:]
        sample = {
            _CUT: head,
            _FLIP: head + bytes([(tail[0] if tail else 0) ^ (1 << length % 8)]) + tail[1:],
            _INSERT: head + piece + tail,
            _REPLACE: head + piece + tail[len(piece) or length :],
            _DOUBLE: head + tail[:length] * 2 + tail[length:],
            _DROP: head + tail[length:],
        }[kind]
    return sample


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:  # noqa: ANN401 - JSON
    yield path
    below = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, one in below:
        yield from _places(one, (*path, name))


def with_other(value: Any, share: float, other: Any) -> Any:  # noqa: ANN401 - JSON
    """Return a tree with another value at one of its places."""
    places = list(_places(value))
    path = places[int(share * len(places))]
    if not path:
        return other
    value = deepcopy(value)
    at = value
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = other
    return value


def _tree(sample: bytes) -> tuple[str, Any] | None:
    try:
        return "json", json.loads(sample)
    except (ValueError, RecursionError):
        pass
    try:
        found = yaml.safe_load(sample.decode())
    except (yaml.YAMLError, UnicodeDecodeError):
        return None
    return ("yaml", found) if isinstance(found, dict | list) else None


def _written(form: str, value: Any) -> bytes:  # noqa: ANN401 - JSON
    if form == "json":
        return json.dumps(value).encode()
    text = yaml.safe_dump(value, allow_unicode=True)
    return text.encode("utf-8", "surrogatepass")


def hostile(decoder: Decoder) -> st.SearchStrategy[bytes]:
    """Draw what a decoder has to bear."""
    drawn = [
        st.binary(max_size=300),
        st.builds(edited, st.sampled_from(decoder.samples), st.lists(_EDITS, min_size=1, max_size=4)),
    ]
    trees = [tree for sample in decoder.samples if (tree := _tree(sample)) is not None]
    if trees:
        drawn.append(
            st.builds(
                lambda tree, share, other: _written(tree[0], with_other(tree[1], share, other)),
                st.sampled_from(trees),
                st.floats(0, 1, exclude_max=True),
                st.sampled_from(VALUES),
            )
        )
    return st.one_of(drawn).map(lambda data: data[: max(decoder.most, 1)])


def shapes(decoder: Decoder) -> Iterator[tuple[str, bytes]]:
    """Yield what is as large as a caller hands it over, by name."""
    sample = max(decoder.samples, key=len)
    # One parser reads all YAML, character by character; a quarter of it shows as much.
    tree = _tree(sample)
    most = min(decoder.most, (16 if tree and tree[0] == "yaml" else 64) * 1024)
    pieces = (b"\0", b" ", b"\n", b"a", b"9", b"[", b'{"a":', b"(", *decoder.tokens)
    for piece in (*pieces, sample):
        whole = (piece * (most // len(piece) + 1))[:most]
        yield f"{piece[:20]!r} again and again, then a sample", whole[: most - len(sample)] + sample
        yield (
            f"half a sample, then {piece[:20]!r} again and again",
            (sample[: len(sample) // 2] + whole)[:most],
        )
        if len(piece) > 1:
            yield f"{piece[:20]!r} again and again", whole


class TooSlowError(AssertionError):
    """A look that took more than its share."""


class _Stop(BaseException):
    """What nobody catches on its way out of a look that takes too long."""


@contextmanager
def bounded(seconds: float = MOST_CPU_SECONDS) -> Iterator[None]:
    """Raise after whatever takes more than so many seconds of CPU time, however busy the machine is."""

    def stop(*_: object) -> None:
        raise _Stop

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    begun = time.thread_time()
    try:
        with suppress(_Stop):
            yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
    # Raised here, for where the signal came is often a place that no traceback can be shown of.
    if time.thread_time() - begun >= seconds:
        raise TooSlowError(f"more than {seconds:g} s of CPU")


def of_text(read: Callable[[str], object]) -> Callable[[bytes], object]:
    """Read what a caller has turned into text, as all of ours do: with marks for what is none."""
    return lambda data: read(data.decode("utf-8", "replace"))


def of_file(name: str, read: Callable[[Path], object]) -> Callable[[bytes], object]:
    """Read a folder that holds the bytes as a file of that name."""

    def run(data: bytes) -> object:
        with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
            place = Path(folder, name)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)
            return read(Path(folder))

    return run
