"""What the supervisor says: a few lines, neat on a terminal and plain in a file. Holds no logic."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape

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
        if death.times == 1:  # why, but not over and over
            self.quote(death.log)

    def table(self, rows: Sequence[tuple[str, str]]) -> None:
        """Name and text in two columns; a person's terminal gets long texts wrapped to its width."""
        left = max(len(name) for name, _ in rows) + 2
        width = max(40, self._out.width - left - 2) if self.interactive else 10_000
        for name, text in rows:
            first, *others = textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)
            self._out.print(f"  [bold]{name:<{left}}[/]{escape(first)}")
            for line in others:
                self._out.print(" " * (left + 2) + escape(line))
