#!/usr/bin/env bash
# Which system packages does Understudy stand on, and are they here?
#
#   bash scripts/setup.sh lab     what the lab needs
#   bash scripts/setup.sh test    that, and what only the tests need
#
# On a machine that has everything it looks, needs no root, and changes nothing. Otherwise it installs
# what is missing with apt-get, as root or through sudo (Debian 12 and 13, Ubuntu 24.04), and leaves no
# stray daemon behind: no default PostgreSQL cluster is created, and no unit of a package that it
# installed is started or left enabled. What runs is what you start, and you can see it.
set -euo pipefail

mode=${1:-lab}
case $mode in lab | test) ;; *)
  echo "usage: setup.sh lab|test" >&2
  exit 2
  ;;
esac

# An ordinary user's PATH often lacks the folders where administration programs live.
PATH=$PATH:/usr/sbin:/sbin
export LC_ALL=C

no_default_cluster=/etc/postgresql-common/createcluster.d/zz-understudy-setup.conf
start_policy=/usr/sbin/policy-rc.d
undo=()

main() {
  # Needs no root, and must not leave root's files in a user's folder.
  if [ "$mode" = test ]; then bash "${BASH_SOURCE[0]%/*}/vip-manager.sh"; fi
  local missing
  missing=$(missing_packages)
  [ -z "$missing" ] && return 0
  say "missing: $(one_line "$missing")"
  become_root
  require_apt
  install_quietly "$missing"
  missing=$(missing_packages)
  [ -z "$missing" ] || fail "these were installed, yet their programs are not found: $(one_line "$missing")" \
    "Look at the output of apt-get above."
  say "done"
}

# One line for each thing needed: the package that brings it, and how to see that it is there.
missing_packages() {
  any_file '/usr/lib/postgresql/*/bin/postgres' || on_path postgres || echo postgresql
  on_path etcd || echo etcd-server
  on_path etcdctl || echo etcd-client
  on_path ip || echo iproute2
  on_path pgbouncer || echo pgbouncer
  on_path haproxy || echo haproxy
  # Packs what goes into a repository.
  on_path zstd || echo zstd
  if [ "$mode" = test ]; then
    # Walls between hosts that are network namespaces; a lab on loopback has none.
    on_path iptables || echo iptables
    # Announces a virtual address, and asks whether anybody has it.
    on_path arping || echo iputils-arping
    # Only for promtool, which checks the alert rules: the daemon stays disabled.
    on_path promtool || echo prometheus
    # Opens what we have encrypted: nobody shall need us to read a backup.
    on_path age || echo age
    # Patroni's own tools are pointed at our clusters, and its clusters are taken over.
    on_path patronictl || echo patroni
    any_file '/usr/lib/python3/dist-packages/etcd/__init__.py' || echo python3-etcd
  fi
}

on_path() { command -v "$1" >/dev/null 2>&1; }
any_file() { compgen -G "$1" >/dev/null; }
one_line() { echo "$1" | tr '\n' ' ' | sed 's/ *$//'; }
say() { echo "setup: $*"; }

# What went wrong, and what to run instead.
fail() {
  echo "setup: $1" >&2
  shift
  printf 'setup: %s\n' "$@" >&2
  exit 1
}

become_root() {
  [ "$(id -u)" -eq 0 ] && return
  local again="sudo bash scripts/setup.sh $mode"
  on_path sudo || fail "this needs root, and there is no sudo here." \
    "As root, run: bash scripts/setup.sh $mode   Then come back as yourself."
  # Without a terminal nobody can type a password, so sudo must not wait for one.
  if [ ! -t 0 ] && ! sudo -n true 2>/dev/null; then
    fail "this needs root, and sudo asks for a password, but nobody is at a terminal." "Run: $again"
  fi
  say "asking sudo for root"
  exec sudo -- bash "$0" "$mode"
}

