# shellcheck shell=bash
# What build and build-kernel share. Sourced, never run.

fail() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

say() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
}

# need TOOL… : every tool is there, or the error names the missing ones and where their packages are listed.
need() {
  local tool missing=()
  for tool in "$@"; do
    command -v "$tool" >/dev/null || missing+=("$tool")
  done
  ((${#missing[@]} == 0)) || fail "missing: ${missing[*]}. Install the packages listed in iso-builder/${packages_list:?}"
}

# default_cache : the cache folder when none is given, .berth/cache under the repository.
default_cache() {
  printf '%s/.berth/cache' "$(cd "${builder:?}/.." && pwd)"
}

# package_version NAME : the version apt would download, empty when apt knows none.
package_version() {
  apt-cache show --no-all-versions "$1" 2>/dev/null | sed -n 's/^Version: //p' | head -n 1
}

# cached_package NAME CACHE : prints the path of the package's file, downloading it first when needed (apt checks it
# against the signed package lists). Without package lists or network, the newest one in the cache serves.
cached_package() {
  local name=$1 folder=$2/packages version file
  version=$(package_version "$name")
  mkdir -p "$folder"
  # A version's ':' is %3a in the name of a package's file.
  file=$(find "$folder" -maxdepth 1 -name "${name}_${version//:/%3a}_*.deb" | head -n 1)
  if [[ -z $version || -z $file ]] && [[ -n $version ]]; then
    say "downloading $name $version"
    local partial
    partial=$(mktemp -d "$folder/.download.XXXXXX")
    if (cd "$partial" && apt-get -qq -o APT::Sandbox::User=root download "$name=$version" >&2); then
      mv "$partial"/*.deb "$folder/"
    fi
    rm -rf "$partial"
    file=$(find "$folder" -maxdepth 1 -name "${name}_${version//:/%3a}_*.deb" | head -n 1)
  fi
  if [[ -z $version || -z $file ]]; then
    file=$(find "$folder" -maxdepth 1 -name "${name}_*.deb" | sort -V | tail -n 1)
    [[ -n $file ]] && say "using the cached ${file##*/}: apt offers nothing newer that can be downloaded"
  fi
  [[ -n $file ]] || fail "package $name cannot be downloaded and is not in $folder: run 'apt-get update' and try again"
  printf '%s' "$file"
}

# config_hash : names the trimmed kernel's configuration in the cache.
config_hash() {
  sha256sum "${builder:?}/kernel.config" | cut -c 1-16
}

# trimmed_kernel CACHE : prints the folder of the newest cached kernel made from today's kernel.config, empty when none.
trimmed_kernel() {
  find "$1" -maxdepth 1 -type d -name "kernel-*-$(config_hash)" 2>/dev/null | sort -V | tail -n 1
}
