"""The worker process: checks, takes part in the consumer group, and leaves in order on SIGTERM."""

import asyncio
import gc
import logging
import signal
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from time import monotonic

import faust
from aiokafka.errors import KafkaError
from faust.exceptions import ConsumerNotStarted
from prometheus_client import CollectorRegistry
from redis.asyncio import Redis
from redis.exceptions import RedisError

from agents.kafka.client import until_reached
from agents.monitoring.acceptance import PUBLISH_SECONDS
from agents.monitoring.health import Probes
from agents.monitoring.http_server import HealthServer
from agents.monitoring.identity import identify
from agents.monitoring.initial_label_values import initial_label_values
from agents.monitoring.metrics import Metrics
from agents.monitoring.status import WorkerStatus
from agents.monitoring.watchdog import Watchdog
from agents.plan import Plan
from agents.plans import flow_plans
from agents.process.await_within import await_within
from agents.process.exits import (
    EXIT_ACTION_NEEDED,
    EXIT_INTERNAL,
    EXIT_OK,
    EXIT_UNAVAILABLE,
    ActionNeededError,
    UnavailableError,
    exit_code_of,
    exit_now,
    exit_within,
)
from agents.process.logs import log_to_stderr
from agents.store.checkpoint_store import StoreClient
from agents.store.client import connect
from agents.store.clock_check import check_clock, watch_clock
from agents.store.estimate import redis_bytes
from agents.store.retry import redis_failure
from agents.store.server_check import check_server
from agents.topics.admin import check_topics
from agents.worker.app import build
from agents.worker.faust_adapter import FaustAdapter
from agents.worker.partition_growth import refuse_moved_indices
from agents.worker.partitions import PartitionManager
from agents.worker.sampler import Sampler
from agents.worker.takeover import ColdStart
from config.errors import ConfigError
from config.settings import Settings
from streams.topics import Topics

TICK = 0.25
SAMPLE = 1.0
CLOSE_SECONDS = 2.0
STOP_SECONDS = 10.0
"""A stop that takes longer is cut off; everything is committed before it begins."""
LEAVE_SECONDS = 3.0
"""How long tasks and threads that are left may take to end, once the worker's work is over."""

log = logging.getLogger(__name__)

Plans = Callable[[Settings], Sequence[Plan]]


def monitor_plans(settings: Settings) -> Sequence[Plan]:
    """The stages of the monitor as configured. Raises `ConfigError`."""
    from config.market import market_of
    from config.rules import load_rules
    from streams.calendar.sessions import hours

    # built before the event loop runs, which must not wait for it at the first record
    hours()
    return flow_plans(
        settings,
        market_of(settings),
        load_rules(settings.rules.file, cap_unknown=settings.rules.cap_unknown),
    )


def run_worker(
    settings: Settings, plans: Plans = monitor_plans, cold: ColdStart = "checkpoint"
) -> int:
    """Run until SIGTERM or SIGINT; the exit code of `agents.process.exits`.

    Logs go to stderr and name no secret.
    """
    log_to_stderr()
    try:
        chosen = plans(settings)
        _make_data_dir(settings.worker.data_dir)
        topics = until_reached(lambda: check_topics(settings), settings.worker.start_seconds)
        topics.refuse()
        # A fetch of small records sets the collector off; it need not look at what stays for
        # good.
        gc.freeze()
        worker = Worker(
            settings, chosen, {topic.name: topic.partitions for topic in topics.topics}, cold
        )
        return asyncio.run(_run_to_the_end(worker))
    except Exception as error:  # noqa: BLE001 - told, and an exit code
        return _told(error)


async def _run_to_the_end(worker: "Worker") -> int:
    """The exit code of a worker; from here on the process ends, whoever else holds it.

    The loop waits for every task that is left, and the process for every thread. A task of a
    library may have lost its cancellation, and a thread may ask a server that is away.
    """
    try:
        code = await worker.run()
    except Exception as error:  # noqa: BLE001 - told, and an exit code
        code = _told(error)
    exit_within(LEAVE_SECONDS, code, f"tasks or threads are left after {LEAVE_SECONDS:.0f} s")
    return code


def _told(error: Exception) -> int:
    """Say what ended the worker; the exit code."""
    if isinstance(error, ConfigError | ActionNeededError):
        log.critical("refused: %s", error)
        return EXIT_ACTION_NEEDED
    if isinstance(error, UnavailableError):
        log.critical("down: %s", error)
        return EXIT_UNAVAILABLE
    log.critical("internal error", exc_info=error)
    return EXIT_INTERNAL


