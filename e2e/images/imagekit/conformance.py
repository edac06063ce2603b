"""Images that try an implementation of images: what layers, configs and manifests may hold, and some that are broken.

Those of sound layers are built on busybox, so that they also run; what is tried lies below /conformance, and `expected` lists all that must
be found there.
"""

from __future__ import annotations

import base64
import hashlib
import posixpath
from collections.abc import Callable
from dataclasses import dataclass

from imagekit import archive, oci
from imagekit.archive import EPOCH, Entry, directory, symlink
from imagekit.catalog import BUSYBOX_CONFIG, Kitchen, accounts

ROOT = "conformance"
_SECOND = 10**9
_WHITEOUT = ".wh."
_OPAQUE = ".wh..wh..opq"

# cap_net_bind_service=ep and, with a byte that is no UTF-8, cap_setuid=ep, as the kernel stores them (revision 2).
_BIND = bytes.fromhex("0100000200040000000000000000000000000000")
_SETUID = bytes.fromhex("0100000280000000000000000000000000000000")


def _at(path: str, **others) -> Entry:
    """A file below the root whose content names it, unless told otherwise."""
    return Entry(f"{ROOT}/{path}", **{"content": (path + "\n").encode(), **others})


def _directory(path: str, **others) -> Entry:
    return directory(f"{ROOT}/{path}".rstrip("/"), **others)


def _link(path: str, target: str, **others) -> Entry:
    return Entry(f"{ROOT}/{path}", "hardlink", target=f"{ROOT}/{target}", **others)


def _whiteout(path: str) -> Entry:
    folder, name = posixpath.split(f"{ROOT}/{path}")
    return Entry(f"{folder}/{_WHITEOUT}{name}", mode=0)


def _opaque(path: str) -> Entry:
    return Entry(f"{ROOT}/{path}/{_OPAQUE}", mode=0)


def _symlink(path: str, target: str, **others) -> Entry:
    return symlink(f"{ROOT}/{path}", target, **others)


_LOWER = [
    _directory(""),
    # Owners, modes, times.
    _directory("attributes", mode=0o750, uid=1234, gid=5678),
    _at("attributes/large-owner", uid=3_000_000, gid=4_000_000_000),
    _at("attributes/set-user", mode=0o4755),
    _at("attributes/set-group", mode=0o2755),
    _at("attributes/no-access", mode=0),
    _directory("attributes/sticky", mode=0o1777),
    _at("attributes/epoch", mtime=0),
    _at("attributes/nanoseconds", mtime=EPOCH + 123_456_789),
    _at("attributes/year-2040", mtime=2_208_988_800 * _SECOND),
    # Content.
    _at("content/empty", content=b""),
    _at("content/one-block", content=b"x" * 512),
    _at("content/zeros", content=bytes(1_000_000)),
    # Names.
    _at("names/with space"),
    _at("names/with\nnewline"),
    _at("names/with\\backslash"),
    _at("names/grüße-日本語"),
    _at("names/" + "d" * 100 + "/" + "f" * 200),
    # Extended attributes and capabilities.
    _at("xattrs/user", xattrs={"user.berth": b"text", "user.binary": bytes(range(256))}),
    _at("xattrs/capability", mode=0o755, xattrs={"security.capability": _BIND}),
    _at("xattrs/capability-not-utf8", mode=0o755, xattrs={"security.capability": _SETUID}),
    _directory("xattrs/directory", xattrs={"user.berth": b"directory"}),
    # Links.
    _symlink("links/absolute", f"/{ROOT}/attributes"),
    _symlink("links/relative", "../content/empty"),
    _symlink("links/dangling", "nowhere"),
    _symlink("links/long", "x" * 300),
    _symlink("links/folder", "real-folder"),
    _directory("links/real-folder"),
    _at("hard/a", mode=0o640, uid=7),
    _link("hard/b", "hard/a"),
    _link("hard/c", "hard/a"),
    _at("hard/kept"),
    _link("hard/removed", "hard/kept"),
    # Devices.
    Entry(f"{ROOT}/devices/null", "character", 0o666, device=(1, 3)),
    Entry(f"{ROOT}/devices/disk", "block", 0o660, gid=6, device=(259, 1_048_575)),
    Entry(f"{ROOT}/devices/pipe", "fifo", 0o600),
    # What the upper layers change.
    _at("changed/removed"),
    _directory("changed/removed-folder"),
    _at("changed/removed-folder/deep/file"),
    _at("changed/replaced", mode=0o600),
    _at("changed/file-becomes-folder"),
    _at("changed/folder-becomes-file/inside"),
    _at("changed/folder-becomes-link/inside"),
    _directory("changed/only-mode", mode=0o755),
    _at("changed/only-mode/kept"),
    _at("opaque/lower"),
    _at("opaque/lower-folder/file"),
    _at("opaque/both"),
    _at("recreated/lower"),
    _at("twice", content=b"first"),
    _at("twice", content=b"last wins"),
]

