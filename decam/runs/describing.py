"""What people call their runs and say of them: plain text of bounded length."""

from __future__ import annotations

from decam.errors import SettingError

LONGEST_NAME = 80
LONGEST_REMARK = 2_000


def checked_name(name: str) -> str:
    """The name on one line without space around it; raises SettingError for one that is too long or no plain text."""
    line = " ".join(name.split())
    if len(line) > LONGEST_NAME:
        raise SettingError(f"A run's name has at most {LONGEST_NAME} characters, and this one has {len(line)}; cut it.")
    if not line.isprintable():
        raise SettingError("A run's name is one line of plain text; take out what cannot be printed.")
    return line


def checked_remark(remark: str) -> str:
    """The note without space around it, lines kept; raises SettingError for one too long or no plain text."""
    lines = [line.rstrip() for line in remark.strip().splitlines()]
    text = "\n".join(lines)
    if len(text) > LONGEST_REMARK:
        raise SettingError(
            f"A run's note has at most {LONGEST_REMARK:,} characters, and this one has {len(text):,}; cut it."
        )
    if not all(line.replace("\t", " ").isprintable() for line in lines):
        raise SettingError("A run's note is plain text; take out what cannot be printed.")
    return text
