# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sphinx's settings for the site that build.sh puts together; begun from what antsibull-docs sphinx-init writes."""

project = "convoy.rolling"
copyright = "convoy.rolling maintainers"
title = html_short_title = "convoy.rolling"
root_doc = "index"

extensions = ["sphinx_antsibull_ext", "myst_parser"]
exclude_patterns = ["_*"]
myst_heading_anchors = 3  # pages link to each other's headings as on GitHub
pygments_style = "ansible"
highlight_language = "YAML+Jinja"
highlight_options = {"sh": {"stripall": False}}
default_role = "any"

html_theme = "sphinx_ansible_theme"
html_show_sphinx = False
html_theme_options = {
    "display_version": False,
    "documentation_home_url": "https://github.com/convoy-rolling/convoy.rolling",
    "topbar_links": {},
    "vcs_pageview_mode": "edit",
}
html_use_smartypants = True
nitpicky = False  # links into Ansible's own documentation would need the network
# The reference of a collection links to guides that only Ansible's own site has.
suppress_warnings = ["ref.ref", "ref.envvar"]
