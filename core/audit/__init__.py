"""Who did what, to what, when, from where and why: a row for every act of a person, written ahead of it.

`act` is for what is about to be done, `record` for what has just happened. Rows are inserted, and nothing
else; no secret is in any of them. What jobs do by themselves is in runs, logs and the switch log.
"""

from core.audit.actions import Action
from core.audit.acts import Deed, act, record
from core.doors import at_terminal

__all__ = ["Action", "Deed", "act", "at_terminal", "record"]
