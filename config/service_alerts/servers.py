"""Alerts on Kafka and Redis themselves."""

from collections.abc import Iterator

from config.service_alerts.service_alert import OUTLASTS, SOMEWHERE_LIVE, ServiceAlert


def servers() -> Iterator[ServiceAlert]:
    """Both only where something is live that needs them."""
    yield ServiceAlert(
        "DispersionKafkaDown",
        f"min(max by (job) (dispersion_kafka_up)) == 0{SOMEWHERE_LIVE}",
        "critical",
        (),
        "Kafka does not answer, so nothing is read and nothing published.",
        "It has not told the ends of the logs.",
        waits="15s",
        keeps=OUTLASTS,
    )
    yield ServiceAlert(
        "DispersionRedisDown",
        f"min(max by (job) (dispersion_redis_up)) == 0{SOMEWHERE_LIVE}",
        "critical",
        (),
        "Redis does not answer or takes no write, so readings stop.",
        "One of the jobs has had no answer.",
        waits="15s",
        keeps=OUTLASTS,
    )