_MIDDLE = [
    # A layer need not name the folders above its files, and may name its files with "./" or "/" before them.
    Entry(f"./{ROOT}/prefixes/dot", content=b"dot\n"),
    Entry(f"/{ROOT}/prefixes/slash", content=b"slash\n"),
    _whiteout("changed/removed"),
    _whiteout("changed/removed-folder"),
    _at("changed/replaced", mode=0o644, content=b"new\n"),
    _directory("changed/file-becomes-folder"),
    _at("changed/file-becomes-folder/inside"),
    _at("changed/folder-becomes-file"),
    _symlink("changed/folder-becomes-link", "only-mode"),
    _directory("changed/only-mode", mode=0o700, uid=9),
    # Whiteouts are about lower layers only, wherever in the archive they stand.
    _at("opaque/both", content=b"upper\n"),
    _at("opaque/upper"),
    _opaque("opaque"),
    _at("recreated/upper"),
    _whiteout("recreated"),
    _whiteout("hard/removed"),
    _at("hard/c", content=b"no longer a link\n"),
    _whiteout("never-was"),
    # aufs kept its own accounts there; they are no files of the image.
    directory(f"{ROOT}/.wh..wh.plnk"),
    Entry(f"{ROOT}/.wh..wh.plnk/1.2", content=b"aufs"),
]

# Written in the GNU format.
_UPPER = [
    _whiteout("opaque/upper"),
    _at("gnu/" + "n" * 150),
    _at("gnu/large-owner", uid=2_500_000, gid=2_500_001),
    _symlink("gnu/long-target", "t" * 150),
    # A folder may be reached by a symbolic link of a lower layer, as /lib in a merged /usr.
    _at("links/folder/through-the-link"),
]

LAYERS = [_LOWER, _MIDDLE, _UPPER]


