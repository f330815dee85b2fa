"""A client that begins with a server that answers, and gives back what never came to be.

kafka-python draws one of the bootstrap servers by lot and waits for it as long as it may wait at
all. It leaves the thread and the sockets of a connection that failed to run on.
"""

from collections.abc import Callable
from typing import Any

from kafka.net.compat import KafkaNetClient
from kafka.net.inet import KafkaNetSocket
from kafka.net.transport import KafkaSSLTransport, KafkaTCPTransport

from agents.kafka.connectivity import first_choice


class KafkaClient(KafkaNetClient):  # type: ignore[misc]
    """What kafka-python's producer, consumer and admin client reach Kafka by.

    Of several bootstrap servers those are left out at first that do not answer. Once Kafka has told
    of its brokers they all count again: whoever answers now may be away when they are needed anew.

    What a client that cannot reach Kafka has started, it stops before the error is raised. The
    constructors of `KafkaConsumer` and `KafkaAdminClient` start a thread and then raise, so nobody
    has anything to close: a service that asks again and again would leave one thread and some
    sockets each time.
    """

    def __init__(self, **config: Any) -> None:
        super().__init__(**config)
        encrypted = str(config.get("security_protocol", "")).endswith("SSL")
        self.cluster.bootstrap_brokers = _first_choice(self.cluster, encrypted=encrypted)
        self._manager.bootstrap = self._bootstrapped(self._manager.bootstrap)

    def _bootstrapped(self, bootstrap: Any) -> Any:
        def bootstrap_or_close(*arguments: Any, **named: Any) -> None:
            try:
                bootstrap(*arguments, **named)
            except BaseException:
                self.close()
                raise

        return bootstrap_or_close


def reach(consumer: Any, milliseconds: int) -> None:
    """Wait until Kafka answers a consumer; raises `KafkaError` when it does not in time.

    One that is told Kafka's version does not ask when it is made, and its first question about a
    topic then waits without end.
    """
    consumer._manager.bootstrap(milliseconds)  # noqa: SLF001


Received = tuple[bytes, BaseException | None]


def _with_last_words(receive: Callable[[Any], Received]) -> Callable[[Any], Received]:
    """What a broker says right before it hangs up is read before the end is told.

    It says so that it refuses a password. kafka-python would report a lost connection, and try
    again until its time is over.
    """

    def receive_or_end(transport: Any) -> Received:
        data, error = receive(transport)
        return data, None if data else error

    return receive_or_end


for _transport in (KafkaTCPTransport, KafkaSSLTransport):
    _transport._sock_recv = _with_last_words(_transport._sock_recv)  # noqa: SLF001


_sock_connect = KafkaNetSocket.sock_connect


async def _connected_or_closed(self: Any, net: Any, sock: Any, *rest: Any, **named: Any) -> Any:
    """kafka-python leaves the socket of a connection that is refused to the garbage collector."""
    try:
        return await _sock_connect(self, net, sock, *rest, **named)
    except BaseException:
        sock.close()
        raise


KafkaNetSocket.sock_connect = _connected_or_closed


def _first_choice(cluster: Any, *, encrypted: bool) -> Callable[[], list[Any]]:
    """The cluster's bootstrap servers as long as it knows no broker: those that answer, if any."""
    everybody = cluster.bootstrap_brokers
    servers = everybody()
    at = [(server.host, server.port) for server in servers]
    chosen = first_choice(servers, at, encrypted=encrypted)
    return lambda: everybody() if cluster.brokers() or not chosen else chosen
