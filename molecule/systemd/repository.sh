#!/bin/sh
# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# repository.sh DIRECTORY VERSION...: an apt repository with a package `web` in these versions, of the app and the unit in /usr/local/src.
set -eu
repository=$1
shift

mkdir -p "$repository"
for version; do
    tree=$(mktemp -d)
    deb=web_${version}_all.deb
    install -D -m 644 /usr/local/src/app.py "$tree/opt/web/current/app.py"
    install -D -m 644 /usr/local/src/web.service "$tree/lib/systemd/system/web.service"
    echo "{\"version\": \"$version\"}" >"$tree/opt/web/current/release.json"
    mkdir "$tree/DEBIAN"
    cat >"$tree/DEBIAN/control" <<END
Package: web
Version: $version
Architecture: all
Maintainer: convoy.rolling maintainers <convoy@example.com>
Description: the app of the scenarios
END
    chmod 755 "$tree"
    dpkg-deb --root-owner-group --build "$tree" "$repository/$deb" >/dev/null
    {
        dpkg-deb --field "$repository/$deb"
        echo "Filename: ./$deb"
        echo "Size: $(stat --format %s "$repository/$deb")"
        echo "SHA256: $(sha256sum "$repository/$deb" | cut -d ' ' -f 1)"
        echo
    } >>"$repository/Packages"
    rm -r "$tree"
done