def _make_data_dir(path: Path) -> None:
    """Faust makes the last folder only. Raises `ConfigError`."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        problem = f"cannot be made ({(error.strerror or str(error)).lower()})"
        raise ConfigError(
            problem, file=path, key="worker.data_dir", fix="name another folder"
        ) from None


class Worker:
    """One process's work, from the checks to the last commit."""

    def __init__(
        self,
        settings: Settings,
        plans: Sequence[Plan],
        partitions: Mapping[str, int],
        cold: ColdStart,
    ) -> None:
        self._settings = settings
        self._plans = plans
        self._partitions = partitions
        self._cold = cold
        self.registry = CollectorRegistry()
        self._metrics = Metrics(self.registry)
        identify(self.registry, settings)
        self._metrics.declare(
            initial_label_values(
                [index.symbol for index in settings.market.indices],
                Topics(settings.kafka.topic_prefix),
            )
        )
        self._status = WorkerStatus()
        self._watchdog: Watchdog | None = None
        self._refused = False

    async def run(self) -> int:
        """Work until told to stop; the exit code."""
        settings = self._settings
        probes = Probes(self._status, settings.worker.stall_after)
        server = HealthServer(
            settings.metrics.host, settings.metrics.port, self.registry, probes.answer
        )
        server.start()
        log.info("metrics and health on %s", server.url)
        redis = connect(settings.redis)
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        try:
            if not await self._checked(redis, stop):
                return EXIT_OK
            adapter = FaustAdapter(settings, self._metrics, redis, self._partitions)
            store_client = StoreClient(
                redis,
                adapter.metrics_observer,
                lease_seconds=settings.redis.lease_seconds,
                instance=settings.kafka.instance_id,
            )
            idle_after = (
                settings.worker.idle_after if settings.mode in {"live", "delayed"} else None
            )
            partitions = PartitionManager(
                self._plans,
                store_client,
                adapter,
                self._status,
                idle_after=idle_after,
                dead_letter_ratio=settings.worker.dead_letter_ratio,
                cold=self._cold,
                live=settings.mode in {"live", "delayed"},
            )
            return await self._work(
                build(settings, self._plans, partitions, adapter),
                partitions,
                adapter,
                store_client,
                stop,
            )
        finally:
            with suppress(RedisError, OSError, TimeoutError):
                await await_within(CLOSE_SECONDS, redis.aclose())
            server.stop()

    async def _checked(self, redis: Redis, stop: asyncio.Event) -> bool:
        """Ask Redis whether it is fit; False when told to stop before it has answered.

        Raises `ActionNeededError`, `UnavailableError`.
        """
        checks, stopping = (
            asyncio.ensure_future(self._check(redis)),
            asyncio.ensure_future(stop.wait()),
        )
        try:
            while not checks.done() and not stopping.done():
                await asyncio.wait(
                    [checks, stopping], timeout=TICK, return_when=asyncio.FIRST_COMPLETED
                )
                # Alive, if not ready.
                self._status.beat = monotonic()
            if checks.done():
                checks.result()
            return checks.done()
        finally:
            checks.cancel()
            stopping.cancel()

    async def _check(self, redis: Redis) -> None:
        settings, seconds = self._settings, self._settings.worker.start_seconds
        await check_server(redis, needed_bytes=redis_bytes(settings), seconds=seconds)
        await check_clock(redis, seconds=seconds)
        readings, indices = (
            Topics(settings.kafka.topic_prefix).name("readings"),
            [index.symbol for index in settings.market.indices],
        )
        await refuse_moved_indices(
            redis, readings, self._partitions[readings], indices, seconds=seconds
        )

    async def _work(
        self,
        app: faust.App,
        partitions: PartitionManager,
        adapter: FaustAdapter,
        store_client: StoreClient,
        stop: asyncio.Event,
    ) -> int:
        loop = asyncio.get_running_loop()
        self._watchdog = Watchdog(self._status, self._settings.worker.stall_after, loop=loop)
        sampler = Sampler(partitions, adapter, store_client.caller.breaker, self._status)
        background = [asyncio.create_task(sampler.watch_loop())]
        self._status.redis_ok = True
        self._watchdog.start()
        app.loop = loop
        starting = asyncio.create_task(app.start())
        stopping = asyncio.create_task(stop.wait())
        crashing = asyncio.create_task(app.wait_until_stopped())
        try:
            await asyncio.wait([starting, stopping, crashing], return_when=asyncio.FIRST_COMPLETED)
            if starting.done() and (error := starting.exception()) is not None:
                raise startup_error(error) from error
            background += [asyncio.create_task(self._watch_clock(store_client.redis, stop))]
            background += [
                asyncio.create_task(self._every(TICK, partitions.tick)),
                asyncio.create_task(self._every(SAMPLE, sampler.sample)),
            ]
            background.append(
                asyncio.create_task(self._every(PUBLISH_SECONDS, adapter.acceptance.publish))
            )
            await asyncio.wait([stopping, crashing], return_when=asyncio.FIRST_COMPLETED)
            if crashing.done() and not stop.is_set():
                exit_now(
                    exit_code_of_crash(app.crash_reason), f"Faust crashed: {app.crash_reason!r}"
                )
            code = await self._stop(app, partitions)
            return EXIT_ACTION_NEEDED if self._refused else code
        finally:
            self._watchdog.stop()
            for task in (*background, stopping, crashing, starting):
                task.cancel()

    async def _watch_clock(self, redis: Redis, stop: asyncio.Event) -> None:
        """Stop in order, and be refused, once the clock is too far off."""
        try:
            await watch_clock(redis, self._metrics.redis_clock_skew.set)
        except ActionNeededError as refusal:
            log.critical("refused: %s", refusal)
            self._refused = True
            stop.set()

    async def _every(self, seconds: float, work: Callable[[], object]) -> None:
        while True:
            started = monotonic()
            outcome = work()
            if asyncio.iscoroutine(outcome):
                await outcome
            await asyncio.sleep(max(0.0, seconds - (monotonic() - started)))

    async def _stop(self, app: faust.App, partitions: PartitionManager) -> int:
        """Final checkpoints and their commit first, then Faust's own farewell.

        The farewell may be cut short.
        """
        log.info("stopping: final checkpoints")
        self._status.enter("draining")
        started = monotonic()
        code = EXIT_OK if await partitions.release() else EXIT_UNAVAILABLE
        with suppress(TimeoutError, ConsumerNotStarted, KafkaError):
            await await_within(STOP_SECONDS / 2, app.consumer.commit())
        try:
            await await_within(STOP_SECONDS, app.stop())
        except TimeoutError:
            exit_now(
                code,
                f"what could be committed is, but Faust did not stop within {STOP_SECONDS:.0f} s",
            )
        except (KafkaError, OSError) as error:
            exit_now(
                code,
                f"what could be committed is, but Kafka was away from Faust's farewell: {error!r}",
            )
        if code == EXIT_UNAVAILABLE:
            log.error(
                "down: a final checkpoint was not taken; "
                "the next worker goes on from the one before, and nothing is lost"
            )
        log.info("stopped in %.1f s", monotonic() - started)
        return code


