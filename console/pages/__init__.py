"""The pages, one module each."""

from console.pages import audit, files, find, insert, module, overview, queue, schedules, signin, targets, task, trends

__all__ = ["audit", "files", "find", "insert", "module", "overview", "queue", "schedules", "signin", "targets", "task", "trends"]
