"""The images of ordinary programs, made of Debian packages. No package script is run: what those would do is here."""

from __future__ import annotations

import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from imagekit import archive, bytecode, oci, packages
from imagekit.archive import Entry, directory, symlink

_FILES = Path(__file__).resolve().parent.parent / "files"

_USERS = {"root": (0, "/root", "/bin/sh"), "nobody": (65534, "/nonexistent", "/usr/sbin/nologin")}


@dataclass(frozen=True)
class Recipe:
    """An image: the packages whose files it holds, what is added, the users it knows beside root, its config, and the Python
    modules for which it has bytecode."""

    packages: list[str]
    added: list[Entry]
    users: dict[str, int]
    config: dict
    bytecode: tuple[str, ...] = ()


def _file(path: str, source: str) -> Entry:
    return Entry(path, content=(_FILES / source).read_bytes())


_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

RECIPES = {
    "nginx": Recipe(
        ["nginx"],
        [
            _file("etc/nginx/nginx.conf", "nginx/nginx.conf"),
            _file("usr/share/nginx/html/index.html", "nginx/index.html"),
            symlink("var/log/nginx/access.log", "/dev/stdout"),
            symlink("var/log/nginx/error.log", "/dev/stderr"),
            directory("var/lib/nginx", uid=33, gid=33),
        ],
        {"www-data": 33},
        {
            "Env": [_PATH],
            "Cmd": ["nginx", "-g", "daemon off;"],
            "ExposedPorts": {"80/tcp": {}},
            "StopSignal": "SIGQUIT",
        },
    ),
    "redis": Recipe(
        ["redis-server"],
        [_file("etc/redis/redis.conf", "redis/redis.conf"), directory("data", uid=101, gid=101)],
        {"redis": 101},
        {
            "Env": [_PATH],
            "Entrypoint": ["redis-server"],
            "Cmd": ["/etc/redis/redis.conf"],
            "ExposedPorts": {"6379/tcp": {}},
            "User": "redis",
            "Volumes": {"/data": {}},
            "WorkingDir": "/data",
        },
    ),
    "python-web": Recipe(
        ["python3-minimal", "libpython3-stdlib"],
        [
            directory("app"),
            _file("app/server.py", "python-web/server.py"),
            _file("app/in_cluster.py", "python-web/in_cluster.py"),
        ],
        {},
        {
            "Env": [_PATH, "PORT=8080", "PYTHONUNBUFFERED=1"],
            "Entrypoint": ["python3"],
            "Cmd": ["server.py"],
            "ExposedPorts": {"8080/tcp": {}},
            "WorkingDir": "/app",
        },
        bytecode=("encodings.utf_8", "http.server", "json", "site", "ssl", "urllib.request"),
    ),
}

BUSYBOX_CONFIG = {"Env": [_PATH], "Cmd": ["sh"]}


class Kitchen:
    """Makes images from the packages in a folder, all of them on the one busybox layer."""

    def __init__(self, folder: Path, versions: dict[str, str], architecture: str):
        self._architecture = architecture
        self._folder = folder
        self._versions = versions
        base = archive.ordered(self._base())
        self._folders = {entry.path for entry in base if entry.kind == "directory"}
        self.base = oci.layer(archive.tar(base))

    def on_base(self, layers: list[oci.Layer], config: dict) -> oci.Image:
        return oci.Image([self.base, *layers], config, self._architecture)

    def image(self, recipe: Recipe) -> oci.Image:
        files = [
            entry
            for name in packages.closure(recipe.packages)
            for entry in packages.files(self._folder, name, self._versions[name])
            if entry.path not in self._folders
        ]
        files += bytecode.compiled(files, recipe.bytecode)
        layers = [files, recipe.added + accounts(recipe.users)]
        return self.on_base([oci.layer(archive.tar(archive.ordered(layer))) for layer in layers], recipe.config)

    def _base(self) -> list[Entry]:
        program = next(
            entry
            for entry in packages.files(self._folder, "busybox-static", self._versions["busybox-static"])
            if entry.path.endswith("bin/busybox")
        )
        folders = "dev etc home mnt opt proc run srv sys usr usr/bin usr/lib usr/lib64 usr/local usr/local/bin usr/sbin usr/share var var/cache var/lib var/log"
        return [
            *(directory(path) for path in folders.split()),
            *(symlink(name, "usr/" + name) for name in ("bin", "sbin", "lib", "lib64")),
            directory("root", 0o700),
            directory("tmp", 0o1777),
            directory("var/tmp", 0o1777),
            symlink("var/run", "/run"),
            Entry("usr/bin/busybox", mode=0o755, content=program.content),
            *(symlink("usr/bin/" + name, "busybox") for name in _applets(program.content)),
            Entry("etc/os-release", content=b'ID=berth-test\nNAME="Berth test image"\n'),
            Entry("etc/nsswitch.conf", content=b"passwd: files\ngroup: files\nhosts: files dns\n"),
            *accounts({}),
        ]


def accounts(users: dict[str, int]) -> list[Entry]:
    """/etc/passwd and /etc/group with root, nobody and these users, each with a group of its name and number."""
    everyone = {**_USERS, **{name: (number, "/", "/usr/sbin/nologin") for name, number in users.items()}}
    passwd = "".join(f"{name}:x:{number}:{number}:{name}:{home}:{shell}\n" for name, (number, home, shell) in everyone.items())
    group = "".join(f"{name}:x:{number}:\n" for name, (number, *_) in everyone.items())
    return [Entry("etc/passwd", content=passwd.encode()), Entry("etc/group", content=group.encode())]


def _applets(program: bytes) -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "busybox"
        path.write_bytes(program)
        path.chmod(0o755)
        names = subprocess.run([path, "--list"], check=True, capture_output=True, text=True).stdout.split()
    # Those of another package manager's or of an init system have no use here, and dpkg's would look like Debian's own.
    return [name for name in names if name not in ("busybox", "dpkg", "dpkg-deb", "linuxrc", "rpm")]
