from agent.detection.resolvers import PORT, Resolvers

RESOLVER, HOST = bytes([10, 1, 1, 53]), bytes([10, 1, 1, 5])


def servers(count: int) -> list[bytes]:
    return [bytes([198, 51, 100, number]) for number in range(count)]


def test_whom_many_servers_answer_asks_for_others_and_whom_three_answer_does_not() -> None:
    resolvers = Resolvers()
    resolvers.note((RESOLVER, server) for server in servers(6))
    resolvers.note((HOST, server) for server in servers(3) * 10)

    assert resolvers.asks((RESOLVER, bytes(4), PORT))
    assert not resolvers.asks((HOST, bytes(4), PORT))


def test_no_other_door_is_a_question_for_a_name() -> None:
    resolvers = Resolvers()
    resolvers.note((RESOLVER, server) for server in servers(6))

    assert not resolvers.asks((RESOLVER, bytes(4), b"\0\xa1"))


def test_any_number_of_hosts_is_borne_and_the_last_are_known() -> None:
    resolvers = Resolvers()
    for number in range(5000):
        resolvers.note((number.to_bytes(4), server) for server in servers(6))

    assert len(resolvers._answered) == 4096
    assert resolvers.asks(((4999).to_bytes(4), bytes(4), PORT))
