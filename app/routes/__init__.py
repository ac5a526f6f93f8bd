"""One file per noun; each has a `router`. To add a route: a file here and a line in ROUTERS."""

from app.routes import broadcast, health, lessons, pages, runs, schema

ROUTERS = (
    health.router,
    pages.router,
    runs.router,
    broadcast.router,
    lessons.router,
    schema.router,
)
