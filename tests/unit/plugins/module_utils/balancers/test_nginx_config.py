# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.convoy.rolling.plugins.module_utils.balancers.nginx_config import edited, upstreams
from ansible_collections.convoy.rolling.plugins.module_utils.errors import RollingError

FILE = """\
# upstream commented { server no:1; }
upstream "web" { # ; }
    zone web 64k;
    server 10.0.0.1:80 weight=3 max_fails=2;
    server '10.0.0.2:80'  down  weight=2;\tserver unix:/run/a.sock
      # between
      ;
    server ${host}#x:1 backup down;
}
server { listen 80; location ~ "^/a{2}" { proxy_pass http://web; } }
upstream other{server 10.0.0.1:80 "down";}
"""


def take(text: str, pool: str, **out: bool) -> str:
    return edited(text, upstreams(text, "f")[pool], {name.replace("_", ":"): value for name, value in out.items()})


def test_what_is_in_a_file() -> None:
    found = upstreams(FILE, "f")
    assert {pool: {name: (one.weight, one.down is not None) for name, one in up.servers.items()} for pool, up in found.items()} == {
        "web": {"10.0.0.1:80": (3, False), "10.0.0.2:80": (2, True), "unix:/run/a.sock": (1, False), "${host}#x:1": (1, True)},
        "other": {"10.0.0.1:80": (1, True)},
    }
    assert upstreams("http { upstream a { server b; } }", "f")["a"].servers["b"]
    assert upstreams("server { upstream a { server b; } }", "f") == upstreams("", "f") == {}


@pytest.mark.parametrize(
    ("pool", "out", "old", "new"),
    [
        ("web", {"10.0.0.1:80": True}, "max_fails=2;", "max_fails=2 down;"),
        ("web", {"10.0.0.2:80": False}, "'10.0.0.2:80'  down  weight", "'10.0.0.2:80'  weight"),
        ("web", {"unix:/run/a.sock": True}, "a.sock\n", "a.sock down\n"),
        ("other", {"10.0.0.1:80": False}, ':80 "down";', ":80;"),
        ("web", {"10.0.0.2:80": True, "10.0.0.1:80": False}, "", ""),
        ("web", {"10.0.0.1:80": True, "${host}#x:1": False}, "max_fails=2;", "max_fails=2 down;"),
    ],
)
def test_one_word_changes(pool: str, out: dict[str, bool], old: str, new: str) -> None:
    changed = edited(FILE, upstreams(FILE, "f")[pool], out)
    expected = FILE.replace(old, new, 1)
    assert changed == (expected.replace(" backup down;", " backup;") if len(out) == 2 and old else expected)


def test_a_comment_does_not_swallow_what_follows() -> None:
    text = "upstream w { server a # c\ndown; server b; }"
    changed = take(text, "w", a=False)
    assert changed == "upstream w { server a # c\n; server b; }" and list(upstreams(changed, "f")["w"].servers) == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("upstream a { server b; ", 'before the "}" of upstream a'),
        ("upstream a { server b }", "in the middle|unexpected|ends"),
        ("a\n}", "line 2: unexpected '}'"),
        ("}", "line 1: unexpected"),
        ("a;\n;", "line 2: unexpected ';'"),
        ("{ a; }", "line 1: unexpected"),
        ('a "b"c;', "line 1: unexpected"),
        ('a\n"b;', "line 2: unexpected"),
        ("upstream a { server b", 'in the middle of "server"'),
        ("upstream a { server b; } upstream a { server c; }", "upstream a is there twice"),
        ("content_by_lua_block { x = '}' }", "holds Lua"),
    ],
)
def test_what_nginx_would_not_read_is_refused(text: str, why: str) -> None:
    with pytest.raises(RollingError, match=why):
        upstreams(text, "f")


@pytest.mark.parametrize(
    ("inside", "why"),
    [
        ("include more.conf;", "include in an upstream"),
        ("server a; server a;", "a is there twice"),
        ("server;", "without an address"),
        ("server a down down;", "a word is there twice"),
        ("if { server a; }", "if in an upstream"),
    ],
)
def test_an_upstream_that_hides_something_has_a_fault_and_others_have_none(inside: str, why: str) -> None:
    found = upstreams(f"upstream w {{ {inside} }} upstream v {{ server a; }}", "f")
    assert why in (found["w"].fault or "") and found["v"].fault is None


