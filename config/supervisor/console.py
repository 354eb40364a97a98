"""What the supervisor says: a few lines, neat on a terminal and plain in a file. Holds no logic."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

from config.supervisor.children import Death, tail


class Terminal:
    """Standard output for what goes well, standard error for what does not."""

    def __init__(self) -> None:
        self._out = Console(highlight=False, soft_wrap=True)
        self._err = Console(stderr=True, highlight=False, soft_wrap=True)

    @property
    def interactive(self) -> bool:
        return sys.stdout.isatty()

    def title(self, text: str, detail: str = "") -> None:
        self._out.print(f"\n[bold]{escape(text)}[/]  [dim]{escape(detail)}[/]")

    def step(self, name: str, text: str) -> None:
        self._out.print(f"  [green]ok[/]  {name:<9}{escape(text)}")

    def say(self, text: str) -> None:
        self._out.print(escape(text))

    def warn(self, text: str) -> None:
        self._err.print(f"  [yellow]!![/]  {escape(text)}")

    def error(self, text: str) -> None:
        self._err.print(f"\n[bold red]Cannot go on.[/] {escape(text)}")

    def quote(self, log: Path) -> None:
        """The end of a child's log."""
        for line in tail(log):
            self._err.print(f"      [dim]{escape(log.stem)} |[/] {escape(line)}")

    def died(self, death: Death) -> None:
        again = f"starting it again in {death.back_in_s} s"
        times = f" for the {death.times}th time in a row" if death.times > 3 else ""
        self.warn(f"{death.name} {death.how}{times}; {again}. Its log: {death.log}")
        if death.times in (1, 3):  # why, but not over and over
            self.quote(death.log)

    def table(self, rows: Sequence[tuple[str, str]]) -> None:
        """Name and text in two columns, wrapped to the width of the terminal."""
        grid = Table.grid(padding=(0, 2))
        grid.add_column(style="bold", no_wrap=True)
        grid.add_column(overflow="fold")
        for name, text in rows:
            grid.add_row(name, escape(text))
        self._out.print(Padding(grid, (0, 0, 0, 2)), soft_wrap=False)
