# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Upstreams in an nginx configuration file: found, and taken out or let in with all other bytes left as they are. Pure.

The words are split as nginx's own ``ngx_conf_read_token`` splits them. What it would refuse is refused here too.
"""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ansible_collections.convoy.rolling.plugins.module_utils.errors import RollingError

_TOKEN = re.compile(
    r"""
    (?P<gap> [ \t\r\n]+ | \#[^\n]* )
  | (?P<mark> [;{}] )
  | (?P<word> "(?:\\.|[^"\\])*"(?=[ \t\r\n;{]) | '(?:\\.|[^'\\])*'(?=[ \t\r\n;{])
            | (?:\\.|\$\{*|[^ \t\r\n;{}\#"'\\$]) (?:\\.|\$\{*|[^ \t\r\n;{\\$])* )
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"""\\(["'\\trn])""")
_ESCAPED = {"t": "\t", "r": "\r", "n": "\n"}
_WEIGHT = re.compile(r"weight=([0-9]{1,9})", re.ASCII)
# Where an upstream may stand; in anything else the words mean something else.
_AROUND = (("http",), ("stream",))


@dataclasses.dataclass(frozen=True)
class _Word:
    text: str
    start: int
    end: int


@dataclasses.dataclass(frozen=True)
class Server:
    """One ``server`` line of an upstream."""

    #: The address as it is written, quotes apart: the member's name.
    address: str
    weight: int
    #: Where the word ``down`` is; None: it is not there.
    down: tuple[int, int] | None
    #: Where the last word ends.
    end: int


@dataclasses.dataclass
class Upstream:
    servers: dict[str, Server] = dataclasses.field(default_factory=dict)
    #: Why it cannot be told or changed; None: it can.
    fault: str | None = None


def upstreams(text: str, path: str) -> dict[str, Upstream]:
    """All upstreams of a file.

    :param text: the file, decoded so that every byte is one character.
    :param path: of the file, for errors.
    :raises RollingError: it cannot be parsed, or names an upstream twice; says in which line.
    """
    found: dict[str, Upstream] = {}
    around: list[tuple[str, ...]] = []
    for words, mark, place in _statements(text, path):
        line = f"{path}, line {text.count(chr(10), 0, place) + 1}"
        texts = tuple(word.text for word in words)
        if mark == "}":
            if not around:
                raise RollingError(f'{line}: unexpected "}}"; correct the file, nothing was changed.')
            around.pop()
            continue
        if texts[0].endswith("_by_lua_block"):
            raise RollingError(f"{line}: {texts[0]} holds Lua, which is not understood; keep the upstreams in a file of their own.")
        inside = found[around[-1][1]] if around and _is_upstream(around) else None
        if inside is not None and (mark == "{" or texts[0] == "include"):
            inside.fault = f"{line}: {texts[0]} in an upstream is not understood; list its servers there"
        elif inside is not None and texts[0] == "server":
            _add(inside, words, line)
        if mark == "{":
            around.append(texts)
            if _is_upstream(around):
                if texts[1] in found:
                    raise RollingError(f"{line}: upstream {texts[1]} is there twice; correct the file, nothing was changed.")
                found[texts[1]] = Upstream()
    if around:
        raise RollingError(f'{path}: the file ends before the "}}" of {" ".join(around[-1])}; correct it, nothing was changed.')
    return found


def edited(text: str, upstream: Upstream, out: t.Mapping[str, bool]) -> str:
    """The file with these servers taken out or let in, by the word ``down`` alone.

    :param upstream: as `upstreams` found it in this very text.
    :param out: address -> whether it shall be out.
    """
    for server in sorted((upstream.servers[address] for address in out), key=lambda one: one.end, reverse=True):
        if out[server.address] and server.down is None:
            text = f"{text[: server.end]} down{text[server.end :]}"
        elif not out[server.address] and server.down is not None:
            start, end = server.down
            # The blanks before it go too, but no line break: a comment may end there.
            text = text[:start].rstrip(" \t") + text[end:]
    return text


def _is_upstream(around: t.Sequence[tuple[str, ...]]) -> bool:
    return len(around[-1]) == 2 and around[-1][0] == "upstream" and all(block in _AROUND for block in around[:-1])


def _add(upstream: Upstream, words: t.Sequence[_Word], line: str) -> None:
    if len(words) < 2:
        upstream.fault = f"{line}: a server without an address"
        return
    address = words[1].text
    downs = [(word.start, word.end) for word in words[2:] if word.text == "down"]
    weights = [int(match.group(1)) for word in words[2:] for match in [_WEIGHT.fullmatch(word.text)] if match]
    if address in upstream.servers:
        upstream.fault = f"{line}: {address} is there twice, so one cannot be told from the other"
    elif len(downs) > 1 or len(weights) > 1:
        upstream.fault = f"{line}: a word is there twice"
    else:
        upstream.servers[address] = Server(address, weights[0] if weights else 1, downs[0] if downs else None, words[-1].end)


def _statements(text: str, path: str) -> t.Iterator[tuple[list[_Word], str, int]]:
    """Words, the mark that ends them (``;`` ``{`` or ``}``) and where they begin; ``}`` has no words, the others have some."""
    words: list[_Word] = []
    place = 0
    while place < len(text):
        match = _TOKEN.match(text, place)
        mark = match.group("mark") if match else None
        if match is None or (mark is not None and (mark == "}") == bool(words)):
            line = text.count("\n", 0, place) + 1
            raise RollingError(f"{path}, line {line}: unexpected {text[place]!r}; correct the file, nothing was changed.")
        if match.lastgroup == "word":
            words.append(_Word(_plain(match.group()), match.start(), match.end()))
        elif mark is not None:
            yield words, mark, words[0].start if words else place
            words = []
        place = match.end()
    if words:
        raise RollingError(f'{path}: the file ends in the middle of "{words[0].text}"; correct it, nothing was changed.')


def _plain(word: str) -> str:
    """The word without its quotes and escapes."""
    if word[0] in "\"'":
        word = word[1:-1]
    return _ESCAPE.sub(lambda match: _ESCAPED.get(match.group(1), match.group(1)), word)
