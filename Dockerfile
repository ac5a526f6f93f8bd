# Backstep in one image: locked packages, no compiler, no Node, a user without rights, nothing fetched at run time.
ARG PYTHON=3.12

FROM python:${PYTHON}-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /src
COPY requirements requirements
RUN python -m venv --without-pip /opt/backstep \
 && pip --python /opt/backstep/bin/python install --require-hashes -r requirements/server.txt \
 && pip install --require-hashes -r requirements/build.txt
COPY package.json package-lock.json .npmrc ./
COPY scripts scripts
RUN python scripts/vendor.py
COPY . .
RUN pip wheel --no-deps --no-build-isolation -w /dist . \
 && pip --python /opt/backstep/bin/python install --no-deps --no-index /dist/backstep-*.whl \
 && /opt/backstep/bin/python -m compileall -q /opt/backstep/lib

FROM python:${PYTHON}-slim
LABEL org.opencontainers.image.title="Backstep" org.opencontainers.image.licenses="MIT"
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin backstep \
 && install -d -o 10001 -g 10001 /data
COPY --from=build /opt/backstep /opt/backstep
# /data holds finished traces; the port is published by whoever runs the container, so all of its addresses are served
ENV PATH=/opt/backstep/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 XDG_DATA_HOME=/data BACKSTEP_HOST=0.0.0.0
VOLUME /data
USER 10001:10001
WORKDIR /tmp
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=10s --start-period=20s \
  CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/healthz', timeout=8)"]
CMD ["backstep", "serve", "--port", "8000"]
