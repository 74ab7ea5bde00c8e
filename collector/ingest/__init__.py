"""Takes what agents send: who -> session -> append -> ack."""
