"""The embedded Kafka broker: librdkafka's in-process broker, in a process of its own.

The broker comes out of the confluent-kafka wheel.

``python -m agents.embedded.broker [BROKERS]`` prints the bootstrap list, then obeys one command a
line on stdin and answers each with ``ok`` or ``error …``; end of input ends it. It keeps everything
in memory and speaks enough of the protocol for producers, consumer groups and commits. It has no
CreateTopics, no DescribeConfigs and no security, and makes an unknown topic with 4 partitions, so
topics are created here before anyone asks for them. It keeps about 4.6 MB a partition and
drops whole batches: two of 3 MB in a row leave nothing to read.

    topic NAME PARTITIONS           create a topic
    topic-error NAME CODE           answer for a topic with an error (0: no more),
                                    as a broker that does not know it yet
    down ID | up ID                 stop or restart a broker (-1: all)
    rtt ID MS                       delay every answer of a broker
    err APIKEY CODE [TIMES]         fail the next requests of one kind
                                    (code -195 drops the connection)
    clear APIKEY                    forget pending failures
    delete-records TOPIC P OFFSET   move the start of a partition
    coordinator GROUP ID            move a group's coordinator
    stop                            end
"""

import ctypes
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import confluent_kafka

LIBRARIES = ("../confluent_kafka.libs/librdkafka*.so*", ".dylibs/librdkafka*.dylib")
"""Where the Linux and macOS wheels keep librdkafka."""
PRODUCER = 0
REBALANCE_DELAY_MS = 200

Pointer, Text, Int = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int
Int16, Int32, Int64, Size = ctypes.c_int16, ctypes.c_int32, ctypes.c_int64, ctypes.c_size_t


def library() -> ctypes.CDLL:
    """The librdkafka inside the installed wheel.

    Raises `OSError` when the wheel is built otherwise.
    """
    package = Path(confluent_kafka.__file__).parent
    for pattern in LIBRARIES:
        for file in package.glob(pattern):
            return ctypes.CDLL(str(file))
    message = (
        f"no librdkafka beside {package}: the embedded broker needs the confluent-kafka wheel, "
        "not a build against a system library"
    )
    raise OSError(message)


class Broker:
    """A cluster of mock brokers inside this process.

    The names are those of librdkafka's `rdkafka_mock.h`.
    """

    def __init__(self, brokers: int) -> None:
        self._library = library()
        error = ctypes.create_string_buffer(512)
        configuration = self._function("rd_kafka_conf_new", Pointer)()
        client = self._function("rd_kafka_new", Pointer, Int, Pointer, Text, Size)(
            PRODUCER, configuration, error, len(error)
        )
        if not client:
            raise OSError(error.value.decode())
        self._cluster = self._function("rd_kafka_mock_cluster_new", Pointer, Pointer, Int)(
            client, brokers
        )
        self._replicas = brokers
        self._mock("group_initial_rebalance_delay_ms", None, Int32)(REBALANCE_DELAY_MS)

    def _function(self, name: str, result: Any, *arguments: Any) -> Callable[..., Any]:
        function = getattr(self._library, name)
        # Without them pointers are cut to 32 bits.
        function.restype, function.argtypes = result, list(arguments)
        return function  # type: ignore[no-any-return]

    def _mock(self, name: str, result: Any, *arguments: Any) -> Callable[..., Any]:
        function = self._function(f"rd_kafka_mock_{name}", result, Pointer, *arguments)
        return lambda *values: function(self._cluster, *values)

    @property
    def bootstrap_servers(self) -> str:
        """`host:port` of every broker, separated by commas."""
        return str(self._mock("cluster_bootstraps", Text)().decode())

    def obey(self, line: str) -> int:
        """Carry out one command; 0 or librdkafka's error code.

        Raises `KeyError`, `ValueError` or `TypeError` on a bad line.
        """
        verb, *words = line.split()
        commands: dict[str, Callable[..., int | None]] = {
            "topic": lambda name, n: self._mock("topic_create", Int, Text, Int, Int)(
                name.encode(), int(n), self._replicas
            ),
            "topic-error": lambda name, code: self._mock("topic_set_error", None, Text, Int)(
                name.encode(), int(code)
            ),
            "down": lambda broker: self._mock("broker_set_down", Int, Int32)(int(broker)),
            "up": lambda broker: self._mock("broker_set_up", Int, Int32)(int(broker)),
            "rtt": lambda broker, ms: self._mock("broker_set_rtt", Int, Int32, Int)(
                int(broker), int(ms)
            ),
            "err": self._fail,
            "clear": lambda key: self._mock("clear_request_errors", None, Int16)(int(key)),
            "delete-records": lambda topic, partition, offset: self._mock(
                "partition_delete_records", Int, Text, Int32, Int64
            )(topic.encode(), int(partition), int(offset)),
            "coordinator": lambda group, broker: self._mock(
                "coordinator_set", Int, Text, Text, Int32
            )(b"group", group.encode(), int(broker)),
        }
        return commands[verb](*words) or 0

    def _fail(self, key: str, code: str, times: str = "1") -> None:
        codes = (Int * int(times))(*[int(code)] * int(times))
        self._mock("push_request_errors_array", None, Int16, Size, ctypes.POINTER(Int))(
            int(key), len(codes), codes
        )


def main(arguments: list[str]) -> int:
    """Serve until `stop` or the end of input."""
    broker = Broker(int(arguments[0]) if arguments else 1)
    sys.stdout.write(f"{broker.bootstrap_servers}\n")
    sys.stdout.flush()
    for line in sys.stdin:
        if not line.strip():
            continue
        if line.strip() == "stop":
            break
        try:
            code = broker.obey(line)
            answer = "ok" if code == 0 else f"error {code}"
        except (KeyError, ValueError, TypeError) as problem:
            answer = f"error {problem!r}"
        sys.stdout.write(f"{answer}\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
