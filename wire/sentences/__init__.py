"""What an agent says in sentences, and how each reads in Chinese.

A report, an outcome or a gap tells its reason in English, as whoever found it said it: the wire, rules and
machines have one stable text, and an agent of any age is understood. Who shows it to a person looks it up here,
on both sides of the wire. What the tables do not have is shown as it came.

>>> in_language("runs from memory, no file ever held it", "zh")
'从内存运行，从未存在于任何文件'
>>> in_language("/srv/www could not be compared: [Errno 13] Permission denied: '/srv/www'", "zh")
"/srv/www 无法比对：权限不足：'/srv/www'"

`tests/house/test_sentences.py` reads the agent's sources and names every sentence that has none.
"""

from ..phrases import Phrasebook
from . import host, keeping, network, orders, pages, reading, releases, settings, system, watching

BOOK = Phrasebook(
    orders.CHINESE,
    keeping.CHINESE,
    releases.CHINESE,
    settings.CHINESE,
    watching.CHINESE,
    network.CHINESE,
    host.CHINESE,
    pages.CHINESE,
    reading.CHINESE,
    system.CHINESE,
)
in_language = BOOK.in_language
FIELDS = frozenset({"why", "what"})
"""Fields of bodies and details whose value is such a sentence; whatever else stands there is shown as it is."""