def images(kitchen: Kitchen) -> dict[str, Callable[[oci.Layout], dict]]:
    """By name, what adds the image to a layout and returns its descriptor."""

    def simple(image: oci.Image) -> Callable[[oci.Layout], dict]:
        return lambda layout: layout.add(image)

    def plain(*layers: oci.Layer) -> Callable[[oci.Layout], dict]:
        return simple(kitchen.on_base(list(layers), BUSYBOX_CONFIG))

    sound = _layers("gzip")
    first = sound[0]
    return {
        "conformance/layers": plain(*sound),
        "conformance/zstd": plain(*_layers("zstd")),
        "conformance/uncompressed": plain(*_layers("")),
        "conformance/config": simple(_configured(kitchen)),
        "conformance/multi-platform": lambda layout: _multi_platform(layout, kitchen),
        "broken/truncated-layer": plain(oci.Layer(first.blob[: len(first.blob) // 2], first.diff_id)),
        "broken/wrong-diff-id": plain(oci.Layer(first.blob, oci.digest(b"something else"))),
        "broken/escaping-path": plain(oci.layer(archive.tar(_ESCAPING))),
        "broken/no-such-user": simple(kitchen.on_base([], {**BUSYBOX_CONFIG, "User": "nobody-knows"})),
    }


# Must be refused, or stay inside the image's root.
_ESCAPING = [
    Entry("../../../escaped-by-dots", content=b"escaped\n"),
    symlink("way-out", "/../../../.."),
    Entry("way-out/escaped-by-link", content=b"escaped\n"),
    Entry("hard-way-out", "hardlink", target="../../../etc/passwd"),
]


def _layers(compression: str) -> list[oci.Layer]:
    return [oci.layer(write(layer), compression) for write, layer in zip((archive.tar, archive.tar, archive.gnu_tar), LAYERS)]


_ENTRY = b"""#!/bin/sh
echo "user=$(id -un):$(id -gn) cwd=$(pwd) greeting=$GREETING arguments=$*"
trap 'echo stopped by USR1; exit 7' USR1
while :; do sleep 1 & wait $!; done
"""


def _configured(kitchen: Kitchen) -> oci.Image:
    layer = [
        *accounts({"tester": 4321}),
        Entry("usr/local/bin/entry", mode=0o755, content=_ENTRY),
        directory("work/deep", uid=4321, gid=4321),
        directory("state", 0o700, uid=4321, gid=4321),
        Entry("state/from-image", uid=4321, gid=4321, content=b"from the image\n"),
    ]
    config = {
        "User": "tester",
        "WorkingDir": "/work/deep",
        "Env": [*BUSYBOX_CONFIG["Env"], "GREETING=hello = world", "EMPTY="],
        "Entrypoint": ["/usr/local/bin/entry", "first"],
        "Cmd": ["second", "with space"],
        "StopSignal": "SIGUSR1",
        "Volumes": {"/state": {}},
        "ExposedPorts": {"8080/tcp": {}, "53/udp": {}},
        "Labels": {"dev.berth.test": "config"},
    }
    return kitchen.on_base([oci.layer(archive.tar(layer))], config)


def _multi_platform(layout: oci.Layout, kitchen: Kitchen) -> dict:
    """An index as build tools write it: other platforms first, variants, Windows, and an attestation at the end."""

    def of(architecture: str, **others) -> dict:
        layer = oci.layer(archive.tar([Entry("platform", content=(architecture + "\n").encode())]))
        descriptor = layout.add(oci.Image([kitchen.base, layer], BUSYBOX_CONFIG, architecture))
        return {**descriptor, "platform": {"architecture": architecture, "os": "linux", **others}}

    manifests = [of("s390x"), of("arm", variant="v7"), of("arm64", variant="v8"), of("amd64")]
    windows = {**manifests[0], "platform": {"architecture": "amd64", "os": "windows", "os.version": "10.0.20348.1"}}
    attestation = {
        **manifests[0],
        "platform": {"architecture": "unknown", "os": "unknown"},
        "annotations": {"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": manifests[3]["digest"]},
    }
    return layout.index([windows, *manifests, attestation])


@dataclass
class _Inode:
    entry: Entry
    names: list[str]
    # A folder that no layer names has the time at which it was made.
    timed: bool = True


def expected() -> list[dict]:
    """What is below /conformance once the layers are merged. Names of one inode share "inode", the first of them."""
    tree: dict[str, _Inode] = {}
    for layer in LAYERS:
        _apply(tree, layer)
    for path, inode in tree.items():
        inode.names.append(path)
    return [_described(path, inode) for path, inode in sorted(tree.items())]


def _apply(tree: dict[str, _Inode], layer: list[Entry]) -> None:
    members = [(posixpath.normpath("/" + entry.path)[1:], entry) for entry in layer]
    for path, _ in members:
        folder, name = posixpath.split(path)
        if name == _OPAQUE:
            _remove(tree, folder + "/")
        elif name.startswith(_WHITEOUT) and not name.startswith(_WHITEOUT * 2):
            _remove(tree, f"{folder}/{name.removeprefix(_WHITEOUT)}")
    for path, entry in members:
        if "/" + _WHITEOUT not in path:
            _place(tree, path, entry)


def _place(tree: dict[str, _Inode], path: str, entry: Entry) -> None:
    folder, name = posixpath.split(path)
    folder = _resolve(tree, folder)
    path = f"{folder}/{name}" if folder else name
    if entry.kind == "hardlink":
        _remove(tree, path)
        tree[path] = tree[entry.target]
        return
    if not (entry.kind == "directory" and path in tree and tree[path].entry.kind == "directory"):
        _remove(tree, path)
    tree[path] = _Inode(entry, [])


def _resolve(tree: dict[str, _Inode], folder: str) -> str:
    """Follows symbolic links among the parents, and makes those that are missing."""
    resolved = ""
    for name in folder.split("/") if folder else []:
        path = f"{resolved}/{name}" if resolved else name
        while path in tree and tree[path].entry.kind == "symlink":
            path = posixpath.normpath(posixpath.join("/", resolved, tree[path].entry.target))[1:]
        tree.setdefault(path, _Inode(directory(path), [], timed=False))
        resolved = path
    return resolved


def _remove(tree: dict[str, _Inode], path: str) -> None:
    """Removes the path and all below it; with a slash at its end, only what is below."""
    below = path.rstrip("/") + "/"
    for other in [other for other in tree if other == path or other.startswith(below)]:
        del tree[other]


def _described(path: str, inode: _Inode) -> dict:
    entry = inode.entry
    described = {"path": path, "type": entry.kind, "mode": f"{entry.mode:04o}", "uid": entry.uid, "gid": entry.gid}
    if inode.timed:
        described["mtimeNanoseconds"] = entry.mtime
    if entry.kind == "file":
        described |= {"size": len(entry.content), "sha256": hashlib.sha256(entry.content).hexdigest(), "inode": min(inode.names)}
    if entry.kind == "symlink":
        described["target"] = entry.target
    if entry.kind in ("character", "block"):
        described |= {"major": entry.device[0], "minor": entry.device[1]}
    if entry.xattrs:
        described["xattrs"] = {name: base64.b64encode(value).decode() for name, value in entry.xattrs.items()}
    return described
