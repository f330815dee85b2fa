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

from agents.app import build
from agents.exits import DOWN, INTERNAL, OK, REFUSED, Down, Refusal, code_of, leave
from agents.growth import refuse_moved
from agents.kafka_client import until_reached
from agents.logs import log_to_stderr
from agents.monitoring.acceptance import PUBLISH_SECONDS
from agents.monitoring.health import Probes
from agents.monitoring.http_server import HealthServer
from agents.monitoring.identity import identify
from agents.monitoring.metrics import Metrics
from agents.monitoring.status import Status
from agents.monitoring.watchdog import Watchdog
from agents.monitoring.zeros import zeros
from agents.plans import Plan, flow_plans
from agents.ports_of_app import AppPorts
from agents.runner import Crew
from agents.sampler import Sampler
from agents.store.asking import verdict_on
from agents.store.client import connect
from agents.store.clock_check import check_clock, watch_clock
from agents.store.estimate import redis_bytes
from agents.store.ledger import Store
from agents.store.server_check import check_server
from agents.takeover import ColdStart
from agents.topics.admin import check_topics
from config.errors import ConfigError
from config.settings import Settings
from streams.topics import Topics

TICK = 0.25
SAMPLE = 1.0
CLOSE_SECONDS = 2.0
STOP_SECONDS = 10.0
"""A stop that takes longer is cut off; everything is committed before it begins."""

log = logging.getLogger(__name__)

Plans = Callable[[Settings], Sequence[Plan]]


def monitor_plans(settings: Settings) -> Sequence[Plan]:
    """The stages of the monitor as configured. Raises `ConfigError`."""
    from config.market import market_of
    from config.rules import load_rules
    from streams.sessions import hours

    # built before the event loop runs, which must not wait for it at the first record
    hours()
    return flow_plans(settings, market_of(settings), load_rules(settings.rules.file, cap_unknown=settings.rules.cap_unknown))


def run_worker(settings: Settings, plans: Plans = monitor_plans, cold: ColdStart = "checkpoint") -> int:
    """Run until SIGTERM or SIGINT; the exit code of `agents.exits`. Logs go to stderr and name no secret."""
    log_to_stderr()
    try:
        chosen = plans(settings)
        _make_data_dir(settings.worker.data_dir)
        topics = until_reached(lambda: check_topics(settings), settings.worker.start_seconds)
        topics.refuse()
        gc.freeze()  # a fetch of small records sets the collector off; it need not look at what stays for good
        return asyncio.run(Worker(settings, chosen, {topic.name: topic.partitions for topic in topics.topics}, cold).run())
    except (ConfigError, Refusal) as error:
        log.critical("refused: %s", error)
        return REFUSED
    except Down as error:
        log.critical("down: %s", error)
        return DOWN
    except Exception:
        log.critical("internal error", exc_info=True)
        return INTERNAL


