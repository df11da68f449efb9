"""How far the work is, on a terminal."""

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn
from rich.progress import TimeRemainingColumn as TimeLeftColumn
from rich.text import Text


class EmbeddingProgress(Progress):
    """A bar with tokens per second and the time left; none without a terminal.

    Args:
        tokens: Tokens of all the work.
    """

    def __init__(self, tokens: int):
        console = Console(stderr=True, soft_wrap=True)
        super().__init__(
            TextColumn("{task.completed:,.0f}/{task.total:,.0f} tokens"),
            BarColumn(),
            _TokensPerSecond(),
            TimeLeftColumn(),
            console=console,
            disable=not console.is_terminal,
            speed_estimate_period=300,
        )
        self._work = self.add_task("embed", total=tokens)

    def embedded(self, tokens: int) -> None:
        """Tells that so many more tokens are embedded."""
        self.advance(self._work, tokens)


class _TokensPerSecond(ProgressColumn):
    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text(f"{speed:,.0f} tokens/s" if speed else "")
