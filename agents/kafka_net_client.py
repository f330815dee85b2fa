"""A connection that never came to be is given back.

kafka-python leaves its thread and sockets to run on.
"""

from typing import Any

from kafka.net.compat import KafkaNetClient


class ClosingClient(KafkaNetClient):  # type: ignore[misc]
    """What a client that cannot reach Kafka has started, it stops before the error is raised.

    The constructors of `KafkaConsumer` and `KafkaAdminClient` start a thread and then raise, so
    nobody has anything to close: a service that asks again and again would leave one thread and
    some sockets each time.
    """

    def __init__(self, **config: Any) -> None:
        super().__init__(**config)
        self._manager.bootstrap = self._bootstrapped(self._manager.bootstrap)

    def _bootstrapped(self, bootstrap: Any) -> Any:
        def bootstrap_or_close(*arguments: Any, **named: Any) -> None:
            try:
                bootstrap(*arguments, **named)
            except BaseException:
                self.close()
                raise

        return bootstrap_or_close
