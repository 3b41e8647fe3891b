# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.convoy.rolling.plugins.module_utils.errors import InputError
from ansible_collections.convoy.rolling.plugins.plugin_utils.settings import check_settings

GOOD: dict[str, t.Any] = {
    "rollout_drain_soft": "500ms",
    "rollout_drain_quiet": "300ms",
    "rollout_drain_timeout": "60s",
    "rollout_on_drain_timeout": "fail",
    "rollout_keep": 5,
    "rollout_strip_components": 0,
    "rollout_shared": ["log", "var/uploads"],
    "rollout_artifact_sha256": "",
    "rollout_deploy_tasks": "/srv/deploy.yml",
    "rollout_hooks": {"after_drain": "/srv/hook.yml"},
}


def readable(path: str) -> str:
    return "" if path.startswith("/srv/") else "is not there"


def test_good_settings_pass() -> None:
    check_settings(GOOD, readable)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"rollout_on_drain_timeout": "maybe"}, "rollout_on_drain_timeout: 'maybe' is not among fail, force, continue"),
        ({"rollout_drain_soft": "soon"}, "rollout_drain_soft: 'soon' is no duration"),
        ({"rollout_drain_timeout": "800ms"}, "rollout_drain_timeout: 0.8 s leaves no time"),
        ({"rollout_keep": 0}, "rollout_keep: '0' is not a whole number of 1 or more"),
        ({"rollout_keep": "many"}, "rollout_keep: 'many' is not a whole number"),
        ({"rollout_strip_components": -1}, "rollout_strip_components: '-1' is not a whole number of 0 or more"),
        ({"rollout_shared": "log"}, "rollout_shared: 'log' is no list"),
        ({"rollout_shared": ["../etc"]}, "rollout_shared: '../etc' is not a path in the release"),
        ({"rollout_artifact_sha256": "abc"}, "rollout_artifact_sha256: 'abc' is no SHA-256 digest"),
        ({"rollout_deploy_tasks": "/nowhere.yml"}, "rollout_deploy_tasks: /nowhere.yml is not there"),
        ({"rollout_hooks": ["/srv/hook.yml"]}, "rollout_hooks: "),
        ({"rollout_hooks": {"before_drian": "/srv/hook.yml"}}, "rollout_hooks: before_drian is not understood"),
        ({"rollout_hooks": {"after_drain": "/nowhere.yml"}}, "rollout_hooks.after_drain: /nowhere.yml is not there"),
    ],
)
def test_a_bad_setting_is_one_sentence(wrong: dict[str, t.Any], sentence: str) -> None:
    with pytest.raises(InputError) as refused:
        check_settings({**GOOD, **wrong}, readable)
    assert refused.value.message.startswith(sentence)
    assert refused.value.message.endswith("Nothing was touched.") or "no duration" in sentence


@given(
    st.dictionaries(
        st.sampled_from(sorted(GOOD)), st.none() | st.integers() | st.text() | st.lists(st.text()) | st.dictionaries(st.text(), st.text())
    )
)
def test_junk_is_refused_or_taken_never_a_crash(junk: dict[str, t.Any]) -> None:
    try:
        check_settings({**GOOD, **junk}, readable)
    except InputError as refused:
        assert refused.message.startswith("rollout_")
