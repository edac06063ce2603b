"""OCI image layouts: blobs, manifests, indexes."""

from __future__ import annotations

import gzip
import hashlib
import json
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

CREATED = "2024-01-01T00:00:00Z"
INDEX = "application/vnd.oci.image.index.v1+json"
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar"


@dataclass(frozen=True)
class Layer:
    """A layer as it travels: its archive, and how that is compressed ("gzip", "zstd" or ""). A broken one says otherwise
    in its config (diff_id) than it holds."""

    blob: bytes
    diff_id: str
    compression: str = "gzip"


def digest(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()


def layer(archive: bytes, compression: str = "gzip") -> Layer:
    if compression == "gzip":
        blob = gzip.compress(archive, 6, mtime=0)
    elif compression == "zstd":
        blob = subprocess.run(["zstd", "-q", "-9", "-c"], input=archive, stdout=subprocess.PIPE, check=True).stdout
    else:
        blob = archive
    return Layer(blob, digest(archive), compression)


@dataclass(frozen=True)
class Image:
    layers: list[Layer]
    config: dict = field(default_factory=dict)
    architecture: str = "amd64"


class Layout:
    """A layout under construction. Nothing is final before `finish`, which writes the index last."""

    def __init__(self, path: Path):
        self._path = path
        (path / "blobs" / "sha256").mkdir(parents=True, exist_ok=True)

    def finish(self, descriptor: dict, tag: str = "latest") -> None:
        named = {**descriptor, "annotations": {"org.opencontainers.image.ref.name": tag}}
        (self._path / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
        (self._path / "index.json").write_bytes(_json({"schemaVersion": 2, "mediaType": INDEX, "manifests": [named]}))

    def add(self, image: Image) -> dict:
        """Adds an image for one platform and returns the descriptor of its manifest."""
        config = {
            "created": CREATED,
            "architecture": image.architecture,
            "os": "linux",
            "config": image.config,
            "rootfs": {"type": "layers", "diff_ids": [one.diff_id for one in image.layers]},
            "history": [{"created": CREATED, "created_by": "berth e2e/images"} for _ in image.layers],
        }
        return self.manifest(self.blob(_json(config), _CONFIG), [self._layer(one) for one in image.layers], image.architecture)

    def manifest(self, config: dict, layers: list[dict], architecture: str) -> dict:
        manifest = {"schemaVersion": 2, "mediaType": _MANIFEST, "config": config, "layers": layers}
        return {**self.blob(_json(manifest), _MANIFEST), "platform": {"architecture": architecture, "os": "linux"}}

    def index(self, manifests: list[dict]) -> dict:
        return self.blob(_json({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests}), INDEX)

    def blob(self, content: bytes, media_type: str) -> dict:
        name = digest(content)
        (self._path / "blobs" / name.replace(":", "/")).write_bytes(content)
        return {"mediaType": media_type, "digest": name, "size": len(content)}

    def _layer(self, one: Layer) -> dict:
        return self.blob(one.blob, _LAYER + ("+" + one.compression if one.compression else ""))


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), sort_keys=True).encode()
