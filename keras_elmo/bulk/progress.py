"""How far the work is, on a terminal."""

from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

# To draw after every sentence would take longer than to embed it.
_TOKENS_PER_UPDATE = 1000


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
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
            speed_estimate_period=300,
        )
        self._work = self.add_task("", total=tokens)
        self._waiting = 0

    def embedded(self, tokens: int) -> None:
        """Tells that so many more tokens are embedded."""
        self._waiting += tokens
        if self._waiting >= _TOKENS_PER_UPDATE:
            self._tell()

    def __exit__(self, *exception: Any) -> None:
        self._tell()
        super().__exit__(*exception)

    def _tell(self) -> None:
        self.advance(self._work, self._waiting)
        self._waiting = 0


class _TokensPerSecond(ProgressColumn):
    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text(f"{speed:,.0f} tokens/s" if speed else "")