def startup_error(error: BaseException) -> BaseException:
    """What it means that the app did not start.

    It is `UnavailableError`, `ActionNeededError`, or the error itself, a bug of ours.
    """
    if exit_code_of_crash(error) == EXIT_UNAVAILABLE:
        return UnavailableError(f"Kafka cannot be joined: {error!r}; check that it runs")
    return (
        ActionNeededError(f"Kafka refuses us: {error!r}; see `dispersion doctor`")
        if isinstance(error, KafkaError)
        else error
    )


def exit_code_of_crash(error: BaseException | None) -> int:
    """The exit code of what ended Faust.

    It is that of Kafka's or Redis' state where one of them was the cause, else that of a bug.

    >>> from aiokafka.errors import KafkaConnectionError
    >>> (
    ...     exit_code_of_crash(KafkaError()),
    ...     exit_code_of_crash(KafkaConnectionError()),
    ...     exit_code_of_crash(ConnectionResetError()),
    ... )
    (70, 3, 3)
    """
    while error is not None:
        if isinstance(error, KafkaError) and error.retriable:
            return EXIT_UNAVAILABLE
        if (
            isinstance(error, RedisError | ConnectionError | TimeoutError)
            and (code := exit_code_of(redis_failure(error))) != EXIT_INTERNAL
        ):
            return code
        error = error.__cause__
    return EXIT_INTERNAL
