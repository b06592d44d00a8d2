"""Producers and consumers that `test_safefs.py` runs as processes of their own."""

import sys
from pathlib import Path

from kombu import Connection, Consumer, Exchange, Message, Producer, Queue

QUEUE = Queue("work", Exchange("work"), routing_key="work")
STOP = -1


def connect(folder: Path) -> Connection:
    options = {"data_folder": str(folder), "polling_interval": 0.005}
    return Connection(transport="config.safefs:Transport", transport_options=options)


def send(folder: Path, numbers: range | list[int]) -> None:
    with connect(folder) as connection:
        producer = Producer(connection.default_channel)
        for number in numbers:
            producer.publish(
                {"number": number},
                exchange=QUEUE.exchange,
                routing_key=QUEUE.routing_key,
                declare=[QUEUE],
            )


def receive(folder: Path, prefetch: int = 4) -> list[int]:
    """Take and acknowledge until a STOP comes, which is sent last."""
    received: list[int] = []

    def on_message(body: dict[str, int], message: Message) -> None:
        received.append(body["number"])
        message.ack()

    with connect(folder) as connection:
        consumer = Consumer(connection.default_channel, [QUEUE], callbacks=[on_message])
        consumer.qos(prefetch_count=prefetch)
        with consumer:
            while STOP not in received:
                connection.drain_events()
    return received


def hold(folder: Path, prefetch: int) -> None:
    """Take what the prefetch allows, report each on stdout, acknowledge nothing."""

    def on_message(body: dict[str, int], message: Message) -> None:
        print(body["number"], flush=True)  # noqa: T201

    with connect(folder) as connection:
        consumer = Consumer(connection.default_channel, [QUEUE], callbacks=[on_message])
        consumer.qos(prefetch_count=prefetch)
        with consumer:
            while True:
                connection.drain_events()


if __name__ == "__main__":
    role, folder, first, last = sys.argv[1], Path(sys.argv[2]), *map(int, sys.argv[3:])
    if role == "send":
        send(folder, range(first, last))
    elif role == "receive":
        print(*receive(folder))  # noqa: T201
    else:
        hold(folder, first)
