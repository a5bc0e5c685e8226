"""The HTTP routes of studies: a participant's page, its answers, its pictures, and the researcher's preview."""

from __future__ import annotations

from starlette.routing import Route

from decam.web.studies.pages import file, preview, preview_image, preview_steps, study
from decam.web.studies.taking_part import answers, delete, enter, image

__all__ = ["FOLDER", "routes"]

FOLDER = "study"
"""The part of the path that all of these addresses begin with."""


def routes(prefix: str) -> list[Route]:
    """All routes of studies, below a path such as "" or "/decam"."""
    return [
        Route(f"{prefix}/{FOLDER}/files/{{version}}/{{name}}", file, methods=["GET"]),
        Route(f"{prefix}/{FOLDER}/preview/{{token}}", preview, methods=["GET"]),
        Route(f"{prefix}/{FOLDER}/preview/{{token}}/steps", preview_steps, methods=["GET"]),
        Route(f"{prefix}/{FOLDER}/preview/{{token}}/images/{{digest}}.png", preview_image, methods=["GET"]),
        Route(f"{prefix}/{FOLDER}/{{link}}", study, methods=["GET"]),
        Route(f"{prefix}/{FOLDER}/{{link}}/enter", enter, methods=["POST"]),
        Route(f"{prefix}/{FOLDER}/{{link}}/answers", answers, methods=["POST"]),
        Route(f"{prefix}/{FOLDER}/{{link}}/delete", delete, methods=["POST"]),
        Route(f"{prefix}/{FOLDER}/{{link}}/images/{{digest}}.png", image, methods=["GET"]),
    ]
