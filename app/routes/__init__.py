"""One file per noun; each has a `router`. To add a route: a file here and a line in ROUTERS."""

from app.routes import broadcast, docs, graphs, health, lessons, ops, pages, probe, runs, schema

ROUTERS = (
    health.router,
    pages.router,
    runs.router,
    probe.router,
    graphs.router,
    broadcast.router,
    ops.router,
    lessons.router,
    schema.router,
    docs.router,
)
