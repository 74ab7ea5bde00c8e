"""The Chinese of what is written in English where it arises: mistakes of files and what commands refuse.

The mechanism is `wire.phrases`. A new sentence costs one line in the table of its topic, and
`tests/house/test_phrasebook.py` names every sentence that has none.

>>> in_language("at most 40 bytes", "zh"), in_language("text or a whole number", "zh")
('至多 40 字节', '文本 或 整数')
"""

from wire.phrases import Phrasebook
from wire.usage import CHINESE as OF_ARGPARSE

from . import backups, commands, drills, files, helps, law, plans, refusals, register, releases, running

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