gaps = st.sampled_from([" ", "\n", "\t", "\r\n ", " # a } comment; {\n", "\n\n    "])
words = st.sampled_from(["10.0.0.1:80", "[::1]:8080", "web1", "unix:/run/s", "${x}", "a#b", '"q{;}"', "'it\\'s'", "a\\ b", "x}"])
extras = st.lists(
    st.sampled_from(["weight=5", "max_fails=0", "backup", "fail_timeout=10s", '"resolve"', "route=a"]), unique=True, max_size=3
)


@st.composite
def servers(draw: st.DrawFn) -> str:
    texts = ["server", draw(words), *draw(extras)]
    if draw(st.booleans()):
        texts.insert(draw(st.integers(2, len(texts))), "down")
    return draw(gaps) + "".join(text + draw(gaps) for text in texts[:-1]) + texts[-1] + draw(st.sampled_from(["", " ", "\n#;\n"])) + ";"


@st.composite
def files(draw: st.DrawFn) -> str:
    blocks = [
        f"upstream{draw(gaps)}u{number} {{{''.join(draw(st.lists(servers(), min_size=1, max_size=4)))}{draw(gaps)}}}"
        for number in range(draw(st.integers(1, 3)))
    ]
    return draw(st.sampled_from(["", "\ufeff# x\n", "log_format a '$x{';\n"])) + "\n".join(blocks) + draw(gaps)


@given(files(), st.data())
def test_out_and_in_again_gives_the_same_bytes(text: str, data: st.DataObject) -> None:
    good = {pool: up for pool, up in upstreams(text.lstrip("\ufeff"), "f").items() if not up.fault}
    text = text.lstrip("\ufeff")
    for pool, up in good.items():
        ins = [name for name, server in up.servers.items() if server.down is None]
        some = data.draw(st.sets(st.sampled_from(ins))) if ins else set()
        changed = edited(text, up, dict.fromkeys(some, True))
        assert len(changed) == len(text) + len(" down") * len(some)
        assert edited(changed, upstreams(changed, "f")[pool], dict.fromkeys(some, False)) == text


def check_one_edit(text: str, data: st.DataObject) -> None:
    try:
        found = upstreams(text, "f")
    except RollingError:
        return
    states = {(pool, name): one.down is not None for pool, up in found.items() if not up.fault for name, one in up.servers.items()}
    if not states:
        return
    pool, name = data.draw(st.sampled_from(sorted(states)))
    out = not states[pool, name]
    changed = edited(text, found[pool], {name: out})
    after = upstreams(changed, "f")
    states[pool, name] = out
    assert {(p, n): after[p].servers[n].down is not None for p, n in states} == states
    assert {p: list(up.servers) for p, up in after.items()} == {p: list(up.servers) for p, up in found.items()}
    start = next((i for i, (a, b) in enumerate(zip(text, changed, strict=False)) if a != b), min(len(text), len(changed)))
    longer, shorter = (changed, text) if out else (text, changed)
    size = len(longer) - len(shorter)
    gone = longer[start : start + size]
    assert shorter == longer[:start] + longer[start + size :], "one piece is more or less, nothing else"
    assert "down" in (longer[start - 4 : start] + gone + longer[start + size : start + size + 4]) and set(gone) <= set(" \tdown\"'")


@given(files(), st.data())
def test_one_edit_changes_one_server(text: str, data: st.DataObject) -> None:
    check_one_edit(text.lstrip("\ufeff"), data)


pieces = st.sampled_from(
    [
        "upstream",
        " ",
        "w",
        "{",
        "}",
        ";",
        "server",
        "a",
        "b:1",
        "down",
        "#",
        "\n",
        '"',
        "'",
        "\\",
        "$",
        "${",
        "http",
        "\t",
        "weight=2",
        "é",
        "\x00",
    ]
)


@given(st.lists(pieces, max_size=40).map("".join), st.data())
def test_any_text_is_refused_or_one_edit_changes_one_server(text: str, data: st.DataObject) -> None:
    check_one_edit(text, data)
    check_one_edit(f"upstream w {{ server a; {text} }}", data)


def test_a_long_file_is_quick() -> None:
    text = "upstream w {" + "".join(f" server h{number}:80;\n" for number in range(5000)) + "}"
    up: t.Any = upstreams(text, "f")["w"]
    assert edited(text, up, dict.fromkeys(up.servers, True)).count(" down;") == 5000
