#!/usr/bin/env bash
# Is there a vip-manager of version 2 or newer for the tests? Older ones read only etcd's v2 API.
#
# Debian 13 has the package vip-manager2; what is installed is used as it is. On Debian 12 that package is
# fetched from the very archive that apt uses already, and only unpacked, into .cache/vip-manager: nothing is
# installed, and no unit or daemon comes with it. Without an archive the tests skip vip-manager and count it.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
place=$root/.cache/vip-manager
release=trixie

main() {
  [ -x "$place/usr/bin/vip-manager" ] && return 0
  is_new_enough && return 0
  command -v apt-get dpkg-deb >/dev/null || give_up "there is no apt-get or dpkg-deb"
  local site
  site=$(archive)
  [ -n "$site" ] || give_up "apt knows no Debian archive"
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  unpack "$site" "$work" >"$work/log" 2>&1 || give_up "the package could not be fetched: $(tail -n 1 "$work/log")"
  echo "setup: unpacked vip-manager $("$place/usr/bin/vip-manager" --version 2>/dev/null | head -n 1) for the tests"
}

is_new_enough() {
  command -v vip-manager >/dev/null && vip-manager --version 2>/dev/null | grep -qE '\b([2-9]|[1-9][0-9])\.[0-9]+\.'
}

# The first archive of Debian's main section among apt's own sources.
archive() {
  apt-get indextargets --format '$(ORIGIN) $(COMPONENT) $(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
    sed -n 's/^Debian main //p' | grep -v security | head -n 1
}

unpack() {
  local site=$1 work=$2
  mkdir -p "$work/lists/partial" "$work/archives/partial" "$work/parts"
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $site $release main" >"$work/list"
  own_apt() {
    apt-get -q -o Dir::Etc::SourceList="$work/list" -o Dir::Etc::SourceParts="$work/parts" \
      -o Dir::State::Lists="$work/lists" -o Dir::Cache="$work" -o APT::Sandbox::User="" "$@" </dev/null
  }
  own_apt update
  (cd "$work" && own_apt download vip-manager2)
  rm -rf "$place"
  mkdir -p "$place"
  dpkg-deb -x "$work"/vip-manager2_*.deb "$place"
}

give_up() {
  echo "setup: no vip-manager of version 2 or newer: $1. Its test will be skipped." >&2
  exit 0
}

main
