"""Runs one command that cannot outlive the process that asked for it: `guard.py MODE PARENT PIPE command...`.

Started by path with `python -I -S`: only the standard library, no product code, nothing slow.
`kernel` (Linux) has the kernel kill the command when PARENT dies, and becomes the command. `pipe` (anywhere)
stays as its parent and reads PIPE, whose other end PARENT alone holds: once that closes, the whole process
group is killed.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_FORWARDED = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGHUP)


def become(parent: int, pipe: int, command: list[str]) -> None:
    """Replace this process by `command`, which dies with `parent`. The wish survives an exec, not a fork."""
    import ctypes

    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) was refused")
    if os.getppid() != parent:  # it died before the kernel knew that we care
        sys.exit(1)
    os.close(pipe)
    os.execvp(command[0], command)


def watch(pipe: int, command: list[str]) -> int:
    """Run `command` in this process group, pass signals on, and end the group when the pipe closes."""
    early: list[int] = []
    child: subprocess.Popen[bytes] | None = None

    def forward(number: int, _frame: object) -> None:
        early.append(number) if child is None else child.send_signal(number)

    for number in _FORWARDED:
        signal.signal(number, forward)
    threading.Thread(target=_end_with_pipe, args=(pipe,), daemon=True).start()
    child = subprocess.Popen(command)
    for missed in early:
        child.send_signal(missed)
    code = child.wait()
    return code if code >= 0 else 128 - code


def _end_with_pipe(pipe: int) -> None:
    while os.read(pipe, 1):
        pass
    os.killpg(0, signal.SIGKILL)


def main(mode: str, parent: str, pipe: str, *command: str) -> int:
    try:
        if mode == "kernel":
            become(int(parent), int(pipe), list(command))
        return watch(int(pipe), list(command))
    except OSError as error:
        sys.stderr.write(f"cannot run {command[0]}: {error}\n")
        return 127


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
