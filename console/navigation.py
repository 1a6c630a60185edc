"""What the head of each page leads to."""

NAVIGATION: tuple[tuple[str, str], ...] = (
    ("/", "Overview"),
    ("/queue", "Queue"),
    ("/trends", "Trends"),
    ("/schedules", "Schedules"),
    ("/targets", "Targets"),
    ("/audit", "Audit"),
)
