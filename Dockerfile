FROM python:3.11-slim
WORKDIR /app
COPY pyproject.toml requirements.lock README.md ./
COPY analytics analytics
COPY streams streams
COPY config config
COPY agents agents
COPY samples samples
RUN python -m venv .venv && .venv/bin/python -m pip install --quiet --require-hashes -r requirements.lock \
    && .venv/bin/python -m pip install --quiet --no-deps --no-build-isolation . \
    && useradd --system dispersion && mkdir -p build && chown dispersion build
ARG REVISION=""
ENV SOURCE_REVISION=$REVISION
USER dispersion
ENV PATH=/app/.venv/bin:$PATH
ENTRYPOINT ["dispersion"]
