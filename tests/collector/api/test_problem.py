import msgspec
from aiohttp.test_utils import make_mocked_request

from collector.api.problem import Problem, refuse
from collector.desk import ProblemError


def test_a_problem_says_what_kind_it_is_and_where() -> None:
    answer = refuse(
        make_mocked_request("GET", "/api/v1/nodes/x"), ProblemError("not-found", "there is no node 'x'")
    )

    assert (answer.status, answer.content_type) == (404, "application/problem+json")
    assert msgspec.json.decode(answer.body or b"", type=Problem) == Problem(
        kind="urn:fengsui:problem:not-found",
        title="Nothing stands here",
        status=404,
        detail="there is no node 'x'",
        instance="/api/v1/nodes/x",
    )


def test_who_comes_too_early_is_told_when_to_come_back() -> None:
    answer = refuse(make_mocked_request("GET", "/api/v1/nodes"), ProblemError("busy", "locked"))

    assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
