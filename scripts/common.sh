# shellcheck shell=bash
# What ./quickstart, ./verify and ./bench share: finding the tools, and building each part once.
# Sourced by them; expects `set -euo pipefail`.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
work=$root/.berth
started_at=$(date +%s)

say() { printf '[%4ds] %s\n' "$(($(date +%s) - started_at))" "$*" >&2; }
fail() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# Debian packages named in the given lists, one a line; `#` begins a comment. Installs what is missing.
install_packages() {
  local wanted=() missing=() package
  mapfile -t wanted < <(cat "$@" | sed 's/#.*//' | tr -s ' \t' '\n' | sed '/^$/d' | sort -u)
  for package in "${wanted[@]}"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return
  [ "$(id -u)" = 0 ] || fail "these Debian packages are missing: ${missing[*]}; install them, or run this as root"
  say "installing system packages: ${missing[*]}"
  mkdir -p "$work/logs"
  # A package source that Berth does not need may be out of reach; what counts is whether the packages can be installed.
  apt-get update >"$work/logs/apt.log" 2>&1 || true
  DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}" >>"$work/logs/apt.log" 2>&1 ||
    fail "apt-get could not install: ${missing[*]}; see .berth/logs/apt.log"
}

# Sets JAVA_HOME to a JDK 25 or later.
find_jdk() {
  local candidate version
  for candidate in "${JAVA_HOME:-}" /usr/lib/jvm/*25* /usr/lib/jvm/* /opt/*jdk*25*; do
    [ -x "$candidate/bin/javac" ] || continue
    version=$("$candidate/bin/javac" -version 2>&1 | sed -n 's/^javac \([0-9]*\).*/\1/p')
    if [ "${version:-0}" -ge 25 ]; then
      export JAVA_HOME=$candidate
      return
    fi
  done
  fail "no JDK 25 or later found: install one (for example Eclipse Temurin 25) under /usr/lib/jvm, or set JAVA_HOME to it"
}

find_go() {
  local version
  command -v go >/dev/null || export PATH=$PATH:/usr/local/go/bin
  command -v go >/dev/null || fail "Go 1.26 or later not found: install it under /usr/local/go, or put it on the PATH"
  version=$(go env GOVERSION | sed 's/^go\([0-9]*\)\.\([0-9]*\).*/\1 \2/')
  read -r major minor <<<"$version"
  if [ "$major" -lt 1 ] || { [ "$major" = 1 ] && [ "$minor" -lt 26 ]; }; then
    fail "Go 1.26 or later is needed, but $(command -v go) is $(go env GOVERSION)"
  fi
}

# The file with the output of the step with the given name.
step_log() { printf '%s/logs/%s.log' "$work" "$(tr -c 'a-z0-9\n' - <<<"${1,,}")"; }

# Runs a long step with its output in a log, telling what it is and how long it took; shows the log's end when it fails.
step() {
  local name=$1 log
  shift
  log=$(step_log "$name")
  mkdir -p "$work/logs"
  say "$name"
  # In the background, because errexit means nothing inside the condition of an if.
  local began=$SECONDS
  "$@" >"$log" 2>&1 &
  if ! wait $!; then
    tail -n 40 "$log" >&2
    fail "$name failed; the whole output is in ${log#"$root"/}"
  fi
  [ $((SECONDS - began)) -lt 5 ] || say "  done in $((SECONDS - began)) s"
}

maven() { (cd "$root" && mvn -B -ntp "$@"); }

build_tether() { "$root/tether/build" "$work/bin/tether"; }

build_boot() {
  "$root/iso-builder/build" --tether "$work/bin/tether" --output "$work/boot" --cache "$work/cache" --kernel "${1:-auto}"
}

# The berth command and its launcher.
build_berth() {
  maven -DskipTests package
  write_launcher
}

# The launcher runs what Maven makes in the modules' target folders. Classes alone would grow the metaspace over its first
# limit, which costs two full collections at every start.
write_launcher() {
  local launcher=$work/bin/berth
  cat >"$launcher.new" <<LAUNCHER
#!/bin/sh
exec "$JAVA_HOME/bin/java" -XX:+UseSerialGC -Xmn96m -XX:MetaspaceSize=96m -XX:+UseCompactObjectHeaders \\
  --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow \\
  -cp "$root/cli/target/classes:$root/cli/target/lib/*" dev.berth.cli.Main "\$@"
LAUNCHER
  chmod 755 "$launcher.new"
  mv "$launcher.new" "$launcher"
}

build_control_plane() { "$root/e2e/control-plane/build" --output "$work/bin" "$@"; }

# The vCenter lab, and govc for it.
build_vsphere_lab() { "$root/e2e/vsphere-lab/build" --output "$work/bin"; }

build_images() { "$root/e2e/images/build" --output "$work/images"; }

# Everything that a running Berth needs; each part is built only when its sources changed.
build_all() {
  build_all_but_java
  step "building the berth command" build_berth
}

build_all_but_java() {
  mkdir -p "$work/bin" "$work/logs" "$work/cache"
  step "building the tether" build_tether
  step "building the boot artifact" build_boot auto
  step "building the Kubernetes control plane (5 minutes the first time)" build_control_plane
  step "making images from Debian packages" build_images
}
