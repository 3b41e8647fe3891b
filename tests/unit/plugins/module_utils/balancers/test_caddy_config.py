# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import copy
import json
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.convoy.rolling.plugins.module_utils.balancers.caddy_config import moved, proxies
from ansible_collections.convoy.rolling.plugins.module_utils.errors import RollingError


def proxy(*upstreams: t.Any, **more: t.Any) -> dict[str, t.Any]:
    return {"handler": "reverse_proxy", "upstreams": [one if isinstance(one, dict) else {"dial": one} for one in upstreams], **more}


def config(*handlers: t.Any) -> dict[str, t.Any]:
    inner = {"handler": "subroute", "routes": [{"handle": list(handlers)}]}
    return {"apps": {"http": {"servers": {"front": {"listen": [":80"], "routes": [{"handle": [inner]}]}}}}}


def applied(whole: dict[str, t.Any], pool: str, out: dict[str, bool]) -> dict[str, t.Any]:
    server = moved(whole, pool, out)
    whole = copy.deepcopy(whole)
    if server is not None:
        whole["apps"]["http"]["servers"]["front"] = server
    return whole


def test_pools_have_their_id_or_their_path() -> None:
    found = proxies(config(proxy("a:1", **{"@id": "web"}), {"handler": "vars"}, proxy("b:1", "c:1"), proxy("d:1", **{"@id": 7})))
    assert {name: list(one.live) for name, one in found.items()} == {
        "web": ["a:1"],
        "front/routes/0/handle/0/routes/0/handle/2": ["b:1", "c:1"],
        "7": ["d:1"],
    }


def test_what_is_out_is_kept_and_what_comes_back_leaves_no_trace() -> None:
    whole = config(proxy({"dial": "a:1", "@id": "one", "max_requests": 3}, "b:1", {"dial": "c:1", "x": [1]}, **{"@id": "web"}))
    before = copy.deepcopy(whole)
    out = applied(whole, "web", {"a:1": True, "c:1": True})
    assert whole == before
    web = proxies(out)["web"]
    assert (list(web.live), list(web.out), web.order) == (["b:1"], ["a:1", "c:1"], ("a:1", "b:1", "c:1"))
    assert web.out["a:1"] == {"dial": "a:1", "@id": "one", "max_requests": 3}
    assert list(proxies(out)) == ["web"], "what is kept is no pool"
    one_back = applied(out, "web", {"a:1": False})
    assert [*proxies(one_back)["web"].live] == ["a:1", "b:1"]
    assert json.dumps(one_back).count('"one"') == 1, "an @id may be there only once"
    assert applied(one_back, "web", {"c:1": False}) == before
    assert moved(out, "web", {"a:1": True, "b:1": False}) is None


names = st.lists(st.sampled_from([f"10.0.0.{number}:80" for number in range(6)]), unique=True, min_size=1)


@given(names, st.booleans(), st.lists(st.tuples(st.integers(0, 5), st.booleans()), max_size=12))
def test_any_order_out_and_back_restores_everything(dials: list[str], has_id: bool, moves: list[tuple[int, bool]]) -> None:
    first = proxy(*({"dial": dial, "max_requests": place} for place, dial in enumerate(dials)), **({"@id": "web"} if has_id else {}))
    before = whole = config(first, proxy("x:1", **{"@id": "other"}))
    pool = next(iter(proxies(whole)))
    gone: set[str] = set()
    for number, out in moves:
        dial = dials[number % len(dials)]
        (gone.add if out else gone.discard)(dial)
        whole = applied(whole, pool, {dial: out})
        web = proxies(whole)[pool]
        assert set(web.out) == gone and list(web.order) == dials and list(web.live) == [one for one in dials if one not in gone]
    assert applied(whole, pool, dict.fromkeys(gone, False)) == before


def test_what_an_operator_changed_meanwhile_stays() -> None:
    whole = applied(config(proxy("a:1", "b:1", **{"@id": "web"})), "web", {"a:1": True})
    handler = whole["apps"]["http"]["servers"]["front"]["routes"][0]["handle"][0]["routes"][0]["handle"][0]
    handler["upstreams"] = [{"dial": "b:1", "max_requests": 9}, {"dial": "new:1"}]
    back = proxies(applied(whole, "web", {"a:1": False}))["web"]
    assert list(back.live.values()) == [{"dial": "a:1"}, {"dial": "b:1", "max_requests": 9}, {"dial": "new:1"}] and not back.out


@pytest.mark.parametrize(
    ("handler", "why"),
    [
        (proxy("a:1", "a:1"), "same upstream twice"),
        (proxy("a:1", dynamic_upstreams={}), "dynamic_upstreams"),
        (proxy({"no": "dial"}), "not understood"),
        ({"handler": "reverse_proxy", "upstreams": ["a:1"]}, "not understood"),
    ],
)
def test_faults(handler: dict[str, t.Any], why: str) -> None:
    assert why in (next(iter(proxies(config(handler)).values())).fault or "")


def test_kept_members_that_somebody_touched() -> None:
    whole = applied(config(proxy("a:1", "b:1", **{"@id": "web"})), "web", {"a:1": True})
    whole["apps"]["http"]["servers"]["front"]["routes"][-1]["handle"] = []
    assert "put them back by hand" in (proxies(whole)["web"].fault or "")


def test_what_is_no_configuration() -> None:
    for whole in (None, {}, {"apps": []}, {"apps": {"http": {"servers": None}}}):
        with pytest.raises(RollingError, match="no HTTP servers"):
            proxies(whole)
    with pytest.raises(RollingError, match="the \"@id\" 'web'"):
        proxies(config(proxy("a:1", **{"@id": "web"}), proxy("b:1", **{"@id": "web"})))


words = st.sampled_from(["apps", "http", "servers", "routes", "handle", "handler", "upstreams", "dial", "@id", "dynamic_upstreams"])
values = st.none() | st.integers(0, 1) | st.sampled_from(["reverse_proxy", "a:1", "b:1", "web", "convoy.rolling out of web", ""])
# Anything in Caddy's own words; what of it is a proxy is found, and nobody needs to be able to use the rest.
anything = st.recursive(values, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=4), max_leaves=12)
handlers = st.fixed_dictionaries(
    {"handler": st.just("reverse_proxy"), "upstreams": anything}, optional={"@id": anything, "handle": anything}
)
servers = st.fixed_dictionaries({"routes": st.lists(handlers, max_size=3) | anything}, optional={"handle": handlers, "listen": anything})


@given(anything | servers.map(lambda server: {"apps": {"http": {"servers": {"front": server}}}}))
def test_whatever_the_configuration_is_it_is_read_or_refused(whole: t.Any) -> None:
    with contextlib.suppress(RollingError):
        for name, found in proxies(whole).items():
            if found.fault is None:
                assert moved(whole, name, dict.fromkeys([*found.live, *found.out], True)) or not found.live


@pytest.mark.parametrize("upstreams", [5, {"dial": "a:1"}, ["a:1"], [{"dial": ["a:1"]}]], ids=str)
def test_upstreams_of_another_form_are_a_fault_of_their_proxy(upstreams: t.Any) -> None:
    odd = {"handler": "reverse_proxy", "upstreams": upstreams, "@id": "odd"}
    found = proxies(config(odd, proxy("b:1", **{"@id": "web"})))
    assert (found["odd"].fault, list(found["web"].live)) == ("it has upstreams that are not understood", ["b:1"])
