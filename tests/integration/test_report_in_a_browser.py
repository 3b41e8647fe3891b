# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report in a real browser: it opens quickly, shows what it says, and fetches nothing. REPORT_SCREENSHOTS=DIR keeps pictures of it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from unit.plugins.plugin_utils.fleets import names
from unit.plugins.plugin_utils.pictures import big_picture

from ansible_collections.convoy.rolling.plugins.plugin_utils.history import Picture
from ansible_collections.convoy.rolling.plugins.plugin_utils.report import report_html

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [pytest.mark.exhaustive, pytest.mark.skipif(not CHROMIUM, reason="no Chromium here (Debian: apt install chromium)")]

_SWITCHES = (
    "headless no-sandbox disable-gpu disable-quic no-first-run disable-background-networking disable-component-update disable-sync "
    "hide-scrollbars allow-file-access-from-files"
)
QUIET = [f"--{switch}" for switch in _SWITCHES.split()]
DARK = "--blink-settings=preferredColorScheme=0"
HOSTILE = """</title></style><script>document.title='owned'</script><img src=x onerror="document.title='owned'">"""

FAILED = big_picture(1000, failed=names(1000)[230:290], why='health check: status 503; it answered \'{"status": "no database"}\'')
PICTURES = {
    "converged": big_picture(6),
    "halted": big_picture(30, failed=["web7", "web8"], why="task 'Warm up' failed: exit status 1"),
    "thousand": big_picture(1000),
    "thousand-halted": FAILED,
}

# A page around it that measures: the load event comes when everything is there, and the height when it is laid out.
FRAME = """<!DOCTYPE html><title>waiting</title>
<script>const begun = performance.now()</script>
<body><iframe style="width:1100px;height:900px" src="report.html" onload="
  const page = this.contentDocument, wide = page.documentElement.scrollWidth, tall = page.documentElement.scrollHeight;
  document.body.dataset.seen = JSON.stringify({ms: performance.now() - begun, wide, tall, title: page.title,
    fetched: this.contentWindow.performance.getEntriesByType('resource').length, charts: page.querySelectorAll('svg').length,
    open: page.querySelectorAll('details.batch[open]').length, shown: page.body.innerText.length});"></iframe>"""


def chromium(home: Path, *arguments: str) -> str:
    words = [str(CHROMIUM), *QUIET, f"--user-data-dir={home}/chromium", *arguments]
    return subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, timeout=180, check=True).stdout


def seen(directory: Path, picture: Picture) -> dict[str, float | str]:
    """What a browser makes of a report."""
    (directory / "report.html").write_text(report_html(picture, 2e9))
    (directory / "frame.html").write_text(FRAME)
    found = re.search(r'data-seen="([^"]*)"', chromium(directory, "--dump-dom", f"file://{directory}/frame.html"))
    assert found, "the page was never loaded"
    pairs = re.findall(r"&quot;(\w+)&quot;:(?:&quot;(.*?)&quot;|([\d.]+))", found[1])
    return {name: text or float(number) for name, text, number in pairs}


def test_thousand_hosts_open_within_a_second(tmp_path: Path) -> None:
    best = min(float(seen(tmp_path, FAILED)["ms"]) for _try in range(3))
    print(f"{best:.0f} ms")
    assert best < 1000


def test_it_shows_everything_and_fetches_nothing(tmp_path: Path) -> None:
    page = seen(tmp_path, PICTURES["halted"])
    assert (page["charts"], page["fetched"], page["wide"]) == (3, 0, 1100)
    assert float(page["shown"]) > 1000 and float(page["open"]) >= 3
    assert page["title"] == "web to 2.0: halted"


def test_names_of_hosts_run_nothing(tmp_path: Path) -> None:
    page = seen(tmp_path, big_picture(10, failed=["web1"], why=HOSTILE, rename=lambda host: host + HOSTILE))
    assert page["title"] == "web to 2.0: halted"


@pytest.mark.parametrize("name", PICTURES)
def test_pictures_of_it(name: str, tmp_path: Path) -> None:
    directory = Path(os.environ.get("REPORT_SCREENSHOTS") or tmp_path).absolute()
    directory.mkdir(parents=True, exist_ok=True)
    (tmp_path / "report.html").write_text(report_html(PICTURES[name], 2e9))
    taken = []
    for look, arguments in (
        ("light", ["--window-size=1100,1800"]),
        ("dark", [DARK, "--window-size=1100,1800"]),
        ("phone", ["--window-size=500,2200"]),
    ):
        path = directory / f"{name}-{look}.png"
        chromium(tmp_path, *arguments, f"--screenshot={path}", f"file://{tmp_path}/report.html")
        taken.append(path.read_bytes())
    assert all(picture.startswith(b"\x89PNG") for picture in taken)
    assert taken[0] != taken[1], "dark is not light"
