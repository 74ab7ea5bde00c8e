from typing import get_args

from collector.desk.problem import STATUS, TITLES, Kind, ProblemError


def test_every_kind_has_a_status_and_a_title() -> None:
    assert set(STATUS) == set(TITLES) == set(get_args(Kind))


def test_a_problem_says_its_detail() -> None:
    problem = ProblemError("conflict", "it is closed")

    assert (str(problem), problem.status, problem.title) == ("it is closed", 409, TITLES["conflict"])
