"""Equal dealing in two directions at once: equitable edge colourings of bipartite graphs.

A row is a participant, a column a stimulus, and an entry "this participant sees this stimulus". Each entry gets one of
c colours: a condition, a pair, a place. De Werra (1971) proved that each row and each column can have all colours
equally often, up to one. The proof is the algorithm: rows and columns are cut into parts of at most c entries, and the
graph of the parts is coloured so that no part has a colour twice, which König (1916) showed to be possible.
"""

from __future__ import annotations

from collections.abc import Sequence

from decam.studies.assignment.chance import Chance


def equitable(rows: Sequence[Sequence[int]], colours: int, chance: Chance) -> list[list[int]]:
    """A colour, 0 … colours − 1, for each entry; `rows` lists the columns of each row, none twice in a row.

    In each row and in each column the numbers of entries by colour differ by at most one; in a column that also holds
    for the first n rows, whatever n. Over all entries they differ by at most one.
    """
    graph = _Graph(colours, chance)
    entries: list[list[int]] = []
    seen: dict[int, int] = {}
    parts: dict[tuple[int, int, int], int] = {}
    for number, columns in enumerate(rows):
        edges = [0] * len(columns)
        for turn, place in enumerate(chance.shuffled(range(len(columns)))):
            column = columns[place]
            before = seen.get(column, 0)
            seen[column] = before + 1
            row_part = parts.setdefault((0, number, turn // colours), len(parts))
            column_part = parts.setdefault((1, column, before // colours), len(parts))
            edges[place] = graph.add(row_part, column_part)
        entries.append(edges)
    graph.even_out()
    return [[graph.colour[edge] for edge in edges] for edges in entries]


class _Graph:
    """A bipartite graph whose edges are coloured one after another, none like another at the same end."""

    def __init__(self, colours: int, chance: Chance) -> None:
        self.colours, self.chance = colours, chance
        self.ends: list[tuple[int, int]] = []
        self.colour: list[int] = []
        self.at: list[dict[int, int]] = []  # for each vertex: the edge of a colour
        self.free: list[int] = []  # for each vertex: its unused colours as bits

    def add(self, one: int, other: int) -> int:
        """Add an edge and colour it; returns its number."""
        while len(self.at) <= max(one, other):
            self.at.append({})
            self.free.append((1 << self.colours) - 1)
        common = self.free[one] & self.free[other]
        if common:
            colour = self._one_of(common)
        else:
            colour, taken = self._one_of(self.free[one]), self._one_of(self.free[other])
            self._swap(self._path(other, colour, taken), colour, taken)
        edge = len(self.ends)
        self.ends.append((one, other))
        self.colour.append(-1)
        self._paint(edge, colour)
        return edge

    def even_out(self) -> None:
        """Make the numbers of edges by colour differ by at most one, by swapping colours along paths."""
        counts = [0] * self.colours
        for colour in self.colour:
            counts[colour] += 1
        while max(counts) - min(counts) > 1:
            most, least = counts.index(max(counts)), counts.index(min(counts))
            for path in self._longer_paths(most, least, (counts[most] - counts[least]) // 2):
                self._swap(path, most, least)
                counts[most] -= 1
                counts[least] += 1

    def _longer_paths(self, most: int, least: int, wanted: int) -> list[list[int]]:
        """Paths of the two colours in turn that begin and end with `most`; there are at least as many as wanted."""
        found: list[list[int]] = []
        ended: set[int] = set()
        for vertex, edges in enumerate(self.at):
            if most in edges and least not in edges and edges[most] not in ended:
                path = self._path(vertex, most, least)
                if len(path) % 2:
                    ended.add(path[-1])
                    found.append(path)
                    if len(found) == wanted:
                        break
        return found

    def _path(self, vertex: int, first: int, second: int) -> list[int]:
        """The edges from a vertex on, coloured first, second, first, …; the vertex has no edge of the second."""
        path = []
        while (edge := self.at[vertex].get(first)) is not None:
            path.append(edge)
            one, other = self.ends[edge]
            vertex = other if vertex == one else one
            first, second = second, first
        return path

    def _swap(self, path: list[int], one: int, other: int) -> None:
        old = [self.colour[edge] for edge in path]
        for edge, colour in zip(path, old, strict=True):
            for vertex in self.ends[edge]:
                del self.at[vertex][colour]
                self.free[vertex] |= 1 << colour
        for edge, colour in zip(path, old, strict=True):
            self._paint(edge, other if colour == one else one)

    def _paint(self, edge: int, colour: int) -> None:
        self.colour[edge] = colour
        for vertex in self.ends[edge]:
            self.at[vertex][colour] = edge
            self.free[vertex] &= ~(1 << colour)

    def _one_of(self, bits: int) -> int:
        """A colour of a set: the next one from a random place on."""
        start = self.chance.whole(self.colours)
        above = bits >> start
        if above:
            return start + (above & -above).bit_length() - 1
        return (bits & -bits).bit_length() - 1
