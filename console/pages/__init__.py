"""The pages, one module each."""

from console.pages import audit, files, module, overview, schedules, signin, targets, task, trends

__all__ = ["audit", "files", "module", "overview", "schedules", "signin", "targets", "task", "trends"]
