from agent.metrics import own_cost


def test_the_agent_knows_what_it_costs() -> None:
    seconds, memory = own_cost()

    assert seconds > 0
    assert memory > 10_000_000