def _make_data_dir(path: Path) -> None:
    """Faust makes the last folder only. Raises `ConfigError`."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        problem = f"cannot be made ({(error.strerror or str(error)).lower()})"
        raise ConfigError(problem, file=path, key="worker.data_dir", fix="name another folder") from None


class Worker:
    """One process's work, from the checks to the last commit."""

    def __init__(self, settings: Settings, plans: Sequence[Plan], partitions: Mapping[str, int], cold: ColdStart) -> None:
        self._settings, self._plans, self._partitions, self._cold = settings, plans, partitions, cold
        self.registry = CollectorRegistry()
        self._metrics = Metrics(self.registry)
        identify(self.registry, settings)
        self._metrics.declare(zeros([index.symbol for index in settings.market.indices], Topics(settings.kafka.topic_prefix)))
        self._status = Status()
        self._watchdog: Watchdog | None = None
        self._refused = False

    async def run(self) -> int:
        """Work until told to stop; the exit code."""
        settings = self._settings
        probes = Probes(self._status, settings.worker.stall_after)
        server = HealthServer(settings.metrics.host, settings.metrics.port, self.registry, probes.answer)
        server.start()
        log.info("metrics and health on %s", server.url)
        redis = connect(settings.redis)
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        try:
            if not await self._checked(redis, stop):
                return OK
            ports = AppPorts(settings, self._metrics, redis, self._partitions)
            store = Store(redis, ports.measures, lease_seconds=settings.redis.lease_seconds, instance=settings.kafka.instance_id)
            idle_after = settings.worker.idle_after if settings.mode in {"live", "delayed"} else None
            crew = Crew(
                self._plans,
                store,
                ports,
                self._status,
                idle_after=idle_after,
                dead_letter_ratio=settings.worker.dead_letter_ratio,
                cold=self._cold,
                live=settings.mode in {"live", "delayed"},
            )
            return await self._work(build(settings, self._plans, crew, ports), crew, ports, store, stop)
        finally:
            with suppress(RedisError, OSError, TimeoutError):
                await asyncio.wait_for(redis.aclose(), CLOSE_SECONDS)
            server.stop()

    async def _checked(self, redis: Redis, stop: asyncio.Event) -> bool:
        """Ask Redis whether it is fit; False when told to stop before it has answered. Raises `Refusal`, `Down`."""
        checks, stopping = asyncio.ensure_future(self._check(redis)), asyncio.ensure_future(stop.wait())
        try:
            while not checks.done() and not stopping.done():
                await asyncio.wait([checks, stopping], timeout=TICK, return_when=asyncio.FIRST_COMPLETED)
                self._status.beat = monotonic()  # alive, if not ready
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
        readings, indices = Topics(settings.kafka.topic_prefix).name("readings"), [index.symbol for index in settings.market.indices]
        await refuse_moved(redis, readings, self._partitions[readings], indices, seconds=seconds)

    async def _work(self, app: faust.App, crew: Crew, ports: AppPorts, store: Store, stop: asyncio.Event) -> int:
        loop = asyncio.get_running_loop()
        self._watchdog = Watchdog(self._status, self._settings.worker.stall_after, loop=loop)
        sampler = Sampler(crew, ports, store.caller.breaker, self._status)
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
                raise unjoined(error) from error
            background += [asyncio.create_task(self._watch_clock(store.redis, stop))]
            background += [asyncio.create_task(self._every(TICK, crew.tick)), asyncio.create_task(self._every(SAMPLE, sampler.sample))]
            background.append(asyncio.create_task(self._every(PUBLISH_SECONDS, ports.acceptance.publish)))
            await asyncio.wait([stopping, crashing], return_when=asyncio.FIRST_COMPLETED)
            if crashing.done() and not stop.is_set():
                leave(code_of_crash(app.crash_reason), f"Faust crashed: {app.crash_reason!r}")
            code = await self._stop(app, crew)
            return REFUSED if self._refused else code
        finally:
            self._watchdog.stop()
            for task in (*background, stopping, crashing, starting):
                task.cancel()

    async def _watch_clock(self, redis: Redis, stop: asyncio.Event) -> None:
        """Stop in order, and be refused, once the clock is too far off."""
        try:
            await watch_clock(redis, self._metrics.redis_clock_skew.set)
        except Refusal as refusal:
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

    async def _stop(self, app: faust.App, crew: Crew) -> int:
        """Final checkpoints and their commit first, then Faust's own farewell, which may be cut short."""
        log.info("stopping: final checkpoints")
        self._status.enter("draining")
        started = monotonic()
        code = OK if await crew.release() else DOWN
        with suppress(TimeoutError, ConsumerNotStarted, KafkaError):
            await asyncio.wait_for(app.consumer.commit(), STOP_SECONDS / 2)
        try:
            await asyncio.wait_for(app.stop(), STOP_SECONDS)
        except TimeoutError:
            leave(code, f"what could be committed is, but Faust did not stop within {STOP_SECONDS:.0f} s")
        except (KafkaError, OSError) as error:
            leave(code, f"what could be committed is, but Kafka was away from Faust's farewell: {error!r}")
        if code == DOWN:
            log.error("down: a final checkpoint was not taken; the next worker goes on from the one before, and nothing is lost")
        log.info("stopped in %.1f s", monotonic() - started)
        return code


def unjoined(error: BaseException) -> BaseException:
    """What it means that the app did not start: `Down`, `Refusal`, or the error itself, a bug of ours."""
    if code_of_crash(error) == DOWN:
        return Down(f"Kafka cannot be joined: {error!r}; check that it runs")
    return Refusal(f"Kafka refuses us: {error!r}; see `dispersion doctor`") if isinstance(error, KafkaError) else error


def code_of_crash(error: BaseException | None) -> int:
    """The exit code of what ended Faust: that of Kafka's or Redis' state where one of them was the cause, else that of a bug.

    >>> code_of_crash(KafkaError()), code_of_crash(KafkaConnectionError()), code_of_crash(ConnectionResetError())
    (70, 3, 3)
    """
    while error is not None:
        if isinstance(error, KafkaError) and error.retriable:
            return DOWN
        if isinstance(error, RedisError | ConnectionError | TimeoutError) and (code := code_of(verdict_on(error))) != INTERNAL:
            return code
        error = error.__cause__
    return INTERNAL
