"""Who sees what, in which order: stimuli, conditions, sides and orders dealt to the participants of a study."""

from decam.studies.assignment.balance import Balance, balance
from decam.studies.assignment.letters import letters
from decam.studies.assignment.order import spread
from decam.studies.assignment.sequence import Assignment, Cell, check, sequence, sequences, throughout

__all__ = [
    "Assignment",
    "Balance",
    "Cell",
    "balance",
    "check",
    "letters",
    "sequence",
    "sequences",
    "spread",
    "throughout",
]
