"""The Chinese of what is written in English where it arises: mistakes of files and what commands refuse.

The mechanism is `wire.phrases`. A new sentence costs one line in the table of its topic, and
`tests/house/test_phrasebook.py` names every sentence that has none.

>>> in_language("at most 40 bytes", "zh"), in_language("text or a whole number", "zh")
('至多 40 字节', '文本 或 整数')
"""

from wire import sentences
from wire.phrases import Phrasebook
from wire.usage import CHINESE as OF_ARGPARSE

from . import backups, commands, drills, files, helps, law, plans, refusals, register, releases, running
from . import told as steps

BOOK = Phrasebook(
    files.CHINESE,
    law.CHINESE,
    register.CHINESE,
    plans.CHINESE,
    commands.CHINESE,
    drills.CHINESE,
    backups.CHINESE,
    releases.CHINESE,
    helps.CHINESE,
    refusals.CHINESE,
    running.CHINESE,
    OF_ARGPARSE,
)
in_language = BOOK.in_language
skeletons = BOOK.skeletons
TOLD = Phrasebook(steps.CHINESE, *sentences.BOOK.tables)
"""Why something was missed, refused or failed, as nodes and steps tell it; a book of its own, because a
path or a name among what they tell must meet no sentence of a settings file."""
told = TOLD.in_language
