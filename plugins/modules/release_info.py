#!/usr/bin/python
# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: release_info
short_description: Show the releases of an app on a host
version_added: 0.1.0
author:
  - convoy.rolling maintainers (@convoy-rolling)
description:
  - Reads a deploy root as M(convoy.rolling.release) keeps it, and says which releases are there and which is active.
  - A deploy root that is not there yet has no releases. A link that leads nowhere is reported, and is no failure.
options:
  root:
    description:
      - The deploy root, an absolute path.
    type: path
    required: true
extends_documentation_fragment:
  - convoy.rolling._attributes
  - convoy.rolling._attributes.info_module
  - convoy.rolling._attributes.releases
seealso:
  - module: convoy.rolling.release
"""

EXAMPLES = r"""
- name: Look at the releases
  convoy.rolling.release_info:
    root: /srv/web
  register: web

- name: Show the active version
  ansible.builtin.debug:
    msg: "{{ inventory_hostname }} has {{ web.active }}, and had {{ web.previous }} before"
"""

RETURN = r"""
active:
  description: The version that C(current) leads to, or null if it leads to no release.
  returned: success
  type: str
  sample: 2.4.1
previous:
  description: The version that was active before, or null if there is none.
  returned: success
  type: str
  sample: 2.4.0
releases:
  description: The manifests of the releases that are there, oldest first.
  returned: success
  type: list
  elements: dict
  contains:
    version:
      description: The version.
      type: str
      sample: 2.4.1
    digest:
      description: The SHA-256 digest of the archive. For a directory it is made from the names and contents in it.
      type: str
      sample: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
    when:
      description: When it was staged, in UTC.
      type: str
      sample: "2026-11-21T09:41:07.123Z"
    by:
      description: Who brought it, or null.
      type: str
      sample: alice
    cause:
      description: Why, or null.
      type: str
      sample: CHG-1234
    source:
      description: The path or URL it came from, a URL without its query.
      type: str
      sample: https://artifacts.example.com/web/web-2.4.1.tar.gz
    path:
      description: Its directory.
      type: str
      sample: /srv/web/releases/2.4.1
broken:
  description: What is not as it should be.
  returned: success
  type: list
  elements: dict
  contains:
    path:
      description: The link, directory or manifest.
      type: str
      sample: /srv/web/current
    problem:
      description: What is wrong with it.
      type: str
      sample: points to releases/2.4.2, which is not there
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.convoy.rolling.plugins.module_utils.releases import ReleaseError, observe


def main() -> None:
    module = AnsibleModule(argument_spec={"root": {"type": "path", "required": True}}, supports_check_mode=True)
    try:
        module.exit_json(changed=False, **observe(module.params["root"]))
    except ReleaseError as error:
        module.fail_json(msg=error.message, **error.result)


if __name__ == "__main__":
    main()
