"""/livez: the process answers. /readyz: it can work. /metrics: figures for the operator, never about a person."""

import hmac
from datetime import timedelta

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import Error, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry, Gauge, generate_latest

from moderation.models import Content, Enforcement, Flag, Notice, ProbeAlarm

# One face counts for all: no other has a database role that may read every kind of work.
_COUNTS_FOR_ALL = {"staff", "all"}


@login_not_required
@require_safe
def livez(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok\n", content_type="text/plain")


@login_not_required
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """503 names what is missing. The broker is left out on purpose: without it work waits, and nothing is lost."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error:
        return JsonResponse({"database": "unreachable"}, status=503)
    return JsonResponse({"database": "ok"})


@login_not_required
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    known = settings.METRICS_TOKEN if settings.FACE in _COUNTS_FOR_ALL else ""
    if not known or not hmac.compare_digest(given.encode(), known.encode()):
        return HttpResponse(status=404)
    return HttpResponse(
        generate_latest(_figures()), content_type="text/plain; version=0.0.4"
    )


def _figures() -> CollectorRegistry:
    registry = CollectorRegistry()
    now = timezone.now()
    waiting = Gauge("nwmc_work_due", "Work that waits", ["kind"], registry=registry)
    dead = Gauge("nwmc_work_dead", "Work given up", ["kind"], registry=registry)
    for kind, rows in (
        ("check", Content.objects),
        ("enforcement", Enforcement.objects),
        ("notice", Notice.objects),
    ):
        waiting.labels(kind).set(rows.due(now).count())
        dead.labels(kind).set(rows.dead().count())
    flags = Gauge("nwmc_flags_open", "Open flags", registry=registry)
    flags.set(Flag.objects.open().count())
    overdue = Gauge("nwmc_flags_overdue", "Open flags past due", registry=registry)
    overdue.set(Flag.objects.overdue(now).count())
    probes = Gauge(
        "nwmc_probe_alarms",
        "Keys that were seen probing a fingerprint in the last day (T-12)",
        registry=registry,
    )
    probes.set(ProbeAlarm.objects.filter(raised_at__gt=now - timedelta(days=1)).count())
    return registry
