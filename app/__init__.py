"""The service: runs programs, keeps traces, answers over HTTP. It sees the engine only through its traces."""
