"""What is shipped to other machines: image, compose files, manifests, alarms and dashboard."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from config import Settings
from dashboard.observability import DataCollector, generate_latest
from dashboard.uploads import FORM_BYTES
from tests.services import ROOT
from warehouse.db import LIVENESS

COMPOSE = ("docker-compose.yml", "docker-compose.prod.yml")
SETTINGS = {str(field.validation_alias) for field in Settings.model_fields.values()}
OTHERS_SETTINGS = re.compile(r"(POSTGRES|GF|VALKEY)_\w+|PG[A-Z]+|(OMP|OPENBLAS|MKL)_NUM_THREADS")
INTERPOLATED = re.compile(r"(?<!\$)\$\{(\w+)(?::-(?P<default>[^}]*)|:\?[^}]*)?\}")
PINNED = re.compile(r"[\w./-]+:(v?\d[\w.-]*|\$\{NOVA_VERSION:-dev\})")
METRIC = re.compile(r"\bnova_[a-z_]+")
ALSO_ASKED = {"POSTGRES_PASSWORD", "VALKEY_PASSWORD", "GRAFANA_PASSWORD"} | {
    "NOVA_VERSION",
    "NOVA_INBOX",
    "NOVA_TLS",
    "TRACING",
}
OF_THE_IMAGE = {"HOST", "PORT", "NOVA_HOME", "NOVA_COMMIT"}
OF_MAKE_RUN = {"NOVA_DATA", "FLASK_DEBUG"}
MANIFESTS = sorted((ROOT / "deploy" / "kubernetes").glob("*.yaml"))
GUNICORN = (ROOT / "gunicorn.conf.py").read_text()
OPERATIONS = (ROOT / "docs" / "operations.md").read_text()


def compose(name: str) -> dict[str, Any]:
    return yaml.safe_load((ROOT / name).read_text())


def services_of(name: str) -> list[tuple[str, dict[str, Any]]]:
    return list(compose(name)["services"].items())


@pytest.mark.parametrize("name", COMPOSE)
def test_compose_files_fit_the_specification(name: str) -> None:
    spec = pytest.importorskip("compose_spec", reason="no wheel for this platform")
    given = INTERPOLATED.sub(lambda found: found["default"] or "given", (ROOT / name).read_text())
    spec.PyCompose.from_yaml(yaml.safe_dump(yaml.safe_load(given))).validate()


@pytest.mark.parametrize("name", COMPOSE)
def test_what_a_service_waits_for_can_tell_that_it_is_ready(name: str) -> None:
    found = dict(services_of(name))
    for service in found.values():
        for other, how in service.get("depends_on", {}).items():
            if how["condition"] == "service_healthy":
                image = found[other].get("build", {}).get("target")
                assert "healthcheck" in found[other] or image == "web", other


def test_production_is_pinned_unprivileged_and_read_only() -> None:
    for name, service in services_of("docker-compose.prod.yml"):
        assert PINNED.fullmatch(service["image"]), service["image"]
        if name == "postgres":
            continue
        assert service["read_only"] is True and service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name


def test_production_holds_no_secret_and_asks_for_each() -> None:
    text = (ROOT / "docker-compose.prod.yml").read_text()
    asked = [name for name in SETTINGS | ALSO_ASKED if name.endswith("_PASSWORD")]
    for name in ("NOVA_SMTP_PASSWORD", "GRAFANA_PASSWORD"):
        asked.remove(name)
    for name in ("SECRET_KEY", "NOVA_METRICS_TOKEN", *asked):
        assert re.search(rf"\$\{{{name}:\?[^}}]+\}}", text), name
    assert {one[1] for one in INTERPOLATED.finditer(text)} <= SETTINGS | ALSO_ASKED


def test_production_passes_every_setting_on() -> None:
    found = dict(services_of("docker-compose.prod.yml"))
    web, trainer = (set(found[name]["environment"]) for name in ("web", "trainer"))
    assert web | trainer == SETTINGS - OF_THE_IMAGE - OF_MAKE_RUN
    assert trainer - web == {"NOVA_LIMIT", "NOVA_DASK_SCHEDULER"}
    for service in found.values():
        for name, value in service.get("environment", {}).items():
            given = INTERPOLATED.fullmatch(str(value))
            assert given is None or name not in SETTINGS or given[1] == name, name


def test_no_read_only_service_gets_a_file_that_an_engine_would_have_to_write() -> None:
    whole = compose("docker-compose.prod.yml")
    for name, service in services_of("docker-compose.prod.yml"):
        for kind in ("secrets", "configs"):
            for used in service.get(kind, []):
                source = used["source"] if isinstance(used, dict) else used
                assert not service.get("read_only") or "file" in whole[kind][source], name


def test_prometheus_finds_its_token_where_its_container_puts_it() -> None:
    service = dict(services_of("docker-compose.prod.yml"))["prometheus"]
    scraped = yaml.safe_load((ROOT / "deploy" / "prometheus" / "prometheus.yml").read_text())
    (job,) = scraped["scrape_configs"]
    (command,) = service["command"]
    assert f'"$$NOVA_METRICS_TOKEN" > {job["authorization"]["credentials_file"]} ' in command


@pytest.mark.parametrize(
    ("given", "said"), [("", "choose one, as GRAFANA_PASSWORD"), ("s3cret", "begins")]
)
def test_grafana_alone_asks_for_its_password(given: str, said: str) -> None:
    service = dict(services_of("docker-compose.prod.yml"))["grafana"]
    (command,), password = service["command"], service["environment"]["GF_SECURITY_ADMIN_PASSWORD"]
    assert INTERPOLATED.sub(lambda one: one["default"], password) == ""
    begun = command.replace("$$", "$").replace("/run.sh", "echo begins")
    done = subprocess.run(
        [*service["entrypoint"], begun],
        env={"PATH": os.environ["PATH"], "GF_SECURITY_ADMIN_PASSWORD": given},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode == 0) is bool(given) and said in done.stdout + done.stderr


def test_what_stands_in_front_leaves_room_for_the_form_around_a_file() -> None:
    service = dict(services_of("docker-compose.prod.yml"))["nginx"]
    (command,) = service["command"]
    done = subprocess.run(
        [*service["entrypoint"], re.sub(r"exec .*", "env", command.replace("$$", "$"))],
        env={"PATH": os.environ["PATH"], "NOVA_UPLOAD_MB": "7"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert f"NOVA_BODY_BYTES={(7 << 20) + FORM_BYTES}\n" in done.stdout
    (ingress,) = [one for one in _documents() if one["kind"] == "Ingress"]
    allowed = ingress["metadata"]["annotations"]["nginx.ingress.kubernetes.io/proxy-body-size"]
    largest = (Settings.model_fields["upload_mb"].default << 20) + FORM_BYTES
    assert largest <= int(allowed.removesuffix("m")) << 20 < largest + (1 << 20)


@pytest.mark.parametrize("name", COMPOSE)
def test_every_setting_is_one_that_is_read(name: str) -> None:
    for _, service in services_of(name):
        for variable in service.get("environment", {}):
            assert variable in SETTINGS or OTHERS_SETTINGS.fullmatch(variable), variable


def test_every_file_that_is_mounted_is_here() -> None:
    for _, service in services_of("docker-compose.prod.yml"):
        for volume in service.get("volumes", []):
            source = volume.partition(":")[0]
            if source.startswith("./"):
                assert (ROOT / source).exists(), source


def test_the_dockerfile_is_clean() -> None:
    hadolint = shutil.which("hadolint", path=str(Path(sys.executable).parent))
    if hadolint is None:
        pytest.skip("hadolint has no wheel for this platform")
    done = subprocess.run(
        [hadolint, "Dockerfile"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.name)
def test_manifests_are_valid_and_unprivileged(path: Path) -> None:
    import kubernetes_validate

    for document in yaml.safe_load_all(path.read_text()):
        kubernetes_validate.validate(document, kubernetes_validate.latest_version(), strict=True)
        for pod in _pods(document):
            assert pod["securityContext"]["runAsNonRoot"] is True
            for container in pod["containers"] + pod.get("initContainers", []):
                assert container["securityContext"]["readOnlyRootFilesystem"] is True
                assert container["resources"]["limits"]["memory"]


def test_pods_that_wait_for_a_lost_database_are_not_restarted() -> None:
    """Threads wait for as long as a connection takes to be given up, and probes for threads."""
    named = {(one["kind"], one["metadata"]["name"]): one for one in _documents()}
    (web,) = _pods(named["Deployment", "nova-web"])
    (container,) = web["containers"]
    live, ready = container["livenessProbe"], container["readinessProbe"]
    lost_seconds = LIVENESS["tcp_user_timeout"] / 1000
    assert live["timeoutSeconds"] >= 5 and ready["timeoutSeconds"] >= 5
    assert live["periodSeconds"] * live["failureThreshold"] >= 5 * lost_seconds
    assert ready["periodSeconds"] * ready["failureThreshold"] < lost_seconds
    sleep, seconds = container["lifecycle"]["preStop"]["exec"]["command"]
    given = re.search(r"^graceful_timeout = (\d+)$", GUNICORN, re.MULTILINE)
    assert given and sleep == "sleep"
    assert int(seconds) + int(given[1]) < web["terminationGracePeriodSeconds"]


def test_the_ingress_waits_for_files_as_nginx_does() -> None:
    nginx = (ROOT / "deploy" / "nginx" / "nova.conf.template").read_text()
    (ingress,) = [one for one in _documents() if one["kind"] == "Ingress"]
    told = ingress["metadata"]["annotations"]
    minutes = int(told["nginx.ingress.kubernetes.io/proxy-read-timeout"]) // 60
    tried = told["nginx.ingress.kubernetes.io/proxy-next-upstream"]
    assert nginx.count(f"proxy_read_timeout {minutes}m;") == 2
    assert nginx.count(f"proxy_next_upstream {tried};") == 2


def test_every_command_of_a_manifest_is_one_of_ours() -> None:
    from dashboard.cli import app

    shipped = [*MANIFESTS, ROOT / "docker-compose.prod.yml"]
    text = "".join(path.read_text() for path in shipped)
    asked = re.findall(r"flask ([a-z][\w-]*)(?: (\w[\w-]*))?(?: (--[\w-]+))?", text)
    assert {first for first, *_ in asked} >= {"send-reports", "archive", "audit", "staging"}
    for first, second, option in asked:
        command: Any = app.cli.commands[first]
        if second:
            command = command.commands[second]
        known = {name for one in command.params for name in one.opts}
        assert not option or option in known, (first, option)


def test_training_finds_the_workers_of_the_cluster() -> None:
    by_name = {(one["kind"], one["metadata"]["name"]): one for one in _documents()}
    port = by_name["Service", "dask-scheduler"]["spec"]["ports"][0]["port"]
    (worker,) = _pods(by_name["Deployment", "dask-worker"])
    assert f"tcp://dask-scheduler:{port}" in worker["containers"][0]["command"]
    allowed = str(by_name["NetworkPolicy", "dask"]["spec"]["ingress"])
    training = by_name["CronJob", "nova-train"]["spec"]["jobTemplate"]["spec"]["template"]
    assert training["metadata"]["labels"]["app"] in allowed


def _documents() -> list[dict[str, Any]]:
    return [one for path in MANIFESTS for one in yaml.safe_load_all(path.read_text())]


def _pods(node: Any) -> list[dict[str, Any]]:
    if isinstance(node, list):
        return [pod for one in node for pod in _pods(one)]
    if not isinstance(node, dict):
        return []
    mine = [node] if "containers" in node else []
    return mine + [pod for one in node.values() for pod in _pods(one)]


def test_alarms_and_dashboard_watch_metrics_that_there_are() -> None:
    known = set(METRIC.findall(generate_latest().decode()))
    known |= {family.name for family in _families()}
    alarms = (ROOT / "deploy" / "prometheus" / "alarms.yml").read_text()
    dashboard = (ROOT / "deploy" / "grafana" / "dashboards" / "nova.json").read_text()
    json.loads(dashboard)
    asked = set(METRIC.findall(alarms)) | set(METRIC.findall(dashboard))
    assert asked and {name.removesuffix("_bucket") for name in asked} <= known


def _families() -> list[Any]:
    from datetime import UTC, date, datetime

    from domain.records import DataStatus

    known = DataStatus(
        run_id=1,
        demand_to=date(2026, 1, 1),
        fresh_until=date(2026, 1, 4),
        computed_at=datetime.now(UTC),
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dashboard.observability.status.current", lambda: known)
        patch.setattr("dashboard.observability.active", list)
        return list(DataCollector().collect())


def test_what_has_vanished_is_an_alarm_too() -> None:
    rules = yaml.safe_load((ROOT / "deploy" / "prometheus" / "alarms.yml").read_text())
    found = {rule["alert"]: rule["expr"] for group in rules["groups"] for rule in group["rules"]}
    assert found["NovaDown"].endswith(' or absent(up{job="nova"})')
    assert found["NovaDatabaseDown"].endswith(" or absent(nova_database_up)")


def test_what_lasts_an_hour_is_not_told_by_a_container_that_has_just_begun() -> None:
    """A range has only the samples that there are, be they of five minutes."""
    rules = yaml.safe_load((ROOT / "deploy" / "prometheus" / "alarms.yml").read_text())
    found = {rule["alert"]: rule for group in rules["groups"] for rule in group["rules"]}
    assert [name for name, rule in found.items() if "_over_time(" in rule["expr"]] == []
    assert found["NovaJobsStuck"]["for"] == "1h"


def test_every_alarm_has_its_page_in_the_runbook() -> None:
    rules = yaml.safe_load((ROOT / "deploy" / "prometheus" / "alarms.yml").read_text())
    names = [rule["alert"] for group in rules["groups"] for rule in group["rules"]]
    headings = set(re.findall(r"^### (\w+)$", OPERATIONS, re.MULTILINE))
    assert set(names) <= headings
