"""A progress bar, where there is a terminal to show it."""

import datetime

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
)
from rich.text import Text


def progress_bar(unit: str, is_wanted: bool = True) -> Progress:
    """A bar with what is done, how fast, and the time left.

    Args:
        unit: What is counted, in the plural.
        is_wanted: Whether to show it at all. Defaults to True; without a terminal it
            is not shown either.
    """
    console = Console(stderr=True, soft_wrap=True)
    is_shown = is_wanted and console.is_terminal
    # Rich 13.0 ends even a bar that is not shown with an empty line.
    console.quiet = not is_shown
    return Progress(
        TextColumn(f"{{task.completed:,.0f}} {unit}"),
        BarColumn(),
        _RateColumn(unit),
        console=console,
        disable=not is_shown,
    )


class _RateColumn(ProgressColumn):
    """The mean rate, and the time left at it.

    Rich's own columns count the last half minute, which is too short for work that is
    done by thousands at once.
    """

    def __init__(self, unit: str):
        super().__init__()
        self._unit = unit

    def render(self, task: Task) -> Text:
        if not (task.completed and task.elapsed):
            return Text("")
        rate = task.completed / task.elapsed
        text = f"{rate:,.0f} {self._unit}/s"
        if task.total is not None:
            left = datetime.timedelta(
                seconds=round((task.total - task.completed) / rate)
            )
            text += f", {left} left"
        return Text(text)
