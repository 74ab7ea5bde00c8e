import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.places import NAMES, fill, mistakes_of, phone

VALUES: dict[str, str | int] = {
    "phone": "+86 138-0000-0000",
    "text": "页面被篡改",
    "subject": "s",
    "key": "k",
    "secret": "x",
    "time": 7,
}


def test_places_are_filled_wherever_they_stand() -> None:
    template = {"a": ["{phone}", {"b": "{subject}: {text}"}], "c": "{{{key}}}", "n": 3}

    assert fill(template, VALUES) == {"a": ["+8613800000000", {"b": "s: 页面被篡改"}], "c": "{k}", "n": 3}


def test_a_text_is_cut_to_its_length_and_a_lone_time_is_a_number() -> None:
    assert fill("{text:3}", VALUES) == "页面…"
    assert fill("{text:5}", VALUES) == "页面被篡改"
    assert (fill("{time}", VALUES), fill("at {time}", VALUES)) == (7, "at 7")


@pytest.mark.parametrize(
    "template", ["{}", "{fone}", "{", "}", "{phone:3}", "{text:x}", "{__class__}", "{0.real}"]
)
def test_what_is_no_place_is_a_mistake_with_its_path(template: str) -> None:
    ((path, _, _),) = mistakes_of({"list": [{"to": template}]})

    assert path == "list[0].to"


def test_every_place_is_known() -> None:
    assert list(mistakes_of({name: f"{{{name}}}" for name in NAMES})) == []


@pytest.mark.parametrize("text", ["", "12", "abc", "138;rm -rf", "+", "http://127.0.0.1/", "1" * 21])
def test_what_is_no_phone_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no phone number"):
        phone(text)


@given(text=st.text())
def test_what_is_put_in_is_never_read_as_a_template(text: str) -> None:
    assert fill("<{text}>", {**VALUES, "text": text}) == f"<{text}>"


@given(template=st.text(alphabet="{}abtext:12", max_size=20))
def test_a_template_without_mistakes_can_be_filled(template: str) -> None:
    if not list(mistakes_of(template)):
        assert isinstance(fill(template, VALUES), str | int)
