"""What the table of metrics says beside its numbers."""

from decam.ui.compare.metrics_table import _note_lines
from decam.ui.components.table.value_table import Column, Row


def test_every_note_is_said_once_with_its_metric_and_the_maps_that_it_is_about() -> None:
    columns = [Column("Deletion"), Column("Average drop", -1)]
    rows = [
        Row(("1. Star", "Grad-CAM"), (0.1, 0.2), ("", "It is *constant*.")),
        Row(("1. Star", "RISE"), (0.1, 0.2), ("Few steps.", "It is *constant*.")),
        Row(("2. Ring", "RISE"), (0.1, 0.2), ("", "It is *constant*.")),
        Row(("2. Ring", "Gradient"), (0.1, 0.2)),
    ]
    rows = [row if row.notes else Row(row.words, row.values, ("", "")) for row in rows]
    assert _note_lines(columns, rows) == [
        "- **Average drop** (Grad-CAM, RISE): It is \\*constant\\*.",
        "- **Deletion** (RISE): Few steps.",
    ]
