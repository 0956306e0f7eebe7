#!/usr/bin/env bash
# Shows that `npm start` and `npm test` do all their own set-up on a fresh machine: makes a Debian 12 root that
# holds git, sudo and this machine's Node, clones this repository into it, and runs them there, twice each.
#
#   scripts/fresh-machine.sh [--user] [--keep] [--npm VERSION] [COMMAND ...]      (root only)
#
# --user         as an ordinary user who may use sudo without a password, not as root
# --keep         leave the root folder there, to look at; its path is printed
# --npm VERSION  with that npm instead of this machine's
# COMMAND ...    instead of "npm start" and "npm test", each an argument
#
# What is committed is what is cloned. The folder `shared` beside the clone goes along when it is there.
# Package sources, npm's settings and name resolution are this machine's, lent to the root while it runs.
set -euo pipefail

user=root keep=no npm_version=
while [ $# -gt 0 ]; do
  case $1 in
    --user) user=tester ;;
    --keep) keep=yes ;;
    --npm) npm_version=$2; shift ;;
    --help) sed -n '2,/^set -/{/^set -/d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;;
    --*) echo "fresh-machine: unknown option $1" >&2; exit 2 ;;
    *) break ;;
  esac
  shift
done
[ $# -gt 0 ] || set -- 'npm start' 'npm test'
[ "$(id -u)" = 0 ] || { echo 'fresh-machine: needs root, to make a root folder and enter it' >&2; exit 1; }
command -v mmdebstrap >/dev/null || { echo 'fresh-machine: needs mmdebstrap: apt-get install mmdebstrap' >&2; exit 1; }

# The mounts live in a namespace of their own: they are gone with it, however this ends.
if [ "${FRESH_MACHINE_NAMESPACE:-}" != yes ]; then
  export FRESH_MACHINE_NAMESPACE=yes
  options=(); [ $user = root ] || options+=(--user); [ $keep = no ] || options+=(--keep)
  [ -z "$npm_version" ] || options+=(--npm "$npm_version")
  exec unshare --mount --pid --fork --kill-child -- "$0" ${options[@]+"${options[@]}"} "$@"
fi
unset FRESH_MACHINE_NAMESPACE
mount --make-rprivate /

project=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/fresh-machine.XXXXXX")
root=$work/root
mounted=()
clean_up() {
  for ((i = ${#mounted[@]} - 1; i >= 0; i--)); do umount --lazy "${mounted[i]}" || true; done
  # Never delete through a mount that is still there.
  if grep -qF " $work/" /proc/self/mounts; then echo "fresh-machine: still mounted below $work; left alone" >&2; return; fi
  if [ $keep = yes ]; then echo "fresh-machine: kept $root"; else rm -rf --one-file-system "$work"; fi
}
trap clean_up EXIT
say() { printf '\n=== fresh-machine: %s\n' "$*"; }
lend() { # lend FROM TO: this machine's file or folder, read-only, for the time of the run
  if [ -d "$1" ]; then mkdir -p "$root$2"; else mkdir -p "$root$(dirname "$2")"; [ -e "$root$2" ] || : >"$root$2"; fi
  mount --bind "$1" "$root$2"
  mount -o remount,bind,ro "$root$2"
  mounted+=("$root$2")
}

say "making a Debian 12 root with git, sudo and nothing else"
mmdebstrap --quiet --variant=minbase --include=ca-certificates,git,sudo bookworm "$root"
# Programs that make a mount namespace of their own want / to be a mount.
mount --bind "$root" "$root" && mounted+=("$root")

# Node as it is on this machine: the program, the libraries it wants that a minimal Debian lacks, and npm.
node=$(readlink -f "$(command -v node)")
npm=$(dirname "$(dirname "$(readlink -f "$(command -v npm)")")")
install -D "$node" "$root/usr/local/bin/node"
if [ -n "$npm_version" ]; then
  (cd "$work" && npm pack --silent "npm@$npm_version" >/dev/null && tar -xzf npm-*.tgz)
  npm=$work/package
fi
mkdir -p "$root/usr/local/lib/node_modules"
cp -a "$npm" "$root/usr/local/lib/node_modules/npm"
for program in npm npx; do ln -s "../lib/node_modules/npm/bin/$program-cli.js" "$root/usr/local/bin/$program"; done
chroot "$root" node --version >/dev/null

if [ $user != root ]; then
  chroot "$root" useradd --create-home --shell /bin/bash "$user"
  echo "$user ALL=(ALL) NOPASSWD: ALL" >"$root/etc/sudoers.d/$user"
fi
home=$(chroot "$root" sh -c "eval echo ~$user")

for file in /etc/resolv.conf /etc/hosts; do [ -e "$file" ] && lend "$(readlink -f "$file")" "$file"; done
lend /etc/apt /etc/apt
for keys in /usr/share/keyrings /etc/ssl/certs /usr/local/share/ca-certificates; do [ -d "$keys" ] && lend "$keys" "$keys"; done
for settings in "$(npm config get globalconfig 2>/dev/null)" "$(npm config get userconfig 2>/dev/null)"; do
  [ -f "$settings" ] || continue
  case $settings in
    "$HOME"/*) install -m 600 -o "$(stat -c %u "$root$home")" "$settings" "$root$home/.npmrc" ;;
    *) lend "$settings" /usr/local/etc/npmrc ;;
  esac
done

mount -t proc proc "$root/proc" && mounted+=("$root/proc")
mount --rbind /sys "$root/sys" && mount --make-rslave "$root/sys" && mounted+=("$root/sys")
mount --rbind /dev "$root/dev" && mount --make-rslave "$root/dev" && mounted+=("$root/dev")
mount -t tmpfs -o mode=1777 tmpfs "$root/run" && mounted+=("$root/run")

git clone --quiet "$project" "$root$home/project"
[ ! -d "$project/../shared" ] || lend "$(cd "$project/../shared" && pwd)" "$home/shared"
[ $user = root ] || chroot "$root" chown -R "$user:" "$home/project"

# Only what npm and apt need of this machine's environment goes in.
environment=(HOME="$home" PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 CI=true)
while IFS='=' read -r name value; do
  case $name in npm_config_* | *_proxy | *_PROXY | NODE_EXTRA_CA_CERTS) environment+=("$name=$value") ;; esac
done < <(env)
inside() { # inside COMMAND, as the user, in the clone
  chroot --userspec="$user:$user" "$root" env -i "${environment[@]}" USER="$user" sh -c "cd '$home/project' && $1" </dev/null
}

failed=0
for round in first second; do
  for command in "$@"; do
    say "$user: $command ($round time)"
    start=$SECONDS status=0
    inside "$command" || status=$?
    say "$user: $command ($round time): exit status $status after $((SECONDS - start)) s"
    [ $status = 0 ] || failed=1
  done
done
exit $failed
