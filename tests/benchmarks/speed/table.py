import statistics
from dataclasses import dataclass, field


@dataclass
class Line:
    """One line of the table.

    Args:
        row: What was measured.
        unit: Of all values.
        ours: The values of all rounds.
        beside: The same by the name of the peer, or of what else ours is compared with.
        limit: What the machine would allow at best.
        difference: The largest from the plain path.
        parts: Values by the name of each part of ours.
    """

    row: str
    unit: str
    ours: list
    beside: dict = field(default_factory=dict)
    limit: float | None = None
    difference: float | None = None
    parts: dict = field(default_factory=dict)

    def ratio(self, name):
        """The median of ours divided by the other, round by round."""
        pairs = zip(self.ours, self.beside[name], strict=True)
        return statistics.median(our / other for our, other in pairs)

    def cells(self):
        ours = statistics.median(self.ours)
        beside = [
            f"{name} {_number(statistics.median(values))} ({self.ratio(name):.2f} x)"
            for name, values in self.beside.items()
        ]
        limit = difference = ""
        if self.limit is not None:
            limit = f"{_number(self.limit)} ({ours / self.limit:.2f} x)"
        if self.difference is not None:
            difference = f"{self.difference:.1e}"
        whole = sum(self.parts.values())
        beside += [f"{name} {value / whole:.0%}" for name, value in self.parts.items()]
        rounds = str(len(self.ours))
        joined = ", ".join(beside)
        return [self.row, _number(ours), self.unit, joined, limit, difference, rounds]


def table(lines):
    """The lines in Markdown: medians, and of the ratios those of all rounds."""
    head = ["", "ours", "unit", "beside (ours / it)", "limit (ours / it)"]
    head += ["difference", "rounds"]
    rows = [head, *(line.cells() for line in lines)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    rows.insert(1, ["-" * width for width in widths])
    return "\n".join(
        "| " + " | ".join(map(str.ljust, cells, widths)) + " |" for cells in rows
    )


def _number(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
