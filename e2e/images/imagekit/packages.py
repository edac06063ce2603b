"""Debian packages: which ones an image needs, and their files."""

from __future__ import annotations

import subprocess
from pathlib import Path

from imagekit import archive

# Needed to install or configure a package, or by programs that the images do not run.
_LEFT_OUT = frozenset(
    "adduser cdebconf debconf dpkg gcc-12-base gcc-14-base init-system-helpers install-info iproute2 libdb5.3 libdb5.3t64 "
    "libncursesw6 libnsl2 libreadline8 libreadline8t64 libsqlite3-0 libtinfo6 lsb-base mailcap media-types mime-support "
    "netbase passwd perl perl-base readline-common sysvinit-utils tzdata".split()
)

_LEFT_OUT_FILES = tuple(
    "etc/apport etc/default etc/init.d etc/logrotate.d etc/systemd etc/ufw usr/lib/systemd usr/lib/tmpfiles.d usr/share/apport "
    "usr/share/bash-completion usr/share/bug usr/share/doc usr/share/doc-base usr/share/gdb usr/share/info usr/share/lintian "
    "usr/share/locale usr/share/man usr/share/pixmaps usr/share/python3 usr/share/zsh usr/share/vim".split()
)
_LEFT_OUT_PARTS = ("/gconv/", "/__pycache__/", "/idlelib/", "/lib2to3/", "/pydoc_data/", "/ensurepip/", "/distutils/")

# Debian keeps these as links into usr; packages may still name the old place.
MERGED = ("bin", "sbin", "lib", "lib64", "lib32", "libx32")


def closure(roots: list[str]) -> list[str]:
    """The packages and all they depend on, less what no image runs, by name."""
    output = _run(
        "apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces --no-enhances".split() + roots
    )
    dependencies: dict[str, list[str]] = {}
    for line in output.splitlines():
        if not line.startswith((" ", "|", "<")):
            current = dependencies.setdefault(line.strip(), [])
        elif "epends: " in line:
            current.append(line.split(": ", 1)[1].strip())
    wanted: set[str] = set()
    pending = list(roots)
    while pending:
        name = pending.pop()
        if name in wanted or name in _LEFT_OUT or name.startswith("<"):
            continue
        wanted.add(name)
        pending += dependencies.get(name, [])
    return sorted(wanted)


def candidates(names: list[str]) -> dict[str, str]:
    """The version of each package that would be fetched."""
    versions: dict[str, str] = {}
    for line in _run(["apt-cache", "policy", *names]).splitlines():
        if line and not line.startswith(" "):
            name = line.rstrip(":")
        elif line.strip().startswith("Candidate:"):
            versions[name] = line.split()[1]
    missing = [name for name in names if versions.get(name, "(none)") == "(none)"]
    if missing:
        raise SystemExit(f"images: Debian has no package {', '.join(missing)} here: run 'apt-get update', or check the sources")
    return versions


def fetch(versions: dict[str, str], folder: Path) -> None:
    """Downloads the packages that the folder does not hold yet; apt checks them against the signed lists."""
    folder.mkdir(parents=True, exist_ok=True)
    absent = [f"{name}={version}" for name, version in versions.items() if not _files(folder, name, version)]
    if absent:
        # apt's own user may not write here, and says so at length.
        subprocess.run(["apt-get", "-qq", "-o", "APT::Sandbox::User=root", "download", *absent], cwd=folder, check=True)


def files(folder: Path, name: str, version: str) -> list[archive.Entry]:
    """The files of a package that an image keeps, in their place in a merged /usr."""
    found = _files(folder, name, version)
    return [_moved(entry) for entry in archive.read_package(str(found[0])) if _kept(_merged(entry.path))]


def _files(folder: Path, name: str, version: str) -> list[Path]:
    return list(folder.glob(f"{name}_{version.replace(':', '%3a')}_*.deb"))


def _kept(path: str) -> bool:
    inside = "/" + path + "/"
    return path not in MERGED and not path.startswith(_LEFT_OUT_FILES) and not any(part in inside for part in _LEFT_OUT_PARTS)


def _moved(entry: archive.Entry) -> archive.Entry:
    target = _merged(entry.target) if entry.kind == "hardlink" else entry.target
    return archive.Entry(**{**vars(entry), "path": _merged(entry.path), "target": target})


def _merged(path: str) -> str:
    head, separator, rest = path.partition("/")
    return f"usr/{head}/{rest}" if separator and head in MERGED else path


def _run(command: list[str]) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
