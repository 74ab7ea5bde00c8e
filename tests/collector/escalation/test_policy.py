from datetime import timedelta
from pathlib import Path

import pytest

from collector.classes import read_classes
from collector.escalation import Matter, Policy, Step, read_policies, read_policy
from collector.yaml_marks import Mistakes

SHIPPED = Path(__file__).parents[3] / "configs" / "escalation" / "default.yaml"
SMALL = "id: {id}\nchains: {{default: [{{to: duty, after: 0s}}]}}\n"


def shipped() -> Policy:
    return read_policy(SHIPPED.read_text(), SHIPPED.name)


def test_the_shipped_chains_climb_from_duty_to_leader_to_superior_to_the_authorities() -> None:
    chains = {level: [step.to for step in shipped().chain(level)] for level in ("I", "II", "III")}
    climb = ["duty", "leader", "superior", "authority"]

    assert chains == {"I": climb, "II": climb, "III": climb[:3]}
    assert [step.to for step in shipped().chain("IV")] == ["duty", "leader"]


def test_the_graver_the_sooner_is_the_superior_woken() -> None:
    waits = [shipped().chain(level)[2].after for level in ("I", "II", "III")]

    assert waits == sorted(waits)


def test_an_ungraded_incident_has_the_default_chain() -> None:
    assert shipped().chain(None) == shipped().chain("IV")


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("half", ("duty",)),
        ("four_fifths", ("duty", "leader")),
        ("due", ("duty", "leader", "superior")),
        ("overdue_12", ("duty", "leader", "superior")),
        ("target", ("duty", "leader")),
    ],
)
def test_more_people_hear_of_a_clock_the_later_it_is(kind: str, told: tuple[str, ...]) -> None:
    assert shipped().told(kind) == told


def test_a_later_file_replaces_an_earlier_one_of_its_id() -> None:
    own = "id: default\nchains: {default: [{to: leader, after: 5m, channels: [sms]}]}\noverdue_every: 1h\n"
    policies = read_policies([("shipped", SMALL.format(id="default")), ("own", own)])

    assert policies["default"].chain("I") == (
        Step(to="leader", after=timedelta(minutes=5), channels=("sms",)),
    )
    assert policies["default"].overdue_every == timedelta(hours=1)


def test_every_mistake_of_every_file_is_told_at_its_place() -> None:
    backwards = (
        "id: a\nchains:\n  default: [{to: duty, after: 5m}, {to: leader, after: 1m}]\noverdue_every: 5s\n"
    )
    unknown = "id: b\nchains:\n  default: [{to: boss, after: 0s}]\n  V: []\n"
    with pytest.raises(Mistakes) as error:
        read_policies([("a.yaml", backwards), ("b.yaml", unknown), ("c.yaml", SMALL.format(id="c"))])

    assert str(error.value).splitlines() == [
        "a.yaml:3:56: chains.default[1].after: found 1m, expected a time not before the step above (5m)",
        "a.yaml:4:16: overdue_every: found 5s, expected a minute or more",
        (
            "b.yaml:3:18: chains.default[0].to: found 'boss', expected one of duty, leader, superior,"
            " authority, informatization, police, state_security, secrecy, cryptography"
        ),
        (
            "b.yaml:4:3: chains.V: found an unknown field 'V', expected one of I, II, III, IV, default"
            " (did you mean 'IV'?)"
        ),
    ]


def test_a_chain_without_steps_is_refused() -> None:
    with pytest.raises(Mistakes, match=r"chains\.I: found no steps, expected one step at least"):
        read_policy("id: a\nchains: {default: [{to: duty, after: 0s}], I: []}\n", "a.yaml")


def test_a_time_before_the_chain_begins_is_refused() -> None:
    with pytest.raises(Mistakes, match="after"):
        read_policy("id: a\nchains: {default: [{to: duty, after: -5m}]}\n", "a.yaml")


def test_acknowledgements_and_progress_are_told_by_level() -> None:
    text = SMALL.format(id="a") + "acknowledgements: {I: 2}\nprogress: {default: 4h, II: 1h}\n"
    policy = read_policy(text, "a.yaml")

    assert [policy.needed(level) for level in ("I", "II", None)] == [2, 1, 1]
    assert [policy.progress_within(level) for level in ("II", None)] == [
        timedelta(hours=1),
        timedelta(hours=4),
    ]
    assert read_policy(SMALL.format(id="a"), "a.yaml").progress_within("I") is None


def test_times_too_short_to_be_meant_are_refused() -> None:
    text = (
        "id: a\nchains: {default: [{to: duty, after: 0s, repeat: 2, every: 5s}]}\n"
        "again: {after: 1s}\nprogress: {II: 2s}\n"
    )
    with pytest.raises(Mistakes) as error:
        read_policy(text, "a.yaml")

    assert [line.split(": ")[1] for line in str(error.value).splitlines()] == [
        "chains.default[0].every",
        "again.after",
        "progress.II",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[80, 50]", r"a\.yaml:3:10: warn_at: found \[80, 50\], expected the earlier moment first"),
        ("[0, 50]", r"a\.yaml:3:11: warn_at\[0\]: found"),
        ("[50]", r"a\.yaml:3:10: warn_at: found"),
    ],
)
def test_moments_before_it_is_due_that_make_no_sense_are_refused(text: str, expected: str) -> None:
    with pytest.raises(Mistakes, match=expected):
        read_policy(SMALL.format(id="a") + f"warn_at: {text}\n", "a.yaml")


def test_a_clock_is_told_of_at_half_and_four_fifths_unless_the_file_says_else() -> None:
    assert shipped().warn_at == (50, 80)
    assert read_policy(SMALL.format(id="a") + "warn_at: [25, 90]\n", "a.yaml").warn_at == (25, 90)


def test_a_class_that_the_table_does_not_have_is_a_mistake() -> None:
    text = SMALL.format(id="a") + "bodies: {police: {matters: [{classes: [NAAPT, NAPPT]}]}}\n"
    with pytest.raises(Mistakes, match=r"matters\[0\]\.classes\[1\]: found 'NAPPT'"):
        read_policy(text, "a.yaml", {"NA", "NAAPT"})


def test_the_shipped_matters_name_classes_of_the_table() -> None:
    table = SHIPPED.parents[1] / "classes.yaml"
    classes = read_classes(table.read_text(), table.name).by_code

    assert read_policy(SHIPPED.read_text(), SHIPPED.name, classes) == shipped()


def test_authority_means_every_body_whose_matter_it_is() -> None:
    matter = Matter(klass="NAAPT", level="I", facts={"crime_suspected": True})

    assert shipped().means("authority", matter) == ("informatization", "police", "state_security")
    assert shipped().means("authority", Matter(klass="FOCACCIDENT")) == ("informatization",)


def test_a_body_named_by_a_step_is_told_only_of_its_own_matters() -> None:
    assert shipped().means("secrecy", Matter(classified=True)) == ("secrecy",)
    assert shipped().means("secrecy", Matter()) == ()
    assert shipped().means("leader", Matter()) == ("leader",)