require_apt() {
  on_path apt-get || fail "there is no apt-get here, so I cannot install anything." \
    "Install PostgreSQL 14 or newer, etcd 3.4 or newer (etcd and etcdctl), PgBouncer 1.18 or newer," \
    "HAProxy 2.4 or newer and iproute2 your system's way," \
    "then run the same command again: it only looks for the programs."
  local ID="" VERSION_ID=""
  # shellcheck disable=SC1091
  [ -r /etc/os-release ] && . /etc/os-release
  case "$ID $VERSION_ID" in
    "debian 12" | "debian 13" | "ubuntu 24.04") ;;
    *) say "this is ${ID:-an unknown system} ${VERSION_ID:-}; tried are Debian 12 and 13 and Ubuntu 24.04" ;;
  esac
}

install_quietly() {
  local before after
  trap put_back EXIT
  forbid_default_cluster "$1"
  forbid_starting
  before=$(installed_packages)
  # shellcheck disable=SC2086 # a list of names, one word each
  apt install $1 || { say "asking for newer package lists" && apt update && apt install $1; } ||
    fail "apt-get could not install: $(one_line "$1")" \
      "Its own words are above. On Ubuntu all of them need the 'universe' archive:" \
      "sudo add-apt-repository universe"
  after=$(installed_packages)
  comm -13 <(echo "$before") <(echo "$after") | disable_units
  put_back
  trap - EXIT
}

apt() {
  say "apt-get $*"
  # needrestart would otherwise ask questions, or restart services that are not ours.
  DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=l NEEDRESTART_SUSPEND=1 \
    apt-get -q -y -o DPkg::Lock::Timeout=300 --no-install-recommends "$@" </dev/null
}

installed_packages() {
  dpkg-query -W -f='${db:Status-Status} ${Package}\n' | sed -n 's/^installed //p' | sort -u
}

# A fresh server package makes and starts a cluster called main, unless it finds this.
forbid_default_cluster() {
  grep -qx postgresql <<<"$1" || return 0
  remember "rm -f $no_default_cluster"
  mkdir -p "${no_default_cluster%/*}"
  echo "create_main_cluster = false" >"$no_default_cluster"
}

# The packages ask this program whether their daemons may start. One that is there already decides.
forbid_starting() {
  [ -e "$start_policy" ] && return
  remember "rm -f $start_policy"
  printf '#!/bin/sh\n# Put here by scripts/setup.sh of Understudy while it installs packages.\nexit 101\n' \
    >"$start_policy"
  chmod 755 "$start_policy"
}

remember() { undo+=("$1"); }

put_back() {
  local step
  for step in "${undo[@]}"; do $step; done
  undo=()
}

# Reads names of packages that were not here before, and takes their units out of the boot.
disable_units() {
  local package unit
  while read -r package; do
    # What belongs to every system (init itself, procps) may have come along, and stays as it wants.
    case $(dpkg-query -W -f='${Priority} ${Package}\n' "$package") in
      required* | important* | standard* | *" dbus"* | *" systemd"*) continue ;;
    esac
    while read -r unit; do disable_unit "$unit" "$package"; done < <(
      dpkg-query -L "$package" |
        sed -nE 's#^(/usr)?/lib/systemd/system/([^/]+\.(service|socket|timer|path))$#\2#p; s#^/etc/init\.d/([^/]+)$#\1#p' |
        sort -u
    )
  done
}

disable_unit() {
  local unit=$1 package=$2
  case $unit in
    *@.*) return ;; # a template has no life of its own
    *.*)
      if [ -d /run/systemd/system ]; then systemctl --quiet stop "$unit" || true; fi
      # Debian's own bookkeeping, so that a later upgrade does not enable it again; it wants to know
      # for which package it speaks.
      DPKG_MAINTSCRIPT_PACKAGE=$package deb-systemd-helper --quiet disable "$unit" || true
      ;;
    *) update-rc.d "$unit" disable >/dev/null 2>&1 || true ;;
  esac
  say "left disabled: $unit"
}

main
