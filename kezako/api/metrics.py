"""Metrics for operators: counters and gauges in Prometheus' format."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector
from traitlets.log import get_logger

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
SECONDS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)  # bounds of the histograms


class Metrics:
    """The metrics of one server; other modules add theirs with `gauge` and `counter`."""

    def __init__(self) -> None:
        # A registry of its own: jupyter_server registers its requests, by path, in the default one.
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        self._gauges = _Gauges()
        self._registry.register(self._gauges)
        self.predictions = self.counter(
            "kezako_predictions_total", "Pictures of the API, by what became of them.", ["outcome"]
        )
        self.requests = self.counter(
            "kezako_api_requests_total", "Requests to the API, by status.", ["status"]
        )
        self.seconds = self._histogram("kezako_prediction_seconds", "Decoding and classifying one.")
        self.waited = self._histogram("kezako_prediction_wait_seconds", "In the queue before that.")

    def gauge(self, name: str, help: str, read: Callable[[], float]) -> None:
        """Add a gauge that calls `read` at each scrape; if it raises, the gauge is left out."""
        self._gauges.add(name, help, read)

    def counter(self, name: str, help: str, labels: Sequence[str] = ()) -> Counter:
        return Counter(name.removesuffix("_total"), help, labels, registry=self._registry)

    def text(self) -> bytes:
        """All metrics in Prometheus' text format."""
        return generate_latest(self._registry)

    def _histogram(self, name: str, help: str) -> Histogram:
        return Histogram(name, help, buckets=SECONDS, registry=self._registry)


class _Gauges(Collector):
    def __init__(self) -> None:
        self._reads: dict[str, tuple[str, Callable[[], float]]] = {}

    def add(self, name: str, help: str, read: Callable[[], float]) -> None:
        self._reads[name] = (help, read)

    def describe(self) -> Iterator[Metric]:
        yield from ()  # else registering would call collect()

    def collect(self) -> Iterator[Metric]:
        for name, (help, read) in self._reads.items():
            try:
                value = float(read())
            except Exception as error:  # one failing gauge must not hide the others
                get_logger().warning("The gauge %s cannot be read: %s", name, error)
                continue
            yield GaugeMetricFamily(name, help, value=value)
