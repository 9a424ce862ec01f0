"""The Kubernetes example fits the schemas of Kubernetes, and its parts fit one another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.needs import needs_package

yaml = needs_package("yaml")
kubernetes_validate = needs_package("kubernetes_validate")

FILES = sorted((Path(__file__).parents[2] / "examples" / "kubernetes").glob("*.yaml"))
Resource = dict[str, Any]


@pytest.fixture(scope="module")
def the_resources() -> dict[str, Resource]:
    """Kind -> the one resource of that kind."""
    found = [each for file in FILES for each in yaml.safe_load_all(file.read_text("utf-8"))]
    return {each["kind"]: each for each in found}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_each_fits_its_schema(file: Path) -> None:
    for resource in yaml.safe_load_all(file.read_text("utf-8")):
        kubernetes_validate.validate(resource, "1.34", strict=True)


def test_a_wrong_one_would_not(the_resources: dict[str, Resource]) -> None:
    wrong = {**the_resources["Service"], "spec": {"ports": [{"port": "http"}]}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, "1.34", strict=True)


def test_the_parts_find_one_another(the_resources: dict[str, Resource]) -> None:
    pods = the_resources["Deployment"]["spec"]["template"]
    labels, container = pods["metadata"]["labels"], pods["spec"]["containers"][0]
    service = the_resources["Service"]
    assert service["spec"]["selector"].items() <= labels.items()
    assert the_resources["Deployment"]["spec"]["selector"]["matchLabels"].items() <= labels.items()
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert service["spec"]["ports"][0]["targetPort"] in ports
    assert str(ports["http"]) in container["command"]
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert container[probe]["httpGet"] == {"path": "/healthz", "port": "http"}
    path = the_resources["Ingress"]["spec"]["rules"][0]["http"]["paths"][0]
    assert path["backend"]["service"]["name"] == service["metadata"]["name"]
    scaled = the_resources["HorizontalPodAutoscaler"]["spec"]["scaleTargetRef"]
    assert scaled["name"] == the_resources["Deployment"]["metadata"]["name"]


def test_visitors_come_back_to_their_pod(the_resources: dict[str, Resource]) -> None:
    notes = the_resources["Ingress"]["metadata"]["annotations"]
    assert notes["nginx.ingress.kubernetes.io/affinity"] == "cookie"


def test_a_pod_may_do_little(the_resources: dict[str, Resource]) -> None:
    pod = the_resources["Deployment"]["spec"]["template"]["spec"]
    container = pod["containers"][0]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["automountServiceAccountToken"] is False
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["resources"]["limits"]["memory"] == "512Mi"
