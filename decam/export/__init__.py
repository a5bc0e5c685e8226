"""What leaves a run: overlays, raw maps, curves, metrics and settings, as one ZIP or in one folder."""

from decam.export.files import files, map_fingerprint, zip_bytes
from decam.export.folder import check_folder, write
from decam.export.names import Look, method_names, picture_names, question_names, slug

__all__ = [
    "Look",
    "check_folder",
    "files",
    "map_fingerprint",
    "method_names",
    "picture_names",
    "question_names",
    "slug",
    "write",
    "zip_bytes",
]
