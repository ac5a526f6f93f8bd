"""One file per noun; each has a `router`. To add a route: a file here and a line in ROUTERS."""

from app.routes import health, pages, runs

ROUTERS = (health.router, pages.router, runs.router)
