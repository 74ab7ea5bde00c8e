"""Backups: taken while the collector runs, checked without touching anything, restored whole or not at all.

Whatever the databases are, a backup holds each as one SQLite file (docs/decisions/0005-backups.md): so it is
checked without a server, needs no tool beside Fengsui, and can go back into either kind of database.

    DIR/unfinished       from the first byte to the last; a folder with it is no backup
    DIR/databases/       state.db first, events.db after it: no cursor is ahead of the log it reads
    DIR/state/           everything else of the state folder: keys, certificates, the newest checkpoint
    DIR/settings/        the settings' folder: its files, and the folders that the settings name
    DIR/outside/         what the settings name elsewhere
    DIR/manifest.json    written last: every file's size and SHA-256, the journal's ends, what was left out
"""

from .checking import Checked, check
from .manifest import Manifest
from .occupied import in_use
from .restoring import Restored, restore
from .taking import take

__all__ = ["Checked", "Manifest", "Restored", "check", "in_use", "restore", "take"]
