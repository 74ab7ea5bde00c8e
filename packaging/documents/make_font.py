"""Makes the font of printed reports: Noto Serif CJK SC, cut down to GB 2312 and what names need beyond it.

    apt-get download fonts-noto-cjk && dpkg-deb -x fonts-noto-cjk_*.deb noto
    python packaging/documents/make_font.py noto/usr/share/fonts/opentype/noto/NotoSerifCJK-Regular.ttc

The font is under the SIL Open Font License 1.1 (configs/documents/fonts/OFL.txt), which allows the cut;
"Noto" is no reserved font name.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from fontTools import subset

OUT = Path(__file__).parents[2] / "configs" / "documents" / "fonts" / "NotoSerifCJKsc-GB2312.otf"
SIMPLIFIED = 2  # of the collection's JP, KR, SC, TC, HK
NAMES = (
    "喆堃镕昇玥頔祎珺赟芃犇骉旻彧叆叇晞暄珩璟瑄玮琰珂琪瑾璇昀昉晟煜烨焜焱垚壵淼森鑫翀翾翯"
    "骐骥骁翊羿霁霆霖霏霈鹮麒麟邡郃邠鄄鄠鄢酂阆隰崀峣崟嵇嶷巂璆琇珮瑛瑆瓘婳姝嫣嫚妤妘媛嬿婧婕"
    "闿闫阎訚誉諴詝谞谡谖譞赪赑趯蹇轲辀辚辉韡頫颀颋馘骎骢髹鲲鲹鹍鹓鹔㛃䶮朤燚叕囍"
)


def wanted() -> Iterator[int]:
    """Yield the code points that the font keeps."""
    yield from range(0x20, 0x7F)
    yield from range(0xA0, 0x180)
    yield from range(0x2010, 0x2028)
    yield from map(ord, "‰′″※€℃№™←↑→↓⇒▲△▶●○◆◇■□★☆✓✗—–…·" + NAMES)
    for high in range(0xA1, 0xF8):
        for low in range(0xA1, 0xFF):
            try:
                yield ord(bytes((high, low)).decode("gb2312"))
            except UnicodeDecodeError:
                continue


def main() -> None:
    """Cut the font down."""
    options = subset.Options()
    options.font_number = SIMPLIFIED
    options.layout_features = ["locl", "kern", "vert"]
    options.hinting = False
    options.notdef_outline = True
    options.recalc_timestamp = False
    font = subset.load_font(sys.argv[1], options)
    cut = subset.Subsetter(options)
    cut.populate(unicodes=sorted(set(wanted())))
    cut.subset(font)
    OUT.parent.mkdir(parents=True, exist_ok=True)
    subset.save_font(font, str(OUT), options)


if __name__ == "__main__":
    main()
