"""Every number of the settings has bounds that hold the agent together; a mistake is named at its place."""

from __future__ import annotations

import types
from typing import TYPE_CHECKING, Annotated, Any, Union, get_args, get_origin

import msgspec
import pytest
from msgspec import Meta, Struct

from agent.cli.loading import parse
from agent.settings import PushedError, Settings, SettingsError, overlaid
from agent.sources import SourcesSettings

if TYPE_CHECKING:
    from collections.abc import Iterator


def numbers(kind: Any, path: str = "") -> Iterator[tuple[str, Meta | None]]:  # noqa: ANN401 - a typing form
    """Every number below a kind of settings, with its bounds."""
    origin = get_origin(kind)
    if origin is Annotated:
        inner, meta = get_args(kind)[:2]
        if inner in {int, float}:
            yield path, meta
        else:
            yield from numbers(inner, path)
    elif origin in {Union, types.UnionType, tuple, list, frozenset, dict}:
        for part in get_args(kind):
            yield from numbers(part, path)
    elif isinstance(kind, type) and issubclass(kind, Struct):
        for field in msgspec.structs.fields(kind):
            yield from numbers(field.type, f"{path}.{field.encode_name}".strip("."))
    elif kind in {int, float}:
        yield path, None


def test_no_number_of_the_settings_is_without_a_lower_bound() -> None:
    found = [*numbers(Settings), *numbers(SourcesSettings, "sources")]

    assert len(found) > 120
    assert [path for path, meta in found if meta is None or (meta.ge is None and meta.gt is None)] == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("sources: {sockets: {poll: 0}}", "agent.yaml:1:27: sources.sockets.poll: found '0'"),
        ("sources: {asset: {budget: {window: 0}}}", "sources.asset.budget.window: found '0'"),
        ("sources: {asset: {budget: {stuck_after: -1}}}", "sources.asset.budget.stuck_after: found '-1'"),
        ("sources: {asset: {poll: 1e300}}", "sources.asset.poll: found '1e300'"),
        ("sources: {asset: {poll: nan}}", "sources.asset.poll: found 'nan'"),
        ("sources: {timekeeping: {max_offset: inf}}", "max_offset: found 'inf', expected a number"),
        ("sources: {logins: {bursts: {by_source: 0}}}", "sources.logins.bursts.by_source: found '0'"),
        ("outbox: {max_bytes: 1" + 30 * "0" + "}", "outbox.max_bytes: found '1000"),
    ],
)
def test_a_number_nothing_can_be_done_with_is_named_at_its_place(text: str, told: str) -> None:
    with pytest.raises(SettingsError) as refused:
        parse(text, "agent.yaml")

    assert told in str(refused.value)
    assert len(refused.value.mistakes) == 1


@pytest.mark.parametrize(
    "given", [{"sockets": {"poll": 0}}, {"exits": {"budget": {"window": 0}}}, {"asset": {"poll": 10**400}}]
)
def test_no_collector_can_push_one(given: dict[str, Any]) -> None:
    with pytest.raises(PushedError):
        overlaid(Settings(sources=SourcesSettings()), {"sources": given})
