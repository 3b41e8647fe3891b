#!/usr/bin/python
# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: release
short_description: Stage, activate or remove a release of an app on a host
version_added: 0.1.0
author:
  - convoy.rolling maintainers (@convoy-rolling)
description:
  - Keeps the releases of one app below a deploy root. Each is in C(releases/<version>/), and the link C(current) leads to
    the active one.
  - A release is checked and unpacked in a temporary directory and then renamed into place. So it is there whole or not at all,
    whatever fails meanwhile. The link is replaced in one step, so it is never missing.
  - Beside each release is its manifest, C(releases/.<version>.json), which says what it is, since when, by whom and why.
  - The link C(previous) leads to the release that was active before. Neither it nor the active release is ever pruned.
  - It restarts nothing. A process that runs goes on with the release it was started from.
options:
  root:
    description:
      - The deploy root, an absolute path. It is made if it is not there.
    type: path
    required: true
  version:
    description:
      - The version, which is also the name of the release's directory. It has at most 128 letters, digits and C(. _ + -), and starts
        with a letter or a digit.
      - A name that moves, which is V(latest), V(stable), V(main), V(master) or V(HEAD), is refused.
    type: str
    required: true
  state:
    description:
      - V(present) means that the release is staged, beside what runs.
      - V(active) means that it is staged and that C(current) leads to it. Without O(src) it must be staged already, in check mode too.
      - V(absent) means that it is gone. The active release cannot be removed.
    type: str
    choices: [present, active, absent]
    default: present
  src:
    description:
      - Where the release comes from. It is an absolute path on the host, or an C(http), C(https) or C(file) URL that the host fetches.
        To bring a file from the controller, use M(ansible.builtin.copy) first, as the example shows.
      - It is a directory, or an archive of the kind tar, tar.gz, tar.bz2, tar.xz, tar.zst or zip. The kind is found from the content.
      - tar.zst needs Python 3.14, a Python package that reads zstd, or the program C(zstd) on the host.
      - Every file, directory and link must stay inside the release. An absolute link is refused, in a directory too.
      - Files belong to the user that the module runs as, and keep their time of change. Group and others get no right to write.
      - A URL cannot hold a user name or a password. Its query is not written to the manifest.
      - It is not read when the version is there already.
    type: str
  sha256:
    description:
      - The SHA-256 digest of the archive, 64 hex digits. C(sha256:) may precede them. It is checked before anything is unpacked.
      - When the version is there already with another digest, that is an error. Without O(sha256) it is taken as it is.
      - A directory has no such digest.
    type: str
  strip_components:
    description:
      - How many leading directories to drop from each name in O(src). What is not below them is left out.
    type: int
    default: 0
  shared:
    description:
      - Paths in the release that become links to the same path below C(shared/) of the deploy root, for what outlives a release.
      - What the release brings there is dropped. A path that is missing below C(shared/) is made a directory, so put files there first.
      - It has effect when the release is staged.
    type: list
    elements: str
    default: []
  keep:
    description:
      - How many releases to keep. Beyond it the oldest are removed, except for the active, the previous and this one.
      - It has no effect with O(state=absent).
    type: int
    default: 5
  by:
    description:
      - Who brings the release, for the manifest.
    type: str
  cause:
    description:
      - Why, for the manifest.
    type: str
extends_documentation_fragment:
  - convoy.rolling._attributes
  - convoy.rolling._attributes.releases
attributes:
  check_mode:
    support: full
    details:
      - O(src) is neither fetched nor opened.
  diff_mode:
    support: full
    details:
      - Shows the active release and the list of releases.
  idempotent:
    support: full
seealso:
  - module: convoy.rolling.release_info
"""

EXAMPLES = r"""
- name: Copy the artifact to the host
  ansible.builtin.copy:
    src: "{{ rollout_artifact }}"
    dest: "/var/tmp/web-{{ rollout_version }}.tar.gz"
    mode: "0600"

- name: Stage the release beside the one that runs
  convoy.rolling.release:
    root: /srv/web
    version: "{{ rollout_version }}"
    src: "/var/tmp/web-{{ rollout_version }}.tar.gz"
    sha256: "{{ rollout_artifact_sha256 }}"
    shared:
      - log
      - var/uploads

- name: Switch to it
  convoy.rolling.release:
    root: /srv/web
    version: "{{ rollout_version }}"
    state: active
  notify: Restart web

- name: Stage and switch in one step, fetched by the host
  convoy.rolling.release:
    root: /srv/web
    version: 2.4.1
    src: https://artifacts.example.com/web/web-2.4.1.tar.gz
    sha256: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
    strip_components: 1
    keep: 3
    state: active
    by: alice
    cause: CHG-1234

- name: Remove a release
  convoy.rolling.release:
    root: /srv/web
    version: 2.3.0
    state: absent
"""

RETURN = r"""
version:
  description: The version that was asked for.
  returned: success
  type: str
  sample: 2.4.1
path:
  description: The directory of the release.
  returned: success
  type: str
  sample: /srv/web/releases/2.4.1
active:
  description: The active version, or null if there is none.
  returned: success
  type: str
  sample: 2.4.0
previous:
  description: The version that was active before, or null if there is none.
  returned: success
  type: str
  sample: 2.3.9
digest:
  description:
    - The SHA-256 digest of the archive. For a directory it is made from the names and contents in it.
    - Null if it is not known, which is so with O(state=absent), and in check mode before the release is there if O(sha256) was not given.
  returned: success
  type: str
  sample: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
pruned:
  description: The versions that were removed because of O(keep), oldest first.
  returned: success
  type: list
  elements: str
  sample: ["2.3.0"]
diff:
  description: What changed, or in check mode would change.
  returned: success
  type: dict
  contains:
    before:
      description: The state before.
      type: dict
      contains:
        active:
          description: The active version.
          type: str
          sample: 2.4.0
        releases:
          description: The versions that are there, oldest first.
          type: list
          elements: str
          sample: ["2.3.0", "2.3.9", "2.4.0"]
    after:
      description: The state after, of the same form.
      type: dict
      sample: {"active": "2.4.0", "releases": ["2.3.9", "2.4.0", "2.4.1"]}
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.convoy.rolling.plugins.module_utils.artifacts import run
from ansible_collections.convoy.rolling.plugins.module_utils.releases import ReleaseError


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "root": {"type": "path", "required": True},
            "version": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["present", "active", "absent"], "default": "present"},
            "src": {"type": "str"},
            "sha256": {"type": "str"},
            "strip_components": {"type": "int", "default": 0},
            "shared": {"type": "list", "elements": "str", "default": []},
            "keep": {"type": "int", "default": 5},
            "by": {"type": "str"},
            "cause": {"type": "str"},
        },
        supports_check_mode=True,
    )
    try:
        module.exit_json(**run(check_mode=module.check_mode, run_command=module.run_command, **module.params))
    except ReleaseError as error:
        module.fail_json(msg=error.message, **error.result)


if __name__ == "__main__":
    main()
