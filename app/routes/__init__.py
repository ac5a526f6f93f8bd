"""One file per noun; each has a `router`. To add a route: a file here and a line in ROUTERS."""

from app.routes import broadcast, graphs, health, lessons, pages, probe, runs, schema

ROUTERS = (
    health.router,
    pages.router,
    runs.router,
    probe.router,
    graphs.router,
    broadcast.router,
    lessons.router,
    schema.router,
)
