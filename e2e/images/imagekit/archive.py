"""Files of an image and the tar archives that carry them: the same entries always give the same bytes."""

from __future__ import annotations

import io
import subprocess
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass, field

# Everything we add ourselves carries this time: 2024-01-01T00:00:00Z.
EPOCH = 1_704_067_200 * 10**9

_TYPES = {
    "file": b"0",
    "hardlink": b"1",
    "symlink": b"2",
    "character": b"3",
    "block": b"4",
    "directory": b"5",
    "fifo": b"6",
}
_BLOCK = 512


@dataclass(frozen=True)
class Entry:
    """One member of a layer. Paths are relative to the root, without "./"; times are in nanoseconds."""

    path: str
    kind: str = "file"
    mode: int = 0o644
    uid: int = 0
    gid: int = 0
    mtime: int = EPOCH
    content: bytes = b""
    target: str = ""
    device: tuple[int, int] = (0, 0)
    xattrs: dict[str, bytes] = field(default_factory=dict)


def directory(path: str, mode: int = 0o755, **others) -> Entry:
    return Entry(path, "directory", mode, **others)


def symlink(path: str, target: str, **others) -> Entry:
    return Entry(path, "symlink", 0o777, target=target, **others)


def tar(entries: Iterable[Entry]) -> bytes:
    """Writes the entries, in the order given, as ustar with PAX records where ustar cannot say it."""
    members = [_member(entry) for entry in entries]
    return b"".join(members) + bytes(2 * _BLOCK)


def _member(entry: Entry) -> bytes:
    path = entry.path + "/" if entry.kind == "directory" and not entry.path.endswith("/") else entry.path
    records = _pax_records(entry, path)
    extended = b""
    if records:
        extended = _header(Entry("PaxHeaders/" + str(len(records)), mtime=0), b"x", "PaxHeaders", len(records), "")
        extended += _padded(records)
    header = _header(entry, _TYPES[entry.kind], path, len(entry.content), entry.target)
    return extended + header + _padded(entry.content)


def _pax_records(entry: Entry, path: str) -> bytes:
    values: dict[str, bytes] = {}
    if not _fits(path):
        values["path"] = path.encode()
    if not _fits(entry.target):
        values["linkpath"] = entry.target.encode()
    if entry.mtime % 10**9:
        values["mtime"] = f"{entry.mtime // 10**9}.{entry.mtime % 10**9:09d}".rstrip("0").encode()
    for name in ("uid", "gid"):
        if getattr(entry, name) >= 1 << 21:
            values[name] = str(getattr(entry, name)).encode()
    for name, value in sorted(entry.xattrs.items()):
        values["SCHILY.xattr." + name] = value
    return b"".join(_record(name.encode(), value) for name, value in values.items())


def _fits(name: str) -> bool:
    return name.isascii() and len(name) <= 100


def _record(name: bytes, value: bytes) -> bytes:
    body = b" " + name + b"=" + value + b"\n"
    length = len(body)
    while length != len(body) + len(str(length)):  # the length counts its own digits
        length = len(body) + len(str(length))
    return str(length).encode() + body


def _header(entry: Entry, kind: bytes, path: str, size: int, target: str) -> bytes:
    def octal(value: int, width: int) -> bytes:
        # What does not fit is in the PAX records, which win.
        return f"{value if value < 8 ** (width - 1) else 0:0{width - 1}o}".encode() + b"\0"

    fields = [
        path.encode()[:100].ljust(100, b"\0"),
        octal(entry.mode, 8),
        octal(entry.uid, 8),
        octal(entry.gid, 8),
        octal(size, 12),
        octal(entry.mtime // 10**9, 12),
        b" " * 8,
        kind,
        target.encode()[:100].ljust(100, b"\0"),
        b"ustar\x0000",
        bytes(64),  # names of owner and group: numbers alone count
        octal(entry.device[0], 8),
        octal(entry.device[1], 8),
        bytes(155 + 12),
    ]
    header = b"".join(fields)
    checksum = f"{sum(header):06o}\0 ".encode()
    return header[:148] + checksum + header[156:]


def _padded(content: bytes) -> bytes:
    return content + bytes(-len(content) % _BLOCK)


def gnu_tar(entries: Iterable[Entry]) -> bytes:
    """Writes the entries in the GNU format: long names and large numbers in its own way, no xattrs, whole seconds."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for entry in entries:
            information = tarfile.TarInfo(entry.path)
            information.type = _TYPES[entry.kind]
            information.mode, information.uid, information.gid = entry.mode, entry.uid, entry.gid
            information.mtime = entry.mtime // 10**9
            information.linkname = entry.target
            information.devmajor, information.devminor = entry.device
            information.size = len(entry.content)
            archive.addfile(information, io.BytesIO(entry.content))
    return buffer.getvalue()


def read_package(path: str) -> list[Entry]:
    """Reads the files of a Debian package, none of whose scripts is run. Hard links become entries of their own."""
    kinds = {value: name for name, value in _TYPES.items()}
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", path], stdout=subprocess.PIPE) as process:
        with tarfile.open(fileobj=process.stdout, mode="r|") as archive:
            entries = [
                Entry(
                    path=member.name.removeprefix("./").rstrip("/"),
                    kind=kinds[member.type],
                    mode=member.mode,
                    uid=member.uid,
                    gid=member.gid,
                    mtime=int(member.mtime) * 10**9,
                    content=archive.extractfile(member).read() if member.isreg() else b"",
                    target=member.linkname.removeprefix("./") if member.islnk() else member.linkname,
                )
                for member in archive
                if member.name not in (".", "./")
            ]
    if process.returncode:
        raise RuntimeError(f"{path}: dpkg-deb ended with status {process.returncode}")
    return entries


def ordered(entries: Iterable[Entry]) -> list[Entry]:
    """Sorts so that parents come before children and hard links after what they name; the last of two same paths wins."""
    unique = {entry.path: entry for entry in entries}
    return sorted(unique.values(), key=lambda entry: (entry.kind == "hardlink", entry.path))
