"""Regions by ISO 3166: which country a region counts with, and which countries are in the European Union."""

from __future__ import annotations

import re

_FORM = re.compile(r"([A-Z]{2})(-[A-Z0-9]{1,3})?")

_COUNTRY_CODES = """
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT
    BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH
    ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT
    HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS
    LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI
    NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG
    SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG
    UM US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW
"""
COUNTRIES = frozenset(_COUNTRY_CODES.split())

_MEMBER_CODES = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK"
EUROPEAN_UNION = frozenset(_MEMBER_CODES.split())

_OWN_LAW = {"CN-HK": "HK", "CN-MO": "MO", "CN-TW": "TW"}


class Region(str):
    """An ISO 3166 code of a country (``CN``) or a subdivision (``CN-12``, ``US-VA``)."""

    __slots__ = ()
    yaml_expectation = "a region by ISO 3166 such as CN-12 or DE"

    @classmethod
    def parse_yaml(cls, text: str) -> Region:
        """Check and keep a code.

        Raises:
            ValueError: it is no ISO 3166 code.
        """
        match = _FORM.fullmatch(text)
        if match is None or match[1] not in COUNTRIES:
            raise ValueError(cls.yaml_expectation)
        return cls(text)

    @property
    def country(self) -> str:
        """The country whose law counts; ``CN-HK``, ``CN-MO`` and ``CN-TW`` are HK, MO and TW.

        >>> [Region(code).country for code in ("CN-12", "US-VA", "CN-HK", "TW")]
        ['CN', 'US', 'HK', 'TW']
        """
        return _OWN_LAW.get(self, self[:2])
