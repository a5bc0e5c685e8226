"""What leaves a run: overlays, raw maps, curves, metrics and settings in a ZIP or a folder; stimuli for studies."""

from decam.export.files import files, map_fingerprint, zip_bytes
from decam.export.folder import check_folder, write
from decam.export.names import method_names, picture_names, question_names, slug
from decam.export.stimulus_set import stimulus_files, stimulus_zip, write_stimuli
from decam.figures.look import Look
from decam.figures.stimulus import Display

__all__ = [
    "Display",
    "Look",
    "check_folder",
    "files",
    "map_fingerprint",
    "method_names",
    "picture_names",
    "question_names",
    "slug",
    "stimulus_files",
    "stimulus_zip",
    "write",
    "write_stimuli",
    "zip_bytes",
]
