"""Bytecode for an image's Python, made by that very Python: without it a program compiles its imports at each start, which in a
freshly started container, on an emulated processor, takes seconds."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from imagekit.archive import Entry, directory

# Compiles all that the modules import. The result depends neither on times nor on the folder it is made in.
_SCRIPT = """
import importlib, py_compile, sys
root, *modules = sys.argv[1:]
for module in modules:
    importlib.import_module(module)
sources = sorted({module.__file__ for module in list(sys.modules.values()) if (getattr(module, "__file__", None) or "").endswith(".py")})
for source in sources:
    print(py_compile.compile(source, dfile=source.removeprefix(root), doraise=True, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH))
"""


def compiled(files: list[Entry], modules: tuple[str, ...]) -> list[Entry]:
    """The bytecode of the modules and all that they import, as files of the image beside the files given."""
    if not modules:
        return []
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve()
        for entry in files:
            _extract(root, entry)
        libraries = next(root.glob("usr/lib/*/ld-linux*.so.*")).parent
        loader = next(libraries.glob("ld-linux*.so.*"))
        python = next(root.glob("usr/bin/python3.[0-9]*"))
        loader.chmod(0o755)
        output = subprocess.run(
            [loader, "--library-path", libraries, python, "-S", "-c", _SCRIPT, root, *modules],
            env={"PYTHONHOME": str(root / "usr"), "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"},
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        ).stdout
        made = [Entry(str(Path(line).relative_to(root)), content=Path(line).read_bytes()) for line in output.splitlines()]
        return [*(directory(path) for path in sorted({str(Path(entry.path).parent) for entry in made})), *made]


def _extract(root: Path, entry: Entry) -> None:
    path = root / entry.path
    path.parent.mkdir(parents=True, exist_ok=True)
    if entry.kind == "file":
        path.write_bytes(entry.content)
    elif entry.kind == "symlink" and not entry.target.startswith("/"):
        path.symlink_to(entry.target)
