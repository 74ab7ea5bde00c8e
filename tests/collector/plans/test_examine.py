"""Everything that is wrong with a plan, at once."""

import time

from hypothesis import given
from hypothesis import strategies as st

from collector.plans.examine import examine

WAIT = "kind: wait, owner: duty, for: 1m, title: {zh: 等, en: wait}"


def test_a_step_that_cannot_be_read_does_not_hide_what_is_wrong_with_the_others() -> None:
    examined = examine(
        f"""id: p
name: {{zh: 一, en: one}}
classes: [lower]
steps:
  - {{id: a, {WAIT}, next: nowhere}}
  - {{id: b, kind: wiat, title: {{zh: 二, en: two}}}}
  - {{id: c, {WAIT}, next: b}}
""",
        "p.yaml",
    )

    assert examined.plan is None
    assert [(each.mistake.line, each.mistake.path) for each in examined.findings] == [
        (3, "classes[0]"),
        (5, "steps.a.next"),
        (6, "steps.b.kind"),
    ]
    assert len(examined.errors) == 3


def test_a_warning_does_not_keep_a_plan_from_running() -> None:
    examined = examine(
        "id: p\nname: {zh: 一, en: one}\nsteps:\n"
        "  - {id: a, kind: manual, owner: duty, title: {zh: 办, en: do}}\n",
        "p.yaml",
    )

    assert examined.plan is not None
    assert (len(examined.findings), examined.errors) == (1, [])


def test_what_is_no_yaml_is_told_and_nothing_else() -> None:
    for text in ("", "steps: [", "- a\n- b", "id: p\nid: q", "a: &a [*a]", "\x00"):
        examined = examine(text, "p.yaml")

        assert examined.plan is None
        assert examined.errors


def test_a_bomb_of_aliases_is_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]

    assert examine("\n".join(lines), "p.yaml").errors


def test_five_hundred_steps_are_checked_in_below_a_second() -> None:
    steps = "".join(f"  - {{id: s{number}, {WAIT}}}\n" for number in range(500))
    begun = time.perf_counter()

    examined = examine("id: p\nname: {zh: 一, en: one}\nsteps:\n" + steps, "p.yaml")

    assert examined.findings == []
    assert time.perf_counter() - begun < 1


@given(st.text(max_size=400))
def test_no_text_raises(text: str) -> None:
    assert examine(text, "p.yaml").plan is None
